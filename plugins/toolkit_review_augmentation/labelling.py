"""Several labels a text: a logistic regression for each common label, tuned together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from toolkit.baselines import folds, one_thread, sample

Label = TypeVar("Label", bound=Hashable)

MOST_LABELS = 150
"""At most this many labels are learned, the commonest first."""
LEAST_ROWS = 4
"""A label is learned if at least this many texts have it."""
TUNED_ROWS = 1_200
"""The setting is chosen on a sample of at most this many texts: it is a hundred fits a fold."""
STRENGTHS = (10.0, 1.0, 100.0)
"""Inverse penalties; the first one is used where none is better."""

Bits = npt.NDArray[np.bool_]


def fit_labels(
    features: Sequence[Any], labels: Sequence[Sequence[Label]], groups: Sequence[Hashable]
) -> tuple[int, Callable[[Any], list[list[Label]]]]:
    """Fit a classifier for each common label (binary relevance).

    The features, and then the penalty and the weighting of classes, are those with the best F1 over
    all labels together when each fold of groups is predicted from the others.

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
    wanted = np.asarray([[label in set(some) for label in known] for some in labels])
    few = sample(len(wanted), TUNED_ROWS)
    parts = folds([groups[i] for i in few])[:2]

    def figure(place: int, strength: float, weights: str | None) -> float:
        hits = said = there = 0
        for train, held in parts:
            at, of = few[train], few[held]
            found = _fit(features[place][at], wanted[at], strength, weights)(features[place][of])
            hits += int((found & wanted[of]).sum())
            said, there = said + int(found.sum()), there + int(wanted[of].sum())
        return 2 * hits / max(1, said + there)

    with one_thread():
        chosen, best = 0, (STRENGTHS[0], "balanced")
        if parts:
            first = [figure(place, *best) for place in range(len(features))]
            chosen = int(np.argmax(first))
            settings = [(strength, w) for strength in STRENGTHS for w in ("balanced", None)][1:]
            figures = [first[chosen], *(figure(chosen, *setting) for setting in settings)]
            best = [best, *settings][int(np.argmax(figures))]
        model = _fit(features[chosen], wanted, *best)

    def predict(matrix: Any) -> list[list[Label]]:
        return [[k for k, yes in zip(known, row, strict=True) if yes] for row in model(matrix)]

    return chosen, predict


def _fit(matrix: Any, wanted: Bits, strength: float, weights: str | None) -> Callable[[Any], Bits]:
    """A logistic regression for each column; one that is all alike is predicted as it is."""
    from sklearn.linear_model import LogisticRegression

    models: list[Any] = []
    for column in wanted.T:
        if column.all() or not column.any():
            models.append(bool(column[0]))
            continue
        # liblinear: of two classes the fastest, ten times as fast as lbfgs on sparse columns
        model = LogisticRegression(
            C=strength, class_weight=weights, solver="liblinear", max_iter=1_000, random_state=0
        )
        models.append(model.fit(matrix, column))

    def predict(given: Any) -> Bits:
        rows = given.shape[0]
        columns = [
            np.full(rows, model) if isinstance(model, bool) else model.predict(given)
            for model in models
        ]
        return np.stack(columns, axis=1)

    return predict
