"""Small changes of a text that keep its meaning: typos, case, missing punctuation.

The random seed of each change is the text itself, so the same text is always changed alike.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

TYPO_SHARE: Final = 0.08
"""Share of the words of at least four letters that get a typo."""

_NEIGHBOURS: Final = {
    a: row[max(0, i - 1) : i] + row[i + 1 : i + 2]
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for i, a in enumerate(row)
}


def typos(text: str, random: Random, share: float = TYPO_SHARE) -> str:
    """Swap, drop, double or mistype (the neighbouring key) a letter in some words."""
    return " ".join(
        _typo(word, random)
        if sum(c.isalpha() for c in word) >= 4 and random.random() < share
        else word
        for word in text.split(" ")
    )


def _typo(word: str, random: Random) -> str:
    at = random.randrange(1, len(word) - 1)
    kind = random.choice(("swap", "drop", "double", "neighbour"))
    if kind == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "drop":
        return word[:at] + word[at + 1 :]
    if kind == "double":
        return word[:at] + word[at] + word[at:]
    return word[:at] + random.choice(_NEIGHBOURS.get(word[at].lower(), word[at])) + word[at + 1 :]


def case(text: str, random: Random) -> str:
    """Put all letters in capitals, all in lower case, or the first of each word in capitals."""
    return random.choice((str.upper, str.lower, string.capwords))(text)


def punctuation(text: str, random: Random) -> str:
    """Remove punctuation, as when typed on a phone; apostrophes and hyphens in words stay."""
    kept = (
        c
        if c not in string.punctuation
        or (c in "'-" and 0 < i < len(text) - 1 and text[i - 1].isalpha() and text[i + 1].isalpha())
        else ""
        for i, c in enumerate(text)
    )
    return " ".join("".join(kept).split())


PERTURBATIONS: Final[Mapping[str, Callable[[str, Random], str]]] = {
    "typos": typos,
    "case": case,
    "punctuation": punctuation,
}


def apply(name: str, text: str) -> str:
    """Apply a perturbation of :data:`PERTURBATIONS`; the same text gives the same result."""
    return PERTURBATIONS[name](text, Random(f"{name} {text}"))
