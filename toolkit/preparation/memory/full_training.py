"""The memory that training all parameters would take, where a recipe trains an adapter.

The estimate starts from that of the adapter's own training, so no further step is run on tensors
without content:

* Memory: the weights as they are loaded (of a quantized model: in 16 bits), as many bytes of
  gradients, the states of the recipe's optimizer for all weights, and what a step of the adapter
  needs beside its gradients. (Encoder kinds hold a second copy of the weights, the base, beside
  these; it is not counted.)
* Checkpoint: the weights alone, without the optimizer's states.
"""

from __future__ import annotations

from typing import Final

from toolkit.preparation.memory import optimizer_states
from toolkit.preparation.memory.estimation import MIB, Estimate
from toolkit.recipe import Recipe

UNPACKED: Final = 2
"""Bytes of a weight that is not quantized, where the recipe quantizes."""


def document(recipe: Recipe, found: Estimate) -> dict[str, float] | None:
    """The estimate of memory and checkpoint as JSON values; ``None`` where no adapter is trained.

    Args:
        recipe: the recipe of the adapter.
        found: the estimate of its training.
    """
    if recipe.lora is None:
        return None
    trained, total = found.parameters
    count = total - trained
    size = UNPACKED if recipe.quantization else max(1, round(found.weights / count))
    states = optimizer_states.state_bytes(
        str(recipe.training.get("optim", optimizer_states.USUAL)), [(count, size)]
    )
    step = max(0, found.activations - found.gradients)
    peak = 2 * count * size + states + step + found.beside
    return {
        "parameters": count,
        "training_peak_mb": round(peak / MIB, 2),
        "checkpoint_mb": round(count * size / MIB, 2),
    }
