"""How a figure falls with the rows that are trained on: a power law with its uncertainty.

An error of ``floor + scale · rows^−exponent`` describes learning curves of many models and tasks
(Hestness et al., 2017, arXiv:1712.00409; Viering and Loog, 2023, arXiv:2103.10948). A handful of
sizes decides its three values badly, and least squares alone gives intervals that are far too
narrow. So the values are averaged over what the points allow: exponent and noise on a grid, floor
and scale, in which the law is linear, in closed form, all weighed by their likelihood and by a
prior that is wide. The intervals are those of a figure that a training on so many rows would give,
its own noise included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

EXPONENTS = np.geomspace(0.05, 2.0, 28)
NOISES = np.geomspace(0.002, 0.25, 16)
"""Spread of a training's figure, as shares of the figure."""
USUAL = (math.log(0.4), 0.7)
"""Mean and spread of the logarithm of usual exponents."""
QUIET = 0.02
"""A usual noise, as a share of the figure."""
DRAWS = 4000
LEAST = 3
"""Sizes that a law needs."""


@dataclass(frozen=True)
class Law:
    """A power law that was fitted to figures.

    Args:
        floor, scale, exponent: the least-squares fit, ``floor + scale · rows^−exponent``, for an
            error; for a figure of which more is better, of its distance from ``top``.
        top: what errors were measured from; ``None``: the figure is an error itself.
        draws: values that the points allow, shape (draws, 4): floor, scale at ``first`` rows,
            exponent, noise.
        first: the smallest number of rows.
    """

    floor: float
    scale: float
    exponent: float
    top: float | None
    draws: np.ndarray
    first: float

    def expected(self, rows: float) -> float:
        """The figure that is as likely to be exceeded as not."""
        return float(np.median(self.figures(rows)))

    def interval(self, rows: float, confidence: float = 0.8) -> tuple[float, float]:
        """Where the figure of a training on so many rows lies with a probability."""
        tail = (1 - confidence) / 2
        low, high = np.quantile(self.figures(rows, noisy=True), (tail, 1 - tail))
        return float(low), float(high)

    def figures(self, rows: float, *, noisy: bool = False) -> np.ndarray:
        """What the draws say of so many rows, shape (draws,).

        Args:
            rows: the number of training rows.
            noisy: whether the noise of a training is part of it.
        """
        floor, scale, exponent, noise = self.draws.T
        values = floor + scale * (rows / self.first) ** -exponent
        if noisy:
            values = values + noise * np.random.default_rng(1).standard_normal(len(values))
        values = values if self.top is not None and math.isinf(self.top) else np.maximum(values, 0)
        return values if self.top is None else _from_error(values, self.top)


def _from_error(values: np.ndarray, top: float) -> np.ndarray:
    return -values if math.isinf(top) else top - values


def fit(
    rows: Sequence[float],
    figures: Sequence[float],
    *,
    greater_is_better: bool = False,
    seed: int = 0,
) -> Law:
    """Fit a law to the figures of trainings.

    Args:
        rows: the training rows of each, shape (n,); sizes may repeat.
        figures: the figure of each, shape (n,).
        greater_is_better: of the figure. One from 0 to 1 has 1 as its best value.
        seed: of the draws.

    Raises:
        ValueError: there are fewer than three sizes, or a figure is not finite.
    """
    sizes, values = np.asarray(rows, float), np.asarray(figures, float)
    if len(set(sizes.tolist())) < LEAST:
        raise ValueError(f"a power law needs {LEAST} sizes at least")
    if not (np.isfinite(values).all() and (sizes > 0).all()):
        raise ValueError("figures must be finite, and sizes above 0")
    top: float | None = None
    if greater_is_better:
        top = 1.0 if (values >= 0).all() and (values <= 1).all() else math.inf
        values = -values if math.isinf(top) else top - values
    bounded = top is None or not math.isinf(top)
    draws = _draws(sizes, values, bounded=bounded, seed=seed)
    floor, scale, exponent = _least_squares(sizes, values, draws, bounded=bounded)
    return Law(floor, scale, exponent, top, draws, float(sizes.min()))


def _least_squares(
    sizes: np.ndarray, values: np.ndarray, draws: np.ndarray, *, bounded: bool
) -> tuple[float, float, float]:
    """Floor, scale (at one row) and exponent by least squares, from the draws' medians on."""
    from scipy.optimize import least_squares

    first = sizes.min()
    start = np.median(draws[:, :3], axis=0)
    spread = max(float(np.ptp(values)), 1e-12)
    least = 0.0 if bounded else -np.inf
    low, high = [least, 0.0, EXPONENTS[0]], [np.inf, np.inf, EXPONENTS[-1]]
    begin = np.clip(start, [least, 1e-9 * spread, low[2]], [np.inf, np.inf, high[2]])

    def rest(at: np.ndarray) -> np.ndarray:
        found: np.ndarray = at[0] + at[1] * (sizes / first) ** -at[2] - values
        return found

    scales = np.maximum(np.abs(begin), 1e-9 * spread)
    found = least_squares(rest, begin, bounds=(low, high), x_scale=scales, max_nfev=2000).x
    return float(found[0]), float(found[1] * first ** found[2]), float(found[2])


