"""A panel's plain data drawn as HTML: distributions, labels, spans and marked texts.

Plots are drawn in shares of their width and their words are ordinary text, so that they are as
readable on a phone as on a desk, and dark where the page is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from toolkit.panels import check
from toolkit_playground.rendering import marked_text
from toolkit_playground.rendering.html import NOTHING, fill, joined
from toolkit_playground.state.answers import answer_text

BINS = 56


@dataclass(frozen=True)
class Shown:
    """One side's part of a panel.

    Args:
        label: of the side.
        prediction: what counts.
        low, high: its interval; ``None`` where the task has none.
        data: what :meth:`toolkit.Task.panel_data` gave.
        parsed: whether the output could be read; the fallback counts otherwise.
    """

    label: str
    prediction: Any
    low: float | None
    high: float | None
    data: Mapping[str, Any]
    parsed: bool = True


def draw(
    view: str,
    shown: Sequence[Shown],
    *,
    truth: Any = None,
    others: Mapping[str, Any] | None = None,
    unit: str = "",
) -> Markup:
    """A panel of that view; raises :class:`PluginError` where its data are not what is drawn.

    Args:
        view: the panel's.
        shown: the sides, in their order.
        truth: the reference, where it is known.
        others: predictions of the run's other systems, where the row is a held-out one.
        unit: of predictions.
    """
    for side in shown:
        check(view, side.data)
    if view == "number-distribution":
        return _distribution(shown, truth, others or {}, unit)
    drawn = {"labels": _labels, "numbers": _numbers, "spans": _spans, "text": _text}[view]
    parts = [
        fill(
            '<section class="tk-card tk-s{place}" aria-label="{label}"><h2>{label}</h2>{drawn}'
            "</section>",
            place=i % 4, label=side.label, drawn=drawn(side, truth),
        )
        for i, side in enumerate(shown)
    ]  # fmt: skip
    cards = fill('<div class="tk-cards tk-n{}">{}</div>', len(parts), joined(parts))
    if view == "text":
        found = {side.label: side.data for side in shown}
        cards = marked_text.source(found) + marked_text.legend(list(found.values())) + cards
    return cards + listed(truth, others or {}, unit)


def listed(truth: Any, others: Mapping[str, Any], unit: str) -> Markup:
    """The truth and the other systems' answers as a list."""
    rows = [] if truth is None else [("true", answer_text(truth, unit), " tk-truth")]
    rows += [(name, answer_text(value, unit), "") for name, value in others.items()]
    items = joined(
        fill('<div class="tk-pair{}"><dt>{}</dt><dd>{}</dd></div>', extra, name, text)
        for name, text, extra in rows
    )
    return fill('<dl class="tk-pairs">{}</dl>', items) if items else NOTHING


# -- numbers -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Axis:
    """A logarithmic axis; places are per cent of the plot's width."""

    low: float
    high: float

    def at(self, value: float) -> float:
        span = math.log(self.high / self.low)
        share = math.log(max(value, 1e-9) / self.low) / span
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def ticks(self) -> list[float]:
        found: list[float] = []
        for steps in ((1, 2, 5), (1, 3), (1,)):
            first = math.floor(math.log10(self.low))
            last = math.ceil(math.log10(self.high))
            found = [s * 10.0**e for e in range(first, last + 1) for s in steps]
            found = [t for t in found if self.low <= t <= self.high]
            if len(found) <= 6:
                break
        return found


def _axis(
    shown: Sequence[Shown], truth: Any, others: Mapping[str, Any], least: float = 0.008
) -> _Axis:
    """An axis that holds what matters: all points, and the distributions without thin tails."""
    values = [float(v) for v in (truth, *others.values()) if isinstance(v, int | float)]
    for side in shown:
        ends = (side.prediction, side.low, side.high)
        values += [float(v) for v in ends if isinstance(v, int | float)]
        values += _quantiles(side.data, least)
    values = [v for v in values if v > 0 and math.isfinite(v)]
    low, high = min(values, default=1.0) / 1.25, max(values, default=10.0) * 1.25
    return _Axis(low, max(high, low * 3))


