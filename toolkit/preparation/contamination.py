"""Contamination: rows of a test set that stand in a training set, as they are or nearly.

A model that was trained on rows of its test set is measured by what it remembers.
:func:`contamination` looks for such rows as they are, in other writing (case, blanks, punctuation,
Unicode forms) and in other words. What share of the training rows has such a copy among the other
training rows is given beside each: texts that people write again and again ("Love it!") are no
leaks. That a target stands in its own text is another fault, see
:mod:`toolkit.preparation.leakage`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from toolkit.data import splits
from toolkit.data.normalization import word_key
from toolkit.preparation import near_copies
from toolkit.preparation.copies import KINDS, Contamination, Copy, Kind, Measure
from toolkit.preparation.near_copies import Encode, Nearest, Progress

if TYPE_CHECKING:
    import numpy as np

ALARMS: Final = 0.02
"""The share of innocent rows that may be called near copies, over all measures together."""
MOST_TRAIN: Final = 50_000
MOST_TEST: Final = 5_000
"""At most so many training and test rows are compared by words, which takes 22 seconds of one CPU
core and 0.6 GB; of the others, copies in the same words are found."""
MOST_EMBEDDED: Final = 20_000
"""At most so many training rows are embedded; the others are compared by words alone."""

__all__ = ["ALARMS", "KINDS", "MOST_EMBEDDED", "Contamination", "Copy", "contamination"]


def contamination(
    train: Sequence[str],
    test: Sequence[str],
    *,
    train_numbers: Sequence[Any] | None = None,
    test_numbers: Sequence[Any] | None = None,
    near: bool = True,
    encode: Encode | None = None,
    most_train: int = MOST_TRAIN,
    most_test: int = MOST_TEST,
    most_embedded: int = MOST_EMBEDDED,
    alarms: float = ALARMS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Contamination:
    """Look for the rows of a test set in a training set.

    Args:
        train: the text of each training row, such as ``examined.text_of(task, row)``.
        test: the text of each test row, in the same form.
        train_numbers: the number of each training row in its file; by default its place from 0.
        test_numbers: the number of each test row.
        near: whether rows in nearly the same words are looked for too.
        encode: a sentence encoder, as ``models.sentence_encoder.sentence_vectors`` gives it: rows
            of nearly the same meaning are looked for too. On a CPU that takes a minute for some
            thousand texts.
        most_train: at most so many training rows are compared by words, drawn at random.
        most_test: at most so many test rows are.
        most_embedded: at most so many training rows are embedded, drawn at random.
        alarms: the share of innocent rows that may be called near copies, from above 0 to 0.5.
        seed: of what is drawn at random.
        progress: called with the number of texts that are embedded, and of all.

    Raises:
        ValueError: ``alarms`` is out of its range.
    """
    if not 0 < alarms <= 0.5:
        raise ValueError(f"alarms is {alarms}, but must be above 0 and at most 0.5")
    search = _Search(train, test, train_numbers, test_numbers)
    ordinary = search.copies()
    measures: tuple[Measure, ...] = ()
    notes: tuple[str, ...] = ()
    if near:
        each = alarms / (2 if encode is None else 3)
        measures, notes = search.by_words(most_train, most_test, each, seed)
        if encode is not None:
            more, others = search.by_meaning(encode, most_embedded, each, seed, progress)
            measures, notes = (*measures, *more), (*notes, *others)
        ordinary["near"] = sum(measure.expected for measure in measures)
    exact, normalized, nearly = map(search.of_kind, KINDS)
    return Contamination(
        len(test), len(train), exact, normalized, nearly, ordinary, measures, notes
    )  # fmt: skip


class _Search:
    """The copies that are found so far; later searches leave out the rows of earlier ones."""

    def __init__(
        self,
        train: Sequence[str],
        test: Sequence[str],
        train_numbers: Sequence[Any] | None,
        test_numbers: Sequence[Any] | None,
    ) -> None:
        self.train, self.test = train, test
        self.train_keys, self.test_keys = ([word_key(text) for text in t] for t in (train, test))
        self.train_numbers = train_numbers if train_numbers is not None else range(len(train))
        self.test_numbers = test_numbers if test_numbers is not None else range(len(test))
        self.found: dict[int, Copy] = {}

    def of_kind(self, kind: Kind) -> tuple[Copy, ...]:
        """The copies of a kind, in the order of the test rows."""
        return tuple(self.found[at] for at in sorted(self.found) if self.found[at].kind == kind)

    def copies(self) -> dict[Kind, float]:
        """Find exact and normalized copies; returns the share of training rows that have one."""
        exact = self._equal("exact", self.train, self.test)
        either = self._equal("normalized", self.train_keys, self.test_keys)
        return {"exact": exact, "normalized": max(0.0, either - exact)}

    def _equal(self, kind: Kind, theirs: Sequence[str], ours: Sequence[str]) -> float:
        first = _first_places(theirs)
        for at, text in enumerate(ours):
            if text.strip() and text in first:
                self._add(kind, at, first[text], 1.0, "text")
        return _repeated(theirs)

    def by_words(
        self, most_train: int, most_test: int, alarms: float, seed: int
    ) -> tuple[tuple[Measure, ...], tuple[str, ...]]:
        """Find near copies by words and by pairs of words; the row of either is a copy.

        Returns:
            What was found by each measure, and a note on rows that were not compared.
        """
        every, rest = self._comparable()
        if not every or not rest:
            return (), ()
        places, left = _some(every, most_train, seed), _some(rest, most_test, seed)
        train, test = [self.train_keys[i] for i in places], [self.test_keys[i] for i in left]
        searches = near_copies.by_words(train, test, alarms, seed)
        note = (
            f"{len(left):,} of {len(rest):,} test rows were compared with {len(places):,} of "
            f"{len(every):,} training rows by words, drawn at random: of the others only copies in "
            "the same words are found"
        )
        fewer = len(places) < len(every) or len(left) < len(rest)
        return (
            tuple(self._take(nearest, places, left) for nearest in searches),
            (note,) if fewer else (),
        )

    def by_meaning(
        self, encode: Encode, most: int, alarms: float, seed: int, progress: Progress | None
    ) -> tuple[tuple[Measure, ...], tuple[str, ...]]:
        """Find near copies by embeddings; also a note on training rows that are left out."""
        places, left = self._comparable()
        if not places or not left:
            return (), ()
        some = _some(places, most, seed)
        nearest = near_copies.by_meaning(
            [self.train[i] for i in some], [self.test[i] for i in left], encode, alarms, seed,
            progress,
        )  # fmt: skip
        note = (
            f"{len(some):,} of {len(places):,} training rows were embedded, drawn at random: "
            "copies of the others are found by their words alone"
        )
        return (self._take(nearest, some, left),), (note,) if len(some) < len(places) else ()

    def _comparable(self) -> tuple[list[int], list[int]]:
        """The different training rows, and the test rows that are no copies yet."""
        places = _first_places(self.train_keys)
        return (
            [place for key, place in places.items() if near_copies.enough_words(key)],
            [
                at
                for at, key in enumerate(self.test_keys)
                if at not in self.found and near_copies.enough_words(key)
            ],
        )

    def _take(self, nearest: Nearest, places: Sequence[int], left: Sequence[int]) -> Measure:
        """Keep the near copies of one measure."""
        before = len(self.found)
        for i in nearest.copies.nonzero()[0].tolist():
            place, similarity = places[int(nearest.row[i])], float(nearest.similarity[i])
            self._add("near", left[i], place, similarity, nearest.measure)
        return Measure(
            name=nearest.measure,
            threshold=nearest.threshold,
            floor=nearest.floor,
            expected=nearest.expected,
            found=len(self.found) - before,
            similar=_share(nearest.similarity > nearest.floor),
            similar_in_train=_share(nearest.own > nearest.floor),
            compared=len(nearest.similarity),
            calibrated_on=len(nearest.own),
        )

    def _add(self, kind: Kind, at: int, place: int, similarity: float, measure: str) -> None:
        if at not in self.found:
            self.found[at] = Copy(
                kind, self.test_numbers[at], self.train_numbers[place], similarity, measure,
                self.test[at], self.train[place],
            )  # fmt: skip


def _some(places: Sequence[int], most: int, seed: int) -> Sequence[int]:
    """At most so many of the places, drawn at random."""
    drawn = splits.sample(len(places), most, seed)
    return places if drawn is None else [places[i] for i in drawn.tolist()]


def _first_places(texts: Sequence[str]) -> dict[str, int]:
    """Each text → its first place."""
    found: dict[str, int] = {}
    for place, text in enumerate(texts):
        found.setdefault(text, place)
    return found


def _repeated(texts: Sequence[str]) -> float:
    """The share of texts that occur elsewhere too."""
    counts = Counter(texts)
    several = sum(n for text, n in counts.items() if n > 1 and text.strip())
    return several / len(texts) if texts else 0.0


def _share(flags: np.ndarray) -> float:
    return float(flags.mean()) if len(flags) else 0.0