def _draws(sizes: np.ndarray, values: np.ndarray, *, bounded: bool, seed: int) -> np.ndarray:
    """Draws of floor, scale at the smallest size, exponent and noise, given the figures."""
    random = np.random.default_rng(seed)
    level = max(float(np.abs(values).mean()), float(np.ptp(values)), 1e-12)
    lowest, highest = float(values.min()), float(values.max())
    spread = max(highest - lowest, 0.02 * level)
    if bounded:
        middle, wide = np.array([0.5 * lowest, spread]), np.array([0.5 * level, 2 * spread])
    else:
        middle, wide = np.array([lowest - spread, spread]), np.array([4 * spread, 3 * spread])
    prior = np.diag(1 / wide**2)
    logs, means, factors, pairs = [], [], [], []
    for exponent in EXPONENTS:
        design = np.column_stack([np.ones_like(sizes), (sizes / sizes.min()) ** -exponent])
        for share in NOISES:
            noise = share * level
            precision = prior + design.T @ design / noise**2
            covariance = np.linalg.inv(precision)
            mean = covariance @ (prior @ middle + design.T @ values / noise**2)
            logs.append(
                _evidence(values, design, middle, wide, noise) + _prior(exponent, float(share))
            )
            means.append(mean)
            factors.append(np.linalg.cholesky(covariance))
            pairs.append((exponent, noise))
    weights = np.exp(np.array(logs) - max(logs))
    weights /= weights.sum()
    chosen: list[np.ndarray] = []
    for _ in range(50):
        at = random.choice(len(weights), DRAWS, p=weights)
        normal = random.standard_normal((DRAWS, 2))
        linear = np.array(means)[at] + np.einsum("nij,nj->ni", np.array(factors)[at], normal)
        drawn = np.column_stack([linear, np.array(pairs)[at]])
        allowed = drawn[:, 1] >= 0
        if bounded:
            allowed &= drawn[:, 0] >= 0
        chosen.append(drawn[allowed])
        if sum(map(len, chosen)) >= DRAWS:
            break
    kept = np.concatenate(chosen)[:DRAWS]
    if len(kept) < 100:  # the figures rise with the rows: no fall is what they allow
        return np.tile([values.mean(), 0.0, 0.4, max(values.std(), 0.02 * level)], (DRAWS, 1))
    return kept


def _evidence(
    values: np.ndarray, design: np.ndarray, middle: np.ndarray, wide: np.ndarray, noise: float
) -> float:
    """The logarithm of the figures' density, with floor and scale integrated out."""
    covariance = (design * wide**2) @ design.T + noise**2 * np.eye(len(values))
    rest = values - design @ middle
    _, size = np.linalg.slogdet(covariance)
    return float(-0.5 * (rest @ np.linalg.solve(covariance, rest) + size))


def _prior(exponent: float, share: float) -> float:
    """The logarithm of the prior of an exponent and a noise, both on grids of equal ratios."""
    usual = -0.5 * ((math.log(exponent) - USUAL[0]) / USUAL[1]) ** 2
    return usual - math.log(1 + (share / QUIET) ** 2)


# -- two laws --------------------------------------------------------------------------------------
FURTHEST = 1000.0
"""Times the rows up to which a crossing is looked for."""


def crossing(ours: Law, other: Law, rows: float, *, greater_is_better: bool) -> dict[str, object]:
    """Where one law gets ahead of another, looking from so many rows upward.

    Returns:
        ``ahead_now``, ``ahead_at_2``, ``ahead_at_10``: the probabilities that the first is better
        at 1, 2 and 10 times the rows; ``crosses``: that their order changes up to
        :data:`FURTHEST` times the rows; ``rows``, ``low``, ``high``: the median and the middle
        80 % of where it does, of the draws in which it does; ``None`` where those are few.
    """
    sign = 1.0 if greater_is_better else -1.0
    times = np.geomspace(1, FURTHEST, 121)
    ahead = np.array([sign * (ours.figures(rows * t) - other.figures(rows * t)) > 0 for t in times])
    changed = ahead != ahead[0]
    crosses = changed.any(axis=0)
    where = rows * times[changed.argmax(axis=0)[crosses]]
    enough = crosses.mean() >= 0.1
    low, middle, high = np.quantile(where, (0.1, 0.5, 0.9)) if enough else (None, None, None)
    at = {t: float(ahead[int(np.abs(times - t).argmin())].mean()) for t in (1, 2, 10)}
    return {
        "ahead_now": at[1],
        "ahead_at_2": at[2],
        "ahead_at_10": at[10],
        "crosses": float(crosses.mean()),
        "rows": None if middle is None else float(middle),
        "low": None if low is None else float(low),
        "high": None if high is None else float(high),
    }
