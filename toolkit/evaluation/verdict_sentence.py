"""The words of a verdict: the figure of the trained model, and how it stands against its rivals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit import formatting
from toolkit.evaluation.standing import ALPHA, Judged, has_interval, units
from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import FEW_GROUPS, Comparison

UNFINISHED = "Cannot tell yet"
"""The headline where training ended too early for an answer."""


def head(worth_it: bool | None, n: int, groups: int | None, *, unfinished: bool) -> str:
    """The first words of a verdict."""
    if worth_it is None:
        rows = formatting.grouped_rows(n, groups, "test row")
        return UNFINISHED if unfinished else f"Cannot tell with {rows}"
    return "Worth it" if worth_it else "Not worth it"


def named(found: Sequence[Judged]) -> list[Judged]:
    """The rivals that a sentence names: one baseline and the base model, the harder one first.

    Args:
        found: all rivals, those that stand most against the trained model first.
    """
    baseline = next((item for item in found if item.rival.baseline), None)
    base = next((item for item in found if not item.rival.baseline), None)
    return [item for item in found if item is baseline or item is base]


def body(metric: Metric, value: float, found: Sequence[Judged], margin: float, noun: str) -> str:
    """The figures of a verdict: the model's own, and those of the rivals that are named.

    Args:
        metric: the primary metric.
        value: the trained model's figure.
        found: all rivals, those that stand most against the trained model first.
        margin: the share within which two figures count as equal.
        noun: what the trained model is called.
    """
    label = formatting.in_sentence(metric.label or metric.name)
    subject = f"the {noun}'s {label} of {formatting.figure(value, metric.format, metric.unit)}"
    if not found:
        return f"{subject} has neither a base model nor a baseline to be compared with."
    shown = named(found)
    text = f"{subject} is " + _clause(metric, shown[0], margin, _phrase(metric, shown[0], found))
    for item in shown[1:]:
        joiner = "though" if item.stands == "beats" != shown[0].stands else "and"
        text += f", {joiner} {_clause(metric, item, margin, _phrase(metric, item, found))}"
    return ". ".join([text, *_reasons(shown)]) + "."


def brief(metric: Metric, item: Judged) -> str:
    """A comparison in a few words: ``+0.070 accuracy (0.050 to 0.090) over tfidf``.

    For errors it is ``30.8 $ higher mean absolute error (1.9 to 59.7) than ridge``.

    Args:
        metric: the primary metric.
        item: the rival; the difference is the trained model's figure minus its own.
    """
    compared = item.rival.compared
    name = item.rival.name if item.rival.baseline else "the base model"
    label = formatting.in_sentence(metric.label or metric.name)
    if not math.isfinite(compared.difference):
        return f"no figure of {label} against {name}"
    spec = formatting.finer(metric.format, compared.difference)
    if not metric.greater_is_better and item.stands in ("beats", "beaten"):
        # A plus before an error would look like a gain.
        way = "higher" if compared.difference > 0 else "lower"
        size = formatting.figure(abs(compared.difference), spec, metric.unit)
        return f"{size} {way} {label} ({_evidence(compared, spec, absolute=True)}) than {name}"
    size = formatting.signed(compared.difference, spec, metric.unit)
    whom = f"{'over' if item.stands == 'beats' else 'against'} {name}"
    return f"{size} {label} ({_evidence(compared, spec)}) {whom}"


def _evidence(compared: Comparison, spec: str, *, absolute: bool = False) -> str:
    """The interval of a difference; the paired test where there is none."""
    if has_interval(compared):
        ends = (compared.low, compared.high)
        low, high = sorted(map(abs, ends)) if absolute else ends
        return formatting.span(low, high, spec)
    p = f"{formatting.p_equals(compared.p)}, " if math.isfinite(compared.p) else ""
    return f"{p}no interval"


def _phrase(metric: Metric, item: Judged, found: Sequence[Judged]) -> str:
    """A rival's name in the sentence, such as "the strongest of 5 baselines, ridge-log"."""
    if not item.rival.baseline:
        return "the base model"
    up = 1 if metric.greater_is_better else -1
    figures = [up * other.rival.value for other in found if other.rival.baseline]
    if len(figures) > 1 and up * item.rival.value >= max(figures):
        return f"the strongest of {len(figures)} baselines, {item.rival.name}"
    return f"the baseline {item.rival.name}"