def _quantiles(data: Mapping[str, Any], tail: float) -> list[float]:
    pairs = sorted(zip(data.get("values", ()), data.get("probabilities", ()), strict=True))
    total, seen, kept = sum(p for _, p in pairs), 0.0, []
    for value, share in pairs:
        seen += share
        if tail * total <= seen <= (1 - tail) * total:
            kept.append(float(value))
    return [kept[0], kept[-1]] if kept else []


def _distribution(
    shown: Sequence[Shown], truth: Any, others: Mapping[str, Any], unit: str
) -> Markup:
    axis = _axis(shown, truth, others)
    rows = [_histogram(i, side, axis, truth, unit) for i, side in enumerate(shown)]
    points = sorted(others.items(), key=lambda item: (not isinstance(item[1], int | float), item))
    rows += [_point(name, value, axis, truth, unit) for name, value in points]
    ticks = joined(
        fill('<span style="left:{}%">{}</span>', axis.at(t), answer_text(t)) for t in axis.ticks()
    )
    known = (
        fill('<p class="tk-true"><span></span>true value: {}</p>', answer_text(truth, unit))
        if isinstance(truth, int | float)
        else NOTHING
    )
    label = "; ".join(f"{s.label} says {answer_text(s.prediction, unit)}" for s in shown)
    return fill(
        '<figure class="tk-dist" role="group" aria-label="{}">{}{}'
        '<div class="tk-row"><span></span><div class="tk-ticks" aria-hidden="true">{}</div>'
        "<span></span></div><figcaption>Logarithmic axis{}; bars are the "
        "probability of each number, the band is the 90 % interval, the dot is the prediction."
        "</figcaption></figure>",
        label, known, joined(rows), ticks, f", {unit}" if unit else "",
    )  # fmt: skip


def _histogram(place: int, side: Shown, axis: _Axis, truth: Any, unit: str) -> Markup:
    masses = [0.0] * BINS
    for value, share in zip(
        side.data.get("values", ()), side.data.get("probabilities", ()), strict=True
    ):
        if axis.low <= value <= axis.high:
            masses[min(BINS - 1, int(axis.at(value) / 100 * BINS))] += share
    top = max(masses) or 1.0
    width = 100 / BINS
    bars = joined(
        fill(
            '<rect x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>',
            i * width, 40 - 40 * m / top, width * 0.86, 40 * m / top,
        )
        for i, m in enumerate(masses)
        if m / top > 0.004
    )  # fmt: skip
    band = interval = NOTHING
    if side.low is not None and side.high is not None:
        left, right = axis.at(side.low), axis.at(side.high)
        band = fill('<i class="tk-band" style="left:{}%;width:{:.2f}%"></i>', left, right - left)
        ends = answer_text(side.low), answer_text(side.high)
        interval = fill("<small>90 %: {} to {}</small>", *ends)
    unread = fill("<small>unreadable output: the fallback counts</small>")
    mass = sum(side.data.get("probabilities", ()))
    return fill(
        '<div class="tk-row tk-hist tk-s{}"><span class="tk-name">{}'
        '</span><div class="tk-plot"><svg viewBox="0 0 100 40" preserveAspectRatio="none" '
        'aria-hidden="true">{}</svg>{}{}{}</div><span class="tk-value"><b>{}</b>{}{}'
        "<small>{:.0%} on numbers</small>{}</span></div>",
        place % 4, side.label, bars, band, _dot(side.prediction, axis), _line(truth, axis),
        answer_text(side.prediction, unit), _off(side.prediction, truth, unit), interval, mass,
        NOTHING if side.parsed else unread,
    )  # fmt: skip


def _point(name: str, value: Any, axis: _Axis, truth: Any, unit: str) -> Markup:
    return fill(
        '<div class="tk-row tk-point"><span class="tk-name">{}</span>'
        '<div class="tk-plot">{}{}</div><span class="tk-value">{}{}</span></div>',
        name, _dot(value, axis), _line(truth, axis), answer_text(value, unit),
        _off(value, truth, unit),
    )  # fmt: skip


def _dot(value: Any, axis: _Axis) -> Markup:
    if not isinstance(value, int | float):
        return NOTHING
    return fill('<i class="tk-dot" style="left:{}%"></i>', axis.at(float(value)))


