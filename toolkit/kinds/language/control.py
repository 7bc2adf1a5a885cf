"""Texts of the data never become control tokens.

A tokenizer reads ``</s>`` or ``<|im_end|>`` in a text as the token that ends a turn. In an answer
that would cut it off, in a prompt it would let whoever wrote the text end the user's turn and begin
the assistant's. Only templates write control tokens; in data the same characters are ordinary ones.
"""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.models.limits import special_ids

OPEN, CLOSE = "\ue000", "\ue001"
"""What stands round the number of a held text; private characters, which no tokenizer knows."""
HELD = re.compile(f"{OPEN}(\\d+){CLOSE}")
BEFORE = "a0=,"
"""Characters that a piece of a text may follow, tried one after another."""
KEPT = ("role", "type")
"""Fields of a message that a template compares and that are no text."""


class ControlTokens:
    """The control tokens of a tokenizer, and how texts that name them are read.

    Args:
        tokenizer: a transformers tokenizer.
        stops: ids of further tokens that end a text.
    """

    def __init__(self, tokenizer: Any, stops: Sequence[int] = ()) -> None:
        self.tokenizer = tokenizer
        found = {*special_ids(tokenizer), *stops}
        names = [tokenizer.convert_ids_to_tokens(i) for i in sorted(found)]
        texts = sorted({str(name) for name in names if name}, key=len, reverse=True)
        # What is unknown is part of a text, unless the same token also ends it, as in GPT-2.
        ends = {tokenizer.eos_token_id, *stops}
        self.ids = frozenset(i for i in found if i != tokenizer.unk_token_id or i in ends)
        self._literal: Any = None
        self._named = re.compile("|".join(map(re.escape, texts))) if texts else None

    def named_in(self, text: str) -> bool:
        """Whether a text holds the name of a control token."""
        return self._named is not None and self._named.search(text) is not None

    def encode(self, text: str, *, target: bool = False, **keywords: Any) -> list[int]:
        """Token ids of a text of the data, with what the tokenizer puts round each text.

        Args:
            text: the text; control tokens in it become ordinary characters.
            target: read it as the answer of an encoder–decoder.
            keywords: of the tokenizer's call, such as ``add_special_tokens``.
        """
        role = "text_target" if target else "text"

        def read(tokenizer: Any, this: str) -> list[int]:
            return list(tokenizer(**{role: this}, verbose=False, **keywords)["input_ids"])

        if not self.named_in(text):
            return read(self.tokenizer, text)
        ids, around = read(self.literal, text), read(self.tokenizer, "")
        if sum(i in self.ids for i in ids) <= sum(i in self.ids for i in around):
            return ids
        # Tokens that are not marked as special, or are words of the model too, are found anyway.
        before, after = _around(around, read(self.tokenizer, "a"))
        return [*before, *self._in_pieces(text), *after]

    @property
    def literal(self) -> Any:
        """The tokenizer as it reads names of control tokens as ordinary text.

        A copy, because how to read them is a state of the tokenizer, which other threads use too.
        """
        if self._literal is None:
            made = copy.deepcopy(self.tokenizer)
            made.split_special_tokens = True
            self._literal = made
        return self._literal

    def _in_pieces(self, text: str) -> list[int]:
        """A text's ids, each name of a control token read as its first character and the rest."""
        assert self._named is not None
        cuts = [0, *(match.start() + 1 for match in self._named.finditer(text)), len(text)]
        ids: list[int] = []
        for start, end in itertools.pairwise(cuts):
            ids += self._piece(text[start:end], first=start == 0)
        return ids

    def _piece(self, text: str, *, first: bool) -> list[int]:
        """A piece's ids; some tokenizers put a blank before what does not follow anything."""

        def read(this: str) -> list[int]:
            return list(self.literal(this, add_special_tokens=False)["input_ids"])

        for before in "" if first else BEFORE:
            known, ids = read(before), read(before + text)
            if ids[: len(known)] == known:
                return ids[len(known) :]
        return read(text)

    # -- conversations -----------------------------------------------------------------------------
    def held(self, messages: Sequence[Any]) -> tuple[list[Any], list[str]]:
        """Messages in which numbered marks stand for names of control tokens, and these names.

        A template can then be told from the texts that it is filled with, see :meth:`rendered`.
        """
        names: list[str] = []

        def hold(match: re.Match[str]) -> str:
            names.append(match.group())
            return f"{OPEN}{len(names) - 1}{CLOSE}"

        def replaced(value: Any) -> Any:
            if isinstance(value, str):
                return value if self._named is None else self._named.sub(hold, value)
            if isinstance(value, Mapping):
                return {k: v if k in KEPT else replaced(v) for k, v in value.items()}
            return [replaced(one) for one in value] if isinstance(value, list | tuple) else value

        return [replaced(message) for message in messages], names

    def rendered(self, text: str, names: Sequence[str]) -> list[int]:
        """Token ids of a conversation that a template has rendered.

        Args:
            text: what the template made of the messages of :meth:`held`.
            names: what the marks in it stand for.
        """
        if not names or self._named is None:
            return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        ids: list[int] = []
        clean = ""  # what the template wrote, and texts without marks: read in one piece
        for part, control in _split(self._named, text):
            if control or not HELD.search(part):
                clean += part
                continue
            ids += self.tokenizer(clean, add_special_tokens=False)["input_ids"] if clean else []
            ids += self.encode(shown(part, names), add_special_tokens=False)
            clean = ""
        ids += self.tokenizer(clean, add_special_tokens=False)["input_ids"] if clean else []
        return ids


def shown(text: str, names: Sequence[str]) -> str:
    """A rendered text with its marks replaced by what they stand for."""

    def name(match: re.Match[str]) -> str:
        number = int(match.group(1))
        return names[number] if number < len(names) else match.group()

    return HELD.sub(name, text) if names else text


def _split(pattern: re.Pattern[str], text: str) -> list[tuple[str, bool]]:
    """A text as pieces in order, each with whether it is a match of the pattern."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for match in pattern.finditer(text):
        pieces += [(text[at : match.start()], False), (match.group(), True)]
        at = match.end()
    return [piece for piece in [*pieces, (text[at:], False)] if piece[0]]


def _around(empty: Sequence[int], letter: Sequence[int]) -> tuple[list[int], list[int]]:
    """What a tokenizer puts before and behind a text, from an empty text and one of a letter."""
    before = 0
    while before < len(empty) and empty[before] == letter[before]:
        before += 1
    return list(empty[:before]), list(empty[before:])
