"""How often intervals contain the true figure, and verdicts are wrong, in simulated test splits.

    python tests/benchmarks/coverage.py [--quick] [--reps 1000] [--resamples 499] [--seed 1]
        [--jobs 2] [--only rows groups few conformal verdicts power] [--settings accuracy MAE]

All figures are of the functions that the toolkit itself calls (``statistics.interval``, ``paired``,
``conformal_width`` and ``standing``), on data whose truth is known. Prints Markdown tables (those
of ``docs/statistics.md``) and exits with 1 where an interval covers less than 93 % with independent
rows from 200 on or near-equal groups from 40 on, where "Worth it" comes out in more than 3 % of the
tries although there is no effect, or where power falls by more than 5 points against one clear best
baseline; in each case by more than chance (two standard errors of the simulation). RMSE and R² of
errors with long tails are not held to that: there it must be rare that an interval is given.

The resamples of coverage are fewer than the product's 2,000, which makes the intervals a little
less exact and no shorter. ``--quick`` takes 200 repetitions and fewer sizes: it shows that the
script works. ``--settings`` takes those whose names begin so.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from math import exp, pi, sqrt
from typing import Any
from unittest import mock

import numpy as np

from toolkit.evaluation.standing import Rival, standing
from toolkit.metrics import (
    accuracy,
    classification_metrics,
    mae,
    ordinal_metrics,
    r2,
    rmse,
    statistics,
)
from toolkit.metrics.metric import Metric

Array = np.ndarray
FACTOR = 1.05  # how much larger the errors of the second system are


@dataclass(frozen=True)
class Setting:
    """Two systems on one test split.

    Args:
        name: what the table calls it.
        metric: the metric.
        draw: ``(rng, n)`` to the values of both systems, of shape (n, columns).
        truth: the true figures of both.
        excused: a caveat may stand in the place of an interval.
    """

    name: str
    metric: Metric
    draw: Callable[[np.random.Generator, int], tuple[Array, Array]]
    truth: tuple[float, float]
    excused: bool = False


# -- data ----------------------------------------------------------------------------------------
def shares(p: float, q: float, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Right answers; the second system copies the first in six rows of ten."""
    a = rng.random((n, 1)) < p
    b = np.where(rng.random((n, 1)) < 0.6, a, rng.random((n, 1)) < q)
    return a.astype(float), b.astype(float)