def _line(truth: Any, axis: _Axis) -> Markup:
    if not isinstance(truth, int | float):
        return NOTHING
    return fill('<i class="tk-line" style="left:{}%"></i>', axis.at(float(truth)))


def _off(value: Any, truth: Any, unit: str) -> Markup:
    if not (isinstance(value, int | float) and isinstance(truth, int | float)):
        return NOTHING
    return fill("<small>off by {}</small>", answer_text(abs(value - truth), unit))


# -- labels, spans, texts --------------------------------------------------------------------------
def _labels(side: Shown, truth: Any) -> Markup:
    """A bar for each label; where a row may have several, those that are given are said to be."""
    several = isinstance(side.prediction, list)
    given, true = _names(side.prediction), _names(truth)
    rows = []
    for name, share in sorted(side.data["labels"].items(), key=lambda item: -item[1]):
        tags = [("given", several and str(name) in given), ("true", str(name) in true)]
        rows.append(
            fill(
                '<div class="tk-bar"><span>{name}{marks}</span>'
                '<meter min="0" max="1" value="{share:.4f}" aria-label="{name}">'
                "</meter><b>{share:.1%}</b></div>",
                name=str(name), share=share,
                marks=joined(
                    fill(' <span class="tk-tag">{}</span>', tag) for tag, shown in tags if shown
                ),
            )
        )  # fmt: skip
    return fill('<div class="tk-bars">{}</div>', joined(rows))


def _names(value: Any) -> set[str]:
    """The labels of a prediction or a reference, of which there may be one, several or none."""
    if value is None:
        return set()
    return set(map(str, value)) if isinstance(value, list) else {str(value)}


def _numbers(side: Shown, truth: Any) -> Markup:
    """The numbers by their names, with how far off each is."""
    right = truth if isinstance(truth, Mapping) else {"prediction": truth}
    rows = joined(
        fill(
            '<div class="tk-pair"><dt>{}</dt><dd><b>{}</b>{}</dd></div>',
            name, answer_text(number), _off(number, right.get(name), ""),
        )
        for name, number in side.data["numbers"].items()
    )  # fmt: skip
    unread = fill("<small>unreadable output: the fallback counts</small>")
    return fill('<dl class="tk-pairs">{}</dl>{}', rows, NOTHING if side.parsed else unread)


def _spans(side: Shown, truth: Any) -> Markup:
    context, spans = str(side.data["context"]), list(side.data["spans"])[:5]
    none = side.data.get("no_answer")
    marked = fill("{}", context)
    if answer := _answer(side.prediction, spans, none):
        start, end = answer
        marked = fill("{}<mark>{}</mark>{}", context[:start], context[start:end], context[end:])
    rows = [(context[int(s["start"]) : int(s["end"])], float(s["probability"])) for s in spans] + (
        [("no answer", float(none))] if none is not None else []
    )
    items = joined(
        fill("<li><span>{}</span> <b>{:.1%}</b></li>", text, share)
        for text, share in sorted(rows, key=lambda row: -row[1])
    )
    return fill(
        '<div class="tk-said">{}</div><p class="tk-quiet">says: {}</p><ol class="tk-top">{}</ol>',
        marked, answer_text(side.prediction) or "no answer", items,
    )  # fmt: skip


def _answer(prediction: Any, spans: Sequence[Any], none: float | None) -> tuple[int, int] | None:
    """What is marked: the prediction where it says its place, else the likeliest span."""
    if isinstance(prediction, Mapping) and {"start", "end"} <= prediction.keys():
        start, end = prediction["start"], prediction["end"]
        return None if start is None or end is None or end <= start else (int(start), int(end))
    best = spans[0] if spans else None
    if best is None or (none is not None and best["probability"] < none):
        return None
    return int(best["start"]), int(best["end"])


def _text(side: Shown, truth: Any) -> Markup:
    text, marks = str(side.data["text"]), side.data.get("marks") or ()
    written = marked_text.marked(text, marks)
    return fill('<div class="tk-said">{}</div>{}', written, marked_text.notes(text, marks))
