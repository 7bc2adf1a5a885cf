"""The perplexity per token of the right answers, of a system and compared with the base model.

Only kinds that write text compute how likely a model finds the tokens of an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric
from toolkit.runs.predictions import System

if TYPE_CHECKING:
    import numpy as np


def _per_token(losses: np.ndarray, tokens: np.ndarray, axis: int = -1) -> Any:
    import numpy as np

    return np.exp(losses.sum(axis=axis) / tokens.sum(axis=axis))


PERPLEXITY = Metric(
    "perplexity",
    lambda prediction, reference: None,
    _per_token,
    greater_is_better=False,
    label="Perplexity per token of the answers",
    format=".2f",
)
"""``exp`` of the mean loss of a token; a row's values are its summed loss and its tokens."""


def perplexity(system: System) -> dict[str, Any] | None:
    """A system's perplexity on the test rows with its interval; ``None`` where it is not known."""
    values = _losses(system)
    if values is None:
        return None
    return statistics.as_json(statistics.interval(PERPLEXITY, values, groups=system.groups()))


def perplexity_gain(ours: System | None, base: System | None) -> dict[str, Any] | None:
    """The trained model's perplexity minus the base's, on the same rows; ``None``: unknown."""
    if ours is None or base is None:
        return None
    a, b = _losses(ours), _losses(base)
    if a is None or b is None:
        return None
    compared = statistics.as_json(statistics.paired(PERPLEXITY, a, b, groups=ours.groups()))
    return {"a": ours.name, "b": base.name, "metric": PERPLEXITY.name, **compared}


def _losses(system: System) -> list[Sequence[float]] | None:
    found = [row.get("target_loss") for row in system.rows()]
    return None if not found or None in found else found  # type: ignore[return-value]
