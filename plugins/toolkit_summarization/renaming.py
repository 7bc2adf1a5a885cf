"""Training rows with other names: what teaches a model to copy names that it has never seen.

A name in a source's values that its text states is replaced by a made-up one, in both, so that the
row stays true and only copying can answer it. It is mention replacement as in X. Dai and H. Adel,
"An Analysis of Simple Data Augmentation for Named Entity Recognition" (COLING 2020), with names put
together from pieces of the row's other words in the place of mentions from other rows: a tokenizer
cuts them into tokens that the model has only met in words that go on differently, which is where it
stops copying.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

import regex

from toolkit_summarization.delexicalising import fields_of

_NAME: Final = regex.compile(r"\b\p{Lu}\p{Ll}{2,}\b")
"""A word that is written like a name; all capitals are codes and abbreviations."""
_DIGIT: Final = regex.compile(r"\d")
_WORD: Final = regex.compile(r"\p{L}{3,}")
LONGEST_PIECE: Final = 4
"""The most letters in a row that a made-up name shares with a word."""


def renamed(source: str, text: str, random: Random) -> tuple[str, str]:
    """A source and its text with other names in both, the same one for the same word.

    Args:
        source: fields with their values; any other source is returned as it is.
        text: the text about it.
        random: draws the pieces.
    """
    fields = fields_of(source)
    labels = {word for label, _ in fields for word in _NAME.findall(label)}
    # A month is part of a date and no name to be spelt: values with digits stay.
    values = [value for _, value in fields if value in text and not _DIGIT.search(value)]
    words = sorted({word for value in values for word in _NAME.findall(value)} - labels)
    pieces = sorted({word.lower() for word in _WORD.findall(f"{source} {text}")})
    others = {word: made_up(word, pieces, random) for word in words}

    def other(match: regex.Match[str]) -> str:
        return others.get(str(match[0]), str(match[0]))

    return _NAME.sub(other, source), _NAME.sub(other, text)


def made_up(name: str, words: Sequence[str], random: Random) -> str:
    """A word of the same length, of pieces of up to four letters from the middle of other words."""
    made = ""
    while len(made) < len(name):
        word = random.choice(words)
        start = random.randrange(len(word))
        made += word[start : start + random.randint(1, LONGEST_PIECE)]
    return made[: len(name)].title()
