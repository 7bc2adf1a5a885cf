"""The text that the embedded causal LM is pre-trained on, generated from a random seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from examples.embedded_models import corpus_ads, corpus_numbers, corpus_text
from examples.embedded_models.corpus_ads import MARK

KINDS = {
    corpus_ads.priced: 42.0,
    corpus_ads.several: 2.5,
    corpus_ads.read_out: 4.0,
    corpus_ads.compared: 2.0,
    corpus_numbers.sized: 14.0,
    corpus_numbers.rates: 6.0,
    corpus_numbers.each: 3.0,
    corpus_numbers.price_list: 3.0,
    corpus_numbers.converted: 6.0,
    **{kind: 0.6 * weight for kind, weight in corpus_text.KINDS.items()},
}
"""Each kind of document and its weight. By tokens about half are advertisements."""


def documents(number: int, seed: int = 0) -> Iterator[str]:
    """Documents in which ``MARK`` stands before every number that can be derived from the rest.

    Those are the prices of advertisements, and a few sums and sizes. In training their targets are
    smoothed, see :mod:`examples.embedded_models.pretrain`.
    """
    random = Random(seed)
    kinds, weights = tuple(KINDS), tuple(KINDS.values())
    for _ in range(number):
        yield random.choices(kinds, weights)[0](random)


def plain(document: str) -> str:
    """A document without the marks."""
    return document.replace(MARK, "")
