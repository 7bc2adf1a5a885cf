"""Shared by both tasks: write one text for an input, scored against one or more references."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit import Baseline, Generated, Row, Source, Task
from toolkit.data import tables
from toolkit.metrics import texts
from toolkit_summarization import baselines, scoring

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

STRUCTURE_ROWS = 1_000
"""At most so many training rows decide whether the inputs are structured fields."""


class Written(Task):
    """Mixed into a language-model task with one input column, which the panel shows."""

    fields: ClassVar[bool] = False
    """Whether inputs are structured fields, so that faithfulness can be measured."""
    primary_metric: ClassVar[str] = "rougeL"
    margin: ClassVar[float] = 0.01
    perplexity: ClassVar[bool] = True

    # -- data ------------------------------------------------------------------------------------
    def built_in(self, source: Source) -> DatasetDict:
        """The generated rows, used if no data is named."""
        raise NotImplementedError

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        from toolkit_summarization import load

        scoring.require()  # before any training, not when the first text is scored
        return load.load_rows(self, source) if source.given else self.built_in(source)

    def load_inputs(self, source: Source) -> Dataset:
        from toolkit_summarization import load

        return load.load_inputs(self, source)

    def fit(self, train: Dataset) -> dict[str, Any]:
        from toolkit_summarization.delexicalising import structured

        column = self.input_columns()[0]
        few = train.select(range(0, len(train), len(train) // STRUCTURE_ROWS + 1))
        return {
            "bert_every": scoring.bert_every(len(train)),
            "structured": structured(row[column] for row in tables.rows(few, [column])),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        super().load_state(state)
        every = int(self.state.get("bert_every", 1))
        self.metrics = scoring.metrics(fields=self.fields, every=every)

    def augment(self, row: Row, random: Random) -> Row:
        return {str(self.answer): random.choice(row["references"])}

    # -- judging -----------------------------------------------------------------------------------
    def baselines(self) -> Mapping[str, Baseline]:
        structured = bool(self.state.get("structured", self.fields))
        return baselines.ladder(self.input_columns()[0], str(self.answer), structured=structured)

    # -- answer ------------------------------------------------------------------------------------
    def postprocess(self, output: Generated, row: Row) -> str | None:
        return read_text(output.text)

    def fallback(self) -> str:
        return ""

    def reference(self, row: Row) -> dict[str, Any]:
        return {"source": row[self.input_columns()[0]], "texts": list(row["references"])}

    def panel_data(self, output: Generated, row: Row) -> Mapping[str, Any]:
        from toolkit_summarization import marking

        return marking.panel(str(row[self.input_columns()[0]]), read_text(output.text) or "")


def read_text(text: str) -> str | None:
    """A model's output up to the first blank line, on one line; ``None`` if it is empty."""
    first = text.strip().split("\n\n")[0]
    return " ".join(first.split()) or None


def length_of(text: str) -> str:
    """The length of a text in words, as a range."""
    words = len(texts.spaced(text).split())
    for high in (40, 60, 120, 250, 500, 1_000):
        if words < high:
            return f"under {high:,} words"
    return "1,000 words and more"
