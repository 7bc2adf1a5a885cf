"""The distribution over whole numbers that may follow a prompt, for any tokenizer.

Where every number of a task is one token, one forward pass gives the whole distribution. Otherwise
the tokens of the number are walked with the key-value cache: the most probable digit prefixes are
extended token by token, and a prefix is a finished number with the probability that the next token
is not a digit.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from toolkit.kinds.base import Progress
from toolkit.kinds.batching import CPU_BATCH_TOKENS, batch_tokens, batches
from toolkit.kinds.language.generate import Beginning, generate
from toolkit.kinds.language.outputs import Generated, Numbers
from toolkit.kinds.language.prompt import Renderer
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
    """

    def __init__(self, tokenizer: Any, largest: int, *, reduced: bool = False) -> None:
        self.tokenizer = tokenizer
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
            return _Walk(self, model, mask, out.past_key_values).go(probabilities)

    def _single(self, probabilities: Any) -> list[Generated]:
        """Outputs where the number is one token, from the next token's probabilities.

        Args:
            probabilities: shape (rows, vocabulary).
        """
        greedy = probabilities.argmax(-1).tolist()
        chosen = probabilities[:, self.digits.ids].cpu().numpy().astype(np.float64)
        texts = dict(zip(self.digits.ids.tolist(), self.digits.texts, strict=True))
        # "007" is a token of digits too; only numbers without leading zeros count.
        written = [not t.startswith("0") for t in self.digits.texts]
        values = np.array([float(t) for t in self.digits.texts])[written]
        order = np.argsort(values, kind="stable")
        return [
            Generated(
                text=texts.get(token, ""),
                tokens=1 if token in texts else 0,
                numbers=Numbers(values[order], row[written][order]),
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
            model, self.tokenizer, [prompts[i] for i in open_rows], generation=settings
        )
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

    def go(self, probabilities: Any) -> list[Generated]:
        import torch

        digits = self.reader.digits
        ids = torch.as_tensor(digits.ids, device=probabilities.device)
        found: list[dict[int, float]] = [{} for _ in range(self.rows)]
        # A beam is (row, prefix, probability); the walk begins with one empty beam for each row.
        beams = [(row, "", 1.0) for row in range(self.rows)]
        for _ in range(self.reader.max_digits):
            after = probabilities[:, ids].cpu().numpy().astype(np.float64)
            grown: list[tuple[int, str, float, int, int]] = []
            for at, (row, prefix, mass) in enumerate(beams):
                if prefix:
                    number = int(prefix)
                    ended = mass * max(0.0, 1.0 - float(after[at].sum()))
                    found[row][number] = found[row].get(number, 0.0) + ended
                grown += self._grow(at, row, prefix, mass, after[at])
            kept = self._best(grown)
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


class SmoothedTargets:
    """Soft targets for the tokens of a number, which include its neighbours.

    Cross-entropy treats 188 for 189 like 3 for 189. Here the target is a Gaussian of width
    ``sigma`` in the logarithm of the number, over all numbers near it; for a number of several
    tokens each token's target is the share of the neighbours that begin with the true tokens
    before it (see arXiv:2501.19383 and arXiv:2506.06657 for regression-aware training).

    Args:
        renderer: tokenizes as training does.
        prompt: any rendered prompt's text; numbers are tokenized as its continuation.
        task: gives the completions, and the numbers that they can contain.
        sigma: width in natural-log units; 0.15 is 15 %.
    """

    SUPPORT = 3.0
    MOST = 512

    def __init__(self, renderer: Renderer, prompt: Any, task: Any, sigma: float) -> None:
        self.renderer = renderer
        self.prompt = prompt
        self.prompt_ids = renderer.prompt({"prompt": prompt})
        self.task = task
        self.sigma = sigma
        self._tokens: dict[int, tuple[int, ...]] = {}
        self._targets: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}

    def tokens(self, number: int) -> tuple[int, ...]:
        """Token ids of a number's completion, with EOS."""
        if number not in self._tokens:
            text = self.task.completion(number)
            messages = (
                text if isinstance(self.prompt, str) else [{"role": "assistant", "content": text}]
            )
            example = {"prompt": self.prompt, "completion": messages}
            self._tokens[number] = tuple(self.renderer.completion(example, self.prompt_ids))
        return self._tokens[number]

    def targets(self, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each token of the completion: token ids (k,) and their probabilities (k,)."""
        if number not in self._targets:
            self._targets[number] = self._build(number)
        return self._targets[number]

    def neighbours(self, number: int) -> list[int]:
        """The numbers within three sigma that completions can contain, at most a few hundred."""
        low = max(1, int(np.floor(number * np.exp(-self.SUPPORT * self.sigma))))
        high = int(np.ceil(number * np.exp(self.SUPPORT * self.sigma)))
        step = max(1, (high - low) // self.MOST)
        near = {self.task.writable(n) for n in range(low, high + 1, step)}
        return sorted(near | {number})

    def _build(self, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
        near = self.neighbours(number)
        distance = np.log(np.array(near) / number) / self.sigma
        weights = np.exp(-(distance**2) / 2)
        own = self.tokens(number)
        result = []
        for at in range(len(own)):
            shares: dict[int, float] = {}
            for other, weight in zip(near, weights, strict=True):
                tokens = self.tokens(other)
                if len(tokens) > at and tokens[:at] == own[:at]:
                    shares[tokens[at]] = shares.get(tokens[at], 0.0) + float(weight)
            ids = np.array(sorted(shares), dtype=np.int64)
            values = np.array([shares[i] for i in ids.tolist()])
            result.append((ids, (values / values.sum()).astype(np.float32)))
        return result
