"""The first of two stages: the sentences of an article that a summary is likely made of.

The first sentence and the most central others by TextRank, in the order of the text. What is left
is what the trained model compresses.
"""

from __future__ import annotations

from typing import Final

from toolkit_summarization.baselines import central, sentences

KEPT: Final = 3
"""Sentences that are handed on."""


def extract(text: str, number: int = KEPT) -> str:
    """The article's most telling sentences; all of it where it has no more."""
    parts = sentences(text)
    if len(parts) <= number:
        return text
    wanted = {parts[0], *central(parts[1:], number - 1)}
    return " ".join(part for part in parts if part in wanted)
