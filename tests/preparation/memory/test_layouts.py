"""The estimate of memory for every kind of architecture: experts, windows, head sizes, ties."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from toolkit.errors import ModelError, PreflightError
from toolkit.kinds.language.dry_run import grow
from toolkit.kinds.registry import model_class
from toolkit.models import adapters, loading
from toolkit.preparation import memory
from toolkit.preparation.data_stage import look
from toolkit.system.console import Console
from toolkit.testing.layouts import build_layout

SHAPE = memory.Shape(64, 8)
TRIED = {
    "mixtral-instruct": "plain",
    "qwen3-moe": "plain",
    "gemma-2-it": "plain",
    "gemma-3-it": "plain",
    "phi-3": "plain",
    "gpt-neox": "plain",
    "granite-instruct": "plain",
    "flan-t5": "seq2seq",
    "bart": "seq2seq",
    "t5": "classes",
    "llama-3": "classes",
    "deberta-v3": "classes",
    "modernbert": "spans",
    "distilbert": "spans",
}


def estimated(model: Path, task: str, shape: memory.Shape = SHAPE, **head: Any) -> memory.Estimate:
    own = zoo.TASKS[task]
    recipe = dataclasses.replace(own.recipes[0], model=str(model))
    return memory.estimate(own, recipe, shape, head=head or None)


@pytest.mark.parametrize("name", TRIED)
def test_weights_and_trained_parameters_are_those_of_the_model(name: str, tmp_path: Path) -> None:
    place = build_layout(name, tmp_path / "model")
    task = zoo.TASKS[TRIED[name]]
    kind = model_class(task)
    recipe = dataclasses.replace(task.recipes[0], model=str(place))
    head: dict[str, Any] = {"num_labels": 5} if TRIED[name] == "classes" else {}
    found = estimated(place, TRIED[name], **head)
    request = loading.LoadRequest(kind.auto_class, str(place), init=head)
    if TRIED[name] in ("classes", "spans"):
        model, _ = loading.load_encoder(request, seed=0)
    else:
        model = loading.load_model(request)
    fields = kind.lora_fields(recipe, model)
    made = adapters.add_lora(model, fields, seed=0, task_type=kind.task_type)
    trained, total = adapters.parameter_counts(made)
    assert found.parameters == (trained, total)
    sizes = [p.numel() * p.element_size() for p in made.parameters() if not p.requires_grad]
    assert found.weights == pytest.approx(sum(sizes), rel=0.05)  # and buffers
    assert found.activations > 0 and found.scoring > 0


def test_windows_hold_no_more_than_they_see() -> None:
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    states = torch.zeros(2, 1, 20, 4)
    whole, windowed = DynamicLayer(), DynamicSlidingWindowLayer(sliding_window=16)
    for layer in (whole, windowed):
        layer.update(states, states)
    grow([whole, windowed], 30)
    assert whole.keys.shape[2] == 50 and windowed.keys.shape[2] == 15
    assert whole.get_seq_length() == windowed.get_seq_length() == 50


class Run:
    """What :func:`look` needs of a run."""

    def __init__(self, folder: Path) -> None:
        self.info: dict[str, Any] = {"options": {}}
        self.data = folder


class Heard(Console):
    """Keeps the warnings."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def looked(error: Exception, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The stage ``data`` with a model whose estimate raises an error."""
    from toolkit.data.source import Source
    from toolkit.preparation.memory import meta_model
    from toolkit.preparation.prepare import prepare

    def raises(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(meta_model, "on_meta", raises)
    place = build_layout("qwen3", folder / "model")
    task = zoo.TASKS["plain"]()
    kind = model_class(task)(task, dataclasses.replace(task.recipes[0], model=str(place)))
    run, console = Run(folder), Heard()
    look(run, task, kind, prepare(task, Source(), 0), console)  # type: ignore[arg-type]
    return json.loads((folder / "preflight.json").read_text()), console.warnings


def test_a_model_that_cannot_be_estimated_is_trained_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, warnings = looked(NotImplementedError("aten::novel"), tmp_path, monkeypatch)
    assert stored["memory"] == {}
    (said,) = [text for text in warnings if "cannot be estimated" in text]
    assert "goes on" in said and "aten::novel" in said


@pytest.mark.parametrize("error", [ModelError("no such layer"), PreflightError("it does not fit")])
def test_what_is_wrong_with_the_recipe_is_still_refused(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(type(error), match=str(error)):
        looked(error, tmp_path, monkeypatch)
