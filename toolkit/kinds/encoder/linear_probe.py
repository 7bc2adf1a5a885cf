"""What linear probes share: a linear layer on the states of a frozen encoder, and its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from toolkit.runs.files import write_bytes


@dataclass(frozen=True)
class LinearProbe:
    """A linear layer on states.

    Args:
        weight: shape (outputs, hidden).
        bias: shape (outputs,).
        seed: seeds the layers before the head's last one that the weights do not hold: the probe is
            fitted to what they pass on.
    """

    weight: np.ndarray
    bias: np.ndarray
    seed: int = 0

    def save(self, path: Path) -> None:
        """Write it as safetensors, atomically."""
        from safetensors.numpy import save

        write_bytes(path, save(self._arrays()))

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"weight": self.weight, "bias": self.bias, "seed": np.array(self.seed)}

    @classmethod
    def load(cls, path: Path) -> Self:
        """The inverse of :meth:`save`."""
        from safetensors.numpy import load_file

        stored = load_file(path)
        return cls(stored["weight"], stored["bias"], int(stored.get("seed", 0)))


def safe_scale(deviation: np.ndarray) -> np.ndarray:
    """Deviations to divide states by, without those that are nearly zero.

    Some models have states that are constant but for rounding. Divided by such a deviation, what
    is rounding decides, and weights of 1e30 stand in the head.

    Args:
        deviation: the standard deviation of each state, shape (hidden,).
    """
    least = 1e-4 * max(float(np.median(deviation)), 1e-6)
    scale: np.ndarray = np.where(deviation > least, deviation, np.inf)
    return scale
