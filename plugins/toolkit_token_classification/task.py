"""Tasks that find places in a text and give each a label, such as names, sums or part numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit import DataError, Panel, Recipe, Row, SequenceClassificationTask, Task
from toolkit.data import Source, Unusable, column_names, find_column, find_text, load_rows, map_rows
from toolkit_token_classification.outputs import Tagged

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit import Baseline, Predictor
    from toolkit_token_classification.baselines import Fit

(MINILM,) = SequenceClassificationTask.recipes
"""The recipe of tasks that name none."""
OUTSIDE = "O"
"""The tag of tokens that belong to no entity; B- and I- begin those of the first and others."""


class TokenClassificationTask(Task):
    """A task that finds places in a text and gives each a label.

    Rows have the text and a list ``{"start": int, "end": int, "label": str}`` (characters, the end
    exclusive), as lists in JSON or as JSON in the cell of a table; predictions and references have
    the place's ``text`` too. Texts longer than ``max_length`` are read in windows.
    """

    api_version = 2  # the kind is younger than version 1 of the contract
    kind: ClassVar[str] = "token-classification"
    columns: ClassVar[Mapping[str, str]] = {
        "text": "the text",
        "entities": "lists of start, end and label: the places in it",
    }
    answer = "entities"
    recipes: ClassVar[tuple[Recipe, ...]] = (MINILM,)
    classes: ClassVar[Sequence[str]] = ()
    """The labels; where empty, those of the training split, sorted."""
    panel = Panel({"text": "Text"})

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in their order."""
        return tuple(self.classes or self.state.get("labels", ()))

    @property
    def tags(self) -> tuple[str, ...]:
        """The classes of tokens, in the order of the logits."""
        return (OUTSIDE, *(f"{part}-{label}" for label in self.labels for part in "BI"))

    # -- rows --------------------------------------------------------------------------------------
    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        """The rows of the user's file or of :attr:`data`."""
        import pyarrow as pa

        entity = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("label", pa.string())])

        def convert(source: Source, dataset: Dataset) -> Dataset:
            answer = find_column(
                source, dataset, source.target,
                (str(self.answer), "entities", "spans", "labels", "label"), "target",
            )  # fmt: skip
            name = self.input_columns()[0]
            others = [column for column in column_names(dataset) if column != answer]
            shown = find_text(source, dataset.select_columns(["row_id", *others]), (name, "text"))
            source.use(shown.columns, answer)
            source.chosen = {"inputs": {name: shown.as_dict()}}

            def make(row: Mapping[str, Any]) -> dict[str, Any]:
                text = shown(row)
                if not text.strip():
                    raise Unusable(f"no {name}")
                return {name: text, str(self.answer): self._entities(row[answer], text)}

            types = {name: "string", str(self.answer): pa.list_(entity)}
            return map_rows(source, dataset, make, types)

        return load_rows(source, convert, self.own_data)

    def _entities(self, value: Any, text: str) -> list[dict[str, Any]]:
        """The entities of a cell, in the order of the text; raises :class:`Unusable`."""
        if isinstance(value, str):
            try:
                value = json.loads(value or "[]")
            except ValueError as error:
                raise Unusable("entities are no JSON") from error
        found = sorted(
            (self._entity(one, text) for one in value or ()), key=lambda one: one["start"]
        )
        if any(after["start"] < one["end"] for one, after in pairwise(found)):
            raise Unusable("entities that overlap")
        return found

    def _entity(self, value: Any, text: str) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not {"start", "end", "label"} <= value.keys():
            raise Unusable("an entity without start, end or label")
        try:
            start, end, label = int(value["start"]), int(value["end"]), str(value["label"])
        except (TypeError, ValueError) as error:
            raise Unusable("an entity whose place is no number") from error
        if not 0 <= start < end <= len(text):
            raise Unusable("an entity outside of its text")
        if value.get("text") not in (None, text[start:end]):
            raise Unusable("an entity whose text stands elsewhere")
        if self.classes and label not in self.classes:
            raise Unusable(f"a label that the task does not know ({label[:40]})")
        return {"start": start, "end": end, "label": label}

    def fit(self, train: Dataset) -> dict[str, Any]:
        """The labels, where the task does not name them; a ``fit`` of your own should call it."""
        if self.classes:
            return {}
        found = {one["label"] for row in train for one in row[str(self.answer)]}
        if not found:
            raise DataError(
                f"the {len(train):,} training rows have no entity: there is nothing to learn; "
                "choose another --target"
            )
        return {"labels": sorted(found)}

    def stratum(self, row: Row) -> Any | None:
        """The labels of the row, of which every split should have each."""
        return sorted({one["label"] for one in row[str(self.answer)]})

    # -- prompt and answer -------------------------------------------------------------------------
    def format_example(self, row: Row) -> dict[str, Any]:
        """The text and its entities; ``None`` where they are not known."""
        return {"text": row[self.input_columns()[0]], "entities": row.get(str(self.answer))}

    def reference(self, row: Row) -> list[dict[str, Any]]:
        text = str(row[self.input_columns()[0]])
        return [
            {
                "start": one["start"], "end": one["end"], "label": one["label"],
                "text": text[one["start"] : one["end"]],
            }
            for one in row[str(self.answer)]
        ]  # fmt: skip

    def postprocess(self, output: Tagged, row: Row) -> list[Mapping[str, Any]] | None:
        return output.predictions() if output.readable else None

    def fallback(self) -> list[Any]:
        """What an unreadable output counts as: no entity."""
        return []

    def panel_data(self, output: Tagged, row: Row) -> Mapping[str, Any]:
        """The text with a mark at each place, whose note is the label and its probability."""
        marks = [
            {
                "start": e.start,
                "end": e.end,
                "kind": "label",
                "note": f"{e.label} {e.probability:.0%}",
            }
            for e in output.entities
        ]  # fmt: skip
        return {"text": output.source, "marks": marks}

    def baselines(self) -> Mapping[str, Baseline]:
        """What training rows mark, marked wherever it stands; and words told by their features."""
        from toolkit_token_classification import baselines

        return {
            name: self._baseline(fit)
            for name, fit in (
                ("dictionary", baselines.dictionary), ("word-features", baselines.word_features),
            )
        }  # fmt: skip

    def _baseline(self, fit: Fit) -> Baseline:
        name = self.input_columns()[0]

        def fitted(train: Dataset) -> Predictor:
            marked = fit([str(row[name]) for row in train], [self.reference(row) for row in train])
            return lambda rows: [marked(str(text)) for text in rows[name][:]]

        return fitted
