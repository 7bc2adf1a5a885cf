"""A task written for version 1 of the contract works unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest
from datasets import Dataset, DatasetDict

from tiny_tasks import TinyPrices, price_rows
from toolkit.data.source import Source
from toolkit.plugins.contract.check import check
from toolkit.preparation.prepare import prepare


class Former(TinyPrices):
    """Everything under the names of version 1, with calls of what it inherits."""

    api_version = 1
    name = "former"
    options = {**TinyPrices.options, "loud": True}
    shortens = "text"

    def learn(self, train: Dataset) -> dict[str, Any]:
        return {**super().learn(train), "rows": len(train)}

    def adopt(self, facts: Mapping[str, Any]) -> None:
        super().adopt(facts)
        self.adopted = self.facts["rows"]

    def reworded(self, row: Mapping[str, Any], random: Random) -> Mapping[str, Any]:
        text = str(row["text"])
        return {
            **super().reworded(row, random),
            "text": text.upper() if self.settings["loud"] else text,
        }

    def choose(self, outputs: Sequence[Any], rows: Sequence[Any]) -> dict[str, Any]:
        return {**super().choose(outputs, rows), "n": len(rows)}

    def yardsticks(self) -> Mapping[str, Any]:
        return {**super().yardsticks(), "gold": lambda train: lambda rows: list(rows["price"])}

    def stages(self) -> Mapping[str, Any]:
        return super().stages()

    def load_rows(self, source: Source) -> DatasetDict:
        rows = price_rows()
        return DatasetDict(
            {
                "train": Dataset.from_list(rows[:60]),
                "stress": Dataset.from_list(
                    [{**row, "text": f"hard {row['text']}"} for row in rows[:3]]
                ),
            }
        )


def test_its_methods_and_attributes_are_found() -> None:
    task: Any = Former()
    train = Dataset.from_list(price_rows())
    state = task.fit(train)
    assert state["rows"] == len(train) and set(TinyPrices().fit(train)) < set(state)
    task.load_state(state)
    assert task.adopted == task.state["rows"] == task.facts["rows"]
    assert task.augment({"text": "oak"}, Random(0))["text"] == "OAK"
    task.options["loud"] = False
    assert task.settings is task.options
    assert task.augment({"text": "oak"}, Random(0))["text"] == "oak"
    assert task.tune([], [1, 2]) == {"n": 2}
    assert set(task.controls()) == {"gold"} and task.row_transforms() == {}
    assert task.truncate == "text"


def test_its_splits_are_read() -> None:
    prepared = prepare(Former(), Source())
    assert prepared.sizes["challenge"] == 3


def test_it_keeps_the_contract() -> None:
    results = {result.rule: result for result in check(Former(), Source())}
    assert results["registration"].passed and results["state"].passed


def test_a_task_of_today_has_no_former_attributes() -> None:
    with pytest.raises(AttributeError):
        TinyPrices().settings  # type: ignore[attr-defined]  # noqa: B018
