"""What the environment says before the heavy libraries are imported."""

from __future__ import annotations

import pytest

from toolkit.system import environment


def test_what_the_user_has_set_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"TRANSFORMERS_VERBOSITY": "info", "THP_MEM_ALLOC_ENABLE": "0"}
    monkeypatch.setattr(environment.os, "environ", variables)
    environment.prepare(offline=False)
    assert variables["TRANSFORMERS_VERBOSITY"] == "info"
    assert variables["THP_MEM_ALLOC_ENABLE"] == "0"
    assert variables["HF_HUB_DISABLE_TELEMETRY"] == variables["DO_NOT_TRACK"] == "1"
    assert "HF_HUB_OFFLINE" not in variables
    environment.prepare(offline=True)
    assert variables["HF_HUB_OFFLINE"] == "1"
