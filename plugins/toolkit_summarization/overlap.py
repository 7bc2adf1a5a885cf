"""ROUGE-L by words alone, for tuning baselines, which compare tens of thousands of texts.

``rouge-score`` is too slow for that; figures of a report never come from here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_WORD: Final = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of a text, regardless of case."""
    return _WORD.findall(text.casefold())


def alike(one: Sequence[str], other: Sequence[str]) -> float:
    """The F-measure (0 to 1) of the longest common subsequence of words.

    Its length is computed on bits, a row of the table at a time (Hyyrö, "Bit-parallel LCS-length
    computation revisited", 2004).
    """
    if not one or not other:
        return 0.0
    places: dict[str, int] = {}
    for at, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << at
    whole = (1 << len(one)) - 1
    row = whole
    for word in other:
        same = row & places.get(word, 0)
        row = (row + same | row - same) & whole
    return 2 * (len(one) - row.bit_count()) / (len(one) + len(other))


def kept_words(one: Sequence[str], other: Sequence[str]) -> set[int]:
    """The places in ``one`` of a longest common subsequence with ``other``."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, word in enumerate(reversed(one), 1):
        above, row = table[i - 1], table[i]
        for j, wanted in enumerate(reversed(other), 1):
            row[j] = above[j - 1] + 1 if word == wanted else max(above[j], row[j - 1])
    kept: set[int] = set()
    i, j = len(one), len(other)
    while i and j:
        if one[-i] == other[-j]:
            kept.add(len(one) - i)
            i, j = i - 1, j - 1
        elif table[i - 1][j] >= table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return kept
