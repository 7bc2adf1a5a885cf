"""Several adapters on one base that write at the same time, for the playground and for serving.

PEFT can use another adapter, or none, for each row of a batch: one model in memory shows both sides
of a comparison in hardly more time than one.
"""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ModelError, UsageError
from toolkit.kinds.base import BASE
from toolkit.kinds.language.foreign import SPEAKS, ForeignModel
from toolkit.kinds.language.outputs import Generated
from toolkit.kinds.watching import Watch
from toolkit.models import adapters, agreement, base_digest, base_weights
from toolkit.runs.files import read_json
from toolkit.task import Row

if TYPE_CHECKING:
    from toolkit.kinds.language.text_model import TextModel

PLAIN_PROMPT = 16
"""Tokens of the prompt on which merged weights are tried where no row is known: the first ones."""


class MultiAdapterModel(ForeignModel):
    """The part of :class:`toolkit.kinds.language.model.LanguageModel` that has several adapters."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.has_adapter = False
        self.canaries: Sequence[Row] = []
        self._exact: dict[str, bool] = {}

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
    def tell_date(self, state: Mapping[str, Any], *, stored: bool = False) -> None:
        """Have the chat template told the date of a task's state, or of today.

        Args:
            state: the task's state.
            stored: whether it is that of an adapter.
        """

    @abstractmethod
    def first_logits(self, ids: Any, mask: Any) -> Any:
        """Logits of the first token after padded prompts, shape (prompts, …, vocabulary)."""

    # -- adapters ----------------------------------------------------------------------------------
    def add_adapter(self, folder: Path, name: str) -> None:
        if self.whole is not None:
            raise ModelError("a whole model holds no adapters beside it")
        if not self.has_adapter:
            raise UsageError("load_adapter comes first")
        stored = read_json(folder / "toolkit.json")
        if stored.get(SPEAKS) or self._base_side is not None:
            raise ModelError(
                f"the adapter in {folder} has its own tokenizer or stop tokens, so it cannot "
                "answer beside others; choose its run by itself"
            )
        base_digest.check(stored, self.recipe.model, folder)
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

    def share_base(self, other: TextModel, folder: Path, name: str) -> None:
        if type(other) is not type(self):
            raise UsageError(
                f"{self.task.name} and {other.task.name} are tasks of different kinds: their "
                "models cannot share one base"
            )
        if not other.has_adapter:
            raise UsageError("load_adapter comes first")
        stored = read_json(folder / "toolkit.json")
        self.model, self.has_adapter = other.model, True
        self.tell_date(stored.get("task_state") or {}, stored=True)
        self.canaries = stored["canaries"]
        self.add_adapter(folder, name)
        self.select(name)

    def select(self, name: str) -> None:
        if self.whole is not None:
            return
        self.model.set_adapter(name)
        self.model.requires_grad_(False)  # set_adapter() makes the adapter trainable

    # -- with the adapter or without ---------------------------------------------------------------
    def canary_prompts(self, canaries: Sequence[Row]) -> list[list[int]]:
        """The prompts of rows that are stored with an adapter, as token ids."""
        return [self.renderer.prompt(self.example(row)) for row in canaries]

    def _first_logits(self, prompts: Sequence[Sequence[int]]) -> Any:
        """:meth:`first_logits` of prompts, without gradients."""
        import torch

        from toolkit.kinds.batching import padded

        ids, mask = padded(
            prompts, self.tokenizer.pad_token_id, self.model.device,
            right=self.padding_side == "right",
        )  # fmt: skip
        with torch.inference_mode():
            return self.first_logits(ids, mask)

    def row_logits(self, rows: Sequence[Row], *, adapter: bool) -> Any:
        """:meth:`first_logits` of the rows' prompts, with what was trained or without it."""
        with self.as_side(adapter):
            prompts = self.canary_prompts(rows)
            with self.side(adapter):
                return self._first_logits(prompts)

    def check_effect(self, canaries: Sequence[Row]) -> None:
        """Raise :class:`ModelError` where the adapter does not change the base's logits."""
        prompts = self.canary_prompts(canaries)
        if self.whole is not None:
            base = self._first_logits(prompts)
            with self.as_whole():
                tuned = self._first_logits(prompts)
            if tuned.shape != base.shape:
                return  # it has other tokens
        else:
            tuned = self._first_logits(prompts)
            with base_weights.untouched(self.model):
                base = self._first_logits(prompts)
        agreement.check_numbers(tuned, base)
        difference = float((tuned - base).abs().max())
        if not difference > 1e-6:
            raise ModelError(
                "the adapter does nothing: on the canary prompts its logits are the base model's "
                f"(largest difference {difference:.1g}); was it trained at all, and for this base?"
            )

    def side(self, adapter: bool) -> contextlib.AbstractContextManager[Any]:
        """A context within which the model has its adapter, or none."""
        if self.whole is not None:
            return self.as_whole() if adapter else contextlib.nullcontext()
        if adapter and not self.has_adapter:
            raise UsageError("no adapter is loaded")
        if not self.has_adapter:
            return contextlib.nullcontext()
        if not adapter:
            return base_weights.untouched(self.model)
        return adapters.merged(self.model) if self._merges() else contextlib.nullcontext()

    def _merges(self) -> bool:
        """Whether the active adapter can be scored from merged weights: compared once, and noted.

        The prompts are those stored with the adapter, or of the validation rows in training.
        """
        name = str(self.model.active_adapter)
        if name not in self._exact:
            prompts = self.canary_prompts(self.canaries) or [list(range(PLAIN_PROMPT))]
            exact = agreement.merges_exactly(self.model, lambda: self._first_logits(prompts))
            self._exact[name] = exact
            if not exact:
                self.on_note(
                    "the adapter's answers change where it is merged into the base's weights; it "
                    "is scored beside them, as PEFT runs it, which takes longer"
                )
        return self._exact[name]

    def forget_comparison(self) -> None:
        """Another adapter takes the place of the present one: it is compared by itself."""
        self.canaries, self._exact = [], {}

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
        if self.whole is not None or (self.has_adapter and not self._mixes(sides)):
            return self._one_by_one(prompts, sides, settings, watch)
        return generate(
            self.model, self.tokenizer, prompts,
            generation=settings, adapters=sides if self.has_adapter else None, watch=watch,
            bounds=self.limits,
        )  # fmt: skip

    def _mixes(self, sides: Sequence[str]) -> bool:
        """Whether PEFT can mix these adapters in a batch.

        It cannot with DoRA, passes over trained tokens and experts, and the base's own biases are
        either the trained ones or not.
        """
        configs = [self.model.peft_config[side] for side in sides if side != BASE]
        unmixed = ("use_dora", "trainable_token_indices", "target_parameters")
        if base_weights.changed(self.model) or adapters.on_parameters(self.model):
            return False
        return not any(getattr(config, name, None) for config in configs for name in unmixed)

    def _one_by_one(
        self,
        prompts: Sequence[Sequence[int]],
        sides: Sequence[str],
        settings: Mapping[str, Any],
        watch: Watch | None,
    ) -> list[Generated]:
        from toolkit.kinds.language.generate import generate

        active = None if self.whole is not None else self.model.active_adapter
        results: list[Generated] = []
        try:
            for index, (prompt, side) in enumerate(zip(prompts, sides, strict=True)):
                if side != BASE:
                    self.select(side)
                with self._of_side(side):
                    results += generate(
                        self.model, self.tokenizer, [prompt],
                        generation=settings, watch=_for_row(watch, index), bounds=self.limits,
                    )  # fmt: skip
        finally:
            if active is not None:
                self.select(active)
        return results

    def _of_side(self, side: str) -> contextlib.AbstractContextManager[Any]:
        """A context within which the model is the base, or what was trained; nothing is merged."""
        if self.whole is not None:
            return self.side(side != BASE)
        return base_weights.untouched(self.model) if side == BASE else contextlib.nullcontext()


def _for_row(watch: Watch | None, index: int) -> Watch | None:
    """The watch for one prompt that is generated by itself, with its index among all prompts."""
    if watch is None:
        return None
    change = watch.scores
    return Watch(
        lambda _, token: watch.on_token(index, token),
        watch.stopped,
        lambda _: watch.ended(index),
        None if change is None else lambda _, scores: change([index], scores),
    )
