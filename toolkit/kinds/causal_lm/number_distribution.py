"""The distribution over whole numbers that may follow a prompt, for any tokenizer.

Where every number of a task is one token, one forward pass gives the whole distribution. Otherwise
the tokens of the number are walked with the key-value cache: the most probable digit prefixes are
extended token by token, and a prefix is a finished number with the probability that the next token
is not a digit.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from toolkit.kinds.base import Progress
from toolkit.kinds.batching import CPU_BATCH_TOKENS, batch_tokens, batches
from toolkit.kinds.language.generate import Beginning, generate
from toolkit.kinds.language.outputs import Generated, Numbers
from toolkit.models.limits import Limits
from toolkit.system import precision

BEAMS = 12
"""Digit prefixes kept per row and step; ten digits and a few longer tokens fit."""
WALK_SHARE = 4
"""The walk repeats its cache for every beam, so its batches on a GPU are smaller by this factor."""


def walk_tokens(tokens: int) -> int:
    """Padded prompt tokens of a batch in the walk, from those of other batches."""
    return max(min(tokens, CPU_BATCH_TOKENS), tokens // WALK_SHARE)


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
    """

    def __init__(
        self,
        tokenizer: Any,
        largest: int,
        *,
        reduced: bool = False,
        bounds: Limits | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.bounds = bounds
        self.digits = DigitTokens.of(tokenizer)
        self.max_digits = len(str(largest)) + 1
        # Few vocabularies have tokens for numbers above 999; looking at more is wasted time.
        self.one_pass = largest <= 100_000 and self.digits.single(largest)
        # For the single tokens of the walk, casting the weights costs more time than it saves.
        self.reduced = reduced and self.one_pass

    def read(
        self,
        model: Any,
        prompts: Sequence[Sequence[int]],
        *,
        generation: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> list[Generated]:
        """Greedy text and number distribution behind each prompt.

        Where the number is one token, this takes one forward pass for each row; greedy text is
        generated token by token only where the most probable next token is not a number, or where
        numbers have several tokens.

        Args:
            model: a causal LM.
            prompts: token ids, one list a prompt.
            generation: fields of ``GenerationConfig`` for the greedy text.
            progress: called with (done, total).
        """
        results: list[Generated | None] = [None] * len(prompts)
        budget = batch_tokens(model) if self.one_pass else walk_tokens(batch_tokens(model))
        done = 0
        beginning = Beginning(model, prompts)
        lengths = [len(p) for p in prompts]
        for batch in batches(lengths, budget):
            started = time.perf_counter()
            read = self._batch(model, beginning, [prompts[i] for i in batch])
            share = (time.perf_counter() - started) / len(batch)
            for i, item in zip(batch, read, strict=True):
                results[i] = replace(item, seconds=share)
            done += len(batch)
            if progress:
                progress(done, len(prompts))
        outputs = [r for r in results if r is not None]
        return self._with_text(model, prompts, outputs, generation)

    def _batch(
        self, model: Any, beginning: Beginning, prompts: Sequence[Sequence[int]]
    ) -> list[Generated]:
        import torch

        known = len(beginning.ids)
        layers = precision.autocast_layers(model) if self.reduced else contextlib.nullcontext()
        with torch.inference_mode(), layers:
            ids, mask = beginning.pad(prompts, self.tokenizer.pad_token_id, model.device)
            positions = (mask.cumsum(-1) - 1).clamp(min=0)
            cache = beginning.cache(len(prompts))
            out = model(
                input_ids=ids[:, known:],
                attention_mask=mask,
                position_ids=positions[:, known:],
                past_key_values=cache,
                use_cache=cache is not None or not self.one_pass,
                logits_to_keep=1,
            )
            probabilities = torch.softmax(out.logits[:, -1].float(), -1)
            if self.one_pass:
                return self._single(probabilities)
            rooms = [self._room(prompt) for prompt in prompts]
            return _Walk(self, model, mask, out.past_key_values).go(probabilities, rooms)

    def _room(self, prompt: Sequence[int]) -> int:
        """Digit tokens that may follow a prompt: as many as the model has positions for."""
        if self.bounds is None or self.bounds.positions is None:
            return self.max_digits
        return max(0, self.bounds.positions - len(prompt))

    def _single(self, probabilities: Any) -> list[Generated]:
        """Outputs where the number is one token, from the next token's probabilities.

        Args:
            probabilities: shape (rows, vocabulary).
        """
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


class _Walk:
    """Extends digit prefixes of a batch of prompts, token by token, with the cache."""

    def __init__(self, reader: NumberReader, model: Any, mask: Any, cache: Any) -> None:
        self.reader = reader
        self.model = model
        self.mask = mask
        self.cache = cache
        self.rows = mask.shape[0]

    def go(self, probabilities: Any, rooms: Sequence[int]) -> list[Generated]:
        """The numbers behind each prompt.

        Args:
            probabilities: of the first token behind each, shape (rows, vocabulary).
            rooms: the most digit tokens behind each.
        """
        import torch

        digits = self.reader.digits
        ids = torch.as_tensor(digits.ids, device=probabilities.device)
        found: list[dict[int, float]] = [{} for _ in range(self.rows)]
        # A beam is (row, prefix, probability); the walk begins with one empty beam for each row.
        beams = [(row, "", 1.0) for row in range(self.rows)]
        for step in range(self.reader.max_digits):
            after = probabilities[:, ids].cpu().numpy().astype(np.float64)
            grown: list[tuple[int, str, float, int, int]] = []
            for at, (row, prefix, mass) in enumerate(beams):
                if prefix:
                    number = int(prefix)
                    ended = mass * max(0.0, 1.0 - float(after[at].sum()))
                    found[row][number] = found[row].get(number, 0.0) + ended
                grown += self._grow(at, row, prefix, mass, after[at])
            kept = self._best([beam for beam in grown if step < rooms[beam[0]]])
            if not kept:
                break
            beams = [(row, prefix, mass) for row, prefix, mass, _, _ in kept]
            probabilities = self._step(kept)
        return [Generated(text="", numbers=_numbers(f)) for f in found]

    def _grow(
        self, at: int, row: int, prefix: str, mass: float, after: np.ndarray
    ) -> list[tuple[int, str, float, int, int]]:
        """The prefixes one token longer: (row, prefix, probability, parent, token index)."""
        best = np.argsort(-after, kind="stable")[:BEAMS]
        grown = []
        for index in best.tolist():
            text = prefix + self.reader.digits.texts[index]
            share = mass * float(after[index])
            if text[0] != "0" and len(text) <= self.reader.max_digits and share > 1e-6:
                grown.append((row, text, share, at, index))
        return grown

    @staticmethod
    def _best(
        grown: list[tuple[int, str, float, int, int]],
    ) -> list[tuple[int, str, float, int, int]]:
        by_row: dict[int, list[tuple[int, str, float, int, int]]] = {}
        for beam in grown:
            by_row.setdefault(beam[0], []).append(beam)
        return [
            beam
            for row in sorted(by_row)
            for beam in sorted(by_row[row], key=lambda b: (-b[2], b[1]))[:BEAMS]
        ]

    def _step(self, kept: list[tuple[int, str, float, int, int]]) -> Any:
        """Feed each beam's newest token; the next probabilities, shape (beams, vocabulary)."""
        import torch

        device = self.mask.device
        parents = torch.tensor([b[3] for b in kept], device=device)
        tokens = torch.tensor(
            [[int(self.reader.digits.ids[b[4]])] for b in kept], dtype=torch.long, device=device
        )
        self.cache.batch_select_indices(parents)
        self.mask = torch.cat([self.mask[parents], torch.ones_like(tokens)], dim=1)
        out = self.model(
            input_ids=tokens,
            attention_mask=self.mask,
            position_ids=self.mask.sum(-1, keepdim=True) - 1,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return torch.softmax(out.logits[:, -1].float(), -1)


def _numbers(found: Mapping[int, float]) -> Numbers:
    values = sorted(n for n in found if n > 0)
    return Numbers(
        np.array(values, dtype=np.float64), np.array([found[v] for v in values], dtype=np.float64)
    )
