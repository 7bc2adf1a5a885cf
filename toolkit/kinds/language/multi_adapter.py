"""Several adapters on one base, written by at the same time: what the playground and serving need.

PEFT answers each row of a batch by its own adapter, or by none: one model in memory shows both
sides of a comparison in hardly more time than one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ModelError, UsageError
from toolkit.kinds.base import BASE, Watch
from toolkit.kinds.language.outputs import Generated
from toolkit.models import adapters
from toolkit.recipe import Recipe
from toolkit.runs.files import read_json
from toolkit.task import Row

if TYPE_CHECKING:
    from toolkit.kinds.language.prompt import Renderer


class Writing:
    """The part of :class:`toolkit.kinds.language.model.LanguageModel` that writes by sides.

    A side is the name of a loaded adapter, or ``__base__`` for the model without one.
    """

    writes = True
    model: Any
    tokenizer: Any
    renderer: Renderer
    recipe: Recipe
    has_adapter: bool

    if TYPE_CHECKING:

        def load(self) -> None: ...
        def example(self, row: Row) -> dict[str, Any]: ...
        def check_effect(self, canaries: Sequence[Row]) -> None: ...
        def _check_prompts(self, stored: Mapping[str, Any], folder: Path) -> None: ...

    # -- adapters ----------------------------------------------------------------------------------
    def add_adapter(self, folder: Path, name: str) -> None:
        """Put a further adapter beside the first; what is active stays so."""
        if not self.has_adapter:
            raise UsageError("load_adapter comes first")
        stored = read_json(folder / "toolkit.json")
        self._check_prompts(stored, folder)
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
        """Make an adapter the active one."""
        self.model.set_adapter(name)
        self.model.requires_grad_(False)  # PEFT has made it ready for training

    # -- prompts -----------------------------------------------------------------------------------
    def prompt(self, row: Row) -> list[int]:
        """Token ids of a row's prompt, shape (tokens,)."""
        return self.renderer.prompt(self.example(row))

    def chat_prompt(self, messages: Sequence[Mapping[str, str]]) -> list[int] | None:
        """Token ids of a conversation by the model's chat template; ``None`` where it has none."""
        if not getattr(self.tokenizer, "chat_template", None):
            return None
        return self.renderer.prompt({"prompt": messages})

    @property
    def positions(self) -> int | None:
        """Tokens that the model has room for, prompt and answer; ``None``: it does not say."""
        found = getattr(self.model.config, "max_position_embeddings", None)
        return None if found is None else int(found)

    # -- writing -----------------------------------------------------------------------------------
    def write(
        self,
        prompts: Sequence[Sequence[int]],
        sides: Sequence[str],
        *,
        generation: Mapping[str, Any] | None = None,
        watch: Watch | None = None,
    ) -> list[Generated]:
        """Continue each prompt by its side, all in one mixed batch on the one base.

        Args:
            prompts: token ids.
            sides: one a prompt.
            generation: fields of ``GenerationConfig`` over the recipe's.
            watch: follows the tokens, and may stop them.
        """
        from toolkit.kinds.language.generate import generate

        self.load()
        settings = {**self.recipe.generation, **(generation or {})}
        if self.has_adapter and not self._mixes(sides):
            return self._one_by_one(prompts, sides, settings, watch)
        return generate(
            self.model, self.tokenizer, prompts,
            generation=settings, adapters=sides if self.has_adapter else None, watch=watch,
        )  # fmt: skip

    def _mixes(self, sides: Sequence[str]) -> bool:
        """Whether PEFT can mix these in a batch: not with DoRA."""
        configs = [self.model.peft_config[side] for side in sides if side != BASE]
        return not any(getattr(config, "use_dora", False) for config in configs)

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
                        generation=settings, watch=_for_row(watch, index),
                    )  # fmt: skip
        finally:
            self.select(active)
        return results


def _for_row(watch: Watch | None, index: int) -> Watch | None:
    """The watch of a prompt that is generated by itself."""
    if watch is None:
        return None
    return Watch(lambda _, token: watch.on_token(index, token), watch.stopped)
