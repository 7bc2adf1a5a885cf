"""Which nodes of a tree of numbers are scored, and the distribution that follows from them.

A number's probability is that of its tokens, times that of a token behind them which does not
continue it. The likeliest nodes are scored first; for the others the chance that the number ends
there is taken from their neighbours, until what that leaves open is a small share of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toolkit.kinds.causal_lm.number_scoring import Scored
from toolkit.kinds.causal_lm.number_tree import NumberTree
from toolkit.kinds.language.outputs import Numbers

NODES = 512
"""The most nodes that are scored for a row: all of 0 to 99 and what is likely beyond."""
WAVE = 32
"""Nodes of a row that are scored in one pass, once it is known how likely they are."""
LEAVES = 128
"""Of the nodes that no longer number begins with, so many tell how likely a number ends there."""
OPEN = 2e-4
"""The share of the numbers' probability that may stay open."""
SHORT = 3
"""Digits behind which a comma may continue a number."""
Score = Callable[[list[list[int]]], list[Scored]]


@dataclass(frozen=True)
class Breadth:
    """How much of the tree is looked at.

    Args:
        nodes: the most nodes of a row; ``None``: all.
        open: the share of the numbers' probability that may stay open; 0: nothing is guessed.
        wave: nodes of a row that are scored in one pass.
        trunk: nodes that are scored at once, before it is known how likely they are.
    """

    nodes: int | None = NODES
    open: float = OPEN
    wave: int = WAVE
    trunk: int = 0


