"""Human evaluation: write a sheet of pairs, read filled-in sheets, add a line to the report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import Metric, UsageError
from toolkit.evaluation.preference_sheet import UNDECIDED, agreement, draw, read_csv, to_csv
from toolkit.metrics.statistics import as_json, interval
from toolkit.runs import Run, predictions, write_json, write_text

if TYPE_CHECKING:
    from toolkit import Task

FILE = "sheet.json"
"""File in the run's folder with the preferences of the readers; the report quotes its sentence."""
PREFERENCE = Metric("preference", lambda prediction, reference: None)
"""Mean of +1 (the second system was preferred), −1 (the first) and 0 (neither)."""


def sides(run: Run, a: str, b: str | None) -> tuple[str, str]:
    """The two systems of a sheet; ``b`` of ``None`` stands for the trained one.

    Raises:
        UsageError: ``b`` is ``None`` and nothing was trained in the run.
    """
    ours = predictions.trained(predictions.load(run))
    if b is None and ours is None:
        raise UsageError(f"nothing was trained in run {run.id}: name two systems with --a and --b")
    return a, b or ours.name  # type: ignore[union-attr]


def export(run: Run, task: Task, a: str, b: str | None, out: Path, rows: int) -> int:
    """Write the empty sheet, and return the number of its pairs."""
    pairs = draw(run, task, *sides(run, a, b), rows)
    write_text(out, to_csv(pairs))
    return len(pairs)


def read_back(
    run: Run, task: Task, a: str, b: str | None, files: Sequence[Path], rows: int
) -> dict[str, Any]:
    """Evaluate filled-in sheets: the readers' preferences and agreement.

    The result is written to the run's folder (:data:`FILE`) and its report.

    Args:
        files: one sheet per reader; the file's name without its ending is the reader's name.
    """
    from toolkit.reporting.report import write

    first, second = sides(run, a, b)
    pairs = draw(run, task, first, second, rows)
    judged = {file.stem: read_csv(file, pairs) for file in files}
    document = summary(judged, first, second)
    write_json(run.path / FILE, document)
    if run.done("score"):
        write(run, task)
    return document


def summary(judged: Mapping[str, Mapping[int, str]], a: str, b: str) -> dict[str, Any]:
    """The preference for ``b`` over ``a`` with its interval over pairs, and agreement of readers.

    A pair counts once, with the mean of its readers' choices.

    Args:
        judged: reader → row of the pair → its choice: ``a``, ``b``, or one of ``UNDECIDED``.

    Raises:
        UsageError: the sheets have no choice at all.
    """
    every = sorted({row for sheet in judged.values() for row in sheet})
    if not every:
        raise UsageError("no choice is filled in on these sheets")
    worth = {a: -1.0, b: 1.0, **dict.fromkeys(UNDECIDED, 0.0)}
    means = []
    for row in every:
        given = [worth[sheet[row]] for sheet in judged.values() if row in sheet]
        means.append(sum(given) / len(given))
    choices = [choice for sheet in judged.values() for choice in sheet.values()]
    preference = as_json(interval(PREFERENCE, means))
    agreed = [
        {"a": one.a, "b": one.b, "rows": one.rows, "share": one.share,
         "kappa": None if math.isnan(one.kappa) else one.kappa}
        for one in agreement(judged)
    ]  # fmt: skip
    return {
        "a": a, "b": b, "readers": sorted(judged), "pairs": len(every),
        "preferred": {name: choices.count(name) for name in (a, b, *UNDECIDED)},
        "preference": preference, "agreement": agreed,
        "sentence": _sentence(a, b, choices, preference, agreed, len(judged), len(every)),
    }  # fmt: skip


def _sentence(
    a: str, b: str, choices: Sequence[str], preference: Mapping[str, float | None],
    agreed: Sequence[Mapping[str, Any]], readers: int, pairs: int,
) -> str:  # fmt: skip
    """The line of the report."""
    counts = ", ".join(
        f"{label} {choices.count(name)}"
        for name, label in ((b, b), (a, a), ("tie", "tie"), ("both-bad", "both bad"))
    )
    text = (
        f"Human evaluation, {readers} reader{'s' if readers > 1 else ''} on {pairs} blind pairs of "
        f"{b} and {a}: {counts}; preference for {b} {preference['value']:+.2f} "
        f"({_interval(preference)}, from −1 to +1)"
    )
    if agreed:
        kappas = [one["kappa"] for one in agreed if one["kappa"] is not None]
        share = sum(one["share"] for one in agreed) / len(agreed)
        text += f"; readers agree on {share:.0%}"
        text += f", Cohen's kappa {sum(kappas) / len(kappas):.2f}" if kappas else ""
    return f"{text}."


def _interval(found: Mapping[str, float | None]) -> str:
    """The ends of an interval as text; few pairs have none."""
    low, high = found["low"], found["high"]
    return "no interval" if low is None or high is None else f"{low:+.2f} to {high:+.2f}"
