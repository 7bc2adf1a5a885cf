"""What a backend does, and the plain one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from toolkit.models import adapters, loading


class Backend(Protocol):
    """Loads a model and makes it ready for LoRA; all else of a run is the same for all backends."""

    name: str

    def load(
        self,
        auto_class: str,
        model: str,
        *,
        init: Mapping[str, Any] | None = None,
        quantization: Mapping[str, Any] | None = None,
        trust_remote_code: bool = False,
        max_length: int | None = None,
    ) -> Any:
        """A model in evaluation mode.

        Args:
            auto_class: as for :func:`toolkit.models.loading.load_model`, like the next four.
            model: as in a recipe.
            init: keyword arguments for ``from_pretrained``.
            quantization: fields of ``BitsAndBytesConfig``.
            trust_remote_code: run code that comes with the model.
            max_length: tokens of the longest row, for backends that prepare for a length.
        """
        ...

    def add_lora(
        self,
        model: Any,
        fields: Mapping[str, Any],
        *,
        seed: int,
        task_type: str,
        checkpointing: bool,
        computing: str | None = None,
    ) -> Any:
        """A ``PeftModel`` with a fresh adapter, ready to be trained.

        Args:
            model: what :meth:`load` gave.
            fields: of ``LoraConfig``.
            seed: of the adapter's first weights.
            task_type: PEFT's name of the kind.
            checkpointing: gradient checkpointing is wanted.
            computing: the reduced type that training computes in.
        """
        ...


class Transformers:
    """transformers and PEFT as they are; every model and every kind."""

    name = "transformers"

    def load(
        self,
        auto_class: str,
        model: str,
        *,
        init: Mapping[str, Any] | None = None,
        quantization: Mapping[str, Any] | None = None,
        trust_remote_code: bool = False,
        max_length: int | None = None,
    ) -> Any:
        return loading.load_model(
            auto_class,
            model,
            init=init,
            quantization=quantization,
            trust_remote_code=trust_remote_code,
        )

    def add_lora(
        self,
        model: Any,
        fields: Mapping[str, Any],
        *,
        seed: int,
        task_type: str,
        checkpointing: bool,
        computing: str | None = None,
    ) -> Any:
        # The trainer itself turns checkpointing on.
        return adapters.add_lora(model, fields, seed=seed, task_type=task_type, computing=computing)
