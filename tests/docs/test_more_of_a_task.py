"""A task of the usual shape needs five names; the page names all others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import toolkit
from cli_runner import goods, write_csv
from toolkit.data.source import Source
from toolkit.metrics.common import EXACT_MATCH, MAE
from toolkit.plugins import registration
from toolkit.plugins.contract import check
from toolkit.system.version_1 import NAMES

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "more-of-a-task.md"
PUBLIC = [getattr(toolkit, name) for name in toolkit.__all__]
CLASSES = [value for value in PUBLIC if isinstance(value, type)]


def prompted(task: Any, row: Any) -> dict[str, Any]:
    return {"prompt": f"{row['title']}:", "completion": f" {row.get('kind', '')}"}


def paired(task: Any, row: Any) -> dict[str, Any]:
    return {"text": row["title"], "text_target": row.get("kind", "")}


def labelled(task: Any, row: Any) -> dict[str, Any]:
    return {"text": row["title"], "label": row.get("kind")}


def written(answer: str) -> dict[str, Any]:
    return {
        "name": "five", "__doc__": "Five names.\n\nAnd more.", "answer": answer,
        "columns": {"title": "a title", answer: "the answer"},
    }  # fmt: skip


FIVE = {
    "causal-lm": (toolkit.CausalLMTask, "kind", EXACT_MATCH, {"format_example": prompted}),
    "seq2seq-lm": (toolkit.Seq2SeqLMTask, "kind", EXACT_MATCH, {"format_example": paired}),
    "classes": (
        toolkit.SequenceClassificationTask, "kind", EXACT_MATCH, {"format_example": labelled},
    ),
    "number": (
        toolkit.SequenceRegressionTask, "price", MAE, {"text": lambda task, row: row["title"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FIVE)
def test_five_names_are_a_task(kind: str, tmp_path: Path) -> None:
    base, answer, metric, methods = FIVE[kind]
    members = {**written(answer), "metrics": (metric,), **methods}
    assert len({*members} - {"__doc__"}) == 5
    task = type("Five", (base,), {**members, "__module__": __name__})
    registration.check_registration(task)
    assert registration.age_warning(task) == ""
    assert task.summary == "Five names" and task.primary_metric == metric.name
    rows = [{**row, "price": row["price"].strip("$")} for row in goods(120)]
    data = write_csv(tmp_path / "rows.csv", rows)
    results = check.check(task(), Source(data=str(data)))
    assert len(results) > 30 and [one for one in results if not one.passed] == []
    assert len(task().baselines()) > 1


def test_the_page_names_everything_else() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", text)) | set(re.findall(r"^    (\w+) =", text, re.M))
    tasks = [one for one in CLASSES if issubclass(one, toolkit.Task)]
    public = {
        name
        for one in tasks
        for parent in one.__mro__
        if parent.__module__.startswith("toolkit.")
        for name in vars(parent)
        if not name.startswith("_") and name not in NAMES
    }
    assert len(tasks) >= 8 and public - named == set()
