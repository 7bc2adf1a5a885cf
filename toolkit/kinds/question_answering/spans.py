"""From start and end logits to the likeliest spans of a context, window by window.

Only a few spans and one number of each window stay in memory, so that a context of any length takes
the memory of one batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from toolkit.kinds.question_answering.outputs import Answered, Span
from toolkit.kinds.question_answering.windows import Cells, Window

KEPT = 5
"""Spans of an output."""
_SPARE = 4
"""Of each window so many times more are kept: several token spans may be the same characters."""


def best_spans(
    starts: np.ndarray, ends: np.ndarray, owned: int, longest: int, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """The best spans of a window, and the log of the sum of all spans' exponentials.

    Args:
        starts: start logits of the owned tokens and what follows in the window, shape (tokens,).
        ends: end logits of the same tokens.
        owned: the number of owned tokens, in which spans begin.
        longest: tokens of the longest span.
        count: the most spans to return.

    Returns:
        first tokens, last tokens and scores, best first and ties by position; and the log-sum.
    """
    n = len(starts)
    width = min(longest, n)
    padded = np.concatenate([ends, np.full(width, -np.inf)])
    scores = starts[:owned, None] + np.lib.stride_tricks.sliding_window_view(padded, width)[:owned]
    flat = scores.ravel()
    top = float(flat.max())
    total = top + math.log(float(np.exp(flat - top).sum())) if math.isfinite(top) else top
    few = min(count, int(np.isfinite(flat).sum()))
    if few == 0:
        return np.empty(0, int), np.empty(0, int), np.empty(0), total
    floor = np.partition(flat, len(flat) - few)[len(flat) - few]
    at = np.flatnonzero(flat >= floor)
    at = at[np.argsort(-flat[at], kind="stable")][:count]
    first, length = np.divmod(at, width)
    return first, first + length, flat[at], total


@dataclass
class Collected:
    """The best spans of a context, collected window by window.

    Args:
        context: its text.
        cells: the characters of its tokens.
        longest: tokens of the longest span.
        found: start and end of each span, as characters → its score.
        total: the log of the sum of all spans' exponentials.
        null: the lowest score of "no answer".
        seconds: the time of all windows.
        windows: the number of windows.
    """

    context: str
    cells: Cells
    longest: int
    found: dict[tuple[int, int], float] = field(default_factory=dict)
    total: float = -math.inf
    null: float = math.inf
    seconds: float = 0.0
    windows: int = 0

    def add(
        self, window: Window, starts: np.ndarray, ends: np.ndarray, null: float, seconds: float
    ) -> None:
        """Add the spans of a window.

        Args:
            window: the window.
            starts, ends: logits of the window's tokens, shape (stop - start,).
            null: the score of "no answer" in this window.
            seconds: its share of its batch's time.
        """
        self.windows += 1
        self.seconds += seconds
        # NaN must be kept, so that the output counts as unreadable; min() may drop it.
        self.null = null if math.isnan(null) or null < self.null else self.null
        own = window.own_start - window.start
        owned = window.own_stop - window.own_start
        if owned <= 0:
            return
        first, last, scores, total = best_spans(
            starts[own:], ends[own:], owned, self.longest, KEPT * _SPARE
        )
        if math.isnan(total):
            self.null = math.nan
        self.total = float(np.logaddexp(self.total, total))
        for one, other, score in zip(first, last, scores, strict=True):
            characters = self.cells.characters(
                int(one) + window.own_start, int(other) + window.own_start
            )
            if characters[0] < characters[1]:
                self.found[characters] = max(self.found.get(characters, -math.inf), float(score))
        if len(self.found) > 50 * KEPT:
            self.found = dict(self._ranked()[: KEPT * _SPARE])

    def _ranked(self) -> list[tuple[tuple[int, int], float]]:
        return sorted(self.found.items(), key=lambda item: (-item[1], item[0]))

    def output(self) -> Answered:
        """The likeliest spans of all windows."""
        total = float(np.logaddexp(self.total, self.null))

        def share(score: float) -> float:
            return math.exp(min(0.0, score - total)) if math.isfinite(total) else math.nan

        spans = [
            Span(start, end, self.context[start:end], score, share(score))
            for (start, end), score in self._ranked()[:KEPT]
        ]
        return Answered(
            tuple(spans), self.null, share(self.null), max(1, self.windows), self.seconds
        )
