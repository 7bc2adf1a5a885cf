"""The linear probe: a linear layer on the states of an encoder that is not trained.

Source: G. Alain, Y. Bengio, "Understanding intermediate layers using linear classifier probes",
2016, arXiv:1610.01644.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit.kinds.encoder.linear_probe import LinearProbe, for_all_classes, safe_scale

ROWS = 6_000
"""Training rows that are used; with more, a linear layer of a few hundred inputs changes little."""
FOLDS = 3


class Probe(LinearProbe):
    """A linear layer on one vector of states for each text.

    Args:
        weight: shape (outputs, hidden), an output for each class, label or number.
        bias: shape (outputs,).
    """

    def logits(self, states: np.ndarray) -> np.ndarray:
        """The logits, shape (rows, outputs).

        Args:
            states: shape (rows, hidden).
        """
        logits: np.ndarray = states.astype(np.float64) @ self.weight.T + self.bias
        return logits

    @staticmethod
    def sample(rows: int) -> np.ndarray:
        """The numbers of the rows that are used, ascending."""
        if rows <= ROWS:
            return np.arange(rows)
        return np.sort(np.random.default_rng(0).choice(rows, ROWS, replace=False))

    @classmethod
    def fit(
        cls,
        states: np.ndarray,
        labels: np.ndarray,
        *,
        classes: int,
        intercept: bool = True,
        weights: Sequence[Any] | None = None,
    ) -> Probe:
        """A probe by ridge or logistic regression, whose penalty cross-validation chooses.

        Args:
            states: shape (rows, hidden).
            labels: class numbers (negative: unknown) or numbers, shape (rows,); of several labels 1
                where a row has one and 0 where it has not, or of several numbers these, shape
                (rows, outputs).
            classes: how many classes or labels; 1 is regression.
            intercept: whether it has a bias; the heads of some models have none.
            weights: the weight of each class, or for each label the weights of rows without and
                with it; ``None``: all are 1.
        """
        from threadpoolctl import threadpool_limits

        unknown = labels < 0 if classes > 1 else np.zeros(len(labels), dtype=bool)
        known = ~np.asarray(unknown).reshape(len(labels), -1).any(axis=1)
        several = classes > 1 and labels.ndim > 1
        states, labels = states[known].astype(np.float64), labels[known]
        scale = safe_scale(states.std(axis=0))
        mean = states.mean(axis=0) if intercept else np.zeros(states.shape[1])
        states = (states - mean) / scale
        # Each of these problems is too small for a second thread to gain anything.
        with threadpool_limits(1):
            if classes == 1:
                weight, bias = _ridge(states, labels, intercept)
            elif several:
                weight, bias = _each_logistic(states, labels.astype(int), intercept, weights)
            else:
                weight, bias = _logistic(states, labels, classes, intercept, weights)
        weight = weight / scale
        return cls(weight, bias - weight @ mean)


def _ridge(
    states: np.ndarray, labels: np.ndarray, intercept: bool
) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.linear_model import RidgeCV

    model = RidgeCV(
        alphas=np.logspace(0, 4, 9), fit_intercept=intercept, alpha_per_target=labels.ndim > 1
    ).fit(states, labels)
    weight = np.atleast_2d(model.coef_)
    bias = np.broadcast_to(np.asarray(model.intercept_, dtype=np.float64), (len(weight),))
    return weight, bias.copy()


def _each_logistic(
    states: np.ndarray,
    labels: np.ndarray,
    intercept: bool,
    weights: Sequence[Sequence[float]] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases of all labels, each told by itself; one logit a label."""
    found = np.zeros((labels.shape[1], states.shape[1]))
    biases = np.zeros(labels.shape[1])
    for at, column in enumerate(labels.T):
        counts = np.bincount(column, minlength=2)
        if counts.min():
            pair, bias = _logistic(
                states, column, 2, intercept, None if weights is None else weights[at],
                scoring="neg_log_loss",
            )  # fmt: skip
            found[at], biases[at] = pair[1] - pair[0], bias[1] - bias[0]
        elif intercept:  # all rows have it or none has: its odds, as if one more row were otherwise
            biases[at] = np.log((counts[1] + 1) / (counts[0] + 1))
    return found, biases


def _logistic(
    states: np.ndarray,
    labels: np.ndarray,
    classes: int,
    intercept: bool = True,
    weights: Sequence[float] | None = None,
    *,
    scoring: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases of all classes; classes without rows are never predicted.

    The penalty is chosen by ``scoring``, scikit-learn's name of a score; ``None``: the accuracy.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    absent = -100.0 if intercept else 0.0
    there, counts = np.unique(labels, return_counts=True)
    if len(there) < 2:
        bias = np.full(classes, absent)
        bias[there] = 0.0
        return np.zeros((classes, states.shape[1])), bias
    given = None if weights is None else {int(kind): weights[kind] for kind in there}
    model = LogisticRegression(C=0.03, max_iter=1000, fit_intercept=intercept, class_weight=given)
    if counts.min() >= FOLDS:
        model = GridSearchCV(model, {"C": [0.003, 0.03, 0.3]}, cv=FOLDS, scoring=scoring)
    model = model.fit(states, labels)
    model = getattr(model, "best_estimator_", model)
    return for_all_classes(model, there, classes, absent=absent)
