"""The distribution over whole numbers that may follow a prompt, for any tokenizer.

Where every number of a task is one token, one forward pass gives the whole distribution. Otherwise
the numbers are a tree of tokens, whose nodes are scored behind the prompts' cache, the likeliest
first: see :mod:`~toolkit.kinds.causal_lm.number_tree` for the tree,
:mod:`~toolkit.kinds.causal_lm.number_scoring` for the forward passes and
:mod:`~toolkit.kinds.causal_lm.number_search` for the choice of nodes.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.kinds.base import Progress
from toolkit.kinds.batching import CPU_BATCH_TOKENS, batch_tokens, batches
from toolkit.kinds.causal_lm.number_tree import NumberTree, Pieces, Writing
from toolkit.kinds.language.generate import Beginning, generate
from toolkit.kinds.language.outputs import Generated, Numbers
from toolkit.models import limits as model_limits
from toolkit.models.limits import Limits
from toolkit.system import precision, upstream

if TYPE_CHECKING:
    from toolkit.kinds.causal_lm.number_search import Breadth, Row

WALK_SHARE = 4
"""The walk repeats its cache for every node, so its batches on a GPU are smaller by this factor."""
TRUNK = 128
"""The most nodes of a row that are scored before it is known how likely they are."""
LOGITS = 2**27
"""The most logits of one forward pass; they take a quarter or half of a GiB."""
TRIED = 8
"""Rows, at most one in 16, on which it is looked whether numbers of one token end behind it."""
ENDING = 0.98
"""The share of the numbers' probability that must end with its token."""
OTHERWISE = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError, AssertionError)
"""What models raise that take no mask of a tree."""


