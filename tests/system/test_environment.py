"""What the environment says before the heavy libraries are imported."""

from __future__ import annotations

import os

import pytest

from toolkit.system import environment


def test_what_the_user_has_set_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.QUIET | environment.FAST:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRANSFORMERS_VERBOSITY", "info")
    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", "0")
    environment.prepare(offline=False)
    assert os.environ["TRANSFORMERS_VERBOSITY"] == "info"
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "0"
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == os.environ["DO_NOT_TRACK"] == "1"
    for name in environment.QUIET:  # what the test has not set before is taken away after it
        monkeypatch.setenv(name, os.environ[name])
