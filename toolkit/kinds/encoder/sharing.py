"""Several tasks' adapters on one encoder in memory, each with its own head.

The encoder's weights are there once; what each task adds (LoRA matrices, a head) lies beside them
under the task's name. PEFT wraps a layer once and keeps the adapters of all tasks in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import backends
from toolkit.errors import UsageError
from toolkit.kinds.base import Progress
from toolkit.task import Row

if TYPE_CHECKING:
    from toolkit.kinds.encoder.kind import Encoder


class SharedEncoder:
    """Kinds that answer with one encoder.

    Args:
        members: name → a kind whose model is not loaded yet, and its adapter's folder. All recipes
            must name the same model and train LoRA.
    """

    def __init__(self, members: Mapping[str, tuple[Encoder, Path]]) -> None:
        models = {kind.recipe.model for kind, _ in members.values()}
        if len(models) > 1:
            raise UsageError(
                f"adapters of different encoders cannot share one: {', '.join(sorted(models))}"
            )
        whole = [name for name, (kind, _) in members.items() if kind.full]
        if whole:
            raise UsageError(
                f"{whole[0]} has trained the whole encoder, which nobody else can use; "
                "take a run with LoRA"
            )
        self.kinds = {name: kind for name, (kind, _) in members.items()}
        for kind in self.kinds.values():
            kind.load()
        _share([kind.model for kind in self.kinds.values()])
        for name, (kind, folder) in members.items():
            beside = [other for other in members if other != name]
            kind.tuned = backends.attach_adapter(kind.model, folder, name, beside)

    def predict(
        self, name: str, rows: Sequence[Row], progress: Progress | None = None
    ) -> list[Any]:
        """The outputs of one of the tasks, with its own adapter switched on."""
        kind = self.kinds[name]
        kind.tuned.set_adapter(name)
        kind.tuned.eval()
        return kind.predict(rows, adapter=True, progress=progress)

    def parameters(self) -> int:
        """Parameters in memory, each counted once."""
        seen: dict[int, int] = {}
        for kind in self.kinds.values():
            seen |= {id(p): p.numel() for p in kind.tuned.parameters()}
        return sum(seen.values())

    def parameters_apart(self) -> int:
        """Parameters that the tasks would take with an encoder each."""
        total = 0
        for name, kind in self.kinds.items():
            others = [other for other in self.kinds if other != name]
            total += sum(
                parameter.numel()
                for path, parameter in kind.tuned.named_parameters()
                if not any(f".{other}." in path for other in others)
            )
        return total


def _share(models: Sequence[Any]) -> None:
    """Put the parts of one encoder into all models.

    Part by part (embeddings, layers, pooler) and not the encoder as a whole: a head that reads no
    pooler has an encoder without one, and its adapter must find none to sit on.
    """
    encoders = [getattr(model, model.base_model_prefix) for model in models]
    parts: dict[str, Any] = {}
    for encoder in encoders:
        for name, part in list(encoder.named_children()):
            setattr(encoder, name, parts.setdefault(name, part))
        # The attention's implementation stands there: who makes the mask and who reads it must
        # agree on its form.
        encoder.config = encoders[0].config
