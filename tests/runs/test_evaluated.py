"""What ``run.json`` says of models that were trained elsewhere; it may be anybody's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import RunError
from toolkit.runs import evaluated
from toolkit.runs.evaluated import Evaluated, EvaluatedModel
from toolkit.runs.run import Run


def _run(path: Path, **info: Any) -> Run:
    return Run(path, {"recipe": {"lora": {"r": 4}}, **info})


def test_what_is_stored_is_read_back(tmp_path: Path) -> None:
    model = EvaluatedModel("mine", "/there", "mine", "adapter", "full")
    judged = Evaluated((model,), untrained=True, prompt="task")
    run = _run(tmp_path, evaluated=judged.as_dict())
    assert evaluated.of(run) == judged
    (found,) = evaluated.trained_models(run)
    assert (found.system, found.folder, found.role) == ("mine", "adapter", "full")


def test_runs_that_train_have_a_model_for_each_seed(tmp_path: Path) -> None:
    run = _run(tmp_path, options={"seeds": 2})
    assert [m.folder for m in evaluated.trained_models(run)] == ["adapter", "adapter-seed-1"]
    whole = Run(tmp_path, {"recipe": {"lora": None}, "options": {"seeds": 2}})
    assert [m.system for m in evaluated.trained_models(whole)] == ["full", "full-seed-1"]
    assert [m.folder for m in evaluated.trained_models(whole)] == ["adapter", "adapter-seed-1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"folder": "../../home"},
        {"folder": "adapter/../.."},
        {"folder": "data"},
        {"role": "base"},
        {"folder": 3},
        {"system": "a/b"},
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    model = {"name": "n", "path": "p", "system": "s", "folder": "adapter", "role": "adapter"}
    run = _run(tmp_path, evaluated={"models": [{**model, **wrong}], "untrained": False})
    with pytest.raises(RunError, match="no usable evaluated"):
        evaluated.of(run)


@pytest.mark.parametrize("wrong", [{}, {"models": [], "untrained": True}, {"models": [{}]}, []])
def test_other_content_is_refused(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(RunError, match="no usable evaluated"):
        evaluated.of(_run(tmp_path, evaluated=wrong))
