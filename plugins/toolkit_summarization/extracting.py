"""The first stage of two-stage summarization: extract the sentences that matter for a summary.

The extract is the first sentence and the most central others by TextRank, in the order of the
text. In the second stage the trained model summarizes the extract.
"""

from __future__ import annotations

from typing import Final

from toolkit.metrics.texts import sentences
from toolkit_summarization.baselines import central

KEPT: Final = 3
"""Number of sentences that the second stage gets."""


def extract(text: str, number: int = KEPT) -> str:
    """The first and the most central sentences; the whole text if it has at most ``number``."""
    parts = sentences(text)
    if len(parts) <= number:
        return text
    wanted = {parts[0], *central(parts[1:], number - 1)}
    return " ".join(part for part in parts if part in wanted)
