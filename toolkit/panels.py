"""What the playground's views draw, as plain data: the contract of :meth:`Task.panel_data`.

    view                   data
    text                   {"text": str, "marks": [mark, …],
                            "source": str, "source_marks": [mark, …]}
    number-distribution    {"values": [float, …], "probabilities": [float, …]}
    labels                 {"labels": {name: probability, …}}
    numbers                {"numbers": {name: number, …}}
    spans                  {"context": str, "spans": [{"start": int, "end": int,
                            "probability": float}, …], "no_answer": float | None}

Values of a distribution and numbers are in the unit of the task's predictions; the probabilities of
labels need not add up to 1 where a row may have several; starts and ends count
characters; spans come best first. ``no_answer`` may be left out, and so may all of a text but the
text itself.

A mark is ``{"start": int, "end": int, "note": str, "kind": str}``: a place in the text (or, of
``source_marks``, in the source that the text was written from) with a note on it. Its kind is
``unsupported`` (the default: the source does not contain it), ``supported``, ``missing`` (the
source contains it, the text does not) or ``label`` (the place was found and labelled).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.errors import PluginError

VIEWS = ("text", "number-distribution", "labels", "numbers", "spans")
MARK_KINDS = ("unsupported", "supported", "missing", "label")


def read_output(
    output: Any,
    row: Mapping[str, Any],
    *,
    task: str,
    view: str,
    answer: Callable[[], Any],
    labels: Sequence[Any] | None = None,
    from_number: Callable[[Any], Any] = float,
) -> dict[str, Any]:
    """The panel's data as far as they can be read from the kind's output alone.

    Args:
        output: the model's output for the row.
        row: the row.
        task: the task's name, for errors.
        view: how the output is drawn, one of :data:`VIEWS`.
        answer: reads the prediction from the output; called for an output without a text.
        labels: the names of the classes, for the view "labels".
        from_number: a number that the model wrote → a value in the unit of the predictions.
    """
    if view == "number-distribution" and getattr(output, "numbers", None) is not None:
        return _numbers(output.numbers, from_number)
    if view == "labels":
        return {"labels": _labels(task, output, labels)}
    if view == "spans":
        return _spans(task, output, row)
    if view == "numbers":
        return {"numbers": _by_name(answer())}
    text = getattr(output, "text", None)
    return {"text": str(answer() if text is None else text), "marks": []}


def _numbers(numbers: Any, from_number: Callable[[Any], Any]) -> dict[str, Any]:
    return {
        "values": [float(from_number(value)) for value in numbers.values.tolist()],
        "probabilities": [float(p) for p in numbers.probabilities.tolist()],
    }


def _by_name(answer: Any) -> dict[str, float]:
    """The numbers of a prediction: none where it could not be read, one, or several by name."""
    if isinstance(answer, Mapping):
        return {str(name): float(number) for name, number in answer.items()}
    return {} if answer is None else {"prediction": float(answer)}


def _labels(task: str, output: Any, labels: Sequence[Any] | None) -> dict[str, float]:
    found = getattr(output, "probabilities", None)
    if isinstance(found, Mapping):
        return {str(name): float(p) for name, p in found.items()}
    if found is None and getattr(output, "logits", None) is not None:
        from scipy.special import softmax

        found = softmax(output.logits)
    if found is None:
        raise PluginError(
            f"{task}: the view 'labels' needs an output with probabilities or logits, or a "
            "panel_data of the task's own"
        )
    values = [float(p) for p in found]
    names = labels or range(len(values))
    if len(names) != len(values):
        raise PluginError(f"{task} names {len(names)} labels, and its model has {len(values)}")
    return dict(zip(map(str, names), values, strict=True))


def _spans(task: str, output: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    spans = getattr(output, "spans", None)
    if spans is None:
        raise PluginError(
            f"{task}: the view 'spans' needs an output with spans, or a panel_data of the "
            "task's own"
        )
    return {
        "context": str(row.get("context", "")),
        "spans": [_span(span) for span in spans],
        "no_answer": getattr(output, "no_answer", None),
    }


def _span(span: Any) -> dict[str, Any]:
    """A span from a mapping, a tuple (start, end, probability) or an object with those names."""
    if isinstance(span, Mapping):
        start, end, share = span["start"], span["end"], span["probability"]
    elif isinstance(span, Sequence):
        start, end, share = span[:3]
    else:
        start, end, share = span.start, span.end, span.probability
    return {"start": int(start), "end": int(end), "probability": float(share)}


def check(view: str, data: Any) -> Mapping[str, Any]:
    """The data, if they have the form that the view draws.

    Raises:
        PluginError: they do not, or there is no such view.
    """
    if view not in VIEWS:
        raise PluginError(f"there is no view {view!r}; views are {', '.join(VIEWS)}")
    if not isinstance(data, Mapping):
        raise PluginError(f"panel_data returned {type(data).__name__}, not a mapping")
    needed = {
        "text": ("text",),
        "number-distribution": ("values", "probabilities"),
        "labels": ("labels",),
        "numbers": ("numbers",),
        "spans": ("context", "spans"),
    }[view]
    if view == "number-distribution" and "text" in data:
        return data  # an output in which no number was found
    if missing := [name for name in needed if name not in data]:
        raise PluginError(f"panel_data for the view {view!r} has no {', '.join(missing)}")
    if view == "text":
        _check_marks(str(data["text"]), data.get("marks"))
        _check_marks(str(data.get("source") or ""), data.get("source_marks"))
    return data


def _check_marks(text: str, marks: Any) -> None:
    for mark in marks or ():
        start, end = int(mark["start"]), int(mark["end"])
        if not 0 <= start <= end <= len(text):
            raise PluginError(f"a mark from {start} to {end} is outside a text of {len(text)}")
        kind = mark.get("kind", MARK_KINDS[0])
        if kind not in MARK_KINDS:
            raise PluginError(
                f"there is no mark of kind {kind!r}; kinds are {', '.join(MARK_KINDS)}"
            )


@dataclass(frozen=True)
class Panel:
    """How the playground shows a task, as plain data: plugins never import gradio.

    Args:
        inputs: column name → label of the input box.
        view: how an output is drawn ("text", "number-distribution", "labels", "numbers", "spans");
            what is drawn is :meth:`Task.panel_data`.
        examples: a few rows to click.
    """

    inputs: Mapping[str, str]
    view: str = "text"
    examples: tuple[Mapping[str, Any], ...] = ()
