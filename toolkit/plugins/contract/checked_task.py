"""What the rules work on: the task, its rows, and the results of earlier rules."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from toolkit.data.source import Source
from toolkit.plugins.contract.fake_outputs import Probe, probe_for
from toolkit.task import Row, Task

if TYPE_CHECKING:
    from datasets import Dataset

    from toolkit.preparation.prepare import Prepared
    from toolkit.task import Predictor

SAMPLE = 24
"""Rows of a split that the task's methods are called with."""
FIT_ROWS = 300
"""Training rows that baselines are fitted on."""


class Subject:
    """A task that is being checked.

    Args:
        task: the task; the rule ``state`` sets its state.
        source: the data. Loading changes a source (notes, rows left out), so each load gets a copy.
    """

    def __init__(self, task: Task, source: Source) -> None:
        self.task = task
        self._source = source
        self.fitted: dict[str, tuple[Predictor, list[Any]]] = {}
        """Baseline → its predictor and its predictions for :attr:`unseen`."""

    def source(self) -> Source:
        """A fresh copy of the source."""
        return Source.from_dict(self._source.as_dict())

    # -- rows ----------------------------------------------------------------------------------
    @cached_property
    def loaded(self) -> Any:
        """What ``load_rows`` returned."""
        return self.task.load_rows(self.source())

    @cached_property
    def parts(self) -> dict[str, Dataset]:
        """The loaded rows by split; ``train`` where the source has none of its own."""
        import datasets

        loaded = self.loaded
        return {"train": loaded} if isinstance(loaded, datasets.Dataset) else dict(loaded)

    def prepare(self) -> Prepared:
        """The splits, loaded and divided anew."""
        from toolkit.preparation.prepare import prepare

        return prepare(self.task, self.source())

    @cached_property
    def prepared(self) -> Prepared:
        return self.prepare()

    @cached_property
    def train_rows(self) -> list[Row]:
        """A few training rows."""
        return spread(self.prepared.splits["train"], SAMPLE)

    @cached_property
    def rows(self) -> list[Row]:
        """A few training and test rows."""
        return [*self.train_rows, *spread(self.prepared.splits["test"], SAMPLE)]

    @property
    def unseen(self) -> Dataset:
        """A few rows that no baseline was fitted on."""
        test = self.prepared.splits["test"]
        return test.select(range(min(SAMPLE, len(test))))

    @property
    def fit_rows(self) -> Dataset:
        """The training rows that baselines are fitted on."""
        train = self.prepared.splits["train"]
        return train.select(range(min(FIT_ROWS, len(train))))

    # -- answers -------------------------------------------------------------------------------
    @cached_property
    def probe(self) -> Probe:
        """What a perfect and an unreadable output of the task's kind look like."""
        return probe_for(self.task)

    @cached_property
    def right(self) -> list[tuple[Any, Any]]:
        """(prediction, reference) where the model answers every row perfectly."""
        return [
            (self.task.postprocess(self.probe.perfect(row), row), self.task.reference(row))
            for row in self.rows
        ]

    @property
    def wrong(self) -> list[tuple[Any, Any]]:
        """(prediction, reference) where the model gives every row another row's answer."""
        half = len(self.right) // 2
        predictions = [prediction for prediction, _ in self.right]
        return [
            (prediction, reference)
            for prediction, (_, reference) in zip(
                predictions[half:] + predictions[:half], self.right, strict=True
            )
        ]

    @cached_property
    def answer_columns(self) -> list[str]:
        """The columns that the reference depends on: it changes when their values do."""
        return [
            name
            for name in self.task.columns
            if any(
                self.task.reference(row) != self.task.reference(changed)
                for row, changed in self.swapped([name])
            )
        ]

    @property
    def hidden(self) -> list[str]:
        """The columns that no prompt and no baseline may read."""
        inputs: Mapping[str, str] = self.task.panel.inputs if self.task.panel else {}
        return [name for name in self.answer_columns if name not in inputs]

    def swapped(self, names: Sequence[str]) -> Iterator[tuple[Row, Row]]:
        """Pairs of a row and the same row with another row's values in those columns.

        Pairs for which the task's ``reference`` raises are left out.
        """
        for row, other in zip(self.rows, [*self.rows[1:], self.rows[0]], strict=True):
            changed = {**row, **{name: other[name] for name in names}}
            if changed != row:
                with contextlib.suppress(Exception):
                    self.task.reference(changed)
                    yield row, changed


def spread(rows: Dataset, most: int) -> list[Row]:
    """At most so many rows, evenly spaced."""
    from toolkit.data import tables

    step = max(1, len(rows) // most)
    return list(tables.rows(rows.select(range(0, len(rows), step)[:most])))
