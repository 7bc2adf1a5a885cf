"""Several adapters on one base that write at the same time, for the playground and for serving.

PEFT can use another adapter, or none, for each row of a batch: one model in memory shows both sides
of a comparison in hardly more time than one.
"""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.errors import ModelError, UsageError
from toolkit.kinds.base import BASE, Watch
from toolkit.kinds.language.outputs import Generated
from toolkit.kinds.language.text_model import TextModel
from toolkit.models import adapters
from toolkit.runs.files import read_json
from toolkit.task import Row


class MultiAdapterModel(TextModel):
    """The part of :class:`toolkit.kinds.language.model.LanguageModel` that has several adapters."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.has_adapter = False

    # -- what a subclass defines -------------------------------------------------------------------
    @abstractmethod
    def example(self, row: Row) -> dict[str, Any]:
        """The task's example of a row, as it becomes a prompt."""

    @abstractmethod
    def check_prompts(self, stored: Mapping[str, Any], folder: Path) -> None:
        """Raise :class:`ModelError` where an adapter was trained on other prompts than the present.

        Args:
            stored: the adapter's ``toolkit.json``.
            folder: the folder of the adapter.
        """

    @abstractmethod
    def check_effect(self, canaries: Sequence[Row]) -> None:
        """Raise :class:`ModelError` where the adapter does not change the base's logits."""

    # -- adapters ----------------------------------------------------------------------------------
    def add_adapter(self, folder: Path, name: str) -> None:
        if not self.has_adapter:
            raise UsageError("load_adapter comes first")
        stored = read_json(folder / "toolkit.json")
        self.check_prompts(stored, folder)
        active = self.model.active_adapter
        try:
            adapters.attach_adapter(self.model, folder, name=name)
            self.select(name)
            self.check_effect(stored["canaries"])
        except ModelError:
            if name in self.model.peft_config:
                self.model.delete_adapter(name)
            raise
        finally:
            self.select(active)

    def select(self, name: str) -> None:
        self.model.set_adapter(name)
        self.model.requires_grad_(False)  # set_adapter() makes the adapter trainable

    # -- prompts -----------------------------------------------------------------------------------
    def prompt(self, row: Row) -> list[int]:
        return self.renderer.prompt(self.example(row))

    def chat_prompt(self, messages: Sequence[Mapping[str, str]]) -> list[int] | None:
        if not self.tokenizer.chat_template:
            return None
        return self.renderer.prompt({"prompt": messages})

    @property
    def positions(self) -> int | None:
        return self.limits.positions

    # -- writing -----------------------------------------------------------------------------------
    def write_texts(
        self,
        prompts: Sequence[Sequence[int]],
        sides: Sequence[str],
        *,
        generation: Mapping[str, Any] | None = None,
        watch: Watch | None = None,
    ) -> list[Generated]:
        from toolkit.kinds.language.generate import generate

        self.load()
        settings = {**self.recipe.generation, **(generation or {})}
        if self.has_adapter and not self._mixes(sides):
            return self._one_by_one(prompts, sides, settings, watch)
        return generate(
            self.model, self.tokenizer, prompts,
            generation=settings, adapters=sides if self.has_adapter else None, watch=watch,
            bounds=self.limits,
        )  # fmt: skip

    def _mixes(self, sides: Sequence[str]) -> bool:
        """Whether PEFT can mix these adapters in a batch; it cannot with DoRA, nor on experts."""
        configs = [self.model.peft_config[side] for side in sides if side != BASE]
        if any(getattr(config, "use_dora", False) for config in configs):
            return False
        return not adapters.on_parameters(self.model)

    def _one_by_one(
        self,
        prompts: Sequence[Sequence[int]],
        sides: Sequence[str],
        settings: Mapping[str, Any],
        watch: Watch | None,
    ) -> list[Generated]:
        from toolkit.kinds.language.generate import generate

        active = self.model.active_adapter
        results: list[Generated] = []
        try:
            for index, (prompt, side) in enumerate(zip(prompts, sides, strict=True)):
                if side != BASE:
                    self.select(side)
                off = self.model.disable_adapter() if side == BASE else contextlib.nullcontext()
                with off:
                    results += generate(
                        self.model, self.tokenizer, [prompt],
                        generation=settings, watch=_for_row(watch, index), bounds=self.limits,
                    )  # fmt: skip
        finally:
            self.select(active)
        return results


def _for_row(watch: Watch | None, index: int) -> Watch | None:
    """The watch for one prompt that is generated by itself, with its index among all prompts."""
    if watch is None:
        return None
    return Watch(lambda _, token: watch.on_token(index, token), watch.stopped)
