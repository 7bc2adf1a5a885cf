"""Evaluation scores set by a test, so that none depends on where chaotic training is best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from toolkit.kinds import fit


def feed(
    monkeypatch: pytest.MonkeyPatch,
    curve: Sequence[float],
    snapshot: Callable[[Any], list[torch.Tensor]] = lambda model: [],
) -> list[tuple[float, list[torch.Tensor]]]:
    """Replace the scores by which training selects a checkpoint, and record the measured ones.

    Args:
        monkeypatch: restores the measurement at the end of the test.
        curve: the values of the primary metric that training gets, one for each evaluation.
        snapshot: takes copies of the model's weights.

    Returns:
        A list that grows by one pair at each evaluation: the measured metric and the weights.
    """
    judged: list[tuple[float, list[torch.Tensor]]] = []
    measure = fit.judge

    def judge(kind: Any, *rows: Any) -> Callable[[Any], dict[str, float]]:
        measured = measure(kind, *rows)
        name = f"eval_{kind.task.primary_metric}"

        def fed(trainer: Any) -> dict[str, float]:
            found = measured(trainer)
            judged.append((found[name], snapshot(trainer.model)))
            return {**found, name: curve[len(judged) - 1]}

        return fed

    monkeypatch.setattr(fit, "judge", judge)
    return judged
