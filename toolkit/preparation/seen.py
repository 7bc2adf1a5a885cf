"""Test rows that stand in the training file: what is judged may have been trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolkit.formatting import count, rows_named

if TYPE_CHECKING:
    from toolkit.preparation.prepare import Prepared

_ENDS = " is in test too"


def sentences(prepared: Prepared) -> Sequence[str]:
    """A sentence on rows of the training file whose text a test row has; none where none has.

    :func:`toolkit.preparation.prepare.prepare` leaves such training rows out, which keeps what is
    fitted in this run honest. What was trained elsewhere may all the same have seen them.

    Args:
        prepared: the rows in their splits, of a source with training and test rows of its own.
    """
    rows = sorted(
        row
        for reason, left in prepared.left_out.items()
        if reason.startswith("train: ") and reason.endswith(_ENDS)
        for row in left
    )
    if not rows:
        return []
    return [
        f"{count(len(rows), 'row')} of the training file ({rows_named(rows)}) "
        f"{'is a test row' if len(rows) == 1 else 'are test rows'} too: if what is judged was "
        "trained on them, its figure is too good; take those rows out of the test file"
    ]
