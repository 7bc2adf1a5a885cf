"""What a run took beside estimates for training all parameters: ``full_fine_tuning``.

Nothing of it is measured on a full training. Memory and checkpoint were estimated before training
(:mod:`toolkit.preparation.memory.full_training`). The time is the run's own, for the same tokens,
scaled by operations: with N parameters, the forward pass takes about 2N a token, the backward pass
2N for the gradients of activations and 2N for those of weights (Kaplan et al. 2020,
arXiv 2001.08361, section 2.1). An adapter with n parameters needs only 2n of the last. Gradient
checkpointing adds a forward pass to both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def times_longer(trained: int, total: int, *, checkpointing: bool) -> float:
    """How many times longer a token takes where all parameters are trained.

    Args:
        trained: the parameters of the adapter.
        total: all parameters.
        checkpointing: whether activations are computed again in the backward pass.
    """
    again = 2 if checkpointing else 0
    return (6 + again) / (4 + 2 * trained / total + again)


def beside(info: Mapping[str, Any], preflight: Mapping[str, Any]) -> dict[str, Any] | None:
    """The figures of a run beside the estimates for all parameters; ``None`` where there are none.

    Args:
        info: ``run.json``.
        preflight: ``data/preflight.json``.
    """
    takes = preflight.get("memory") or {}
    full, training = takes.get("full"), info.get("training") or {}
    if not full or not training.get("seconds") or not training.get("parameters_total"):
        return None
    factor = times_longer(
        training["parameters_trained"],
        training["parameters_total"],
        checkpointing=bool(info["recipe"]["training"].get("gradient_checkpointing")),
    )
    speed = training.get("tokens_per_second")
    return {
        "parameters": {"run": training["parameters_trained"], "full": full["parameters"]},
        "memory_mb": {"run": takes["training_peak_mb"], "full": full["training_peak_mb"]},
        "seconds": {"run": training["seconds"], "full": round(training["seconds"] * factor, 1)},
        "tokens_per_second": {"run": speed, "full": speed and round(speed / factor, 1)},
        "checkpoint_mb": {"run": training.get("checkpoint_mb"), "full": full["checkpoint_mb"]},
        "times_longer": round(factor, 3),
    }
