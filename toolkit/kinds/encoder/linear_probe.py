"""What linear probes share: a linear layer on the states of a frozen encoder, and its file."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from toolkit.runs.files import write_bytes

ABSENT = -20.0
"""The logit of a class without rows."""


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

    @classmethod
    def of_classes(cls, states: np.ndarray, labels: np.ndarray, classes: int) -> Self:
        """A logistic regression on standardized states; classes without rows are never predicted.

        Args:
            states: shape (rows, hidden).
            labels: class numbers, shape (rows,).
            classes: how many classes there are.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        states = states.astype(np.float64)
        mean, scale = states.mean(axis=0), safe_scale(states.std(axis=0))
        there = np.unique(labels)
        if len(there) < 2:
            bias = np.full(classes, ABSENT)
            bias[there] = 0.0
            return cls(np.zeros((classes, states.shape[1])), bias)
        model = LogisticRegression(C=0.1, max_iter=300, tol=1e-3)
        # The problem is too small for a second thread; what is not quite at its end is near it.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit((states - mean) / scale, labels)
        weight, bias = for_all_classes(model, there, classes, absent=ABSENT)
        weight = weight / scale
        return cls(weight, bias - weight @ mean)

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


def for_all_classes(
    model: Any, there: np.ndarray, classes: int, *, absent: float
) -> tuple[np.ndarray, np.ndarray]:
    """The weights and biases of a fitted logistic regression, a row for every class.

    Args:
        model: scikit-learn's, fitted on rows of two classes or more.
        there: the numbers of the classes that it knows, ascending.
        classes: how many classes there are.
        absent: the bias of the others.
    """
    weight, bias = np.zeros((classes, model.coef_.shape[1])), np.full(classes, absent)
    found, intercepts = model.coef_, model.intercept_
    if len(there) == 2:  # one row of weights, for the second class against the first
        found = np.concatenate([-found, found]) / 2
        intercepts = np.concatenate([-intercepts, intercepts]) / 2
    weight[there], bias[there] = found, intercepts
    return weight, bias


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
