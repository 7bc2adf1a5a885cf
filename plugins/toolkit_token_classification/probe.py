"""What ``toolkit check`` expects of the examples of a task of this kind, and outputs for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit import Row
from toolkit.plugins import Broken, Probe
from toolkit_token_classification.outputs import Entity, Tagged
from toolkit_token_classification.task import TokenClassificationTask


class TokenProbe(Probe):
    """A text, and places in it with labels of the task."""

    task: TokenClassificationTask

    def check_example(self, example: Any) -> None:
        if not isinstance(example, Mapping) or sorted(example) != ["entities", "text"]:
            raise Broken("format_example must give the columns text and entities")
        text, entities = example["text"], example["entities"]
        if not isinstance(text, str) or not text.strip():
            raise Broken(f"format_example must give a text, not {text!r:.40}")
        for one in entities or ():
            if one["label"] not in self.task.labels:
                known = ", ".join(self.task.labels)
                raise Broken(f"the label {one['label']!r} is none of the labels {known}")
            if not 0 <= one["start"] < one["end"] <= len(text):
                raise Broken(f"the place {one['start']} to {one['end']} is outside of its text")

    def prompt(self, row: Row) -> Any:
        return self.task.format_example(row)["text"]

    def answer(self, row: Row) -> str:
        return self.perfect(row).text or "(no entity)"

    def perfect(self, row: Row) -> Tagged:
        example = self.task.format_example(row)
        found = (Entity(e["start"], e["end"], e["label"]) for e in example["entities"] or ())
        return Tagged(example["text"], tuple(found))

    def unreadable(self) -> Sequence[tuple[str, Any]]:
        return [("scores that are no numbers", Tagged("", readable=False))]
