"""What a language model's chat template makes of a task's rows, before and after training."""

from __future__ import annotations

import datetime
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.data import tables
from toolkit.errors import ModelError
from toolkit.kinds.language.conversation import refusal, sentences
from toolkit.kinds.language.prompt import IGNORED, Renderer
from toolkit.kinds.language.task import LanguageTask
from toolkit.kinds.language.variants import VariantModel
from toolkit.task import Row

if TYPE_CHECKING:
    from datasets import Dataset

LONGEST_ROWS = 50
"""Rows, the longest ones, whose tokens with a loss are counted."""
DATE = "template_date"
"""The key of the task's state that holds the date which the template is told."""


class ChatModel(VariantModel):
    """The part of :class:`toolkit.kinds.language.model.LanguageModel` that asks chat templates.

    Some templates write the date of today. It is fixed when a run begins, as part of the task's
    state, so that an adapter reads the same prompts on every later day.
    """

    task: LanguageTask
    renderer: Renderer

    @abstractmethod
    def example(self, row: Row) -> dict[str, Any]:
        """The task's example of a row, as it becomes a prompt."""

    # -- rows --------------------------------------------------------------------------------------
    def unusable(self, rows: Dataset) -> Mapping[str, Sequence[int]]:
        found: dict[str, list[int]] = {}
        if type(self.task).conversation is LanguageTask.conversation:
            return found
        for row in tables.rows(rows):
            talk = self.task.conversation(row)
            if not talk:
                continue
            reason = refusal(self.renderer.chat, talk["messages"], talk.get("tools") or ())
            if reason is not None:
                found.setdefault(reason, []).append(int(row["row_id"]))
        return found

    def most_learned(self, rows: Dataset, lengths: Mapping[str, np.ndarray]) -> int:
        if not self._converses(rows):
            return 0
        longest = np.argsort(lengths["prompt"], kind="stable")[-LONGEST_ROWS:]
        found = [self.renderer.example(self.example(dict(rows[int(at)])))[1] for at in longest]
        return max(sum(label != IGNORED for label in labels) for labels in found)

    def notes(self, rows: Dataset) -> list[str]:
        if not self._converses(rows):
            return []
        return sentences(self.renderer.chat, self._conversations(rows))

    def _conversations(self, rows: Dataset) -> Iterator[list[Mapping[str, Any]]]:
        for row in tables.rows(rows):
            example = self.task.format_example(row)
            if not isinstance(example["prompt"], str):
                yield [*example["prompt"], *example["completion"]]

    def _converses(self, rows: Dataset) -> bool:
        """Whether the task's prompts are messages, which a template writes."""
        if not len(rows):
            return False
        example = self.task.format_example(dict(rows[0]))
        return not isinstance(example.get("prompt", ""), str)

    # -- the date ----------------------------------------------------------------------------------
    def fit_state(self, train: Dataset) -> dict[str, Any]:
        found = super().fit_state(train)
        if self._converses(train):
            found = {**found, DATE: self.renderer.chat.day.isoformat()}
        return found

    def tell_date(self, state: Mapping[str, Any], *, stored: bool = False) -> None:
        """Have the template told the date of a task's state, or of today.

        Args:
            state: the task's state.
            stored: whether it is that of an adapter: one without a date was made by an earlier
                version, and gets its prompts as that one wrote them.
        """
        day = state.get(DATE)
        if day:
            self.renderer.tell(datetime.date.fromisoformat(str(day)))
        else:
            self.renderer.tell(None, former=stored)

    def check_prompts(self, stored: Mapping[str, Any], folder: Path) -> None:
        with self.renderer.as_told():
            self.tell_date(stored.get("task_state") or {}, stored=True)
            prompts = self.canary_prompts(stored["canaries"])
            if self.renderer.digest(prompts) == stored["prompt_sha"]:
                return
        template = stored.get("chat_template")
        if template and template != self.tokenizer.chat_template:
            raise ModelError(
                f"the adapter in {folder} was trained with another chat template than the model "
                "has now; use the model's files that it was trained with, or train again"
            )
        raise ModelError(
            f"the adapter in {folder} was trained on another prompt than the task renders now; "
            "use the plugin version it was trained with, or train again"
        )
