"""Columns are read whole: to iterate over one of a data set takes a hundred times as long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from toolkit import Source
from toolkit.plugins.lookup import find
from toolkit.preparation import preflight
from toolkit.preparation.prepare import prepare

TASKS = ("price-regression", "review-sentiment", "review-augmentation", "claim-report")
SLOW = ("embedding", "logistic")


@pytest.mark.parametrize("name", TASKS)
def test_no_column_is_read_row_by_row(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets.arrow_dataset import Column

    def by_row(self: Any) -> Iterator[Any]:
        raise AssertionError("write rows[column][:]")

    monkeypatch.setattr(Column, "__iter__", by_row)
    task = find(name)()
    prepared = prepare(task, Source(limit=130))
    train, test = prepared.splits["train"], prepared.splits["test"]
    task.load_state({**prepared.found, **task.fit(train)})
    preflight.check(task, prepared)
    systems = {**task.baselines(), **task.controls()}
    for name, fit in systems.items():
        if not any(slow in name for slow in SLOW):
            assert len(fit(train)(test)) == len(test), name
