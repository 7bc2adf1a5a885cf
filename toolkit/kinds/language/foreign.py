"""Language models that others have trained: with a tokenizer of their own, or whole models.

The untouched base is prompted as the base itself would be; what was trained from it may have
another chat template and other stop tokens. :meth:`ForeignModel.as_side` gives the model the
tokenizer, the limits and the renderer of one of the two.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from toolkit.kinds.language.asking import AskingRenderer
from toolkit.kinds.language.prompt import Renderer
from toolkit.kinds.language.text_model import TextModel
from toolkit.models import foreign, loading
from toolkit.models.limits import Limits, read, stops_of

SPEAKS = "speaks"
"""The key of ``toolkit.json`` that says how what was trained elsewhere is prompted and ended."""


class ForeignModel(TextModel):
    """The part of :class:`toolkit.kinds.language.model.LanguageModel` that others have trained."""

    spoken: ClassVar[tuple[str, ...]] = ("tokenizer", "limits", "renderer")
    """The attributes that a side of a comparison has for itself."""
    padding_side: ClassVar[str] = "left"

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.whole: Any = None
        self._base_side: dict[str, Any] | None = None

    def make_renderer(self) -> Renderer:
        """The renderer, which turns the kind's examples into tokens."""
        raise NotImplementedError

    # -- how it is prompted ------------------------------------------------------------------------
    def own_tokens(self, folder: Path) -> tuple[Any, Limits]:
        """The tokenizer that was saved with what was trained, and its limits.

        What its files do not say is as with the base.

        Raises:
            ModelError: its numbers mean other tokens than the base's, or it has tokens that the
                model does not embed.
        """
        found = foreign.Foreign(folder.name, folder)
        tokenizer, limits = self.tokenizer, self.limits
        if found.has_tokenizer:
            tokenizer, limits = loading.load_tokens(
                str(folder), trust_remote_code=self.trust_remote_code,
                padding_side=self.padding_side,
            )  # fmt: skip
            if not found.whole:
                foreign.check_vocabulary(tokenizer, self.tokenizer, found.name)
        limits = dataclasses.replace(
            limits,
            stops=self._stops(folder, tokenizer, limits),
            positions=limits.positions or self.limits.positions,
            answer_positions=limits.answer_positions or self.limits.answer_positions,
            rows=limits.rows or self.limits.rows,
        )
        limits.check_vocabulary(tokenizer, found.name)
        return tokenizer, limits

    def _stops(self, folder: Path, tokenizer: Any, own: Limits) -> tuple[int, ...]:
        """The tokens that end an answer: those of its files, and of its base where it has none."""
        if (folder / "generation_config.json").is_file():
            return read(str(folder), tokenizer).stops
        if (folder / foreign.WHOLE).is_file():
            return own.stops
        return tuple(sorted({*self.limits.stops, *stops_of(tokenizer, None, None)}))

    def spoken_by(self, folder: Path, speaks: Mapping[str, Any]) -> dict[str, Any]:
        """The tokenizer, limits and renderer of what was trained.

        Args:
            folder: of what was trained.
            speaks: ``prompt``: ``task`` (as the base is prompted) or ``adapter`` (by its own chat
                template).
        """
        tokenizer, limits = self.own_tokens(folder)
        before = {name: getattr(self, name) for name in self.spoken}
        if speaks.get("prompt") != "adapter":
            tokenizer = self.tokenizer
        try:
            self.tokenizer, self.limits = tokenizer, limits
            made = self.make_renderer()
        finally:
            for name, value in before.items():
                setattr(self, name, value)
        if speaks.get("prompt") == "adapter" and type(made) is Renderer:
            made = AskingRenderer(tokenizer, limits)
        return {"tokenizer": tokenizer, "limits": limits, "renderer": made}

    def speak(self, folder: Path, speaks: Mapping[str, Any] | None) -> None:
        """Take the tokenizer, limits and renderer of what was trained, where it has its own."""
        self.speak_as_base()
        if speaks:
            self._base_side = self._set_side(self.spoken_by(folder, speaks))

    def speak_as_base(self) -> None:
        """Return to those of the base."""
        if self._base_side is not None:
            self._set_side(self._base_side)
            self._base_side = None

    def _set_side(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Set the attributes of a side; returns those before. What it lacks is made anew."""
        before = {name: getattr(self, name) for name in self.spoken}
        for name in self.spoken:
            setattr(self, name, wanted.get(name))
        return before

    @contextlib.contextmanager
    def as_side(self, adapter: bool) -> Iterator[None]:
        """Within the context, prompts and limits are those of what was trained, or of the base."""
        base = self._base_side
        if adapter or base is None:
            yield
            return
        own = self._set_side(base)
        self._base_side = None  # it speaks as the base until the end of the block
        try:
            yield
        finally:
            self._base_side = self._set_side(own)

    # -- whole models ------------------------------------------------------------------------------
    def load_whole(self, folder: Path, stored: Mapping[str, Any]) -> None:
        """Load a whole model beside the base.

        Raises:
            ModelError: its weights are not whole, or not those that were judged.
        """
        self.whole = loading.load_trained(
            self.auto_class, loading.weights_of(stored, folder),
            trust_remote_code=self.trust_remote_code,
            init=self.recipe.training.get("model_init_kwargs"),
        )  # fmt: skip

    @contextlib.contextmanager
    def as_whole(self) -> Iterator[None]:
        """Within the context, the model is the whole one that was trained."""
        base, self.model = self.model, self.whole
        try:
            yield
        finally:
            self.model = base