def _clause(metric: Metric, item: Judged, margin: float, phrase: str) -> str:
    compared, unit = item.rival.compared, metric.unit
    # The difference decides the spec; an end of its interval may well be zero when rounded.
    spec = formatting.finer(metric.format, compared.difference)
    whom = f"that of {phrase}"
    way = "higher" if compared.difference > 0 else "lower"
    size = formatting.figure(abs(compared.difference), spec, unit)
    if item.stands == "open":
        return f"not clearly different from {whom} ({_undecided(compared, f'{size} {way}', spec)})"
    if item.stands == "equal":
        interval = f"difference {formatting.span(compared.low, compared.high, spec)}"
        within = f", within the task's margin of {100 * margin:.3g} %" if margin else ""
        return f"equal to {whom}{within} ({interval})"
    if not has_interval(compared):
        n = formatting.grouped_units(item.rival.n, compared.groups)
        exact = f"{formatting.p_equals(compared.p)} in the exact test over {n}, no interval"
        return f"{size} ({exact}) {way} than {whom}"
    near, far = sorted((abs(compared.low), abs(compared.high)))
    return f"{size} ({formatting.span(near, far, spec)}) {way} than {whom}"


def _undecided(compared: Comparison, difference: str, spec: str) -> str:
    """The figures of a comparison that decides nothing."""
    if not math.isfinite(compared.difference):
        return "the difference has no figure"
    if not has_interval(compared):
        p = f", {formatting.p_equals(compared.p)}" if math.isfinite(compared.p) else ""
        return f"{difference}{p}, no interval"
    interval = (
        f"95 % interval of the difference {formatting.span(compared.low, compared.high, spec)}"
    )
    text = f"{difference}, {interval}"
    if min(compared.low, compared.high) > 0 or max(compared.low, compared.high) < 0:
        text += f", but {formatting.p_equals(compared.p)} in the paired test"
    return text


def _reasons(shown: Sequence[Judged]) -> list[str]:
    """Why comparisons that decide nothing have no interval, without full stops."""
    notes = [
        item.rival.compared.note
        for item in shown
        if item.stands == "open" and not has_interval(item.rival.compared)
    ]
    return [formatting.sentence(note).rstrip(".") for note in dict.fromkeys(filter(None, notes))]


# -- caveats and training that ended early -------------------------------------------------------
def unfinished(found: Mapping[str, Any] | None) -> str | None:
    """A sentence on training that ended early, from ``training.unfinished`` of ``run.json``.

    Args:
        found: ``share`` of the training that was done, from 0 to 1, ``reason`` in a few words
            ("the limit of 4 minutes") and ``minutes_needed`` for the rest, where it is known.
    """
    if not found:
        return None
    done = math.floor(100 * float(found["share"]) + 1e-9)
    text = f"Training ended after {done} % of its schedule"
    if reason := str(found.get("reason") or "").strip().rstrip("."):
        text += f" ({reason})"
    minutes = found.get("minutes_needed")
    if minutes is not None:
        more = formatting.count(max(1, math.ceil(float(minutes))), "more minute")
        text += f"; about {more} would finish it"
    return text + "."


def few(n: int, groups: int | None) -> str | None:
    """What few independent observations mean for a verdict; ``None`` where there are enough."""
    count = units(groups, n)
    if count >= FEW_GROUPS:
        return None
    what = formatting.count(count, "row" if groups is None else "group")
    text = (
        f"The test rows hold {what} that {'are' if count > 1 else 'is'} independent. Below "
        f"{FEW_GROUPS} no interval holds reliably, and a difference counts only where an exact "
        f"test over the {'rows' if groups is None else 'groups'} shows it"
    )
    smallest = 2.0 ** (1 - count)
    if smallest >= ALPHA:
        least = f"the smallest p that it can give is {smallest:.2g}"
        text += f"; with {count} {least}: nothing can be shown"
    return text + "."


def others(found: Sequence[Judged], noun: str) -> list[str]:
    """A sentence on baselines that the model does not beat and the verdict does not name."""
    shown = named(found)
    words = {"beaten": "better", "equal": "equal", "open": "not clearly different"}
    left = [
        f"{item.rival.name} ({words[item.stands]})"
        for item in found
        if item.stands != "beats" and item not in shown
    ]
    return [f"Nor does the {noun} beat {', '.join(left)}."] if left else []
