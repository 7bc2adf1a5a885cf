"""Class weights: rows of rare classes count more in the loss and in the linear probe.

Of several labels a row, each is a problem of two classes, the rows without and with it.

``balanced`` is scikit-learn's definition, rows / (classes × rows of the class), after G. King, L.
Zeng, "Logistic Regression in Rare Events Data", Political Analysis 9 (2001), 137–163.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import RecipeError, did_you_mean

if TYPE_CHECKING:
    import torch

BALANCED = "balanced"


def class_weights(option: Any, labels: Sequence[Any], of_rows: Sequence[Any]) -> list[float] | None:
    """The weight of each class; a training row has the weight 1 on average.

    Args:
        option: ``task.class_weights``: ``balanced``, a mapping of classes to positive numbers
            (classes that it does not name have 1), or ``None``: all rows count the same.
        labels: the classes, in the order of the logits.
        of_rows: the class of each training row.

    Returns:
        One weight for each of the labels; ``None`` where all rows count the same.

    Raises:
        RecipeError: the option is of another form, names an unknown class or a weight that is not
            positive, or there are no classes.
    """
    if option is None:
        return None
    if len(labels) < 2:
        raise RecipeError("task.class_weights: this task has no classes that could have weights")
    place = {label: i for i, label in enumerate(labels)}
    counts = np.bincount([place[kind] for kind in of_rows if kind in place], minlength=len(labels))
    _check_form(option)
    weights = _balanced(counts) if option == BALANCED else _named(option, labels)
    scaled: list[float] = (weights * counts.sum() / (weights @ counts)).tolist()
    return scaled


def _check_form(option: Any) -> None:
    """Raise :class:`RecipeError` unless the option is ``balanced`` or a table."""
    if option != BALANCED and not isinstance(option, Mapping):
        raise RecipeError(
            f"task.class_weights is {option!r}; it can be {BALANCED}, or a table of classes with "
            "their weights, such as --set task.class_weights.positive=2"
        )


def label_weights(
    option: Any, labels: Sequence[Any], of_rows: Sequence[Sequence[Any] | None]
) -> list[list[float]] | None:
    """For each label the weights of rows without and with it; a row has the weight 1 on average.

    Args:
        option: as of :func:`class_weights`; a table gives the weight of the rows with a label.
        labels: the labels, in the order of the logits.
        of_rows: the labels of each training row.

    Raises:
        RecipeError: as of :func:`class_weights`.
    """
    if option is None:
        return None
    known = [set(found) for found in of_rows if found is not None]
    _check_form(option)
    given = [None] * len(labels) if option == BALANCED else _named(option, labels).tolist()
    pairs = []
    for label, weight in zip(labels, given, strict=True):
        counts = np.bincount([int(label in found) for found in known], minlength=2)
        pair = _balanced(counts) if weight is None else np.array([1.0, weight])
        pairs.append((pair * counts.sum() / max(float(pair @ counts), 1e-12)).tolist())
    return pairs


def _balanced(counts: np.ndarray) -> np.ndarray:
    """scikit-learn's balanced weights; classes without rows have 1, which is never used."""
    from sklearn.utils.class_weight import compute_class_weight

    present = np.flatnonzero(counts)
    weights = np.ones(len(counts))
    weights[present] = compute_class_weight(
        BALANCED, classes=present, y=np.repeat(present, counts[present])
    )
    return weights


def _named(option: Mapping[Any, Any], labels: Sequence[Any]) -> np.ndarray:
    names = [str(label) for label in labels]
    for name, weight in option.items():
        if str(name) not in names:
            raise RecipeError(
                f"task.class_weights: there is no class {str(name)!r}"
                f"{did_you_mean(str(name), names)}; there are {', '.join(names)}"
            )
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not (number and math.isfinite(weight) and weight > 0):
            raise RecipeError(
                f"task.class_weights.{name} is {weight!r}; a weight is a number above 0"
            )
    given = {str(name): float(weight) for name, weight in option.items()}
    return np.array([given.get(name, 1.0) for name in names])


def cross_entropy(
    weights: Sequence[float] | None, smoothing: float
) -> Callable[[Any, torch.Tensor], torch.Tensor]:
    """The summed cross-entropy of a batch, each row with the weight of its class.

    Args:
        weights: one for each class; ``None``: all are 1.
        smoothing: label smoothing.
    """
    import torch
    from torch.nn import functional

    def loss(outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        logits = outputs.logits.float()
        weight = None if weights is None else torch.tensor(weights, device=logits.device)
        return functional.cross_entropy(
            logits, labels, weight=weight, reduction="sum", label_smoothing=smoothing
        )

    return loss


def labels_cross_entropy(
    weights: Sequence[Sequence[float]] | None, smoothing: float
) -> Callable[[Any, torch.Tensor], torch.Tensor]:
    """The summed binary cross-entropy of a batch's labels; those below 0 are not known.

    Args:
        weights: for each label those of rows without and with it; ``None``: all are 1.
        smoothing: label smoothing: 0 and 1 move towards a half by half of this share.
    """
    import torch
    from torch.nn import functional

    def loss(outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        logits, known = outputs.logits.float(), labels >= 0
        wanted = labels.float().clamp(min=0)
        weight = known.float()
        if weights is not None:
            without, with_it = torch.tensor(weights, device=logits.device).unbind(dim=1)
            weight = weight * torch.where(wanted > 0, with_it, without)
        return functional.binary_cross_entropy_with_logits(
            logits, wanted * (1 - smoothing) + smoothing / 2, weight=weight, reduction="sum"
        )

    return loss
