"""The linear probe: a linear layer on the states of an encoder that is not trained.

Source: G. Alain, Y. Bengio, "Understanding intermediate layers using linear classifier probes",
2016, arXiv:1610.01644.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toolkit.kinds.encoder.linear_probe import LinearProbe, safe_scale

ROWS = 6_000
"""Training rows that are used; with more, a linear layer of a few hundred inputs changes little."""
FOLDS = 3


class Probe(LinearProbe):
    """A linear layer on one vector of states for each text.

    Args:
        weight: shape (labels, hidden); (1, hidden) for regression.
        bias: shape (labels,).
    """

    def logits(self, states: np.ndarray) -> np.ndarray:
        """The logits, shape (rows, labels).

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
        weights: Sequence[float] | None = None,
    ) -> Probe:
        """A probe by ridge or logistic regression, whose penalty cross-validation chooses.

        Args:
            states: shape (rows, hidden).
            labels: class numbers (negative: unknown) or numbers, shape (rows,).
            classes: how many classes; 1 is regression.
            intercept: whether it has a bias; the heads of some models have none.
            weights: the weight of each class; ``None``: all are 1.
        """
        from threadpoolctl import threadpool_limits

        known = labels >= 0 if classes > 1 else np.ones(len(labels), dtype=bool)
        states, labels = states[known].astype(np.float64), labels[known]
        scale = safe_scale(states.std(axis=0))
        mean = states.mean(axis=0) if intercept else np.zeros(states.shape[1])
        states = (states - mean) / scale
        # Each of these problems is too small for a second thread to gain anything.
        with threadpool_limits(1):
            weight, bias = (
                _ridge(states, labels, intercept)
                if classes == 1
                else _logistic(states, labels, classes, intercept, weights)
            )
        weight = weight / scale
        return cls(weight, bias - weight @ mean)


def _ridge(
    states: np.ndarray, labels: np.ndarray, intercept: bool
) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.linear_model import RidgeCV

    model = RidgeCV(alphas=np.logspace(0, 4, 9), fit_intercept=intercept).fit(states, labels)
    return model.coef_[None, :], np.array([float(model.intercept_)])


def _logistic(
    states: np.ndarray,
    labels: np.ndarray,
    classes: int,
    intercept: bool = True,
    weights: Sequence[float] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases of all classes; classes without rows are never predicted."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    weight = np.zeros((classes, states.shape[1]))
    bias = np.full(classes, -100.0 if intercept else 0.0)
    there, counts = np.unique(labels, return_counts=True)
    if len(there) < 2:
        bias[there] = 0.0
        return weight, bias
    given = None if weights is None else {int(kind): weights[kind] for kind in there}
    model = LogisticRegression(C=0.03, max_iter=1000, fit_intercept=intercept, class_weight=given)
    if counts.min() >= FOLDS:
        model = GridSearchCV(model, {"C": [0.003, 0.03, 0.3]}, cv=FOLDS)
    model = model.fit(states, labels)
    model = getattr(model, "best_estimator_", model)
    if len(there) == 2:  # one row of weights, for the second class against the first
        weight[there] = np.concatenate([-model.coef_, model.coef_]) / 2
        bias[there] = np.concatenate([-model.intercept_, model.intercept_]) / 2
    else:
        weight[there], bias[there] = model.coef_, model.intercept_
    return weight, bias
