"""The ridge regression of the log price, which two baselines stand on."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.baselines import folds
from toolkit_price_regression.features import vectorizer

if TYPE_CHECKING:
    from toolkit.baselines import Fold

Array = npt.NDArray[np.float64]
Features = Callable[[Sequence[str]], Any]

TUNED_ROWS: Final = 10_000
"""Features and penalties are chosen on a sample of at most this many rows."""
TOLERANCE: Final = 1e-3
"""Of conjugate gradient; a thousandth changes no figure to be chosen by, and is twice as fast."""


class Ridge(NamedTuple):
    """A fitted ridge, and its predictions of the training rows while each was held out."""

    predict: Callable[[Sequence[str]], Array]
    out_of_fold: Array
    folds: list[Fold]
    indicators: Callable[[Sequence[str]], npt.NDArray[np.float32]]
    """Texts → 1 or 0: whether a text has each of the n-grams that move predictions most."""


def fit_ridge(
    texts: list[str], log_prices: Array, groups: Sequence[Hashable], seen: int = 0
) -> Ridge:
    """Fit the ridge with the features and the penalty of least cross-validated MAE.

    To choose from are TF-IDF weights of unit length, and logarithms of counts, which suit prices
    that are a product of one factor per word. n-grams of characters are no choice: alone they were
    worse on the catalogue, on listings of flats and on wines, beside words no better on wines, and
    they took five to ten times as long.

    Args:
        texts: the training texts.
        log_prices: the logarithms of their prices.
        groups: their groups, each of which is in one fold.
        seen: the number of :attr:`Ridge.indicators`.
    """
    from sklearn.linear_model import Ridge as Regression

    features, alpha = _chosen(texts, log_prices, groups)
    matrix = features(texts)
    model = Regression(alpha=alpha, tol=TOLERANCE).fit(matrix, log_prices)
    parts = folds(groups)

    def predict(texts: Sequence[str]) -> Array:
        return np.asarray(model.predict(features(texts)), dtype=np.float64)

    return Ridge(
        predict=predict,
        out_of_fold=out_of_fold(Regression(alpha=alpha, tol=TOLERANCE), matrix, log_prices, parts),
        folds=parts,
        indicators=_indicators(texts, log_prices, seen),
    )


def _chosen(
    texts: list[str], log_prices: Array, groups: Sequence[Hashable]
) -> tuple[Features, float]:
    """The features and the penalty with the least mean absolute error on held-out folds."""
    from sklearn.linear_model import Ridge as Regression

    few = np.sort(np.random.default_rng(0).permutation(len(texts))[:TUNED_ROWS])
    parts = folds([groups[row] for row in few])
    prices = np.exp(log_prices[few])
    best: tuple[float, Features, float] | None = None
    for features, alphas in _candidates(texts):
        matrix = features([texts[row] for row in few])
        for alpha in alphas:
            held_out = out_of_fold(
                Regression(alpha=alpha, tol=TOLERANCE), matrix, log_prices[few], parts
            )
            error = float(np.mean(np.abs(np.exp(held_out) - prices)))
            if best is None or error < best[0]:
                best = (error, features, alpha)
    assert best is not None
    return best[1:]


def _candidates(texts: list[str]) -> list[tuple[Features, tuple[float, ...]]]:
    """Features, each with the penalties that suit their scale."""
    weighted = vectorizer(texts, norm="l2", use_idf=True).transform
    counted = vectorizer(texts, norm=None, use_idf=False).transform
    return [(weighted, (0.1, 0.3, 1.0, 3.0)), (counted, (1.0, 3.0, 10.0, 30.0, 100.0))]


def _indicators(
    texts: list[str], log_prices: Array, number: int
) -> Callable[[Sequence[str]], npt.NDArray[np.float32]]:
    """Whether a text has each of the ``number`` n-grams that move a ridge's predictions most.

    That is the standard deviation of weight times indicator: an n-gram counts by its weight, and
    by how evenly it splits the texts.
    """
    from sklearn.linear_model import Ridge as Regression

    if not number:
        return lambda texts: np.zeros((len(texts), 0), dtype=np.float32)
    terms = vectorizer(texts, binary=True, norm=None, use_idf=False, sublinear_tf=False)
    matrix = terms.transform(texts)
    share = np.asarray(matrix.mean(axis=0)).ravel()
    weights = Regression(alpha=3.0, tol=TOLERANCE).fit(matrix, log_prices).coef_
    # The share of a term that all texts have may come out a little over 1.
    moved = np.abs(weights) * np.sqrt(np.clip(share * (1 - share), 0, None))
    chosen = np.sort(np.argsort(-moved, kind="stable")[:number])
    return lambda texts: terms.transform(texts)[:, chosen].toarray().astype(np.float32)


def out_of_fold(model: Any, features: Any, targets: Array, parts: Sequence[Fold]) -> Array:
    """Predict each row by a model fitted without its fold, clipped to the range of the targets.

    Without folds, which is where all rows are of one group, the prediction is the mean.
    """
    predicted = np.full(len(targets), targets.mean())
    for train, held in parts:
        predicted[held] = model.fit(features[train], targets[train]).predict(features[held])
    return np.asarray(np.clip(predicted, targets.min(), targets.max()), dtype=np.float64)
