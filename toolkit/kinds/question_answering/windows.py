"""From characters to tokens to windows, and back: pure functions, exact by construction.

A tokenizer gives for each token the characters it was made of. It leaves characters out (blanks,
accents that it strips, control characters) and may make several tokens of one character. So each
token gets a *cell*: its characters and those beside them that belong to no token, up to a blank.
Cells of one text do not overlap, except that tokens of the same character share one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

Offsets = Sequence[tuple[int, int]]
"""For each token the characters ``[start, end)`` that it was made of."""


@dataclass(frozen=True)
class Cells:
    """The characters ``[starts[i], ends[i])`` of each token ``i``; neither list ever decreases."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.starts)

    def characters(self, first: int, last: int) -> tuple[int, int]:
        """The characters of the tokens ``first`` to ``last``, both included."""
        return self.starts[first], self.ends[last]

    def tokens(self, start: int, end: int) -> tuple[int, int] | None:
        """First and last of the fewest tokens that cover characters; ``None``: no token does.

        For characters that begin and end a cell, :meth:`characters` gives the same ones back.
        """
        first = bisect_right(self.ends, start)
        last = bisect_left(self.starts, end) - 1
        return (first, last) if first <= last else None


def cells(text: str, offsets: Offsets) -> Cells:
    """Each token's cell.

    Args:
        text: what was tokenized.
        offsets: as the tokenizer gives them; a token of no character gets an empty cell where the
            token before it ends.
    """
    starts: list[int] = []
    ends: list[int] = []
    for begin, end in offsets:
        within = _without_blanks(text, begin, end)
        if within[0] < within[1]:  # a token of blanks alone keeps them
            begin, end = within
        if starts and (begin, end) == (starts[-1], min(end, ends[-1])):
            starts.append(starts[-1])  # a further token of the same character
            ends.append(max(end, ends[-1]))
            continue
        floor = ends[-1] if ends else 0
        starts.append(max(begin, floor) if end > begin else floor)
        ends.append(max(end, starts[-1]))
    return _widened(text, starts, ends)


def _without_blanks(text: str, begin: int, end: int) -> tuple[int, int]:
    """Characters without blanks at either end, which some tokenizers count as part of a word."""
    while begin < end and text[begin].isspace():
        begin += 1
    while begin < end and text[end - 1].isspace():
        end -= 1
    return begin, end


def _widened(text: str, starts: list[int], ends: list[int]) -> Cells:
    """Cells extended by the characters beside them that belong to no token, up to a blank."""
    n = len(starts)
    for i in range(n):
        before = ends[i - 1] if i else 0
        if starts[i] > before or i == 0:
            at = starts[i]
            while at > before and not text[at - 1].isspace():
                at -= 1
            starts[i] = at
        stop = starts[i + 1] if i + 1 < n else len(text)
        while ends[i] < stop and not text[ends[i]].isspace():
            ends[i] += 1
    return Cells(tuple(starts), tuple(ends))


# -- windows -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Window:
    """Tokens ``[start, stop)`` of a context, of which it owns ``[own_start, own_stop)``.

    A window scores the spans that begin with a token that it owns. Every token is owned by one
    window, the one in which it has the most context on its nearer side, so that no span is scored
    twice.
    """

    start: int
    stop: int
    own_start: int
    own_stop: int


def windows(tokens: int, size: int, overlap: int) -> list[Window]:
    """Windows over a context, each beginning ``size - overlap`` tokens after the one before.

    A span of at most ``overlap // 2`` tokens lies whole in the window that owns its first token.

    Args:
        tokens: tokens of the context.
        size: tokens of a window.
        overlap: tokens that a window shares with the next.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"windows of {size} tokens cannot overlap by {overlap}")
    bounds = [(0, min(size, tokens))]
    while bounds[-1][1] < tokens:
        start = bounds[-1][0] + size - overlap
        bounds.append((start, min(start + size, tokens)))
    # A token between two windows' starts belongs to the first half of the overlap or the second.
    edges = [0, *(start + (overlap + 1) // 2 for start, _ in bounds[1:]), tokens]
    return [Window(start, stop, edges[i], edges[i + 1]) for i, (start, stop) in enumerate(bounds)]
