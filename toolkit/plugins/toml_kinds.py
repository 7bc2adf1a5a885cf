"""What a task file means for each kind: the class it makes, and the keys it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.data.form_columns import form_columns
from toolkit.errors import did_you_mean
from toolkit.metrics.metric import Metric
from toolkit.metrics.multi_label import (
    MICRO_F1,
    SAMPLES_F1,
    SUBSET_ACCURACY,
    multi_label_metrics,
)
from toolkit.metrics.vectors import vector_metrics
from toolkit.panels import Panel
from toolkit.plugins.chat_task import FormTask
from toolkit.plugins.file_tasks import (
    FIELD,
    ClassTask,
    LabelsTask,
    NumbersTask,
    NumberTask,
    PairTask,
    PromptTask,
    SpanTask,
    TextTask,
)
from toolkit.task import Task

SINGLE, MULTI = "single-label", "multi-label"
"""Problems of sequence classification: one class a row, or any number of labels."""
OF_CLASSES = ("classes", "class_weights", "problem", "separator")
"""The keys that go with classes alone."""
OF_PROMPTS = ("prompt", "prompt_without", "columns")
"""The keys that go with causal language models alone."""
Refuse = Callable[[str], Exception]


def _fields(template: str, refuse: Refuse, key: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in FIELD.findall(template)))
    if not names:
        raise refuse(f"{key} names no column; write it with {{column}} in it")
    return names


Made = tuple[type[Task], dict[str, Any]]
"""The class to inherit from, and its members that the file decides."""


@dataclass(frozen=True)
class FileKind:
    """One kind of task file.

    Args:
        metrics: what counts where the file names no metrics; the first is the primary one.
        make: the file's content, and how to refuse it → the class to make.
        known: the file's content → the metrics by name that its answers can be scored with, all of
            which count where it names none; ``None``: the shared ones, and those of classes.
    """

    metrics: tuple[str, ...]
    make: Callable[[Mapping[str, Any], Refuse], Made]
    known: Callable[[Mapping[str, Any]], Mapping[str, Metric] | None] = lambda given: None


def _prompted(given: Mapping[str, Any], refuse: Refuse) -> Made:
    _refuse_keys(given, ("text", *OF_CLASSES), refuse, "causal-lm")
    _refuse_several(given, refuse, f'problem = "{MULTI}" and with kind = "sequence-regression"')
    if "prompt" not in given:
        for key in ("target", "prompt_without"):
            if key in given:
                raise refuse(f"{key} needs a prompt with {{column}} in it")
        return FormTask, {"named": _form_columns(given.get("columns", {}), refuse)}
    if "columns" in given:
        raise refuse("columns names those of a known form, which a prompt does not have")
    made = _templated(given, "prompt", given["prompt"], refuse)
    return PromptTask, {**made, "without": _without(given, made, refuse)}


def _form_columns(named: Mapping[str, Any], refuse: Refuse) -> dict[str, str]:
    """Columns of a known form → where they are in the file: a column, or a template."""
    known = form_columns()
    for name, value in named.items():
        if name not in known:
            raise refuse(
                f"columns: no known form has a column {name!r}{did_you_mean(name, known)}; "
                f"there are {', '.join(known)}"
            )
        if not isinstance(value, str) or not value.strip():
            raise refuse(f"columns: {name} must be a column or a template, not {value!r}")
    return dict(named)


def _without(given: Mapping[str, Any], made: Mapping[str, Any], refuse: Refuse) -> dict[str, str]:
    """The templates of rows in which a column is empty, by column."""
    found: dict[str, str] = {}
    for column, template in given.get("prompt_without", {}).items():
        if column not in made["columns"] or column == made["answer"]:
            raise refuse(f"prompt_without: the prompt does not show {{{column}}}")
        if not isinstance(template, str):
            raise refuse(f"prompt_without: {column} must be a template, not {template!r}")
        for name in _fields(template, refuse, f"prompt_without.{column}"):
            if name == column or name not in made["columns"] or name == made["answer"]:
                raise refuse(f"prompt_without.{column} shows {{{name}}}, which the prompt does not")
        found[column] = template
    return found


def _classified(given: Mapping[str, Any], refuse: Refuse) -> Made:
    _refuse_keys(given, OF_PROMPTS, refuse, "sequence-classification")
    problem = given.get("problem", SINGLE)
    if problem == "regression":
        raise refuse('problem = "regression" is a kind: write kind = "sequence-regression"')
    if problem not in (SINGLE, MULTI):
        near = did_you_mean(problem, (SINGLE, MULTI))
        raise refuse(f"there is no problem {problem!r}{near}; there are {SINGLE}, {MULTI}")
    weights = {"class_weights": given.get("class_weights")}
    if problem == SINGLE:
        _refuse_several(given, refuse, f'problem = "{MULTI}"')
        if "separator" in given:
            raise refuse(f'separator goes with problem = "{MULTI}"')
        made = _of_text({"text": "text", "target": "label", **given}, refuse)
        return ClassTask, {**made, "classes": tuple(given.get("classes", ())), "options": weights}
    if "costs" in given:
        raise refuse("costs are those of a class for another, and a row has several labels here")
    several = given.get("target") if isinstance(given.get("target"), list) else None
    answer = {"target": "labels"} if several else {"target": given.get("target", "labels")}
    made = _of_text({"text": "text", **given, **answer}, refuse)
    classes, separator = given.get("classes", several or ()), given.get("separator", "")
    return LabelsTask, {
        **made, "classes": tuple(classes), "options": weights, "separator": separator,
        "panel": _panel(made, (made["answer"],), "labels"),
    }  # fmt: skip


def _labels_known(given: Mapping[str, Any]) -> Mapping[str, Metric] | None:
    """The metrics of several labels; those of each label where the file names the labels."""
    if given.get("problem") != MULTI:
        return None
    target = given.get("target")
    labels = given.get("classes") or (target if isinstance(target, list) else ())
    found = multi_label_metrics(labels) if labels else (MICRO_F1, SUBSET_ACCURACY, SAMPLES_F1)
    return {metric.name: metric for metric in found}


def _measured(given: Mapping[str, Any], refuse: Refuse) -> Made:
    _refuse_keys(given, (*OF_PROMPTS, *OF_CLASSES), refuse, "sequence-regression")
    if "target" not in given:
        raise refuse("target is missing: name the column with the number to predict")
    target = given["target"]
    if not isinstance(target, list):
        return NumberTask, _of_text({"text": "text", **given}, refuse)
    made = _of_text({"text": "text", **given, "target": target[0]}, refuse)
    for name in target[1:]:
        if name in made["columns"]:
            raise refuse(f"text shows {name!r}, which is a target")
    columns = {**made["columns"], **{name: f"the column {name}" for name in target}}
    rest = {name: value for name, value in made.items() if name not in ("answer", "columns")}
    panel = _panel({"columns": columns}, target, "numbers")
    return NumbersTask, {**rest, "columns": columns, "outputs": tuple(target), "panel": panel}


def _numbers_known(given: Mapping[str, Any]) -> Mapping[str, Metric] | None:
    """The metrics of several numbers; ``None``: there is one."""
    target = given.get("target")
    if not isinstance(target, list):
        return None
    return {metric.name: metric for metric in vector_metrics(target)}


def _panel(made: Mapping[str, Any], answers: Sequence[str], view: str) -> Panel:
    inputs = {name: name for name in made["columns"] if name not in answers}
    return Panel(inputs=inputs, view=view)


def _refuse_several(given: Mapping[str, Any], refuse: Refuse, remedy: str) -> None:
    if isinstance(given.get("target"), list):
        raise refuse(f"target names several columns; that goes with {remedy}")


def _rewritten(given: Mapping[str, Any], refuse: Refuse) -> Made:
    _refuse_several(given, refuse, f'problem = "{MULTI}" and with kind = "sequence-regression"')
    _refuse_keys(given, (*OF_PROMPTS, *OF_CLASSES), refuse, "seq2seq-lm")
    if "text" in given:
        return TextTask, _of_text(given, refuse)
    if "target" in given:
        raise refuse("target needs a text: a column, or a template with {column} in it")
    return PairTask, {}


def _of_text(given: Mapping[str, Any], refuse: Refuse) -> dict[str, Any]:
    """The members that ``text`` (a column, a template, several columns) and ``target`` decide."""
    text = given["text"]
    if isinstance(text, list):
        return _of_columns(text, given.get("target"), refuse)
    template = text if FIELD.search(text) else "{" + text + "}"
    made = _templated(given, "text", template, refuse)
    inputs = [name for name in made["columns"] if name != made["answer"]]
    return {**made, "truncate": inputs[0] if len(inputs) == 1 else None}


def _of_columns(names: Sequence[str], target: str | None, refuse: Refuse) -> dict[str, Any]:
    """The members of a task whose text is made of several columns, as with ``--text a,b``.

    The rows hold the text that is made; fields that are empty are left out of it.
    """
    if target is None:
        raise refuse("target is missing: name the column to predict")
    if target in names:
        raise refuse(f"text shows {target!r}, which is the target")
    text = "text" if target != "text" else "input"
    columns = {text: f"the columns {', '.join(map(str, names))}", target: f"the column {target}"}
    return {"columns": columns, "answer": target, "template": f"{{{text}}}", "truncate": text}


def _asked(given: Mapping[str, Any], refuse: Refuse) -> Made:
    _refuse_keys(given, (*OF_PROMPTS, "text", "target", *OF_CLASSES), refuse, "question-answering")
    return SpanTask, {}


def _templated(given: Mapping[str, Any], key: str, template: str, refuse: Refuse) -> dict[str, Any]:
    names = _fields(template, refuse, key)
    target = given.get("target")
    if target is None:
        raise refuse("target is missing: name the column to predict")
    if target in names:
        raise refuse(f"{key} shows {{{target}}}, which is the target")
    columns = {name: f"the column {name}" for name in (*names, target)}
    return {"columns": columns, "answer": target, "template": template}


def _refuse_keys(given: Mapping[str, Any], keys: Sequence[str], refuse: Refuse, kind: str) -> None:
    for key in keys:
        if key in given:
            raise refuse(f"{key} does not go with kind {kind}")


KINDS: Mapping[str, FileKind] = {
    "causal-lm": FileKind(("token_f1", "exact_match"), _prompted),
    "seq2seq-lm": FileKind(("token_f1", "exact_match"), _rewritten),
    "sequence-classification": FileKind(("accuracy", "macro_f1"), _classified, _labels_known),
    "sequence-regression": FileKind(("mae", "rmse"), _measured, _numbers_known),
    "question-answering": FileKind(("token_f1", "exact_match"), _asked),
}
"""The kinds by the names that task files and ``toolkit new`` give them."""
