"""What a search for test rows in a training set has found, as values and as sentences.

:func:`toolkit.preparation.contamination.contamination` searches.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from toolkit import formatting

Kind = Literal["exact", "normalized", "near"]
KINDS: Final[dict[Kind, str]] = {
    "exact": "as they are",
    "normalized": "but for case, blanks, punctuation or Unicode forms",
    "near": "in nearly the same words",
}
BLURRED: Final = 0.8
"""A threshold by words from which on a reworded row is not told from one of the same template."""
SHOWN: Final = 3
LONGEST_SHOWN: Final = 80


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

    @property
    def beyond_chance(self) -> bool:
        """Whether there are copies, near ones alone in a number that chance does not explain."""
        if self.exact or self.normalized or any(measure.excess for measure in self.measures):
            return True
        share, rows = (
            self.ordinary.get("near", 0.0),
            max((m.compared for m in self.measures), default=0),
        )
        return len(self.near) > share * rows + 2 * math.sqrt(rows * share * (1 - share))

    def findings(self, *, quoted: bool = True) -> list[str]:
        """A sentence on each kind of copies, with some of the rows, or that there are none.

        Args:
            quoted: whether the texts of these rows are shown too.
        """
        return [_sentence(self, kind, quoted) for kind in KINDS if getattr(self, kind)] or [
            f"none of the {formatting.count(self.test_rows, 'test row')} was found among the "
            f"{formatting.count(self.train_rows, 'training row')}"
        ]

    def method(self) -> list[str]:
        """Sentences on the thresholds of near copies, and on what cannot be told."""
        limits = filter(None, map(_limit, self.measures))
        return [*map(_how, self.measures), *limits, *self.notes]

    def sentences(self) -> list[str]:
        """What was found, for a report or a terminal: the kinds, the thresholds and the limits."""
        return [*self.findings(), *self.method()]

    def document(self) -> dict[str, Any]:
        """The findings as plain values for JSON: numbers of rows, and none of their texts."""
        found = asdict(self)
        for kind in KINDS:
            found[kind] = [_numbers(copy) for copy in getattr(self, kind)]
        return {**found, "share": self.share, "beyond_chance": self.beyond_chance}


def _numbers(copy: Copy) -> dict[str, Any]:
    return {key: value for key, value in asdict(copy).items() if not key.endswith("_text")}


# -- sentences -------------------------------------------------------------------------------------
def _sentence(found: Contamination, kind: Kind, quoted: bool) -> str:
    """How many rows are copies of a kind, which ones, and what is ordinary."""
    copies: tuple[Copy, ...] = getattr(found, kind)
    chance = found.ordinary[kind]
    usual = (
        f"of innocent rows at most {chance:.1%} by chance"
        if kind == "near"
        else f"as {chance:.1%} of the training rows do a second time"
    )
    shown = sorted(copies, key=lambda copy: -copy.similarity)[:SHOWN]
    examples = "; ".join(_example(copy, quoted) for copy in shown)
    examples += "; …" if len(copies) > SHOWN else ""
    stand = "stands" if len(copies) == 1 else "stand"
    return (
        f"{len(copies):,} of {formatting.count(found.test_rows, 'test row')} "
        f"({len(copies) / found.test_rows:.1%}) {stand} in the training set {KINDS[kind]} "
        f"({usual}): {examples}"
    )


def _example(copy: Copy, quoted: bool) -> str:
    ours, theirs = (
        formatting.clipped(" ".join(text.split()), LONGEST_SHOWN)
        for text in (copy.test_text, copy.train_text)
    )
    rows = f"test row {copy.test_row} is training row {copy.train_row}"
    if copy.kind == "near":
        rows += f" ({copy.similarity:.2f} by {copy.measure})"
    if not quoted:
        return rows
    return f"{rows}, {ours!r}" + (f" for {theirs!r}" if copy.kind != "exact" else "")


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
