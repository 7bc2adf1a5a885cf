"""Scoring nodes of a tree of numbers: what a model expects behind the tokens up to each of them.

:class:`TreePass` scores many nodes of many rows in one forward pass behind the prompts' cache: a
node attends to its prompt, to its ancestors and to itself, and its position is that of its depth
(tree attention: X. Miao et al., "SpecInfer", ASPLOS 2024, arXiv:2305.09781). Where a model cannot
do that, :class:`WalkPass` feeds the tokens up to each node as a row of its own, which gives the
same, more slowly.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from toolkit.kinds.causal_lm.number_tree import NumberTree, Pieces
from toolkit.kinds.causal_lm.shared_prefix import additive
from toolkit.models.agreement import in_float32
from toolkit.system import upstream

EXACT, COARSE = 1e-3, 0.03
"""The relative difference that logits in a tree may have, in float32 and in lower precision.

A float32 has 24 bits and a bfloat16 8; over some dozens of layers 1e-5 and 1e-2 remain. A node that
sees its neighbours, or has their positions, is off by a tenth and more in a trained model."""
SOFTMAX_ROWS = 256
"""Rows of logits that are turned into probabilities at once, in float32."""
MASKED = ("eager", "sdpa")
"""The implementations of attention that take any mask."""


class NotATree(Exception):
    """The model does not compute nodes of a tree as it computes rows of their own."""


@dataclass(frozen=True)
class Scored:
    """What the model expects behind nodes.

    Args:
        after: the probability of each token of the tree's alphabet, shape (nodes, alphabet).
        more: that a token begins with a digit, shape (nodes,).
        groups: that it begins with a comma which may belong to a number, shape (nodes,).
        likeliest: the likeliest token, shape (nodes,).
    """

    after: np.ndarray
    more: np.ndarray
    groups: np.ndarray
    likeliest: np.ndarray


class Expected:
    """Turns logits into :class:`Scored`.

    Args:
        tree: the numbers.
        pieces: the tokenizer's tokens.
        device: where logits are.
    """

    def __init__(self, tree: NumberTree, pieces: Pieces, device: Any) -> None:
        self.columns = [
            torch.as_tensor(ids, device=device)
            for ids in (tree.alphabet, pieces.more, pieces.groups)
        ]

    def of(self, logits: Any) -> Scored:
        """What logits of the shape (nodes, vocabulary) say."""
        parts = [
            self._some(logits[at : at + SOFTMAX_ROWS]) for at in range(0, len(logits), SOFTMAX_ROWS)
        ]
        after, more, groups, likeliest = (
            torch.cat(part).cpu().numpy() for part in zip(*parts, strict=True)
        )
        return Scored(after, more, groups, likeliest)

    def _some(self, logits: Any) -> tuple[Any, ...]:
        probabilities = torch.softmax(logits.float(), -1).double()
        after, more, groups = (probabilities[:, ids] for ids in self.columns)
        return after, more.sum(-1), groups.sum(-1), probabilities.argmax(-1)


class TreePass:
    """A batch of prompts whose cache grows by the nodes that are scored.

    Args:
        model: a causal LM.
        tree: the numbers.
        expected: reads logits.
        ids, mask: the padded prompts, shape (rows, width).
        cache: their keys and values.
    """

    def __init__(
        self, model: Any, tree: NumberTree, expected: Expected, ids: Any, mask: Any, cache: Any
    ) -> None:
        self.model = model
        self.tree = tree
        self.expected = expected
        self.ids = ids
        self.mask = mask.bool().cpu()
        self.lengths = self.mask.sum(-1).numpy()
        self.cache = cache
        self.slots: list[dict[int, int]] = [{} for _ in self.lengths]
        self.width = int(mask.shape[1])
        self.rows = list(range(len(self.lengths)))
        """The rows whose keys and values are still there."""
        self.must_check = False
        """Whether some nodes of the next pass are compared with plain forward passes."""

    @staticmethod
    def possible(model: Any, cache: Any) -> bool:
        """Whether the model may take the mask of a tree, as far as it can be seen."""
        from transformers.cache_utils import DynamicLayer

        # A sliding window cuts off what the mask would speak of; recurrent states know no mask.
        layers = getattr(cache, "layers", None) or ()
        plain = bool(layers) and all(type(layer) is DynamicLayer for layer in layers)
        config = model.config.get_text_config()
        return plain and getattr(config, "_attn_implementation", None) in MASKED

    def score(self, chosen: Sequence[Sequence[int]]) -> list[Scored]:
        """What is expected behind nodes whose parents were scored, or stand before them.

        Args:
            chosen: the nodes of each row.

        Raises:
            NotATree: the model computes something else.
        """
        active = [row for row in self.rows if chosen[row]]
        if 2 * len(active) <= len(self.rows):
            self._keep(active)
        scored = dict(zip(self.rows, self._score([chosen[row] for row in self.rows]), strict=True))
        none = next(iter(scored.values()))  # of rows that are done nothing is read
        return [scored.get(row, none) for row in range(len(chosen))]

    def _keep(self, active: Sequence[int]) -> None:
        """Forget the rows that are done, once they are half of all."""
        places = [self.rows.index(row) for row in active]
        self.cache.batch_select_indices(torch.tensor(places, device=self.model.device))
        self.ids, self.mask = self.ids[places], self.mask[places]
        self.lengths = self.lengths[places]
        self.slots = [self.slots[place] for place in places]
        self.rows = list(active)

    def _score(self, chosen: Sequence[Sequence[int]]) -> list[Scored]:
        """As :meth:`score`, of the rows that are still there."""
        rows, most = len(chosen), max(map(len, chosen))
        device = self.model.device
        tokens = np.full((rows, most), int(self.tree.alphabet[0]))
        positions = np.repeat(self.lengths[:, None], most, 1)
        seen = torch.zeros(rows, most, self.width + most, dtype=torch.bool)
        seen[:, :, : self.mask.shape[1]] = self.mask[:, None]
        places = torch.arange(most)
        seen[:, places, self.width + places] = True
        for row, nodes in enumerate(chosen):
            tokens[row, : len(nodes)] = self.tree.tokens[nodes]
            positions[row, : len(nodes)] += self.tree.depths[nodes] - 1
            self._see_ancestors(row, nodes, seen)
        out = self.model(
            input_ids=torch.as_tensor(tokens, dtype=torch.long, device=device),
            attention_mask=self._mask(seen.to(device)),
            position_ids=torch.as_tensor(positions, dtype=torch.long, device=device),
            use_cache=True,
            **upstream.cached(self.cache),
        )
        self.cache = upstream.cache_of(out)
        self.width += most
        if self.must_check:
            self._check(out.logits, chosen)
        counts = [len(nodes) for nodes in chosen]
        kept = torch.cat([out.logits[row, :count] for row, count in enumerate(counts)])
        return by_row(self.expected.of(kept), counts)

    def _see_ancestors(self, row: int, nodes: Sequence[int], seen: Any) -> None:
        slots = self.slots[row]
        slots.update((node, self.width + place) for place, node in enumerate(nodes))
        pairs = [
            (place, slots[above])
            for place, node in enumerate(nodes)
            for above in self.tree.path(node)[:-1]
        ]
        if pairs:
            who, whom = torch.tensor(pairs).T
            seen[row, who, whom] = True

    def _mask(self, seen: Any) -> Any:
        """The mask in the form that the attention takes, shape (rows, 1, nodes, width)."""
        config = self.model.config.get_text_config()
        if config._attn_implementation == "sdpa":
            return seen[:, None]
        return additive(seen[:, None], self.model.dtype)

    def _check(self, logits: Any, chosen: Sequence[Sequence[int]]) -> None:
        self.must_check = False
        exact = in_float32(self.model)
        for row in {0, len(chosen) - 1}:
            # The last node has all others before it, which it must not see.
            for place in {len(chosen[row]) // 2, len(chosen[row]) - 1} - {-1}:
                plain = self._plain(row, chosen[row][place])
                away = (logits[row, place].float() - plain).norm() / plain.norm()
                if not float(away) <= (EXACT if exact else COARSE):
                    raise NotATree

    def _plain(self, row: int, node: int) -> Any:
        """The logits behind a node from a forward pass without cache and mask."""
        prompt = self.ids[row][self.mask[row].to(self.ids.device)]
        path = torch.as_tensor(self.tree.tokens[self.tree.path(node)], device=prompt.device)
        whole = torch.cat([prompt, path])[None]
        return self.model(input_ids=whole, use_cache=False, logits_to_keep=1).logits[0, -1].float()


class WalkPass:
    """As :class:`TreePass`, for any model with a cache: each node is a row of its own.

    Args:
        model: a causal LM.
        tree: the numbers.
        expected: reads logits.
        mask: of the padded prompts, shape (rows, width).
        cache: their keys and values.
        tokens: the most padded tokens of a forward pass, cached ones included.
    """

    def __init__(
        self, model: Any, tree: NumberTree, expected: Expected, mask: Any, cache: Any, tokens: int
    ) -> None:
        self.model = model
        self.tree = tree
        self.expected = expected
        self.mask = mask
        self.cache = cache
        self.tokens = tokens

    def score(self, chosen: Sequence[Sequence[int]]) -> list[Scored]:
        """See :meth:`TreePass.score`."""
        pairs = [(row, node) for row, nodes in enumerate(chosen) for node in nodes]
        order = sorted(range(len(pairs)), key=lambda i: int(self.tree.depths[pairs[i][1]]))
        size = max(1, self.tokens // (self.mask.shape[1] + self.tree.deepest))
        logits: list[Any] = []
        at = 0
        while at < len(order):
            depth = self.tree.depths[pairs[order[at]][1]]
            part = [i for i in order[at : at + size] if self.tree.depths[pairs[i][1]] == depth]
            logits.append(self._step([pairs[i] for i in part]))
            at += len(part)
        back = torch.as_tensor(np.argsort(order, kind="stable"), device=logits[0].device)
        return by_row(self.expected.of(torch.cat(logits)[back]), [len(n) for n in chosen])

    def _step(self, pairs: Sequence[tuple[int, int]]) -> Any:
        """The logits behind nodes of one depth, shape (nodes, vocabulary)."""
        device = self.mask.device
        rows = torch.tensor([row for row, _ in pairs], device=device)
        paths = np.array([self.tree.tokens[self.tree.path(node)] for _, node in pairs])
        tokens = torch.as_tensor(paths, dtype=torch.long, device=device)
        cache = copy.deepcopy(self.cache)
        cache.batch_select_indices(rows)
        before = self.mask[rows]
        steps = torch.arange(tokens.shape[1], device=device)
        out = self.model(
            input_ids=tokens,
            attention_mask=torch.cat([before, torch.ones_like(tokens)], 1),
            position_ids=before.sum(-1, keepdim=True) + steps,
            use_cache=True,
            logits_to_keep=1,
            **upstream.cached(cache),
        )
        return out.logits[:, -1]


def by_row(scored: Scored, counts: Sequence[int]) -> list[Scored]:
    """What was scored together, row by row."""
    ends = np.cumsum(counts)[:-1]
    parts = (
        np.split(values, ends)
        for values in (scored.after, scored.more, scored.groups, scored.likeliest)
    )
    return [Scored(*of_row) for of_row in zip(*parts, strict=True)]
