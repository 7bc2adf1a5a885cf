"""Metrics of extractive question answering.

A prediction is ``{"text": …, "start": …, "end": …}`` (positions in characters of the context; an
empty text and ``-1`` where it predicts that there is no answer). A reference is
``{"texts": […], "starts": […]}``, empty where there is no answer.

Exact match and F1 are those of the official SQuAD evaluation, as :mod:`toolkit.metrics.answers`
defines them for all tasks; the best reference counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from toolkit import Metric
from toolkit.metrics import EXACT_MATCH, TOKEN_F1

if TYPE_CHECKING:
    import numpy as np


class Prediction(TypedDict):
    """A span of the context, or :data:`NOTHING`."""

    text: str
    start: int
    end: int


class Reference(TypedDict):
    """The answers that count as right; both lists are empty if there is no answer."""

    texts: list[str]
    starts: list[int]


NOTHING: Prediction = {"text": "", "start": -1, "end": -1}
"""The prediction that there is no answer."""


def exact(prediction: Mapping[str, Any], reference: Reference) -> float:
    """1 if the prediction equals a reference, ignoring case, articles and punctuation, else 0."""
    return float(EXACT_MATCH.per_example(prediction, reference))  # type: ignore[arg-type]


def f1(prediction: Mapping[str, Any], reference: Reference) -> float:
    """F1 (0 to 1) of the words shared with the closest reference."""
    return float(TOKEN_F1.per_example(prediction, reference))  # type: ignore[arg-type]


def start(prediction: Mapping[str, Any], reference: Reference) -> float:
    """1 if the prediction starts where a reference starts, or both have no answer, else 0."""
    if not reference["texts"]:
        return float(not prediction["text"])
    return float(bool(prediction["text"]) and prediction["start"] in reference["starts"])


def end(prediction: Mapping[str, Any], reference: Reference) -> float:
    """1 if the prediction ends where a reference ends, or both have no answer, else 0."""
    if not reference["texts"]:
        return float(not prediction["text"])
    ends = [
        at + len(text)
        for at, text in zip(reference["starts"], reference["texts"], strict=True)
    ]  # fmt: skip
    return float(bool(prediction["text"]) and prediction["end"] in ends)


def has_answer(reference: Reference) -> bool:
    """Whether there is an answer, as the official evaluation decides it."""
    return bool(reference["texts"])


def _share(values: np.ndarray, counted: np.ndarray, axis: int = -1) -> Any:
    """The mean of the values that count; NaN (``null`` in metrics.json) if none does."""
    return (values * counted).sum(axis=axis) / counted.sum(axis=axis)


def _counted(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """How many rows a share is of."""
    import numpy as np

    return np.array([counted.sum()])


def _only(
    score: Callable[[Mapping[str, Any], Reference], float], *, answerable: bool
) -> Callable[[Any, Any], tuple[float, float]]:
    """A score on the rows that have an answer, or on those that have none."""

    def per_example(prediction: Any, reference: Any) -> tuple[float, float]:
        counted = has_answer(reference) == answerable
        return (score(prediction, reference) if counted else 0.0, float(counted))

    return per_example


def _null_precision(prediction: Any, reference: Any) -> tuple[float, float]:
    """Of the predictions that there is no answer, those that are right."""
    abstained = not prediction["text"]
    return (float(abstained and not has_answer(reference)), float(abstained))


def _null_recall(prediction: Any, reference: Any) -> tuple[float, float]:
    """Of the questions without an answer, those that are predicted to have none."""
    none = not has_answer(reference)
    return (float(none and not prediction["text"]), float(none))


def _share_of(name: str, label: str, per_example: Any, *, detail: bool = False) -> Metric:
    return Metric(name, per_example, _share, label=label, detail=detail, counts=_counted)


METRICS: tuple[Metric, ...] = (
    Metric("f1", f1, label="F1"),
    Metric("exact", exact, label="Exact match", against_all=True),
    Metric("start", start, label="Start accuracy", detail=True),
    Metric("end", end, label="End accuracy", detail=True),
    _share_of("has_ans_f1", "F1, with an answer", _only(f1, answerable=True)),
    _share_of("has_ans_exact", "Exact, with an answer", _only(exact, answerable=True)),
    _share_of("no_ans_exact", "Exact, no answer", _only(exact, answerable=False)),
    _share_of("null_precision", "Null precision", _null_precision, detail=True),
    _share_of("null_recall", "Null recall", _null_recall, detail=True),
)