def walk_tokens(tokens: int) -> int:
    """Padded prompt tokens of a batch in the walk, from those of other batches."""
    return max(min(tokens, CPU_BATCH_TOKENS), tokens // WALK_SHARE)


def tree_rows(lengths: Sequence[int], tokens: int, vocabulary: int) -> list[list[int]]:
    """Rows in batches for the tree: with its nodes each has at most ``tokens`` padded tokens.

    Args:
        lengths: tokens of each prompt.
        tokens: see :func:`~toolkit.kinds.batching.batch_tokens`.
        vocabulary: tokens of the model; their logits are bounded as well.
    """
    most = max(1, LOGITS // (TRUNK * vocabulary))
    return [
        batch[at : at + most]
        for batch in batches([length + TRUNK for length in lengths], tokens)
        for at in range(0, len(batch), most)
    ]


@dataclass(frozen=True)
class DigitTokens:
    """The tokens of a vocabulary that are digits and nothing else.

    Args:
        ids: token ids, shape (n,).
        texts: the digits each stands for.
    """

    ids: np.ndarray
    texts: tuple[str, ...]

    @classmethod
    def of(cls, tokenizer: Any) -> DigitTokens:
        found = sorted(
            (index, token)
            for token, index in tokenizer.get_vocab().items()
            if token.isascii() and token.isdigit()
        )
        return cls(np.array([i for i, _ in found], dtype=np.int64), tuple(t for _, t in found))

    @functools.cached_property
    def numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """The tokens that write a number from 1 on: their ids and numbers, in order of number.

        "007" is a token of digits too; only numbers without leading zeros count.
        """
        values = np.array([0.0 if t.startswith("0") else float(t) for t in self.texts])
        order = np.argsort(values, kind="stable")
        order = order[values[order] > 0]
        return self.ids[order], values[order]

    def single(self, largest: int) -> bool:
        """Whether each number from 1 to ``largest`` is a token of its own."""
        texts = set(self.texts)
        return all(str(n) in texts for n in range(1, largest + 1))


class NumberReader:
    """Reads number distributions from a model.

    Args:
        tokenizer: the model's tokenizer.
        largest: the largest number to look for.
        reduced: compute the layers in bfloat16, and the head in the model's own precision.
        bounds: the model's stop tokens and positions; by default those of the model that is read.
        writing: how numbers are written behind the prompts; by default as digits alone.
        breadth: how much of the tree is looked at, where numbers have several tokens.
    """

    def __init__(
        self,
        tokenizer: Any,
        largest: int,
        *,
        reduced: bool = False,
        bounds: Limits | None = None,
        writing: Writing | None = None,
        breadth: Breadth | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.largest = largest
        self.bounds = bounds
        self.writing = writing
        self.breadth = breadth
        self.digits = DigitTokens.of(tokenizer)
        self.max_digits = len(str(largest)) + 1
        # Few vocabularies have tokens for numbers above 999; looking at more is wasted time.
        self.one_pass = largest <= 100_000 and self.digits.single(largest)
        # Behind a cache, casting the weights costs more time than it saves.
        self.reduced = reduced and self.one_pass
        self.takes_trees: bool | None = None
        """Whether the model computes nodes of a tree rightly; ``None``: it was not tried."""

    @functools.cached_property
    def pieces(self) -> Pieces:
        return Pieces(self.tokenizer)

    @functools.cached_property
    def tree(self) -> NumberTree:
        return NumberTree.of(self.tokenizer, self.pieces, self.largest, self.writing)

    @functools.cached_property
    def _direct(self) -> bool:
        """Whether the token of a number's digits stands right behind the prompt."""
        tree, digits = self.tree, set(self.digits.ids.tolist())
        first = np.flatnonzero((tree.depths == 1) & (tree.values > 0))
        written = {int(tree.values[n]) for n in first if int(tree.tokens[n]) in digits}
        return written >= set(range(1, self.largest + 1))

    def read(
        self,
        model: Any,
        prompts: Sequence[Sequence[int]],
        *,
        generation: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> list[Generated]:
        """Greedy text and number distribution behind each prompt.

        Where the number is one token, this takes one forward pass for each row, and where it has
        several, one more for each few dozen nodes of the tree. Greedy text is generated token by
        token only where it is not a number and nothing else.

        Args:
            model: a causal LM.
            prompts: token ids, one list a prompt.
            generation: fields of ``GenerationConfig`` for the greedy text.
            progress: called with (done, total).
        """
        results: list[Generated | None] = [None] * len(prompts)
        done = 0
        beginning = Beginning(model, prompts)
        single = self.one_pass and self._ends_with_its_token(model, beginning, prompts)
        for batch in self._batches(model, [len(p) for p in prompts], single):
            started = time.perf_counter()
            chosen = [prompts[i] for i in batch]
            if single:
                read = self._single(model, beginning, chosen)
            else:
                read = self._several(model, beginning, chosen, generation or {})
            share = (time.perf_counter() - started) / len(batch)
            for i, item in zip(batch, read, strict=True):
                results[i] = replace(item, seconds=share)
            done += len(batch)
            if progress:
                progress(done, len(prompts))
        outputs = [r for r in results if r is not None]
        return self._with_text(model, prompts, outputs, generation)

    def _batches(self, model: Any, lengths: Sequence[int], single: bool) -> Any:
        tokens = batch_tokens(model)
        if single:
            return batches(lengths, tokens)
        if self.takes_trees is False:
            return batches(lengths, walk_tokens(tokens))
        return tree_rows(lengths, tokens, model.config.get_text_config().vocab_size)

    # -- the prompts -------------------------------------------------------------------------------
    def _prompts(
        self, model: Any, beginning: Beginning, prompts: Sequence[Sequence[int]], *, caching: bool
    ) -> tuple[Any, Any, Any, Any]:
        """Ids and mask of padded prompts, the last logits, and the cache where one is made."""
        known = len(beginning.ids)
        ids, mask = beginning.pad(prompts, self.tokenizer.pad_token_id, model.device)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        cache = beginning.cache(len(prompts))
        out = model(
            input_ids=ids[:, known:],
            attention_mask=mask,
            position_ids=positions[:, known:],
            use_cache=cache is not None or caching,
            logits_to_keep=1,
            **upstream.cached(cache),
        )
        return ids, mask, out.logits[:, -1], upstream.cache_of(out) if caching else None

    # -- numbers of one token ----------------------------------------------------------------------
    def _single(
        self, model: Any, beginning: Beginning, prompts: Sequence[Sequence[int]]
    ) -> list[Generated]:
        """Outputs where the number is one token, from the next token's probabilities."""
        import torch

        layers = precision.autocast_layers(model) if self.reduced else contextlib.nullcontext()
        with torch.inference_mode(), layers:
            logits = self._prompts(model, beginning, prompts, caching=False)[2]
            probabilities = torch.softmax(logits.float(), -1)
        greedy = probabilities.argmax(-1).tolist()
        ids, values = self.digits.numbers
        chosen = probabilities[:, ids].cpu().numpy().astype(np.float64)
        texts = dict(zip(self.digits.ids.tolist(), self.digits.texts, strict=True))
        return [
            Generated(
                text=texts.get(token, ""),
                tokens=1 if token in texts else 0,
                numbers=Numbers(values, row),
            )
            for token, row in zip(greedy, chosen, strict=True)
        ]

    def _ends_with_its_token(
        self, model: Any, beginning: Beginning, prompts: Sequence[Sequence[int]]
    ) -> bool:
        """Whether a number's token is the whole number, as in a model that has learned to answer.

        A base may write ``1,250.00`` or ``1250``, whose first tokens ``1`` and ``125`` are numbers
        too, and not the ones that it writes.
        """
        if not prompts or not self._direct:
            return False
        count = max(1, min(TRIED, len(prompts) // 16))
        tried = [prompts[i] for i in range(0, len(prompts), len(prompts) // count)][:count]
        rows = self._searched(model, beginning, tried)
        shares = [row.ended() for row in rows]
        return float(np.mean(shares)) >= ENDING

    # -- numbers of several tokens -----------------------------------------------------------------
    def _several(
        self,
        model: Any,
        beginning: Beginning,
        prompts: Sequence[Sequence[int]],
        generation: Mapping[str, Any],
    ) -> list[Generated]:
        bounds = self.bounds or model_limits.of_model(model, self.tokenizer)
        # A text that is sampled, or written by another rule, is not the greedy one.
        plain = set(generation) <= {"max_new_tokens"}
        most = generation.get("max_new_tokens", self.max_digits)
        outputs = []
        for row in self._searched(model, beginning, prompts):
            path = row.greedy(bounds.stops) if plain else None
            if path is None or len(path) >= most:
                outputs.append(Generated(text="", numbers=row.numbers()))
                continue
            text = self.tokenizer.decode(path, skip_special_tokens=True)
            outputs.append(Generated(text=text, tokens=len(path) + 1, numbers=row.numbers()))
        return outputs

    def _searched(
        self, model: Any, beginning: Beginning, prompts: Sequence[Sequence[int]]
    ) -> list[Row]:
        """The search behind each prompt, done."""
        import torch

        from toolkit.kinds.causal_lm.number_scoring import NotATree

        with torch.inference_mode():
            if self.takes_trees is not False:
                try:
                    return self._search(model, beginning, prompts, walks=False)
                except NotATree:
                    self.takes_trees = False
                except OTHERWISE:
                    if self.takes_trees:
                        raise
                    self.takes_trees = False
            return self._search(model, beginning, prompts, walks=True)

    def _search(
        self, model: Any, beginning: Beginning, prompts: Sequence[Sequence[int]], *, walks: bool
    ) -> list[Row]:
        from toolkit.kinds.causal_lm import number_scoring, number_search

        ids, mask, logits, cache = self._prompts(model, beginning, prompts, caching=True)
        expected = number_scoring.Expected(self.tree, self.pieces, logits.device)
        tokens = walk_tokens(batch_tokens(model))
        walk = number_scoring.WalkPass(model, self.tree, expected, mask, cache, tokens)
        tree = number_scoring.TreePass(model, self.tree, expected, ids, mask, cache)
        tree.must_check = self.takes_trees is None
        if not walks and not number_scoring.TreePass.possible(model, cache):
            raise number_scoring.NotATree
        breadth = self.breadth or number_search.Breadth(trunk=0 if walks else TRUNK)
        first = number_scoring.by_row(expected.of(logits), [1] * len(prompts))
        rows = [
            number_search.Row(self.tree, one, self._room(prompt), breadth)
            for one, prompt in zip(first, prompts, strict=True)
        ]
        number_search.search(rows, (walk if walks else tree).score)
        if not walks and not tree.must_check:
            self.takes_trees = True
        return rows

    def _room(self, prompt: Sequence[int]) -> int:
        """Tokens that may follow a prompt: as many as the model has positions for."""
        if self.bounds is None or self.bounds.positions is None:
            return self.tree.deepest
        return max(0, self.bounds.positions - len(prompt))

    def _with_text(
        self,
        model: Any,
        prompts: Sequence[Sequence[int]],
        outputs: list[Generated],
        generation: Mapping[str, Any] | None,
    ) -> list[Generated]:
        open_rows = [i for i, out in enumerate(outputs) if out.tokens == 0]
        if not open_rows:
            return outputs
        settings = {"max_new_tokens": self.max_digits + 7, **(generation or {})}
        texts = generate(
            model, self.tokenizer, [prompts[i] for i in open_rows],
            generation=settings, bounds=self.bounds,
        )  # fmt: skip
        for i, text in zip(open_rows, texts, strict=True):
            outputs[i] = replace(
                text, numbers=outputs[i].numbers, seconds=outputs[i].seconds + text.seconds
            )
        return outputs