def errors(kind: str, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Signed errors of two systems that find the same rows hard."""
    if kind == "lognormal":
        shared, sign = rng.normal(size=n), rng.choice([-1, 1], n)
        both = [np.exp(0.8 * shared + 0.6 * rng.normal(size=n)) * sign for _ in range(2)]
        return both[0], FACTOR * both[1]
    draw = {"normal": rng.standard_normal, "t3": partial(rng.standard_t, 3)}.get(kind)
    draw = draw or partial(rng.laplace, 0.0, 1.0)
    a = draw(size=n)
    return a, FACTOR * np.where(rng.random(n) < 0.5, a, draw(size=n))


def absolute(kind: str, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    return tuple(np.abs(e)[:, None] for e in errors(kind, rng, n))  # type: ignore[return-value]


def squared(kind: str, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    return tuple(e[:, None] ** 2 for e in errors(kind, rng, n))  # type: ignore[return-value]


def determined(kind: str, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    true = rng.normal(0, 3, n)
    return tuple(np.stack([true, true - e], 1) for e in errors(kind, rng, n))  # type: ignore


def classes(
    prior: Sequence[float], right: float, rng: np.random.Generator, n: int
) -> tuple[Array, Array]:
    """True and predicted classes; the second system copies the first in six rows of ten."""
    true = rng.choice(len(prior), n, p=prior)

    def predicted(share: float) -> Array:
        wrong = (true + rng.integers(1, len(prior), n)) % len(prior)
        return np.where(rng.random(n) < share, true, wrong)

    a = predicted(right)
    b = np.where(rng.random(n) < 0.6, a, predicted(right - 0.05))
    return np.stack([true, a], 1).astype(float), np.stack([true, b], 1).astype(float)


def macro_truth(prior: Sequence[float], right: float) -> float:
    count = len(prior)
    cells = np.full((count, count), (1 - right) / (count - 1))
    np.fill_diagonal(cells, right)
    cells = np.asarray(prior)[:, None] * cells
    return float(np.mean(2 * np.diag(cells) / (cells.sum(0) + cells.sum(1))))


STEPS = ([0.6, 0.25, 0.1, 0.05], [0.55, 0.28, 0.11, 0.06])


def ordinal(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """How many classes a rating is off."""
    a = rng.choice(4, n, p=STEPS[0])
    b = np.where(rng.random(n) < 0.5, a, rng.choice(4, n, p=STEPS[1]))
    return a[:, None].astype(float), b[:, None].astype(float)


def accuracy_of(p: float, q: float) -> Setting:
    truth = p, 0.6 * p + 0.4 * q
    return Setting(f"accuracy {p:g}", accuracy(), partial(shares, p, q), truth)


def macro_of(name: str, prior: Sequence[float], right: float, excused: bool = False) -> Setting:
    metric = next(m for m in classification_metrics(range(len(prior))) if m.name == "macro_f1")
    second = 0.6 * right + 0.4 * (right - 0.05)
    truth = macro_truth(prior, right), macro_truth(prior, second)
    return Setting(name, metric, partial(classes, prior, right), truth, excused)


MEAN_ABSOLUTE = {"normal": sqrt(2 / pi), "lognormal": exp(0.5), "t3": 2 * sqrt(3) / pi}
MEAN_SQUARE = {"normal": 1.0, "laplace": 2.0, "t3": 3.0}


def settings() -> list[Setting]:
    found = [accuracy_of(p, q) for p, q in ((0.5, 0.4), (0.9, 0.85), (0.99, 0.97), (1.0, 0.97))]
    for kind, value in MEAN_ABSOLUTE.items():
        truth = value, FACTOR * value
        found.append(Setting(f"MAE, {kind} errors", mae(), partial(absolute, kind), truth))
    for kind, value in MEAN_SQUARE.items():
        truth = sqrt(value), FACTOR * sqrt(value)
        heavy = kind != "normal"
        found.append(Setting(f"RMSE, {kind} errors", rmse(), partial(squared, kind), truth, heavy))
        truth = 1 - value / 9, 1 - FACTOR**2 * value / 9
        found.append(Setting(f"R², {kind} errors", r2(), partial(determined, kind), truth, heavy))
    found += [
        macro_of("macro F1, 3 equal classes, 0.8", [1 / 3] * 3, 0.8),
        macro_of("macro F1, 3 equal classes, 0.95", [1 / 3] * 3, 0.95),
        macro_of("macro F1, classes of 75, 20, 5 %", [0.75, 0.2, 0.05], 0.85, excused=True),
    ]
    steps = [float(np.dot(range(4), p)) for p in STEPS]
    truth = steps[0], (steps[0] + steps[1]) / 2
    found.append(Setting("ordinal MAE", ordinal_metrics()[0], ordinal, truth))
    return found


# -- groups --------------------------------------------------------------------------------------
def near_equal(count: int, size: int) -> Array:
    """Sizes of groups that vary by a quarter at most."""
    spread = max(1, size // 4)
    return np.array([size + (i % (2 * spread + 1)) - spread for i in range(count)])


def of_groups(
    setting: Setting, sizes: Array, correlation: float, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Values of rows that share their group's draw so often that they correlate as wanted."""
    codes = np.repeat(np.arange(sizes.size), sizes)
    own, group = setting.draw(rng, codes.size), setting.draw(rng, sizes.size)
    shared = rng.random((codes.size, 1)) < sqrt(correlation)
    a, b = (np.where(shared, g[codes], o) for g, o in zip(group, own, strict=True))
    return a, b, codes


# -- coverage ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Cell:
    """Of some tries: how many had an interval, and how many of those contain the truth."""

    tries: int
    printed: int
    held: int

    @property
    def coverage(self) -> float:
        return self.held / max(1, self.printed)

    def text(self) -> str:
        if self.printed < 0.05 * self.tries:
            return "none"
        share = "" if self.printed == self.tries else f" ({100 * self.printed / self.tries:.0f})"
        return f"{100 * self.coverage:.1f}{share}"

    def holds(self) -> bool:
        noise = 2 * sqrt(0.95 * 0.05 / max(1, self.printed))
        return self.coverage >= 0.93 - noise


def coverage(
    task: tuple[str, Any, float], *, reps: int, resamples: int, seed: int
) -> tuple[Cell, Cell]:
    """Coverage of a figure's interval and of that of a difference, in one setting."""
    name, size, correlation = task
    setting = next(s for s in settings() if s.name == name)
    rng = np.random.default_rng([seed, hash_of(name), int(np.sum(size)), int(100 * correlation)])
    counts = np.zeros((2, 2), dtype=int)
    with mock.patch.object(statistics, "_test", return_value=np.nan):  # p is not needed here
        for number in range(reps):
            if isinstance(size, int):
                a, b = setting.draw(rng, size)
                groups = None
            else:
                a, b, codes = of_groups(setting, size, correlation, rng)
                groups = codes.tolist()
            rows = [(x[:, 0] if x.shape[1] == 1 else x).tolist() for x in (a, b)]
            how: dict[str, Any] = {"groups": groups, "resamples": resamples}
            how["seed"] = seed + number // 50  # draws are kept for units of the same number
            one = statistics.interval(setting.metric, rows[0], **how)
            two = statistics.paired(setting.metric, *rows, **how)
            for at, (found, true) in enumerate(
                ((one, setting.truth[0]), (two, setting.truth[0] - setting.truth[1]))
            ):
                printed = np.isfinite(found.low)
                counts[at] += printed, printed and found.low - 1e-12 <= true <= found.high + 1e-12
    return Cell(reps, *map(int, counts[0])), Cell(reps, *map(int, counts[1]))


def hash_of(name: str) -> int:
    return sum(ord(c) * 31**i for i, c in enumerate(name)) % 2**32


def table(title: str, head: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    print(f"\n**{title}**\n")
    print("| " + " | ".join(["", *head]) + " |")
    print("|---|" + "---:|" * len(head))
    for line in lines:
        print("| " + " | ".join(line) + " |", flush=True)


def coverage_tables(
    title: str,
    sizes: Sequence[tuple[str, Any, float]],
    names: Sequence[str],
    required: Callable[[Any], bool],
    run: Callable[..., Iterable[Any]],
) -> list[str]:
    """Print the tables of a section; returns what does not hold although it must."""
    tasks = [(name, size, rho) for name in names for _, size, rho in sizes]
    cells = []
    for task, pair in zip(tasks, run(coverage, tasks), strict=True):
        shape = task[1] if isinstance(task[1], int) else f"{len(task[1])} groups"
        print(f"{task[0]}, {shape}: {pair[0].text()}, {pair[1].text()}", file=sys.stderr)
        cells.append(pair)
    failed = []
    excused = {s.name for s in settings() if s.excused}
    for at, what in enumerate(("a figure", "a difference of two systems")):
        lines = []
        for number, name in enumerate(names):
            row = [c[at] for c in cells[number * len(sizes) : (number + 1) * len(sizes)]]
            lines.append([name, *(cell.text() for cell in row)])
            for cell, (label, size, _) in zip(row, sizes, strict=True):
                must = required(size) and (name not in excused or cell.printed > 0.5 * cell.tries)
                missing = name not in excused and cell.printed < 0.98 * cell.tries
                if required(size) and ((must and not cell.holds()) or missing):
                    failed.append(f"{title}: {what}, {name}, {label}: {cell.text()}")
        table(f"{title}: {what}", [label for label, _, _ in sizes], lines)
    return failed


# -- conformal -----------------------------------------------------------------------------------
def conformal(task: tuple[int, int, float], *, reps: int, resamples: int, seed: int) -> list[float]:
    """Coverage of 90 % prediction intervals for rows of new groups: by rows, and by groups."""
    count, size, rho = task
    rng = np.random.default_rng([seed, count, size, int(100 * rho)])
    setting = next(s for s in settings() if s.name == "MAE, lognormal errors")
    held: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(reps):
        residuals, _, codes = of_groups(setting, np.full(count, size), rho, rng)
        new = of_groups(setting, np.full(200, 1), 0.0, rng)[0]
        for grouped in held:
            width = statistics.conformal_width(
                residuals[:, 0].tolist(), groups=codes.tolist() if grouped else None
            )
            if width is not None:
                held[grouped].append(float((new <= width).mean()))
    return [float(np.mean(h)) if h else np.nan for h in held.values()]


# -- verdicts ------------------------------------------------------------------------------------
@lru_cache(maxsize=2)
def drawn_rows(n: int, resamples: int, seed: int) -> Array:
    """How often each row is drawn, for every resample."""
    rng = np.random.default_rng(seed)
    return np.array([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(resamples)])


def percentile_off_zero(gaps: Array, seed: int, resamples: int) -> bool:
    """The rule of earlier versions: rows drawn one by one, and a percentile interval above zero."""
    means = drawn_rows(gaps.size, resamples, seed) @ gaps / gaps.size
    return bool(np.quantile(means, 0.025) > 0)


@dataclass(frozen=True)
class Contest:
    """An adapter against a base model and baselines, as true gains of the adapter over each.

    Args:
        name: what the table calls it.
        kind: ``"share"`` for right answers, otherwise the kind of errors.
        gains: the true gain over each baseline.
        rows: test rows, or the sizes of test groups.
        correlation: within groups.
        select: validation rows, on which earlier versions chose the best baseline.
    """

    name: str
    kind: str
    gains: tuple[float, ...]
    rows: Any
    correlation: float = 0.0
    select: int = 200


def scores(contest: Contest, rng: np.random.Generator, n: int) -> Array:
    """Values where more is better, for the adapter and each baseline, of rows equally hard."""
    count = 1 + len(contest.gains)
    gains = np.array([0.0, *contest.gains])
    if contest.kind == "share":
        right = np.clip(0.8 - gains, 0, 1)
        same = rng.random((n, 1)) < 0.5
        return (np.where(same, rng.random((n, 1)), rng.random((n, count))) < right).astype(float)
    if contest.kind == "lognormal":
        noise = np.exp(0.8 * rng.normal(size=(n, 1)) + 0.6 * rng.normal(size=(n, count)))
    else:
        noise = np.abs(rng.normal(size=(n, 1)) + 0.7 * rng.normal(size=(n, count)))
    return -noise * (1 + gains)


def contest(task: Contest, *, reps: int, resamples: int, seed: int) -> tuple[float, float, float]:
    """How often the old and the new rule say "Worth it"; how often another baseline was chosen."""
    rng = np.random.default_rng([seed, hash_of(task.name)])
    metric = Metric("score", lambda p, r: 0.0)
    worth = np.zeros(2)
    wrong = 0
    best = int(np.argmin(task.gains)) + 1
    for number in range(reps):
        chosen = 1 + int(np.argmax(scores(task, rng, task.select)[:, 1:].mean(0)))
        wrong += chosen != best
        if isinstance(task.rows, int):
            found, groups = scores(task, rng, task.rows), None
        else:
            codes = np.repeat(np.arange(len(task.rows)), task.rows)
            own, group = scores(task, rng, codes.size), scores(task, rng, len(task.rows))
            shared = rng.random((codes.size, 1)) < sqrt(task.correlation)
            found, groups = np.where(shared, group[codes], own), codes.tolist()
        draws = seed + number // 50
        worth[0] += percentile_off_zero(found[:, 0] - found[:, chosen], draws, resamples)
        worth[1] += all(
            beats(metric, found[:, 0], found[:, at], groups, resamples, draws)
            for at in range(1, found.shape[1])
        )
    return float(worth[0] / reps), float(worth[1] / reps), wrong / reps


def beats(
    metric: Metric, ours: Array, theirs: Array, groups: Any, resamples: int, seed: int
) -> bool:
    if ours.mean() <= theirs.mean():
        return False
    compared = statistics.paired(
        metric, ours.tolist(), theirs.tolist(), groups=groups, resamples=resamples, seed=seed
    )
    rival = Rival("baseline", float(theirs.mean()), compared, ours.size)
    return standing(metric, rival, 0.0) == "beats"


NO_EFFECT = [
    Contest("200 groups of 4, correlation 0.2", "normal", (0.0,), [4] * 200, 0.2),
    Contest("120 groups of 5, correlation 0.5", "normal", (0.0,), [5] * 120, 0.5),
    Contest("40 groups of 20, correlation 0.3", "normal", (0.0,), [20] * 40, 0.3),
    Contest("40 groups of 20, correlation 0.3, shares", "share", (0.0,), [20] * 40, 0.3),
    Contest("12 groups of 20, correlation 0.3", "normal", (0.0,), [20] * 12, 0.3),
    Contest("60 groups, a quarter of the rows in one", "normal", (0.0,), [60] + [3] * 60, 0.3),
    Contest("600 rows", "normal", (0.0,), 600),
    Contest("600 rows, shares", "share", (0.0,), 600),
    Contest("30 rows, shares", "share", (0.0,), 30),
    Contest("200 rows, lognormal errors", "lognormal", (0.0,), 200),
    *(
        Contest(
            f"6 near-equal baselines, {n} rows to choose on", "normal",
            (0.0, 0.01, 0.02, 0.03, 0.04, 0.05), 600, select=n,
        )
        for n in (10, 50, 200)
    ),
]  # fmt: skip

FAR = (0.5, 0.6, 0.7, 0.8, 0.9)
POWER = [
    Contest("clear best, 200 rows, normal errors", "normal", (0.12, *FAR), 200),
    Contest("clear best, 600 rows, normal errors", "normal", (0.08, *FAR), 600),
    Contest("clear best, 600 rows, lognormal errors", "lognormal", (0.1, *FAR), 600),
    Contest("clear best, 200 rows, shares", "share", (0.08, *FAR), 200),
    Contest("clear best, 600 rows, shares", "share", (0.05, *FAR), 600),
    Contest("clear best, 2,000 rows, shares", "share", (0.028, *FAR), 2000),
    Contest("6 equal baselines, 600 rows, normal errors", "normal", (0.08,) * 6, 600),
    Contest("6 equal baselines, 600 rows, shares", "share", (0.05,) * 6, 600),
    Contest("6 near-equal baselines, 600 rows", "normal", (0.08, 0.09, 0.1, 0.11, 0.12, 0.13), 600),
]
"""Those that start with "clear best" are where power may fall by five points at most."""


def contest_table(
    title: str, contests: Sequence[Contest], reps: int, run: Callable[..., Iterable[Any]]
) -> list[tuple[Contest, float, float]]:
    found = list(run(contest, contests, reps=reps))
    table(
        title,
        ["earlier rule, %", "this rule, %", "another baseline chosen, %"],
        [
            [c.name, f"{100 * old:.1f}", f"{100 * new:.1f}",
             f"{100 * wrong:.0f}" if len(c.gains) > 1 else ""]
            for c, (old, new, wrong) in zip(contests, found, strict=True)
        ],
    )  # fmt: skip
    return [(c, old, new) for c, (old, new, _) in zip(contests, found, strict=True)]


# -- all of it -----------------------------------------------------------------------------------
SECTIONS = ("rows", "groups", "few", "conformal", "verdicts", "power")


def sections(
    only: Sequence[str],
    begins: Sequence[str],
    quick: bool,
    reps: int,
    run: Callable[..., Iterable[Any]],
) -> list[str]:
    """Print the sections; returns what does not hold although it must."""
    names, failed = [s.name for s in settings() if s.name.startswith(tuple(begins))], []
    if "rows" in only:
        sizes = [
            (f"{n:,} rows", n, 0.0) for n in ((30, 200) if quick else (30, 100, 200, 600, 1000))
        ]
        failed += coverage_tables("Independent rows", sizes, names, lambda n: n >= 200, run)
    if "groups" in only:
        shapes = ((40, 5, 0.2), (200, 4, 0.5))
        if not quick:
            shapes += ((40, 5, 0.5), (40, 20, 0.2), (40, 20, 0.5), (120, 5, 0.5))
        sizes = [(f"{g} × {m}, {rho}", near_equal(g, m), rho) for g, m, rho in shapes]
        failed += coverage_tables("Near-equal groups", sizes, names, lambda _: True, run)
    if "few" in only:
        sizes = [
            (f"{g} × {m}, 0.3", near_equal(g, m), 0.3) for g, m in ((6, 30), (10, 20), (15, 15))
        ]
        sizes.append(("200 and 40 × 5, 0.3", np.array([200, *[5] * 40]), 0.3))
        sizes.append(("60 of 1 to 20, 0.3", np.array([1 + i % 20 for i in range(60)]), 0.3))
        coverage_tables("Few or unequal groups", sizes, names, lambda _: False, run)
    if "conformal" in only:
        tasks = [(200, 1, 0.0), (2, 5, 0.5), (9, 5, 0.5), (20, 5, 0.5), (40, 5, 0.2), (40, 20, 0.5)]
        found = run(conformal, tasks)
        table(
            "Prediction intervals that are to contain 90 %",
            ["by rows", "by groups"],
            [
                [
                    f"{g} groups of {m}, correlation {rho}",
                    *("none" if np.isnan(share) else f"{100 * share:.1f}" for share in pair),
                ]
                for (g, m, rho), pair in zip(tasks, found, strict=True)
            ],
        )
    if "verdicts" in only:
        for c, _, new in contest_table(
            '"Worth it" although there is no effect', NO_EFFECT, 2 * reps, run
        ):
            if new > 0.03 + 2 * sqrt(0.03 * 0.97 / (2 * reps)):
                failed.append(f"worth it without effect: {c.name}: {new:.3f}")
    if "power" in only:
        for c, old, new in contest_table('"Worth it" where it is', POWER, 2 * reps, run):
            if c.name.startswith("clear best") and old - new > 0.05 + 2 * sqrt(0.05 / (2 * reps)):
                failed.append(f"power: {c.name}: {old:.3f} → {new:.3f}")
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--reps", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=499)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--settings", nargs="+", default=[""], help="how their names begin")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    reps = 200 if args.quick else args.reps
    with ProcessPoolExecutor(args.jobs) as pool:

        def run(what: Callable[..., Any], tasks: Sequence[Any], reps: int = reps) -> Iterable[Any]:
            # A verdict's p-value needs the product's draws; coverage is the same with fewer.
            resamples = statistics.RESAMPLES if what is contest else args.resamples
            how = partial(what, reps=reps, resamples=resamples, seed=args.seed)
            return pool.map(how, tasks)

        failed = sections(args.only, args.settings, args.quick, reps, run)
    print(f"\n{reps} repetitions, {args.resamples} resamples, seed {args.seed}.")
    for line in failed:
        print(f"does not hold: {line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
