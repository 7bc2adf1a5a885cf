"""Several labels a text, such as the features that a review mentions: one ridge for all of them.

A ridge regression of the indicator of each label, in its dual form: the labels share one matrix of
inner products, and so one factorisation, where a logistic regression a label takes minutes of
fits. A label is given where its prediction exceeds a threshold, which is tuned for the F1 of all
labels together (micro-averaged), as are the features and the penalty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from toolkit.baselines import folds, one_thread, sample

Label = TypeVar("Label", bound=Hashable)
Array = npt.NDArray[np.float64]

MOST_LABELS = 300
"""At most this many labels are learned, the commonest first."""
LEAST_ROWS = 4
"""A label is learned if at least this many texts have it."""
FITTED_ROWS = 6_000
"""Fitted on a sample of at most this many texts: time grows with the cube of their number."""
TUNED_ROWS = 2_400
"""The settings are chosen on a sample of at most this many texts."""
PENALTIES = (1.0, 0.1, 0.3, 3.0)
"""The first one is used where none is better."""
THRESHOLDS = (0.5, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45)
"""The first one is used where none is better."""


def fit_labels(
    features: Sequence[Any], labels: Sequence[Sequence[Label]], groups: Sequence[Hashable]
) -> tuple[int, Callable[[Any], list[list[Label]]]]:
    """Fit the common labels of texts.

    The features, the penalty and the threshold are those with the best F1 over all labels together
    when each fold of groups is predicted from the others.

    Args:
        features: the matrices to choose from, one row a text each.
        labels: the labels of each text.
        groups: the group of each text.

    Returns:
        The place of the chosen matrix, and a function from a matrix like it to labels of each row.
    """
    counts = Counter(label for some in labels for label in set(some))
    known = [label for label, n in counts.most_common(MOST_LABELS) if n >= LEAST_ROWS]
    if not known:
        return 0, lambda matrix: [[] for _ in range(matrix.shape[0])]
    wanted = np.asarray([[label in set(some) for label in known] for some in labels], dtype=float)
    with one_thread():
        chosen, penalty, threshold = _settings(features, wanted, groups)
        rows = sample(len(wanted), FITTED_ROWS)
        matrix, mean = features[chosen][rows], wanted[rows].mean(axis=0)
        weights = _weights(_products(matrix, matrix), wanted[rows] - mean, penalty)

    def predict(given: Any) -> list[list[Label]]:
        found = _products(given, matrix) @ weights + mean > threshold
        return [[k for k, yes in zip(known, row, strict=True) if yes] for row in found]

    return chosen, predict


def _settings(
    features: Sequence[Any], wanted: Array, groups: Sequence[Hashable]
) -> tuple[int, float, float]:
    """The place of the best features, and the penalty and the threshold that go with them."""
    few = sample(len(wanted), TUNED_ROWS)
    parts = folds([groups[i] for i in few])
    found = [(-1.0, 0, PENALTIES[0], THRESHOLDS[0])]
    for place, matrix in enumerate(features):
        products = _products(matrix[few], matrix[few]) if parts else None
        for penalty in PENALTIES if parts else ():
            held_out = _out_of_fold(products, wanted[few], penalty, parts)
            found += [
                (_f1(held_out > threshold, wanted[few] > 0), place, penalty, threshold)
                for threshold in THRESHOLDS
            ]
    return max(found, key=lambda one: one[0])[1:]


def _out_of_fold(products: Any, wanted: Array, penalty: float, parts: Sequence[Any]) -> Array:
    """Each row's predictions by a model that was fitted without its fold."""
    predicted = np.zeros_like(wanted)
    for train, held in parts:
        mean = wanted[train].mean(axis=0)
        weights = _weights(products[np.ix_(train, train)], wanted[train] - mean, penalty)
        predicted[held] = products[np.ix_(held, train)] @ weights + mean
    return predicted


def _products(one: Any, other: Any) -> Array:
    """The inner products of the rows of two matrices, sparse or dense."""
    found = one @ other.T
    return np.asarray(found.toarray() if hasattr(found, "toarray") else found, dtype=np.float64)


def _weights(products: Array, targets: Array, penalty: float) -> Array:
    """The dual weights of a ridge regression: (K + penalty · I)⁻¹ · targets."""
    from scipy.linalg import solve

    return np.asarray(solve(products + penalty * np.eye(len(products)), targets, assume_a="pos"))


def _f1(found: npt.NDArray[np.bool_], wanted: npt.NDArray[np.bool_]) -> float:
    hits = int((found & wanted).sum())
    return 2 * hits / max(1, int(found.sum()) + int(wanted.sum()))
