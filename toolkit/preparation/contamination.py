"""Contamination: rows of a test set that stand in a training set, as they are or nearly.

A model that was trained on rows of its test set is measured by what it remembers.
:func:`contamination` looks for such rows as they are, in other writing (case, blanks, punctuation,
Unicode forms) and in other words. What share of the training rows has such a copy among the other
training rows is given beside each: texts that people write again and again ("Love it!") are no
leaks. That a target stands in its own text is another fault, see
:mod:`toolkit.preparation.leakage`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from toolkit import formatting
from toolkit.data import splits
from toolkit.data.normalization import word_key
from toolkit.preparation import near_copies
from toolkit.preparation.near_copies import Encode, Nearest, Progress

if TYPE_CHECKING:
    import numpy as np

Kind = Literal["exact", "normalized", "near"]
KINDS: Final[dict[Kind, str]] = {
    "exact": "as they are",
    "normalized": "but for case, blanks, punctuation or Unicode forms",
    "near": "in nearly the same words",
}
ALARMS: Final = 0.02
"""The share of innocent rows that may be called near copies, over all measures together."""
MOST_EMBEDDED: Final = 20_000
"""At most so many training rows are embedded; the others are compared by words alone."""
BLURRED: Final = 0.8
"""A threshold by words from which on a reworded row is not told from one of the same template."""
SHOWN: Final = 3
LONGEST_SHOWN: Final = 80

__all__ = ["ALARMS", "KINDS", "MOST_EMBEDDED", "Contamination", "Copy", "contamination"]


@dataclass(frozen=True)
class Copy:
    """A test row that stands in the training set.

    Args:
        kind: how it stands there, a key of :data:`KINDS`.
        test_row: its number.
        train_row: the number of the training row, the first of several with the same text.
        similarity: 1 for copies; the cosine by ``measure`` for near copies.
        measure: ``text``, ``words``, ``word pairs`` or ``meaning``.
        test_text: its text.
        train_text: the text of the training row.
    """

    kind: Kind
    test_row: Any
    train_row: Any
    similarity: float
    measure: str
    test_text: str
    train_text: str


@dataclass(frozen=True)
class Measure:
    """What was found by one measure of nearness.

    Args:
        name: ``words``, ``word pairs`` or ``meaning``.
        threshold: the cosine above which a row is a near copy.
        floor: the least threshold.
        expected: the share of innocent rows that are above it by chance, at most.
        found: test rows above the threshold that are no copies otherwise.
        similar: the share of compared test rows above the floor.
        similar_in_train: the same share of training rows among each other.
        compared: test rows that were compared.
        calibrated_on: training rows that the threshold is from.
    """

    name: str
    threshold: float
    floor: float
    expected: float
    found: int
    similar: float
    similar_in_train: float
    compared: int
    calibrated_on: int

    @property
    def blurred(self) -> bool:
        """Whether the training rows are so much alike that rewording cannot be told."""
        return self.name != "meaning" and self.threshold >= BLURRED

    @property
    def excess(self) -> bool:
        """Whether clearly more test rows than training rows have a similar training row."""
        if not self.compared or not self.calibrated_on:
            return False
        pooled = self.similar * self.compared + self.similar_in_train * self.calibrated_on
        share = pooled / (self.compared + self.calibrated_on)
        spread = math.sqrt(share * (1 - share) * (1 / self.compared + 1 / self.calibrated_on))
        return self.similar - self.similar_in_train > max(0.01, 3 * spread)


@dataclass(frozen=True)
class Contamination:
    """What :func:`contamination` found; each test row counts once, as the closest kind.

    Args:
        test_rows: test rows that were looked for.
        train_rows: training rows that they were looked for in.
        exact: rows whose text stands in the training set as it is.
        normalized: rows whose text does but for case, blanks, punctuation or Unicode forms.
        near: rows whose text does in nearly the same words.
        ordinary: kind → the share of training rows with such a copy among the other ones; of near
            copies the share that is expected of innocent rows.
        measures: what was found by each measure of nearness; empty where none was used.
        notes: limits of the search, as sentences.
    """

    test_rows: int
    train_rows: int
    exact: tuple[Copy, ...]
    normalized: tuple[Copy, ...]
    near: tuple[Copy, ...]
    ordinary: dict[Kind, float]
    measures: tuple[Measure, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def copies(self) -> tuple[Copy, ...]:
        """All copies, the closest kinds first."""
        return (*self.exact, *self.normalized, *self.near)

    @property
    def share(self) -> float:
        """The share of test rows that stand in the training set, near copies included."""
        return len(self.copies) / self.test_rows if self.test_rows else 0.0

    def sentences(self) -> list[str]:
        """What was found, for a report or a terminal: the kinds, the thresholds and the limits."""
        found = [_sentence(self, kind) for kind in KINDS if getattr(self, kind)]
        if not found:
            found = [
                f"none of the {formatting.count(self.test_rows, 'test row')} was found among the "
                f"{formatting.count(self.train_rows, 'training row')}"
            ]
        found += [_how(measure) for measure in self.measures]
        found += filter(None, map(_limit, self.measures))
        return [*found, *self.notes]

    def document(self) -> dict[str, Any]:
        """The findings as plain values for JSON."""
        return {**asdict(self), "share": self.share, "sentences": self.sentences()}


def contamination(
    train: Sequence[str],
    test: Sequence[str],
    *,
    train_numbers: Sequence[Any] | None = None,
    test_numbers: Sequence[Any] | None = None,
    near: bool = True,
    encode: Encode | None = None,
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
        measures = search.by_words(each, seed)
        if encode is not None:
            more, notes = search.by_meaning(encode, most_embedded, each, seed, progress)
            measures = (*measures, *more)
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

    def by_words(self, alarms: float, seed: int) -> tuple[Measure, ...]:
        """Find near copies by words and by pairs of words; the row of either is a copy."""
        places, left = self._comparable()
        if not places or not left:
            return ()
        train, test = [self.train_keys[i] for i in places], [self.test_keys[i] for i in left]
        searches = near_copies.by_words(train, test, alarms, seed)
        return tuple(self._take(nearest, places, left) for nearest in searches)

    def by_meaning(
        self, encode: Encode, most: int, alarms: float, seed: int, progress: Progress | None
    ) -> tuple[tuple[Measure, ...], tuple[str, ...]]:
        """Find near copies by embeddings; also a note on training rows that are left out."""
        places, left = self._comparable()
        if not places or not left:
            return (), ()
        drawn = splits.sample(len(places), most, seed)
        some = places if drawn is None else [places[i] for i in drawn.tolist()]
        nearest = near_copies.by_meaning(
            [self.train[i] for i in some], [self.test[i] for i in left], encode, alarms, seed,
            progress,
        )  # fmt: skip
        note = (
            f"{len(some):,} of {len(places):,} training rows were embedded, drawn at random: "
            "copies of the others are found by their words alone"
        )
        return (self._take(nearest, some, left),), () if drawn is None else (note,)

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


# -- sentences -------------------------------------------------------------------------------------
def _sentence(found: Contamination, kind: Kind) -> str:
    """How many rows are copies of a kind, which ones, and what is ordinary."""
    copies: tuple[Copy, ...] = getattr(found, kind)
    chance = found.ordinary[kind]
    usual = (
        f"of innocent rows at most {chance:.1%} by chance"
        if kind == "near"
        else f"as {chance:.1%} of the training rows do a second time"
    )
    shown = sorted(copies, key=lambda copy: -copy.similarity)[:SHOWN]
    examples = "; ".join(map(_example, shown)) + ("; …" if len(copies) > SHOWN else "")
    stand = "stands" if len(copies) == 1 else "stand"
    return (
        f"{len(copies):,} of {formatting.count(found.test_rows, 'test row')} "
        f"({len(copies) / found.test_rows:.1%}) {stand} in the training set {KINDS[kind]} "
        f"({usual}): {examples}"
    )


def _example(copy: Copy) -> str:
    ours, theirs = (
        formatting.clipped(" ".join(text.split()), LONGEST_SHOWN)
        for text in (copy.test_text, copy.train_text)
    )
    rows = f"test row {copy.test_row} is training row {copy.train_row}"
    if copy.kind == "exact":
        return f"{rows}, {ours!r}"
    if copy.kind == "normalized":
        return f"{rows}, {ours!r} for {theirs!r}"
    return f"{rows} ({copy.similarity:.2f} by {copy.measure}), {ours!r} for {theirs!r}"


def _how(measure: Measure) -> str:
    return (
        f"near copies by {measure.name} have a similarity above {measure.threshold:.2f}, which at "
        f"most {measure.expected:.1%} of the training rows have among each other "
        f"({measure.calibrated_on:,} were looked at)"
    )


def _limit(measure: Measure) -> str | None:
    """What one measure cannot tell, and what it shows of the set as a whole."""
    shares = (
        f"{measure.similar:.0%} of the test rows, and {measure.similar_in_train:.0%} of the "
        f"training rows among each other, have a similarity above {measure.floor:g} by "
        f"{measure.name}"
    )
    if measure.excess:
        return f"{shares}: some are leaks that cannot be told one by one"
    if measure.blurred:
        return f"{shares}: rewording cannot be told from what these rows have in common"
    return None
