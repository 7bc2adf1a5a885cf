"""Models that write text, as the playground and others use them that follow the writing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.kinds.base import TaskModel
from toolkit.kinds.language.outputs import Generated
from toolkit.kinds.language.prompt import Renderer
from toolkit.kinds.watching import Watch
from toolkit.task import Row


class TextModel(TaskModel):
    """A kind that writes text token by token, so that it can be followed and stopped.

    A *side* is the name of a loaded adapter, or :data:`~toolkit.kinds.base.BASE` for the model
    without one.
    """

    renderer: Renderer
    """Turns the kind's examples into tokens."""
    has_adapter: bool = False
    """Whether an adapter is on the base."""

    @property
    @abstractmethod
    def answer_room(self) -> int:
        """Tokens that an answer may have, the same in training and prediction."""

    @property
    @abstractmethod
    def positions(self) -> int | None:
        """Tokens that the model has room for, prompt and answer; ``None``: unknown."""

    @abstractmethod
    def answer_limit(self, row: Row) -> int:
        """The most new tokens of a row's answer, as in prediction."""

    @property
    def reads_text(self) -> bool:
        """Whether a prediction reads the text that can be followed, and nothing else.

        It does not where a beam search rates several texts, which nobody can follow.
        """
        return int(self.recipe.generation.get("num_beams", 1)) == 1

    @property
    def written(self) -> int:
        return self.answer_room

    @abstractmethod
    def prompt(self, row: Row) -> list[int]:
        """Token ids of a row's prompt, shape (tokens,)."""

    @abstractmethod
    def chat_prompt(self, messages: Sequence[Mapping[str, str]]) -> list[int] | None:
        """Token ids of a conversation by the model's chat template; ``None`` where it has none."""

    @abstractmethod
    def share_base(self, other: TextModel, folder: Path, name: str) -> None:
        """Put this task's adapter on the base that another task's model has in memory.

        Afterwards both write and predict on one base, each with its own adapter: who calls
        :meth:`predict` calls :meth:`select` before.

        Args:
            other: a model of the same kind and base, with its adapter loaded.
            folder: the folder of this task's adapter.
            name: the adapter's name on the shared base, without dots.

        Raises:
            UsageError: the models are of different kinds.
            ModelError: the adapter does not fit the base, or was trained on other prompts.
        """

    @abstractmethod
    def write_texts(
        self,
        prompts: Sequence[Sequence[int]],
        sides: Sequence[str],
        *,
        generation: Mapping[str, Any] | None = None,
        watch: Watch | None = None,
    ) -> list[Generated]:
        """Continue each prompt by its side, all in one mixed batch on the one base.

        Args:
            prompts: token ids, one list a prompt.
            sides: the side of each prompt.
            generation: fields of ``GenerationConfig`` over the recipe's.
            watch: follows the tokens, and may stop them.
        """
