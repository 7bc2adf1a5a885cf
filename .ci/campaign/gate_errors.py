"""How often ``toolkit gate`` is wrong: simulated pairs of models whose true difference is known.

    python .ci/campaign/gate_errors.py [--reps 400] [--seed 1]

For each kind of metric and number of rows, the new model is truly worse by exactly the margin (it
must not pass: at most 2.5 %), by twice the margin, or not at all (it should pass). The two models'
values of a row are correlated, as those of two trainings on the same rows are. Prints a table in
percent of tries; exits with 1 where a model that is worse by the margin passes more often than
chance allows.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from toolkit.evaluation import noninferiority  # noqa: E402
from toolkit.metrics import Metric  # noqa: E402

PROMISED = 0.025
SHARE = Metric("accuracy", lambda p, r: float(p == r))
ERROR = Metric("mae", lambda p, r: abs(p - r), greater_is_better=False)
Draw = Callable[[np.random.Generator, int, float], tuple[np.ndarray, np.ndarray, Any]]
"""Random numbers, rows, how much worse the new one is as a share → new, old, groups or None."""


def shares(random: np.random.Generator, rows: int, worse: float) -> tuple[Any, Any, Any]:
    """Right answers of models of 0.85, nine of ten the same."""
    old = random.random(rows) < 0.85
    fresh = random.random(rows) < 0.85
    new = np.where(random.random(rows) < 0.9, old, fresh)
    # Of what is right, so many become wrong that the share falls by just as much.
    new = new & ~(random.random(rows) < worse)
    return new.astype(float), old.astype(float), None


def errors(random: np.random.Generator, rows: int, worse: float) -> tuple[Any, Any, Any]:
    """Absolute normal errors, correlated by 0.9."""
    old = random.normal(size=rows)
    new = 0.9 * old + math.sqrt(1 - 0.81) * random.normal(size=rows)
    return np.abs(new) * (1 + worse), np.abs(old), None


def heavy(random: np.random.Generator, rows: int, worse: float) -> tuple[Any, Any, Any]:
    """Lognormal errors, whose logarithms are correlated by 0.9."""
    old = random.normal(size=rows)
    new = 0.9 * old + math.sqrt(1 - 0.81) * random.normal(size=rows)
    return np.exp(new) * (1 + worse), np.exp(old), None


def grouped(random: np.random.Generator, rows: int, worse: float) -> tuple[Any, Any, Any]:
    """Absolute errors in groups of five, half of whose spread is the group's."""
    groups = np.repeat(np.arange(rows // 5), 5)

    def drawn() -> np.ndarray:
        whole = random.normal(size=rows // 5)[groups] + random.normal(size=rows)
        return whole / math.sqrt(2)

    old = drawn()
    new = 0.9 * old + math.sqrt(1 - 0.81) * drawn()
    return np.abs(new) * (1 + worse), np.abs(old), [str(one) for one in groups]


CASES: tuple[tuple[str, Metric, Draw, float], ...] = (
    ("accuracy 0.85", SHARE, shares, 0.05),
    ("MAE, normal errors", ERROR, errors, 0.05),
    ("MAE, lognormal errors", ERROR, heavy, 0.1),
    ("MAE, groups of 5", ERROR, grouped, 0.05),
)
"""Name, metric, how rows are drawn, margin."""
ROWS = (200, 600, 2000)


def passes(
    metric: Metric, draw: Draw, margin: float, rows: int, worse: float, reps: int, seed: int
) -> tuple[float, float]:
    """The shares of tries with exit code 0 and 2."""
    random = np.random.default_rng((seed, rows, round(worse * 1000)))
    codes = []
    for _ in range(reps):
        new, old, groups = draw(random, rows, worse)
        judged = noninferiority.judge(
            metric, new.tolist(), old.tolist(), margin, groups=groups, resamples=500
        )
        codes.append(judged.outcome)
    return codes.count("no worse") / reps, codes.count("incomparable") / reps


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--reps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    most = PROMISED + 2.6 * math.sqrt(PROMISED * (1 - PROMISED) / given.reps)
    wrong = []
    print("| figure | margin | rows | as good | worse by the margin | by twice the margin |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, metric, draw, margin in CASES:
        for rows in ROWS:
            found = [
                passes(metric, draw, margin, rows, worse, given.reps, given.seed)[0]
                for worse in (0.0, margin, 2 * margin)
            ]
            cells = " | ".join(f"{100 * share:.1f}" for share in found)
            print(f"| {name} | {margin:.0%} | {rows:,} | {cells} |", flush=True)
            if found[1] > most:
                wrong.append(f"{name}, {rows} rows")
    if wrong:
        sys.exit(f"passes too often: {'; '.join(wrong)} (at most {100 * most:.1f} %)")


if __name__ == "__main__":
    main()
