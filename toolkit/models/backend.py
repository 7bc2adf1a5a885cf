"""What a backend does, and the plain one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from toolkit.models import adapters, base_weights, loading
from toolkit.models.adapters import LoraRequest
from toolkit.models.loading import LoadRequest


class Backend(Protocol):
    """Loads a model and makes it ready for LoRA; all else of a run is the same for all backends."""

    name: str

    def load(self, request: LoadRequest) -> Any:
        """A model in evaluation mode."""
        ...

    def add_lora(self, model: Any, request: LoraRequest) -> Any:
        """A ``PeftModel`` with a fresh adapter, ready to be trained, on what :meth:`load` gave."""
        ...

    def attach(self, model: Any, folder: Path) -> Any:
        """What :meth:`load` gave, with a saved adapter, see :func:`adapters.attach_adapter`."""
        ...

    def detach(self, model: Any) -> Any:
        """What :meth:`attach` or :meth:`add_lora` gave, without its adapter."""
        ...


class ReadsAdapters:
    """Saved adapters are read by plain PEFT, whatever loads the base."""

    def attach(self, model: Any, folder: Path) -> Any:
        return adapters.attach_adapter(model, folder)

    def detach(self, model: Any) -> Any:
        return base_weights.removed(model)


class Transformers(ReadsAdapters):
    """transformers and PEFT as they are; every model and every kind."""

    name = "transformers"

    def load(self, request: LoadRequest) -> Any:
        return loading.load_model(request)

    def add_lora(self, model: Any, request: LoraRequest) -> Any:
        # The trainer itself turns checkpointing on.
        return adapters.add_lora(
            model,
            request.fields,
            seed=request.seed,
            task_type=request.task_type,
            computing=request.computing,
        )
