"""Prediction intervals by split conformal prediction, for independent rows and for groups.

Sources:
    V. Vovk, A. Gammerman, G. Shafer, *Algorithmic Learning in a Random World*, 2005.
    J. Lei et al., "Distribution-free predictive inference for regression", JASA 113 (2018).
    Y. Lee, R. F. Barber, R. Willett, "Distribution-free inference with hierarchical data",
    arXiv 2306.06342 (2023): groups, each with the same weight.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from toolkit.metrics.units import units

COVERAGE = 0.9
"""The share of new rows whose reference prediction intervals are to contain."""


def conformal_width(
    residuals: Sequence[float],
    coverage: float = COVERAGE,
    *,
    groups: Sequence[Hashable] | None = None,
) -> float | None:
    """The residual that a new row does not exceed with a probability of at least ``coverage``.

    It is a quantile of the residuals of rows that nothing was fitted on or chosen with, with one
    more, infinite residual for the new row: the ``ceil((n + 1) · coverage)``-th smallest of ``n``
    independent ones. With groups each group, and the one that the new row is from, has the same
    weight, which its rows share. The coverage holds on average over new rows (of new groups) that
    are exchangeable with those, not for each kind of row on its own.

    Returns:
        ``None`` where there are too few rows or groups for any finite width: 90 % needs nine.
    """
    import numpy as np

    found = np.asarray(residuals, dtype=np.float64)
    of = units(residuals, groups)
    weights = np.ones(of.rows) if of.codes is None or of.sizes is None else 1 / of.sizes[of.codes]
    order = np.argsort(found, kind="stable")
    # 0.9 · 10 must not round up to 10, nor may sums of thirds fall short of a whole number.
    below = np.cumsum(weights[order]) >= (of.count + 1) * coverage - 1e-9
    place = int(np.argmax(below)) if below.any() else None
    width = math.inf if place is None else float(found[order[place]])
    return width if math.isfinite(width) else None
