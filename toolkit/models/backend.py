"""What a backend does, and the plain one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from toolkit.models import adapters, loading
from toolkit.models.loading import LoadRequest


class Backend(Protocol):
    """Loads a model and makes it ready for LoRA; all else of a run is the same for all backends."""

    name: str

    def load(self, request: LoadRequest) -> Any:
        """A model in evaluation mode."""
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

    def load(self, request: LoadRequest) -> Any:
        return loading.load_model(request)

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
