"""Components that several views share."""

from __future__ import annotations

import pytest

pytest.importorskip("gradio", reason="the extra 'playground' brings gradio")

from toolkit_playground.state.sides import OTHER_RUN
from toolkit_playground.views.inputs import _sides


def test_a_hundred_other_runs_are_a_list_and_no_boxes() -> None:
    runs = [f"20260101-000000-{number:06d}" for number in range(100)]
    own, others = _sides(["base", "adapter", "adapter-seed-1", *(OTHER_RUN + run for run in runs)])
    assert own == {"choices": ["base", "adapter", "adapter-seed-1"], "value": ["base", "adapter"]}
    assert [value for _, value in others["choices"]] == [OTHER_RUN + run for run in runs]
    assert others["visible"] and others["value"] == []
    assert not _sides(["base", "full"])[1]["visible"]
