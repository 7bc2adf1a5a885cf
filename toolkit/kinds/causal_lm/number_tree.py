"""How a tokenizer writes whole numbers behind a prompt, as a tree of tokens.

Tokenizers cut numbers in many ways: into single digits (Qwen, Gemma, Mistral, Phi-3), into threes
from the left (Llama 3, OLMo 2), as their merges have it (GPT-2); a completion may begin with a
space, a chat template with a turn of thought. All numbers are written as training writes them, and
what they begin with together is a node of the tree; the tokens from the root to a node are the way
to write the node's number, and the only one that counts.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit import decoding

if TYPE_CHECKING:
    from toolkit.kinds.language.prompt import Renderer

LISTED = 9_999
"""Up to here the tree has every number."""
FIGURES = 4
"""Beyond, it has those whose digits after the first four are zeros: 249,900 and not 249,912."""
SPACES = "▁Ġ"
"""How tokenizers show a space at the beginning of a token."""
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_ANCHOR = "$"
"""A sign that merges with no digit; numbers are tokenized behind it where that changes nothing."""
_SAMPLE = 24


def numbers_to(largest: int) -> list[int]:
    """The numbers that are looked for: all with as many digits as the largest, or fewer.

    Numbers above the largest of the training rows cost little more, and others have them.
    """
    found = list(range(1, min(LISTED, 10 ** len(str(largest)) - 1) + 1))
    for digits in range(len(str(LISTED)) + 1, len(str(largest)) + 1):
        step = 10 ** (digits - FIGURES)
        found += range(10 ** (digits - 1), 10**digits, step)
    return found


@dataclass(frozen=True)
class Writing:
    """How a task's numbers are written behind its prompts.

    Args:
        tokens: a number → the token ids of its completion, as training has them.
        text: a number → the completion's text.
    """

    tokens: Callable[[int], Sequence[int]]
    text: Callable[[int], str] = str

    @classmethod
    def behind(cls, renderer: Renderer, prompt: Any, completion: Callable[[int], str]) -> Writing:
        """The writing behind a prompt: a text, or messages of a chat.

        Args:
            renderer: tokenizes as training does.
            prompt: any prompt of the task; all of them end alike.
            completion: a number → its completion.
        """
        ids = renderer.prompt({"prompt": prompt})

        def tokens(number: int) -> Sequence[int]:
            text = completion(number)
            answer = text if isinstance(prompt, str) else [{"role": "assistant", "content": text}]
            return renderer.completion({"prompt": prompt, "completion": answer}, ids)

        return cls(tokens, completion)


class Pieces:
    """The tokens of a vocabulary as parts of numbers.

    Args:
        tokenizer: a transformers tokenizer.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        special = set(tokenizer.all_special_ids)
        texts = {i: _plain(t) for t, i in tokenizer.get_vocab().items() if i not in special}
        bare = {i: text.lstrip(SPACES) if text[:1] in SPACES else text for i, text in texts.items()}
        self.digits = {i: t for i, t in bare.items() if t.isascii() and t.isdigit()}
        """Tokens of digits alone, with or without a space before them → the digits."""

        def continuing(number: str) -> set[int]:
            return {i for i, text in texts.items() if decoding.continues(number, text)}

        long, short = continuing("1000"), continuing("1")
        self.more = np.array(sorted(long), dtype=np.int64)
        """Tokens that continue any number: those that begin with a digit."""
        self.groups = np.array(sorted(short - long), dtype=np.int64)
        """Tokens that may continue a number of up to three digits: those of a comma."""

    def path(self, ids: Sequence[int], number: int) -> tuple[int, int] | None:
        """Where a completion's number begins and ends among its tokens; ``None``: nowhere."""
        wanted = str(number)
        for start in range(len(ids)):
            text = ""
            for end in range(start, len(ids)):
                text += self.digits.get(ids[end], "x")
                if not wanted.startswith(text):
                    break
                if text == wanted:
                    return start, end + 1
        for end in range(1, len(ids) + 1):  # such as 1,250
            text = self.tokenizer.decode(list(ids[:end]), skip_special_tokens=True)
            if decoding.first_number(text) == number:
                return 0, end
        return None


def _plain(token: str) -> str:
    """A token's text as far as digits and commas go; a byte's token as its character."""
    found = _BYTE.fullmatch(token)
    return chr(int(found[1], 16)) if found else token


