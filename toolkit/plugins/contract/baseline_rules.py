"""Rules on baselines: they predict every row, the same each time, and do not read the answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import MissingExtra
from toolkit.evaluation.predict import wrong_predictions, wrong_predictor
from toolkit.plugins.contract.checked_task import Subject
from toolkit.plugins.contract.metric_rules import check_prediction
from toolkit.plugins.contract.rule import Broken, Rule
from toolkit.runs.predictions import same

if TYPE_CHECKING:
    from datasets import Dataset

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
TAKEN = re.compile(r"base|few-shot|adapter(-seed-\d+)?|systems")
"""Names of the systems that a run itself writes to ``predictions/``."""
CLOSE = 1e-6
"""Relative difference allowed between the numbers of two fits: threads add in any order."""


def baseline_names(subject: Subject) -> str | None:
    """Names are kebab-case, and not those of other systems."""
    names = list(subject.task.baselines())
    for name in names:
        if not NAME.fullmatch(name):
            raise Broken(f"the baseline name {name!r} is not kebab-case; write it like 'ridge-log'")
        if TAKEN.fullmatch(name):
            raise Broken(f"the baseline name {name!r} is taken by the toolkit; choose another")
    return None if names else "the task has no baselines, so nothing shows if a model is needed"


def baselines_fit(subject: Subject) -> str | None:
    """Each baseline fits on a few hundred rows and gives one prediction a row."""
    notes = []
    for name, fit in subject.task.baselines().items():
        try:
            predictor = fit(subject.fit_rows)
            problem = wrong_predictor(predictor)
            answers: Any = [] if problem else predictor(subject.unseen)
            predictions = None if answers is None else list(answers)
        except MissingExtra as error:
            notes.append(f"{name} is left out: {error}")
            continue
        rows = [row["row_id"] for row in subject.unseen]
        if problem := problem or wrong_predictions(predictions, rows):
            raise Broken(f"baseline {name} {problem}")
        predictions = predictions or []
        _check_predictions(subject, f"baseline {name}", predictions)
        subject.fitted[name] = (predictor, predictions)
    return "; ".join(notes) or None


def _check_predictions(subject: Subject, whose: str, predictions: Sequence[Any]) -> None:
    for row, prediction in zip(subject.unseen, predictions, strict=True):
        check_prediction(subject, whose, prediction, subject.task.reference(row))


def baselines_repeat(subject: Subject) -> None:
    """Fitted again, a baseline predicts the same."""
    fits = subject.task.baselines()
    for name, (_, before) in subject.fitted.items():
        again = list(fits[name](subject.fit_rows)(subject.unseen))
        if not _alike(before, again):
            raise Broken(
                f"baseline {name} predicts otherwise when fitted again; give it a fixed seed"
            )


def baselines_blind(subject: Subject) -> None:
    """A baseline's predictions do not change when only the answers of the rows change."""
    changed = _with_other_answers(subject.unseen, subject.hidden)
    for name, (predictor, before) in subject.fitted.items():
        if not _alike(before, list(predictor(changed))):
            raise Broken(
                f"baseline {name} predicts from {', '.join(subject.hidden)}, which is the answer; "
                "let it look at the other columns only"
            )


def _with_other_answers(rows: Dataset, hidden: Sequence[str]) -> Dataset:
    """The rows, each with the answer of the row after it."""
    columns = {name: rows[name][:] for name in rows.column_names}
    for name in hidden:
        columns[name] = [*columns[name][1:], columns[name][0]]
    return type(rows).from_dict(columns, features=rows.features)


def _alike(before: Sequence[Any], after: Sequence[Any]) -> bool:
    return same(before, after, CLOSE)


RULES = (
    Rule("baseline-names", baseline_names, ("registration",)),
    Rule("baselines-fit", baselines_fit, ("per-example", "baseline-names")),
    Rule("baselines-repeat", baselines_repeat, ("baselines-fit",)),
    Rule("baselines-blind", baselines_blind, ("baselines-fit", "prompt-hides-answer")),
)
