"""What a task file in TOML with ``kind = "token-classification"`` means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from toolkit import Panel, Task
from toolkit.plugins import FileKind
from toolkit_token_classification.metrics import entity_metrics
from toolkit_token_classification.task import TokenClassificationTask

REFUSED = ("prompt", "prompt_without", "columns", "problem", "separator", "class_weights", "costs")


def _made(
    given: Mapping[str, Any], refuse: Callable[[str], Exception]
) -> tuple[type[Task], dict[str, Any]]:
    for key in REFUSED:
        if key in given:
            raise refuse(f"{key} does not go with kind token-classification")
    text, target = given.get("text", "text"), given.get("target", "entities")
    if not isinstance(text, str) or "{" in text or not isinstance(target, str):
        raise refuse("text and target name one column each: places are characters of that text")
    if not given.get("classes"):
        raise refuse("classes is missing: name the labels, whose scores are counted")
    return TokenClassificationTask, {
        "columns": {text: f"the column {text}", target: f"the column {target}"},
        "answer": target,
        "classes": tuple(map(str, given["classes"])),
        "panel": Panel({text: text}),
    }


def _known(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return {m.name: m for m in entity_metrics(tuple(map(str, given.get("classes", ()))))}


FILE_KIND = FileKind(("strict_f1",), _made, _known)
