"""Where a run fails: its held-out rows in an order, from the stored predictions alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit import Metric, Row, Task, formatting
from toolkit.errors import RunError, UsageError
from toolkit.metrics import TOKEN_F1
from toolkit.reporting import context, examples
from toolkit.runs import Run
from toolkit.runs.predictions import System
from toolkit_playground.state.answers import answer_text
from toolkit_playground.state.library import PREDICTIONS_KEPT, Library

PAGE = 20
"""Rows that are sent to the browser at once."""
SPLITS = ("test", "challenge", "validation", "calibration")
"""The splits that a system has answered, in the order in which they are offered."""
ALL = ""
"""The part that is every row."""
MOST_COMPARED = 4_000
"""Characters of an answer that count when two texts are compared word by word."""

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Order:
    """One way to sort rows, the worst first.

    Args:
        key: its name in the page.
        label: what people read.
        other: the system that the trained one is compared with; ``None``: with the truth.
        lost: by how much the other is nearer the truth, and not by how much the two differ.
    """

    key: str
    label: str
    other: str | None = None
    lost: bool = False


@dataclass(frozen=True)
class Failure:
    """One row with what the systems answered.

    Args:
        row_id: its number.
        rank: its place in the order, from 1.
        distance: how far it is from what the order compares with: an error or a difference in the
            metric's unit, or the share of words that two texts do not have in common.
        values: what the metric says of each system; ``None``: nothing.
        lines: each system's prediction line.
        row: its columns; ``None`` where the run does not keep them.
    """

    row_id: int
    rank: int
    distance: float
    values: Mapping[str, float | None]
    lines: Mapping[str, Line]
    row: Row | None


@dataclass(frozen=True)
class Page:
    """A page of rows.

    Args:
        failures: the rows.
        number: which page it is, from 1.
        pages: how many there are.
        rows: how many rows the order has.
        amiss: in how many of them the distance is above 0; ``None``: a score without a best value
            says nothing of that.
        order: the order.
    """

    failures: Sequence[Failure]
    number: int
    pages: int
    rows: int
    amiss: int | None
    order: Order


class Failures:
    """The rows of a run that its systems have answered, and the orders that they can be put in.

    Args:
        run: a scored run.
        task: its task.
        systems: its systems.
        document: its ``metrics.json``.

    Raises:
        UsageError: nothing was trained, or no metric has a number for each row.
    """

    def __init__(
        self, run: Run, task: Task, systems: Sequence[System], document: Mapping[str, Any]
    ) -> None:
        self.run, self.task, self.document = run, task, document
        self.by_name = {system.name: system for system in systems}
        name = context.trained(document)
        if name is None or name not in self.by_name:
            raise UsageError(f"run {run.id} has trained nothing, so there is nothing that fails")
        self.trained = name
        found = examples.ranking(document, self.by_name[name].rows())
        if found is None:
            raise UsageError(
                f"no metric of {task.name} has a number for each row, so rows cannot be sorted"
            )
        self.metric: Metric = task.metric(found["name"])
        self.base = self._answered(context.base(document))
        self.baseline = self._answered(context.named_baseline(document))
        self._sorted: dict[tuple[str, str, str], list[tuple[float, int]]] = {}

    def _answered(self, name: str | None) -> str | None:
        return name if name in self.by_name and name != self.trained else None

    @property
    def shown(self) -> list[str]:
        """The systems whose answers stand with each row: trained, base, baseline."""
        return [name for name in (self.trained, self.base, self.baseline) if name]

    @property
    def splits(self) -> list[str]:
        """The splits with rows that the trained system has answered."""
        there = self.by_name[self.trained].splits
        return [name for name in SPLITS if there.get(name)]

    @property
    def orders(self) -> list[Order]:
        """All orders that this run's systems allow."""
        found = [Order("error", f"Error of {self._said(self.trained)}")]
        for key, name in (("base", self.base), ("baseline", self.baseline)):
            if name is not None:
                both = f"{self._said(self.trained)} and {self._said(name)}"
                found.append(Order(key, f"Disagreement of {both}", name))
        for key, name in (("base", self.base), ("baseline", self.baseline)):
            if name is not None:
                label = f"Where {self._said(name)} is nearer than {self._said(self.trained)}"
                found.append(Order(f"lost-{key}", label, name, lost=True))
        return found

    def _said(self, name: str) -> str:
        return name if name == self.baseline else f"the {name}"

    def order(self, key: str | None) -> Order:
        """An order by its key; the first where there is none of that key."""
        return next((order for order in self.orders if order.key == key), self.orders[0])

    def parts(self, split: str) -> list[tuple[str, str]]:
        """The parts of the slices as label and key, those with the worst figures first."""
        counts: dict[tuple[str, str], int] = {}
        for line in self.by_name[self.trained].rows(split):
            for name, part in (line.get("slices") or {}).items():
                if part is not None:
                    counts[name, str(part)] = counts.get((name, str(part)), 0) + 1
        sign = 1 if self.document_metric["greater_is_better"] else -1

        def place(item: tuple[tuple[str, str], int]) -> tuple[str, bool, float, str]:
            (name, part), _ = item
            value = self._figure(name, part)
            return name, value is None, sign * (value or 0.0), part

        rows = formatting.count(len(self.by_name[self.trained].rows(split)), "row")
        found = [(f"All rows · {rows}", ALL)]
        for (name, part), count in sorted(counts.items(), key=place):
            figure, value = "", self._figure(name, part)
            if value is not None and split == "test":
                metric = self.document_metric
                shown = formatting.figure(value, metric["format"], metric["unit"])
                figure = f" · {formatting.in_sentence(metric['label'])} {shown}"
            label = f"{name}: {part} · {formatting.count(count, 'row')}{figure}"
            found.append((label, _key(name, part)))
        return found

    @property
    def document_metric(self) -> Mapping[str, Any]:
        """The primary metric, whose figures the slices have."""
        return context.described(self.document)

    def _figure(self, name: str, part: str) -> float | None:
        systems = self.document["slices"].get(name, {}).get(part, {}).get("systems", {})
        value = systems.get(self.trained, {}).get("value")
        return None if value is None else float(value)

    # -- an order ----------------------------------------------------------------------------------
    def page(
        self, library: Library, order: Order, split: str, part: str = ALL, number: int = 1
    ) -> Page:  # fmt: skip
        """A page of the rows in an order; a number that is too high gives the last page."""
        found = self._in_order(order, split, part)
        pages = max(1, -(-len(found) // PAGE))
        number = min(max(1, number), pages)
        start = (number - 1) * PAGE
        chosen = found[start : start + PAGE]
        texts = _texts(library, self.run, split, {row_id for _, row_id in chosen})
        failures = [
            self._failure(split, row_id, rank, distance, texts.get(row_id))
            for rank, (distance, row_id) in enumerate(chosen, start=start + 1)
        ]
        amiss: int | None = sum(distance > 0 for distance, _ in found)
        if order.other is None and any(distance < 0 for distance, _ in found):
            amiss = None
        return Page(failures, number, pages, len(found), amiss, order)

    def _failure(
        self, split: str, row_id: int, rank: int, distance: float, row: Row | None
    ) -> Failure:
        lines = {
            name: line
            for name in self.shown
            if (line := self.by_name[name].splits.get(split, {}).get(row_id)) is not None
        }
        values = {name: self._value(line) for name, line in lines.items()}
        return Failure(row_id, rank, distance, values, lines, row)

    def _in_order(self, order: Order, split: str, part: str) -> list[tuple[float, int]]:
        """Distance and number of each row, the largest distance first."""
        key = (order.key, split, part)
        if key not in self._sorted:
            distance = self._distance(order, split)
            found = []
            for row_id, line in self.by_name[self.trained].splits.get(split, {}).items():
                if part != ALL and part not in _keys(line):
                    continue
                away = distance(row_id, line)
                if away is not None:
                    found.append((away, self._badness(line) or 0.0, row_id))
            found.sort(key=lambda one: (-one[0], -one[1], one[2]))
            self._sorted[key] = [(away, row_id) for away, _, row_id in found]
        return self._sorted[key]

    def _distance(self, order: Order, split: str) -> Callable[[int, Line], float | None]:
        if order.other is None:
            return lambda row_id, line: self._badness(line)
        others = self.by_name[order.other].splits.get(split, {})
        classes = self.document.get("confusion") is not None

        def differing(row_id: int, line: Line) -> float | None:
            other = others.get(row_id)
            if other is None:
                return None
            return distance(line["prediction"], other["prediction"], classes=classes)

        def lost(row_id: int, line: Line) -> float | None:
            ours, theirs = self._badness(line), self._badness(others.get(row_id))
            return None if ours is None or theirs is None else ours - theirs

        return lost if order.lost else differing

    def _value(self, line: Line | None) -> float | None:
        found = None if line is None else line["metrics"].get(self.metric.name)
        return float(found) if found is not None and formatting.is_number(found) else None

    def _badness(self, line: Line | None) -> float | None:
        """How bad a row's answer is: its error, or what its score lacks of the best one's."""
        value = self._value(line)
        if value is None or not self.metric.greater_is_better:
            return value
        return 1 - value if 0 <= value <= 1 else -value


def distance(one: Any, other: Any, *, classes: bool = False) -> float:
    """How far two predictions are apart.

    Args:
        one, other: predictions of any task.
        classes: they are classes, which are the same or not.

    Returns:
        between numbers their difference; between lists the share of the entries that only one of
        them has; between texts 1 less the F1 of their words, as SQuAD counts words (0 where only
        punctuation or capitals differ).
    """
    if formatting.is_number(one) and formatting.is_number(other):
        return abs(float(one) - float(other))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        ours, theirs = {answer_text(v) for v in one}, {answer_text(v) for v in other}
        return len(ours ^ theirs) / max(1, len(ours | theirs))
    a, b = answer_text(one), answer_text(other)
    if a == b:
        return 0.0
    if classes:
        return 1.0
    shared = TOKEN_F1.per_example(a[:MOST_COMPARED], b[:MOST_COMPARED])
    return 1 - shared if isinstance(shared, float) else 1.0


def measured_in_words(one: Any, other: Any) -> bool:
    """Whether :func:`distance` counts the words of two predictions."""
    numbers = formatting.is_number(one) and formatting.is_number(other)
    return not numbers and not (isinstance(one, list) and isinstance(other, list))


def _key(name: str, part: str) -> str:
    return f"{name}\x1f{part}"


def _keys(line: Line) -> list[str]:
    return [_key(name, str(part)) for name, part in (line.get("slices") or {}).items()]


def _texts(library: Library, run: Run, split: str, wanted: set[int]) -> dict[int, Row]:
    return {
        int(row["row_id"]): row
        for row in library.held_out(run, split)
        if int(row["row_id"]) in wanted
    }


class Kept:
    """The :class:`Failures` of the runs that were looked at last, so that rows are sorted once."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[Sequence[System], Failures]] = {}

    def of(self, library: Library, run: Run, task: Task) -> Failures:
        """What a run's predictions tell of where it fails.

        Raises:
            RunError: the run has not been scored yet.
            UsageError: see :class:`Failures`.
        """
        systems, document = library.systems(run), library.metrics(run)
        if not systems or document is None:
            raise RunError(f"run {run.id} has no scored predictions yet")
        before = self._found.get(run.id)
        if before is None or before[0] is not systems or before[1].document != document:
            while len(self._found) >= PREDICTIONS_KEPT:
                self._found.pop(next(iter(self._found)))
            before = self._found[run.id] = (systems, Failures(run, task, systems, document))
        return before[1]


def held_out_row(library: Library, run: Run, split: str, row_id: int) -> Row:
    """A held-out row by its split and number; raises :class:`UsageError` where it is not kept."""
    found = _texts(library, run, split, {row_id}).get(row_id)
    if found is None:
        raise UsageError(f"run {run.id} keeps no {split} row {row_id}, so it cannot be opened")
    return found
