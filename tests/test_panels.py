"""What panels draw, read from outputs of every kind."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tiny_tasks import TinyColours, TinyPrices
from toolkit import Generated, Numbers, Panel
from toolkit.errors import PluginError
from toolkit.panels import check
from toolkit.task import Task


def task(view: str, **attributes: Any) -> Any:
    return SimpleNamespace(
        name="some-task", panel=Panel({"text": "Text"}, view=view),
        postprocess=lambda output, row: "read", **attributes,
    )  # fmt: skip


def test_numbers_come_in_the_predictions_unit() -> None:
    output = Generated("12", numbers=Numbers(np.array([12.0, 20.0]), np.array([0.7, 0.2])))
    some = task("number-distribution", from_number=lambda n: n / 100)
    assert Task.panel_data(some, output, {}) == {
        "values": [0.12, 0.2], "probabilities": [0.7, 0.2]
    }  # fmt: skip


def test_labels_from_probabilities_logits_and_mappings() -> None:
    named = task("labels", labels=("bad", "good"))
    logits = SimpleNamespace(logits=np.array([0.0, np.log(3.0)]))
    assert Task.panel_data(named, logits, {})["labels"] == pytest.approx(
        {"bad": 0.25, "good": 0.75}
    )
    shares = SimpleNamespace(probabilities=np.array([0.4, 0.6]))
    assert Task.panel_data(named, shares, {})["labels"] == {"bad": 0.4, "good": 0.6}
    mapped = SimpleNamespace(probabilities={"a": 1.0})
    assert Task.panel_data(named, mapped, {})["labels"] == {"a": 1.0}
    with pytest.raises(PluginError, match="names 2 labels, and its model has 3"):
        Task.panel_data(named, SimpleNamespace(probabilities=[0.1, 0.2, 0.7]), {})


def test_numbers_by_name_and_one_alone() -> None:
    several = task("numbers")
    several.postprocess = lambda output, row: {"a": 1, "b": 2.5}
    assert Task.panel_data(several, object(), {}) == {"numbers": {"a": 1.0, "b": 2.5}}
    several.postprocess = lambda output, row: 3
    assert Task.panel_data(several, object(), {}) == {"numbers": {"prediction": 3.0}}
    several.postprocess = lambda output, row: None
    assert Task.panel_data(several, object(), {}) == {"numbers": {}}


def test_spans_from_tuples_mappings_and_objects() -> None:
    spans = [(0, 3, 0.6), {"start": 4, "end": 6, "probability": 0.3},
             SimpleNamespace(start=1, end=2, probability=0.1)]  # fmt: skip
    found = Task.panel_data(task("spans"), SimpleNamespace(spans=spans), {"context": "one two"})
    assert found["context"] == "one two" and found["no_answer"] is None
    assert [(s["start"], s["end"], s["probability"]) for s in found["spans"]] == [
        (0, 3, 0.6), (4, 6, 0.3), (1, 2, 0.1)
    ]  # fmt: skip


def test_text_is_the_output_or_what_is_read_of_it() -> None:
    assert TinyColours().panel_data(Generated(" red "), {})["text"] == " red "
    assert Task.panel_data(task("text"), object(), {})["text"] == "read"
    plain = TinyPrices().panel_data(Generated("31"), {"text": "a lamp"})
    assert plain["text"] == "31"


@pytest.mark.parametrize(
    ("view", "data", "message"),
    [
        ("pie", {}, "no view 'pie'"),
        ("labels", {"label": {}}, "has no labels"),
        ("spans", ["context"], "not a mapping"),
        ("number-distribution", {"values": []}, "has no probabilities"),
    ],
)
def test_data_that_cannot_be_drawn_are_refused(view: str, data: Any, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        check(view, data)


def test_outputs_without_what_the_view_needs_are_refused() -> None:
    for view in ("labels", "spans"):
        with pytest.raises(PluginError, match=view):
            Task.panel_data(task(view), object(), {})
