"""The campaign in short: ten faults and ten unchanged exports of one run, to one form."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from toolkit.runs.run import Run

pytestmark = pytest.mark.slow

PLACE = Path(__file__).parents[2] / ".ci" / "campaign" / "exports.py"


def test_faults_are_refused_and_unchanged_exports_pass(exported_runs: dict[str, Run]) -> None:
    spec = importlib.util.spec_from_file_location("exports_campaign", PLACE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (line,) = module.campaign([("merged", exported_runs["classes"].path)], 0.05, "float32")
    form, kind, faults, refused, unchanged, passed, _ = line
    assert (form, kind) == ("merged", "sequence-classification")
    assert faults == refused == module.TRIES and unchanged == passed == module.TRIES
