"""The text that the embedded causal LM is pre-trained on: generated, endless, from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from toolkit.models import corpus_ads, corpus_text
from toolkit.models.corpus_ads import MARK

KINDS = {
    corpus_ads.priced: 52.0,
    corpus_ads.several: 3.0,
    corpus_ads.read_out: 6.0,
    corpus_ads.compared: 2.0,
    **corpus_text.KINDS,
}
"""Each kind of document and its weight: somewhat more than half are advertisements."""


def documents(number: int, seed: int = 0) -> Iterator[str]:
    """Documents in which ``MARK`` stands before every price that follows from an advertisement."""
    random = Random(seed)
    kinds, weights = tuple(KINDS), tuple(KINDS.values())
    for _ in range(number):
        yield random.choices(kinds, weights)[0](random)


def plain(document: str) -> str:
    """A document as a reader sees it."""
    return document.replace(MARK, "")
