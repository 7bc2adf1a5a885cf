"""Rows that are left out, where they are many: a warning with the most likely reason.

A few rows without an answer are a note. Where more than a tenth of a file is lost for one reason,
the figures are about another set of rows than the user thinks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from toolkit.data.label_scales import LEFT_OUT

LARGE = 0.10
"""The share of a file's rows from which on their loss is a warning."""
ASKED = (LEFT_OUT, "more rows than are needed")
"""Reasons that the user has asked for."""
SHARED = re.compile(r"text is in \w+ too")

LIKELY: Sequence[tuple[str, str]] = (
    (r"unreadable|can be read|cannot be read", "are they written otherwise, or is another column "
     "meant (--target)?"),
    (r"^no (text|context|question|prompt|instruction|messages|input|document|article|review)\b",
     "is their text in another column (--text)?"),
    (r"^no ", "rows that have no answer yet, such as open tickets, or another column (--target)?"),
    (r"^blank row", "does a spreadsheet end in empty rows?"),
    (r"price of zero", "is 0 written where the price is not known?"),
    (r"negative price", "are refunds or differences among the prices?"),
    (r"task does not know", "are there more classes, other names for them, or several in a row?"),
    (r"^the same ", "was the file put together from others, or joined with a table that repeats "
     "its rows?"),
    (SHARED.pattern, "were the splits drawn row by row from texts that repeat?"),
    (r"does not stand in its context", "were the contexts cut or cleaned after the answers were "
     "marked?"),
)  # fmt: skip
"""A pattern of the reason → what is most likely behind it."""


def large_losses(
    left_out: Mapping[str, Sequence[int]], rows_read: Mapping[str, int], kept: Mapping[str, int]
) -> dict[str, str]:
    """Reason → a warning, for each reason that takes more than a tenth of a file's rows.

    Args:
        left_out: reason → the numbers of the rows; of own splits the reason begins with ``test: ``.
        rows_read: the beginning of the reason (``test: ``; empty: one file) → rows of the file.
        kept: split → rows that are left.
    """
    found = {}
    for reason, rows in sorted(left_out.items(), key=lambda item: -len(item[1])):
        split, why = _split_of(reason, rows_read)
        total = rows_read.get(split, 0)
        if SHARED.search(why):  # counted after --limit
            total = kept.get(split.removesuffix(": "), 0) + len(rows)
        if why in ASKED or total == 0 or len(rows) <= LARGE * total:
            continue
        likely = next((text for pattern, text in LIKELY if re.search(pattern, why)), "")
        found[reason] = (
            f"{len(rows):,} of {total:,} {split.removesuffix(': ')}{' ' if split else ''}rows "
            f"({len(rows) / total:.0%}) are left out: {why}{f'; {likely}' if likely else ''}"
        )
    return found


def _split_of(reason: str, rows_read: Mapping[str, int]) -> tuple[str, str]:
    """The beginning of a reason that names a split, and the rest."""
    split = next((s for s in rows_read if s and reason.startswith(s)), "")
    return split, reason.removeprefix(split)
