"""Was it worth it? One answer, in one sentence, from paired comparisons on the test rows.

Worth it: the trained model beats the base model *and* the best baseline on the primary metric, and
the 95 % interval of each paired difference excludes zero. Not worth it: it is beaten by either, or
the interval lies inside the task's margin around "equal", even if it excludes zero: a gain that the
task calls negligible is not worth an adapter. Otherwise the test rows cannot tell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from toolkit import formatting
from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import Comparison, rows_needed
from toolkit.runs import predictions
from toolkit.runs.predictions import System
from toolkit.task import Task

Standing = Literal["beats", "beaten", "equal", "open"]


@dataclass(frozen=True)
class Rival:
    """A system that the trained model has to beat.

    Args:
        phrase: its name in the sentence ("the best baseline, ridge-log").
        value: its figure on the test rows.
        compared: the paired comparison, trained model minus rival.
        n: the number of rows that both predicted.
    """

    phrase: str
    value: float
    compared: Comparison
    n: int


@dataclass(frozen=True)
class Verdict:
    """The answer; ``worth_it`` is ``None`` where the rows cannot tell."""

    worth_it: bool | None
    sentence: str
    rows_needed: int | None
    best_baseline: str | None
    margin: float
    caveats: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return asdict(self)


def standing(metric: Metric, rival: Rival, margin: float) -> Standing:
    """How the trained model compares with one rival; ``open``: the rows cannot tell.

    Args:
        metric: the primary metric.
        rival: the rival.
        margin: the share of the rival's figure within which both count as equal.
    """
    low, high = rival.compared.low, rival.compared.high
    room = margin * abs(rival.value)
    if -room <= low and high <= room:
        return "equal"
    if low > 0 or high < 0:
        return "beats" if (low > 0) == metric.greater_is_better else "beaten"
    return "open"


def decide(
    metric: Metric,
    value: float,
    rivals: Sequence[Rival],
    *,
    margin: float,
    n: int,
    noun: str = "adapter",
    best_baseline: str | None = None,
    synthetic: bool = False,
    caveats: Sequence[str] = (),
) -> Verdict:
    """The verdict on a trained model, compared with one or two rivals.

    Args:
        metric: the primary metric.
        value: the trained model's figure on the test rows.
        rivals: the systems that it has to beat.
        margin: the share within which two figures count as equal.
        n: the number of test rows.
        noun: what the sentence calls the trained model.
        best_baseline: the name of the best baseline.
        synthetic: whether the rows are generated.
        caveats: what the verdict does not cover, as sentences.
    """
    found = [(standing(metric, rival, margin), rival) for rival in rivals]
    standings = {stands for stands, _ in found}
    worth_it: bool | None = None
    if standings & {"beaten", "equal"}:
        worth_it = False
    elif standings == {"beats"}:
        worth_it = True
    needed = _rows_for_all(found, margin) if worth_it is None else None
    head = {True: "Worth it", False: "Not worth it", None: f"Cannot tell with {n:,} test rows"}
    where = ", on SYNTHETIC data" if synthetic else ""
    sentence = f"{head[worth_it]}{where}: {_body(metric, value, found, margin, noun)}"
    if worth_it is None and found:
        sentence += (
            f" About {formatting.about(needed)} test rows would tell."
            if needed
            else " No practical number of rows would tell."
        )
    return Verdict(worth_it, sentence, needed, best_baseline, margin, list(caveats))


def _rows_for_all(found: Sequence[tuple[Standing, Rival]], margin: float) -> int | None:
    needs = [
        rows_needed(rival.n, rival.compared, equal_within=margin * abs(rival.value))
        for stands, rival in found
        if stands == "open"
    ]
    known = [need for need in needs if need is not None]
    return max(known) if known and len(known) == len(needs) else None


def _body(
    metric: Metric,
    value: float,
    found: Sequence[tuple[Standing, Rival]],
    margin: float,
    noun: str,
) -> str:
    label = formatting.in_sentence(metric.label or metric.name)
    subject = f"the {noun}'s {label} of {formatting.figure(value, metric.format, metric.unit)}"
    if not found:
        return f"{subject} has neither a base model nor a baseline to be compared with."
    # Rivals that the model does not beat come first: they decide against "worth it".
    ordered = sorted(found, key=lambda item: item[0] == "beats")
    text = f"{subject} is " + _clause(metric, *ordered[0], margin)
    for stands, rival in ordered[1:]:
        joiner = "though" if stands == "beats" and ordered[0][0] != "beats" else "and"
        text += f", {joiner} {_clause(metric, stands, rival, margin)}"
    return text + "."


def _clause(metric: Metric, stands: Standing, rival: Rival, margin: float) -> str:
    compared, unit = rival.compared, metric.unit
    # The difference decides the spec; an end of its interval may well be zero when rounded.
    spec = formatting.finer(metric.format, compared.difference)
    whom = f"that of {rival.phrase}"
    if stands == "open":
        inside = _gap(compared.difference, spec, unit)
        return (
            f"not clearly different from {whom} ({inside}, "
            f"95 % interval of the difference {formatting.span(compared.low, compared.high, spec)})"
        )
    if stands == "equal":
        interval = f"difference {formatting.span(compared.low, compared.high, spec)}"
        within = f", within the task's margin of {100 * margin:.3g} %" if margin else ""
        return f"equal to {whom}{within} ({interval})"
    near, far = sorted((abs(compared.low), abs(compared.high)))
    way = "higher" if compared.difference > 0 else "lower"
    size = formatting.figure(abs(compared.difference), spec, unit)
    return f"{size} ({formatting.span(near, far, spec)}) {way} than {whom}"


def _gap(difference: float, spec: str, unit: str) -> str:
    way = "higher" if difference > 0 else "lower"
    return f"{formatting.figure(abs(difference), spec, unit)} {way}"


# -- of a run ------------------------------------------------------------------------------------
def of_run(
    task: Task,
    metric: Metric,
    found: Sequence[System],
    best: System | None,
    comparisons: Sequence[Mapping[str, Any]],
    *,
    synthetic: bool,
    seeds: Mapping[str, Any] | None,
) -> Verdict:
    """The verdict on a run's trained model.

    Args:
        task: the task, for its margin.
        metric: its primary metric.
        found: all systems with their predictions.
        best: the baseline that was chosen on validation.
        comparisons: the paired comparisons of ``metrics.json``.
        synthetic: whether the rows are generated.
        seeds: the spread over training seeds, where there were several.
    """
    ours = predictions.trained(found)
    name = best.name if best else None
    if ours is None:
        sentence = "Nothing was trained: the figures are those of the baselines and the base model."
        return Verdict(None, sentence, None, name, task.margin)
    base = next((s for s in found if s.role == "base"), None)
    phrases = [(best, f"the best baseline, {name}"), (base, "the base model")]
    primary = {c["b"]: c for c in comparisons if c["metric"] == metric.name}
    rivals = [
        _rival(metric, phrase, ours, system, primary[system.name])
        for system, phrase in phrases
        if system
    ]
    named = {name, base.name if base else None}
    answer = decide(
        metric,
        statistics.metric_value(metric, ours.values(metric.name)),
        rivals,
        margin=task.margin,
        n=len(ours.rows()),
        noun=formatting.TRAINED[ours.role],
        best_baseline=name,
        synthetic=synthetic,
        caveats=_caveats(metric, ours, primary, named, synthetic, seeds),
    )
    if answer.worth_it:
        answer.caveats.extend(_as_good(primary, named, formatting.TRAINED[ours.role]))
    return answer


def _rival(
    metric: Metric, phrase: str, ours: System, system: System, entry: Mapping[str, Any]
) -> Rival:
    figures = [
        math.nan if entry[key] is None else entry[key] for key in ("difference", "low", "high", "p")
    ]
    _, theirs = predictions.shared_values(ours, system, metric.name)
    return Rival(phrase, statistics.metric_value(metric, theirs), Comparison(*figures), len(theirs))


def _caveats(
    metric: Metric,
    ours: System,
    comparisons: Mapping[str, Mapping[str, Any]],
    rivals: Set[str | None],
    synthetic: bool,
    seeds: Mapping[str, Any] | None,
) -> list[str]:
    """What the verdict does not cover, as sentences."""
    rows, noun = ours.rows(), formatting.TRAINED[ours.role]
    text = f"Intervals cover the sampling of the {len(rows):,} test rows, not of training seeds."
    if seeds:
        mean, spread = (
            formatting.figure(seeds[k], metric.format, metric.unit) for k in ("mean", "sd")
        )
        text += f" Over {seeds['n']} training seeds the figure is {mean} ± {spread}."
    caveats = [text]
    if synthetic:
        caveats.append("The data is SYNTHETIC: the figures say nothing about real data.")
    up = 1 if metric.greater_is_better else -1
    better = [
        name
        for name, c in comparisons.items()
        if name not in rivals and None not in c.values() and max(up * c["low"], up * c["high"]) < 0
    ]
    if better:
        caveats.append(f"Better than the {noun} on the test rows: {', '.join(better)}.")
    unread = sum(not row.get("parsed", True) for row in rows)
    if unread:
        outputs = formatting.count(unread, "unreadable output")
        caveats.append(f"{outputs} of the {noun} counted as the task's fallback.")
    return caveats


def _as_good(
    comparisons: Mapping[str, Mapping[str, Any]], rivals: Set[str | None], noun: str
) -> list[str]:
    """A sentence on systems that do as well on test although validation ranked them lower."""
    names = [
        name
        for name, c in comparisons.items()
        if name not in rivals and None not in c.values() and c["low"] <= 0 <= c["high"]
    ]
    return [f"Not clearly behind the {noun} on the test rows: {', '.join(names)}."] if names else []
