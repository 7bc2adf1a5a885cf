"""How much of a long list of cases is tested: a part in the suite, all of it in a campaign."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeVar

Case = TypeVar("Case")

FACTOR = int(os.environ.get("TOOLKIT_EXAMPLES", "1"))
"""How many times as many examples as in the suite; set by ``.ci/campaign/inputs.py``."""


def some(cases: Iterable[Case], number: int) -> list[Case]:
    """So many of the cases, spread evenly; all of them in a campaign."""
    found = list(cases)
    if FACTOR > 1 or len(found) <= number:
        return found
    return [found[at * len(found) // number] for at in range(number)]
