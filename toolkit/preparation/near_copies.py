"""How similar texts are to a training set's, and from where on that is no coincidence.

A threshold is taken from the training set itself. Each of its rows has a nearest other row; a test
row that is merely another one of its kind is as near to the training set as those are to each
other. The threshold is the similarity that a stated share of them exceeds, so that about this share
of innocent test rows is called a copy: the argument of split conformal prediction (V. Vovk, A.
Gammerman, G. Shafer, "Algorithmic Learning in a Random World", 2005, section 4.2), in which the
training row is its own calibration. Similarities that occur in no pair of independent texts are the
floor below which nothing is called a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from toolkit.data import splits
from toolkit.metrics import texts as words_of

if TYPE_CHECKING:
    import numpy as np

Encode = Callable[[Sequence[str]], "np.ndarray"]
Progress = Callable[[int, int], None]

FLOORS: Final = {"words": 0.6, "word pairs": 0.5, "meaning": 0.85}
"""Cosines that are no copies in any case, by what is compared: what independent texts of the data
sets in ``tests/benchmarks/planted_copies.py`` rarely reach."""
CALIBRATION: Final = 2_000
"""At most so many training rows show how near the others are."""
LEAST_WORDS: Final = 3
"""Shorter texts are alike by chance; only their copies are found."""
_CELLS: Final = 8_000_000
"""Similarities that are held at one time, 32 MB."""
_TEXTS_A_BATCH: Final = 256


@dataclass(frozen=True)
class Nearest:
    """The nearest training row of each test row, by one measure.

    Args:
        measure: a key of :data:`FLOORS`.
        similarity: the cosine with the nearest training row, shape (test rows,).
        row: its place in the training set, shape (test rows,).
        own: the same cosines of training rows with the others, shape (calibration rows,).
        threshold: a test row above it is called a copy.
        expected: the share of innocent rows that is above it by chance, at most.
    """

    measure: str
    similarity: np.ndarray
    row: np.ndarray
    own: np.ndarray
    threshold: float
    expected: float

    @property
    def floor(self) -> float:
        return FLOORS[self.measure]

    @property
    def copies(self) -> np.ndarray:
        """Whether each test row is called a copy, shape (test rows,)."""
        return self.similarity > self.threshold


def by_words(
    train: Sequence[str], test: Sequence[str], alarms: float, seed: int = 0
) -> Iterator[Nearest]:
    """The nearest training rows by the cosine of TF-IDF columns, of words and of pairs of words.

    Args:
        train: texts in the form in which they are compared, all different.
        test: texts in the same form.
        alarms: the share of innocent rows that may be called copies.
        seed: of the choice of training rows that show how near the others are.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    for measure, columns in (("words", _words), ("word pairs", _words_and_pairs)):
        # A word that no training row has counts too: without it what is left looks like a copy.
        vectorizer = TfidfVectorizer(analyzer=columns, sublinear_tf=True, dtype=np.float32)
        vectorizer.fit([*train, *test])
        yield _nearest(
            measure, vectorizer.transform(train), vectorizer.transform(test), alarms, seed
        )


def by_meaning(
    train: Sequence[str],
    test: Sequence[str],
    encode: Encode,
    alarms: float,
    seed: int = 0,
    progress: Progress | None = None,
) -> Nearest:
    """The nearest training rows by the cosine of sentence embeddings.

    Args:
        train: texts, all different.
        test: texts.
        encode: from texts to unit vectors, shape (texts, dimensions).
        alarms: the share of innocent rows that may be called copies.
        seed: of the choice of training rows that show how near the others are.
        progress: called with the number of texts that are embedded, and of all.
    """
    import numpy as np

    every, vectors = [*train, *test], []
    for start in range(0, len(every), _TEXTS_A_BATCH):
        vectors.append(np.asarray(encode(every[start : start + _TEXTS_A_BATCH]), np.float32))
        if progress is not None:
            progress(min(start + _TEXTS_A_BATCH, len(every)), len(every))
    stacked = np.concatenate(vectors)
    return _nearest("meaning", stacked[: len(train)], stacked[len(train) :], alarms, seed)


def enough_words(text: str) -> bool:
    """Whether a text is long enough to be compared with those that are not its copies."""
    return len(words_of.words(text)) >= LEAST_WORDS


def _words(text: str) -> list[str]:
    return words_of.words(text)


def _words_and_pairs(text: str) -> list[str]:
    words = words_of.words(text)
    return [*words, *(f"{one} {two}" for one, two in pairwise(words))]


# -- similarities ----------------------------------------------------------------------------------
def _nearest(measure: str, train: Any, test: Any, alarms: float, seed: int) -> Nearest:
    import numpy as np

    rows = train.shape[0]
    some = splits.sample(rows, CALIBRATION, seed)
    drawn = np.arange(rows) if some is None else some
    own, _ = _largest(train[drawn], train, without=drawn)
    similarity, row = _largest(test, train)
    threshold, expected = _threshold(own, alarms)
    return Nearest(measure, similarity, row, own, max(threshold, FLOORS[measure]), expected)


def _threshold(own: np.ndarray, alarms: float) -> tuple[float, float]:
    """The similarity that a share of the training rows exceeds, and the share of innocent rows.

    Of m + 1 exchangeable similarities the last is above the r-th largest of the others with a
    probability of r / (m + 1) at most.
    """
    import numpy as np

    if not len(own):
        return 1.0, 0.0
    rank = max(1, int(alarms * (len(own) + 1)))
    return float(np.sort(own)[-rank]), rank / (len(own) + 1)


def _largest(
    queries: Any, among: Any, without: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The largest cosine of each query with a row, and that row.

    Args:
        queries: unit vectors, sparse or dense, shape (queries, columns).
        among: unit vectors, shape (rows, columns).
        without: the row of each query that does not count, being itself.
    """
    import numpy as np

    count, rows = queries.shape[0], among.shape[0]
    best, places = np.full(count, -1.0, np.float32), np.zeros(count, np.int64)
    if not rows or (without is not None and rows < 2):
        return best[:0] if without is not None else best, places
    turned = among.T.tocsr() if hasattr(among, "tocsr") else among.T
    step = max(1, _CELLS // rows)
    for start in range(0, count, step):
        product = queries[start : start + step] @ turned
        block = product.toarray() if hasattr(product, "toarray") else product
        at = np.arange(len(block))
        if without is not None:
            block[at, without[start : start + step]] = -1.0
        places[start : start + step] = block.argmax(axis=1)
        best[start : start + step] = block[at, places[start : start + step]]
    return best, places
