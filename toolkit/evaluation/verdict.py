"""Was it worth it? One answer, in one sentence, from paired comparisons on the test rows.

Worth it: the trained model beats the base model *and* every baseline on the primary metric. It
beats a system where both the 95 % interval of the paired difference excludes zero and the paired
test gives p < 0.05. Not worth it: it is beaten by one of them, or the interval lies inside the
task's margin around "equal", even if it excludes zero: a gain that the task calls negligible is not
worth an adapter. Otherwise the test rows cannot tell.

That all systems must be beaten is an intersection–union test: "worth it" claims one thing of each
system, and it is wrong at most as often as a single one of these tests, so that no correction for
the number of baselines is due. No baseline is chosen beforehand, which could choose the wrong one.

Source: R. L. Berger, "Multiparameter hypothesis testing and acceptance sampling", Technometrics 24
(1982) 295-300.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from toolkit import formatting
from toolkit.evaluation import verdict_sentence as words
from toolkit.evaluation.standing import Judged, Rival, clear, judged
from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import Comparison
from toolkit.runs import predictions
from toolkit.runs.predictions import System
from toolkit.task import Task

BASELINES = ("baseline", "few-shot")
"""Roles of systems that a trained model has to beat, besides the base model."""


@dataclass(frozen=True)
class Verdict:
    """The answer; ``worth_it`` is ``None`` where the rows cannot tell.

    Args:
        worth_it: the answer.
        sentence: the answer in a sentence, with the figures.
        best_baseline: the best baseline on the validation rows, which decides nothing.
        margin: the share within which two figures count as equal.
        caveats: what the verdict does not cover, as sentences.
        against: the baseline that the sentence names: it stands most against the trained model.
        unfinished: a sentence on training that ended too early for an answer.
        rows_needed: always ``None``: the estimate of earlier versions did not hold.
    """

    worth_it: bool | None
    sentence: str
    best_baseline: str | None
    margin: float
    caveats: list[str] = field(default_factory=list)
    against: str | None = None
    unfinished: str | None = None
    rows_needed: None = None

    def document(self) -> dict[str, Any]:
        return asdict(self)


MISSING = "Missing, and so not compared:"
"""The beginning of the caveat on baselines that a run could not fit or predict with."""


def decide(
    metric: Metric,
    value: float,
    rivals: Sequence[Rival],
    *,
    margin: float,
    n: int,
    groups: int | None = None,
    noun: str = "adapter",
    best_baseline: str | None = None,
    synthetic: bool = False,
    caveats: Sequence[str] = (),
    unfinished: str | None = None,
) -> Verdict:
    """The verdict on a trained model, compared with the base model and with every baseline.

    Args:
        metric: the primary metric.
        value: the trained model's figure on the test rows.
        rivals: the systems that it has to beat.
        margin: the share within which two figures count as equal.
        n: the number of test rows.
        groups: the number of their groups; ``None``: each row is one of its own.
        noun: what the sentence calls the trained model.
        best_baseline: the name of the best baseline on the validation rows.
        synthetic: whether the rows are generated.
        caveats: what the verdict does not cover, as sentences.
        unfinished: a sentence on training that ended early. With it the verdict is never "not worth
            it": a model that was hardly trained does not show what training is worth.
    """
    found = judged(metric, rivals, margin)
    worth_it = _answer(found)
    early = unfinished if unfinished and not worth_it else None
    if early:
        worth_it = None
    head = words.head(worth_it, n, groups, unfinished=bool(early))
    where = ", on SYNTHETIC data" if synthetic else ""
    text = words.body(metric, value, found, margin, noun)
    if early:
        text = f"{early[:1].lower()}{early[1:]} So far {text}"
    told = [*caveats, *words.others(found, noun), *_notes(found)]
    if few := words.few(n, groups):
        told.append(few)
    if unfinished and not early:
        told.append(unfinished)
    return Verdict(
        worth_it,
        f"{head}{where}: {text}",
        best_baseline,
        margin,
        told,
        next((item.rival.name for item in found if item.rival.baseline), None),
        early,
    )


def _answer(found: Sequence[Judged]) -> bool | None:
    """Worth it where all rivals are beaten, not where one beats or equals the trained model."""
    standings = {item.stands for item in found}
    if standings & {"beaten", "equal"}:
        return False
    return True if standings == {"beats"} else None


def _notes(found: Sequence[Judged]) -> list[str]:
    """What limits the comparisons that are named, unless the sentence says it."""
    notes = [
        formatting.sentence(item.rival.compared.note)
        for item in words.named(found)
        if item.stands != "open" or math.isfinite(item.rival.compared.low)
    ]
    return list(dict.fromkeys(filter(None, notes)))


# -- of a run ------------------------------------------------------------------------------------
def of_run(
    task: Task,
    metric: Metric,
    found: Sequence[System],
    compared: Mapping[str, Comparison],
    *,
    best: System | None,
    synthetic: bool,
    seeds: Mapping[str, Any] | None,
    unfinished: Mapping[str, Any] | None = None,
    absent: Mapping[str, str] | None = None,
) -> Verdict:
    """The verdict on a run's trained model.

    Args:
        task: the task, for its margin.
        metric: its primary metric.
        found: all systems with their predictions.
        compared: system → the trained model's comparison with it on the primary metric.
        best: the baseline that is best on the validation rows.
        synthetic: whether the rows are generated.
        seeds: the spread over training seeds, where there were several.
        unfinished: ``training.unfinished`` of ``run.json``: training that ended early.
        absent: baselines that are missing → the reason.
    """
    ours = predictions.trained(found)
    name = best.name if best else None
    if ours is None:
        sentence = "Nothing was trained: the figures are those of the baselines and the base model."
        return Verdict(None, sentence, name, task.margin)
    listed = rival_names(found)
    rivals = [
        _rival(metric, ours, system, compared[system.name])
        for system in found
        if system.name in listed
    ]
    value = statistics.metric_value(metric, ours.values(metric.name))
    # A system may have no figure, as a constant has no correlation; then there is nothing to beat.
    known = [rival for rival in rivals if math.isfinite(rival.value)]
    groups, noun = ours.groups(), formatting.TRAINED[ours.role]
    caveats = _caveats(metric, ours, synthetic, seeds)
    caveats += _better(metric, found, compared, {rival.name for rival in rivals}, noun)
    if absent:
        names = "; ".join(f"{', '.join(of)} ({why})" for why, of in formatting.grouped(absent))
        caveats.append(f"{MISSING} {names}.")
    if len(known) < len(rivals):
        names = ", ".join(rival.name for rival in rivals if rival not in known)
        caveats.append(f"Without a figure on these rows, and so not compared: {names}.")
    return decide(
        metric,
        value,
        known,
        margin=task.margin,
        n=len(ours.rows()),
        groups=len(set(groups)) if groups else None,
        noun=noun,
        best_baseline=name,
        synthetic=synthetic,
        caveats=caveats,
        unfinished=words.unfinished(unfinished),
    )


def rival_names(found: Sequence[System]) -> list[str]:
    """The systems that a trained model has to beat."""
    return [system.name for system in found if system.role in (*BASELINES, "base")]


def _rival(metric: Metric, ours: System, system: System, compared: Comparison) -> Rival:
    _, theirs = predictions.shared_lines(ours, system)
    values = [line["metrics"][metric.name] for line in theirs]
    return Rival(
        system.name,
        statistics.metric_value(metric, values),
        compared,
        sum(value is not None for value in values),
        baseline=system.role in BASELINES,
    )


def _caveats(
    metric: Metric, ours: System, synthetic: bool, seeds: Mapping[str, Any] | None
) -> list[str]:
    """What the verdict does not cover, as sentences."""
    rows, groups = ours.rows(), ours.groups()
    count = len(set(groups)) if groups else None
    what = formatting.grouped_units(len(rows), count, "test row")
    text = f"Intervals cover the sampling of the {what}, not of training seeds."
    if groups:
        text = (
            f"The {len(rows):,} test rows are of {what}; rows of one group count as one "
            f"observation. {text}"
        )
    if seeds:
        mean, spread = (
            formatting.figure(seeds[k], metric.format, metric.unit) for k in ("mean", "sd")
        )
        text += f" Over {seeds['n']} training seeds the figure is {mean} ± {spread}."
    caveats = [text]
    if synthetic:
        caveats.append("The data is SYNTHETIC: the figures say nothing about real data.")
    unread = sum(not row.get("parsed", True) for row in rows)
    if unread:
        outputs = formatting.count(unread, "unreadable output")
        noun = formatting.TRAINED[ours.role]
        caveats.append(f"{outputs} of the {noun} counted as the task's fallback.")
    return caveats


def _better(
    metric: Metric,
    found: Sequence[System],
    compared: Mapping[str, Comparison],
    rivals: set[str],
    noun: str,
) -> list[str]:
    """A sentence on systems that are better but no rivals, such as a person or an ensemble."""
    down = -1 if metric.greater_is_better else 1
    names = [
        system.name
        for system in found
        if system.name in compared
        and system.name not in rivals
        and clear(compared[system.name], len(system.rows())) == down
    ]
    return [f"Better than the {noun} on the test rows: {', '.join(names)}."] if names else []