def paths(
    tokenizer: Any, pieces: Pieces, numbers: Sequence[int], writing: Writing | None
) -> dict[int, tuple[int, ...]]:
    """The tokens from the prompt's end to the end of each number.

    Args:
        tokenizer: a transformers tokenizer.
        pieces: its tokens.
        numbers: the numbers.
        writing: how they are written; ``None``: as digits and nothing else.
    """
    quick = _behind_anchor(tokenizer, pieces, numbers, str if writing is None else writing.text)
    if writing is None:
        return quick
    step = max(1, len(numbers) // _SAMPLE)
    sample = sorted({*numbers[::step], *numbers[:12], numbers[-1]})
    exact = {n: _exact(pieces, writing, n) for n in sample}
    leads = {ids[:start] for ids, start in exact.values()}
    if len(leads) == 1 and all(ids[start:] == quick.get(n) for n, (ids, start) in exact.items()):
        (lead,) = leads
        return {n: lead + ids for n, ids in quick.items()}
    found = {n: exact.get(n) or _exact(pieces, writing, n) for n in numbers}
    return {n: ids for n, (ids, _) in found.items() if ids}


def _exact(pieces: Pieces, writing: Writing, number: int) -> tuple[tuple[int, ...], int]:
    """The tokens up to the number's end, and where it begins; none where it cannot be found."""
    ids = tuple(writing.tokens(number))
    place = pieces.path(ids, number)
    return (ids[: place[1]], place[0]) if place else ((), 0)


def _behind_anchor(
    tokenizer: Any, pieces: Pieces, numbers: Sequence[int], text: Callable[[int], str]
) -> dict[int, tuple[int, ...]]:
    """The tokens of each number's digits in a short text of its own; the others are left out."""
    texts = [_ANCHOR + text(number) for number in numbers]
    encoded = tokenizer(texts, add_special_tokens=False)["input_ids"]
    found = {}
    for number, ids in zip(numbers, encoded, strict=True):
        if (place := pieces.path(ids, number)) and place[0]:
            found[number] = tuple(ids[slice(*place)])
    return found


class NumberTree:
    """The tree of all numbers' tokens; node 0 is the prompt's end.

    Args:
        paths: number → its tokens.
    """

    def __init__(self, paths: Mapping[int, Sequence[int]]) -> None:
        tokens, parents, depths, values = [-1], [-1], [0], [0]
        known: dict[tuple[int, int], int] = {}
        for number in sorted(paths):
            at = 0
            for token in paths[number]:
                below = known.get((at, token))
                if below is None:
                    below = known[at, token] = len(tokens)
                    tokens.append(token)
                    parents.append(at)
                    depths.append(depths[at] + 1)
                    values.append(0)
                at = below
            values[at] = number
        self.tokens = np.array(tokens, dtype=np.int64)
        """The token of each node, shape (nodes,)."""
        self.parents = np.array(parents, dtype=np.int64)
        """Each node's parent; a parent stands before its children."""
        self.depths = np.array(depths, dtype=np.int64)
        self.values = np.array(values, dtype=np.int64)
        """The number that the tokens up to a node write; 0: none."""
        children: list[list[int]] = [[] for _ in tokens]
        for node, parent in enumerate(parents[1:], start=1):
            children[parent].append(node)
        self.children = [np.array(nodes, dtype=np.int64) for nodes in children]
        self.inner = np.array([bool(nodes) for nodes in children])
        """Whether longer numbers begin with a node."""
        self.alphabet, columns = np.unique(self.tokens[1:], return_inverse=True)
        """The tokens that nodes have."""
        self.columns = np.concatenate([[-1], columns])
        """Each node's token as a place in the alphabet."""
        self.widths = np.array([len(str(v)) if v else 0 for v in values])
        """The digits of each node's number."""

    @classmethod
    def of(
        cls, tokenizer: Any, pieces: Pieces, largest: int, writing: Writing | None
    ) -> NumberTree:
        """The tree of the numbers to the largest, see :func:`numbers_to`."""
        return cls(paths(tokenizer, pieces, numbers_to(largest), writing))

    def path(self, node: int) -> list[int]:
        """The nodes from the root's child down to a node, the node included."""
        found: list[int] = []
        while node:
            found.append(node)
            node = int(self.parents[node])
        return found[::-1]

    @functools.cached_property
    def deepest(self) -> int:
        return int(self.depths.max())

    def trunk(self, most: int) -> np.ndarray:
        """The inner nodes of the upper levels, as many whole levels as ``most`` nodes allow.

        They can be scored before it is known how likely they are.
        """
        levels: Iterable[np.ndarray] = (
            np.flatnonzero(self.inner & (self.depths == depth))
            for depth in range(1, self.deepest + 1)
        )
        sums = itertools.accumulate(levels, lambda a, b: np.concatenate([a, b]))
        fitting = [nodes for nodes in sums if len(nodes) <= most]
        return np.sort(fitting[-1]) if fitting else np.array([], dtype=np.int64)
