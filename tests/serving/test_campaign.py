"""The campaign in short: eight clients, some that go away, and every answer the right one."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PLACE = Path(__file__).parents[2] / ".ci" / "campaign" / "serving.py"


def test_a_few_seconds_of_it(served_runs: dict[str, Path]) -> None:
    spec = importlib.util.spec_from_file_location("serving_campaign", PLACE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    runs = [f"{name}={served_runs[name]}" for name in ("kinds", "prices")]
    found = module.campaign(runs, clients=8, seconds=6, rows=2)
    assert not found["problems"] and found["requests"] > 8 and found["left"] > 0