class Row:
    """The search behind one prompt.

    Args:
        tree: the numbers.
        first: what is expected behind the prompt, of one node.
        room: tokens that the model has positions for behind the prompt.
        breadth: how much of the tree is looked at.
    """

    def __init__(self, tree: NumberTree, first: Scored, room: int, breadth: Breadth) -> None:
        self.tree = tree
        self.breadth = breadth
        size = len(tree.tokens)
        self.reach = np.full(size, np.nan)
        """The probability of the tokens up to each node; NaN: not known."""
        self.reach[0] = 1.0
        self.ends = np.full(size, np.nan)
        """The probability that the number ends behind a node; NaN: it was not scored."""
        self.likeliest = np.full(size, -1, dtype=np.int64)
        self.within = tree.depths <= room
        self.scored = 0
        self._greedy = 0
        self.take([0], first)

    def take(self, nodes: Sequence[int], scored: Scored) -> None:
        """Take in what was scored; parents stand before their children."""
        for place, node in enumerate(nodes):
            continued = scored.more[place]
            if self.tree.widths[node] <= SHORT:
                continued = continued + scored.groups[place]
            self.ends[node] = max(0.0, 1.0 - float(continued))
            below = self.tree.children[node]
            self.reach[below] = self.reach[node] * scored.after[place, self.tree.columns[below]]
            self.likeliest[node] = scored.likeliest[place]
        self.scored += len(nodes)

    # -- what is scored next -----------------------------------------------------------------------
    def next(self) -> list[int]:
        """The nodes to score next, parents first; none where enough is known."""
        left, nodes = self._left(), self._open()
        if left <= 0 or not nodes.size:
            return []
        if not self.breadth.open:
            return _ids(nodes[: min(left, self.breadth.wave)])
        ends, doubt = self._guessed(nodes)
        # Behind an inner node there are other numbers; a leaf's own is all that is in doubt there.
        inner = self.tree.inner[nodes]
        enough = (~np.isnan(self.ends) & ~self.tree.inner).sum() >= LEAVES
        doubt = np.where(inner | ~enough, doubt, 0.0)
        risk = self.reach[nodes] * np.minimum(1.0, np.where(inner, 1.0 - ends, 0.0) + doubt)
        bearable = self.breadth.open * (self._found() + float(self.reach[nodes].sum()))
        # The greedy answer is followed to its end: then it need not be generated.
        wanted = nodes == self.greedy_node()
        if risk.sum() <= bearable:
            return _ids(nodes[wanted])
        count = min(left, self.breadth.wave)
        wanted[self._spread(nodes, risk, count)] = True
        best = np.argsort(-(risk + wanted * 2.0), kind="stable")[:count]
        rest = risk.sum() - np.cumsum(risk[best])
        needed = int((rest > bearable).sum()) + 1
        return _ids(np.sort(nodes[best[: max(needed, int(wanted.sum()))]]))

    def _spread(self, nodes: np.ndarray, risk: np.ndarray, count: int) -> np.ndarray:
        """Places of nodes with equal shares of the risk between them, in order of their numbers."""
        if not risk.sum() > 0:
            return np.arange(min(count, len(nodes)))
        order = np.lexsort((self.tree.values[nodes], self.tree.widths[nodes]))
        sums = np.cumsum(risk[order])
        middles = (np.arange(count) + 0.5) / count * sums[-1]
        found: np.ndarray = order[np.minimum(np.searchsorted(sums, middles), len(order) - 1)]
        return found

    def first(self) -> list[int]:
        """The tree's trunk, as far as there are positions for it."""
        trunk = self.tree.trunk(min(self.breadth.trunk, self._left()))
        return _ids(trunk[self.within[trunk]])

    def _left(self) -> int:
        """How many nodes may still be scored."""
        nodes = self.breadth.nodes
        return len(self.tree.tokens) if nodes is None else nodes + 1 - self.scored

    def _open(self) -> np.ndarray:
        """The nodes whose probability is known, and not what follows them."""
        return np.flatnonzero(np.isnan(self.ends) & self.within & (np.nan_to_num(self.reach) > 0))

    def _found(self) -> float:
        known = (self.tree.values > 0) & ~np.isnan(self.ends)
        return float((self.reach[known] * self.ends[known]).sum())

    def _guessed(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The chance that numbers end at nodes, from the next numbers of as many digits.

        Returns:
            the chance between that of the next lower and the next higher number that was scored,
            and by how much these two differ, shape (nodes,) each; 0 and 1 where none was.
        """
        ends, doubt = np.zeros(len(nodes)), np.ones(len(nodes))
        scored = ~np.isnan(self.ends)
        for digits in np.unique(self.tree.widths[nodes]).tolist():
            alike = self.tree.widths == digits
            known = np.flatnonzero(alike & scored)
            if not digits or not known.size:
                continue
            known = known[np.argsort(self.tree.values[known], kind="stable")]
            values, chances = self.tree.values[known], self.ends[known]
            here = np.flatnonzero(alike[nodes])
            wanted = self.tree.values[nodes[here]]
            place = np.searchsorted(values, wanted)
            lower = chances[np.maximum(place - 1, 0)]
            higher = chances[np.minimum(place, len(known) - 1)]
            ends[here] = np.interp(wanted, values, chances)
            doubt[here] = np.abs(higher - lower)
        return ends, doubt

    # -- what is known at last ---------------------------------------------------------------------
    def numbers(self) -> Numbers:
        """The distribution; what is neither scored nor guessed is missing in its sum."""
        ends = self.ends.copy()
        nodes = self._open()
        ends[nodes] = self._guessed(nodes)[0]
        shares = np.where(self.tree.values > 0, np.nan_to_num(self.reach * ends), 0.0)
        found = np.flatnonzero(shares > 0)
        found = found[np.argsort(self.tree.values[found], kind="stable")]
        return Numbers(self.tree.values[found].astype(np.float64), shares[found])

    def ended(self) -> float:
        """The share of the numbers of one token that end behind it; 1 where there are none."""
        nodes = np.flatnonzero((self.tree.depths == 1) & (self.tree.values > 0))
        scored = ~np.isnan(self.ends[nodes])
        ends = np.where(scored, self.ends[nodes], self._guessed(nodes)[0])
        reach = self.reach[nodes]
        return float((reach * ends).sum() / reach.sum()) if reach.sum() > 0 else 1.0

    def greedy_node(self) -> int:
        """The last known node of the greedy answer."""
        at = self._greedy
        while not np.isnan(self.ends[at]):
            below = self.tree.children[at]
            below = below[self.tree.tokens[below] == self.likeliest[at]]
            if not below.size:
                break
            at = int(below[0])
        self._greedy = at
        return at

    def greedy(self, stops: Any) -> list[int] | None:
        """The greedy answer's tokens where it is a number and nothing else; else ``None``."""
        node = self.greedy_node()
        if np.isnan(self.ends[node]) or int(self.likeliest[node]) not in stops:
            return None
        return [int(self.tree.tokens[above]) for above in self.tree.path(node)]


def _ids(nodes: np.ndarray) -> list[int]:
    return [int(node) for node in nodes]


def search(rows: Sequence[Row], score: Score) -> None:
    """Score nodes of all rows until each of them knows enough."""
    chosen = [row.first() or row.next() for row in rows]
    while any(chosen):
        for row, nodes, scored in zip(rows, chosen, score(chosen), strict=True):
            row.take(nodes, scored)
        chosen = [row.next() for row in rows]
