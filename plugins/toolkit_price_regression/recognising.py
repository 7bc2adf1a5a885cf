"""Whether a file looks like goods with prices."""

from __future__ import annotations

from collections.abc import Mapping

from toolkit.data import Profile, Wanted, guessing, row_text
from toolkit_price_regression.choosing import (
    BODIES,
    DETAILS,
    TARGETS,
    TITLES,
    fits_price,
    is_price_like,
)

READ = 0.4
"""The fit of a column of which eight in ten values are prices."""


def recognises(found: Mapping[str, Profile]) -> float:
    """How surely a file is one of prices: a column is called so, holds them, and others describe.

    Args:
        found: the profiles of the file's columns.
    """
    best = guessing.ranked(found, Wanted("target", TARGETS, fits_price))
    priced = [scored.column for scored in best if scored.name and is_price_like(scored.column)]
    if not priced or fits_price(found[priced[0]]) < READ or found[priced[0]].distinct < 5:
        return 0.0
    text = row_text(found, titles=TITLES, bodies=BODIES, fields=DETAILS, excluded=priced)
    return 0.9 if text is not None else 0.0
