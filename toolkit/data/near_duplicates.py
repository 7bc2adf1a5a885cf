"""Rows whose texts are nearly the same, found by MinHash and joined to one group.

A text is the set of its runs of three words. Two sets whose Jaccard similarity is J agree in each
value of their signatures with probability J, so that signatures estimate it (A. Broder, "On the
resemblance and containment of documents", 1997). Rows that agree in a whole band of their
signatures are compared (J. Leskovec, A. Rajaraman, J. Ullman, "Mining of Massive Datasets",
section 3.4). The signatures are computed by rensa, of the extra ``near-duplicates``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from toolkit.errors import MissingExtra
from toolkit.metrics import texts as words_of

SIMILAR = 0.8
"""The estimated Jaccard similarity from which on two texts are nearly the same."""
SHINGLE = 3
LEAST_WORDS = 20
"""Shorter texts are compared as a whole: one other word leaves too few of their runs."""
BANDS, ROWS_A_BAND = 16, 4
"""A pair of similarity 0.8 meets in a band with probability 1 - (1 - 0.8⁴)¹⁶ = 0.9998."""
_SEED = 1
_BATCH = 2_000


def joined(texts: Iterable[str], groups: np.ndarray) -> np.ndarray:
    """Groups as numbers from 0, those with nearly the same texts joined, shape (rows,).

    Joining is transitive: where A is near B and B near C, the three are one group.

    Args:
        texts: the text of each row.
        groups: a hash of each row's group, shape (rows,).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    wanted = np.zeros(len(groups), dtype=bool)
    wanted[first] = True  # copies have one group already, so one of them stands for all
    at, signatures = _signatures(texts, wanted)
    pairs = _near(signatures)
    one, other = inverse[at[pairs[0]]], inverse[at[pairs[1]]]
    graph = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(len(first),) * 2)
    labels: np.ndarray = connected_components(graph, directed=False)[1]
    return labels[inverse]


def require() -> None:
    """Raise :class:`MissingExtra` where rensa is not installed."""
    try:
        import rensa  # noqa: F401
    except ImportError as error:
        raise MissingExtra("--near-duplicates", "near-duplicates") from error


def _signatures(texts: Iterable[str], wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows whose texts are long enough, and their signatures, shape (those rows, values)."""
    from rensa import RMinHash

    at: list[int] = []
    parts = [np.zeros((0, BANDS * ROWS_A_BAND), dtype=np.uint32)]
    shingled = (
        (row, found)
        for row, text in enumerate(texts)
        if wanted[row] and (found := _shingles(text)) is not None
    )
    for batch in _batches(shingled):
        at.extend(row for row, _ in batch)
        digests = RMinHash.digest_matrix_from_token_sets(
            [found for _, found in batch], BANDS * ROWS_A_BAND, _SEED
        )
        parts.append(np.asarray(digests.to_rows(), dtype=np.uint32))
    return np.asarray(at, dtype=np.int64), np.concatenate(parts)


def _batches(pairs: Iterator[tuple[int, list[str]]]) -> Iterator[list[tuple[int, list[str]]]]:
    return iter(lambda: list(islice(pairs, _BATCH)), [])


def _shingles(text: str) -> list[str] | None:
    words = words_of.spaced(text).split()
    if len(words) < LEAST_WORDS:
        return None
    return [" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)]


def _near(signatures: np.ndarray) -> np.ndarray:
    """Pairs of rows that are nearly the same, shape (2, pairs).

    Of the rows that share a band each is compared with the first one and with the one before it.
    """
    found = [np.zeros((2, 0), dtype=np.int64)]
    for band in range(BANDS):
        values = np.ascontiguousarray(signatures[:, band * ROWS_A_BAND : (band + 1) * ROWS_A_BAND])
        keys = values.view(np.uint64)
        mixed = keys[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ keys[:, 1]
        order = np.argsort(mixed, kind="stable")
        starts = np.flatnonzero(np.diff(mixed[order], prepend=mixed[order][:1] + np.uint64(1)))
        first = np.repeat(order[starts], np.diff([*starts, len(order)]))
        before = np.concatenate([order[:1], order[:-1]])
        same = mixed[before] == mixed[order]
        for other, fits in ((first, first != order), (before, same & (before != order))):
            pairs = np.stack([other[fits], order[fits]])
            agree = (signatures[pairs[0]] == signatures[pairs[1]]).mean(axis=1)
            found.append(pairs[:, agree >= SIMILAR])
    return np.concatenate(found, axis=1)
