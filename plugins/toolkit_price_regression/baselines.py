"""The baseline ladder: cheap ways to predict a price from a description, each tuned with care.

A baseline is fitted on the training rows and returns a predictor. All read the ``text`` alone, as
the adapter does. All but the two constants fit the *logarithm* of the price: errors there are
closer to symmetric, and ``exp`` of a centred log prediction is the median of the price, the value
with the least mean absolute error (the mean would need Duan's smearing factor, JASA 1983, and have
a higher MAE). Predictions stay within the range of the training prices. Settings are chosen by
cross-validation on the training rows alone, and every random choice has a fixed seed.

Heavy libraries are imported in the functions that need them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from toolkit import Baseline, Predictor
from toolkit.baselines import one_thread, sentence_encoder
from toolkit.system import precision
from toolkit_price_regression.features import amounts, shape
from toolkit_price_regression.load import groups
from toolkit_price_regression.ridge import Ridge, fit_ridge

if TYPE_CHECKING:
    from datasets import Dataset

Array = npt.NDArray[np.float64]

RIDGE_ROWS: Final = 100_000
"""The linear models are fitted on a sample of at most this many rows (memory of the n-grams)."""
TREE_ROWS: Final = 30_000
"""The same for gradient boosting."""
EMBEDDED_ROWS: Final = 4_000
"""The same for the embeddings: encoding is nearly all of their time, and a ridge on 384 columns
gains little from more rows (on the catalogue the MAE falls by 2 % from 4,000 to 9,600)."""
SEEN: Final = 300
"""So many n-grams are columns of the boosted trees; their time grows with that number."""
TREES: Final = 400
"""The most trees that gradient boosting may have."""
LEAST_TO_JUDGE: Final = 200
"""With fewer rows a fold is too small to choose the number of trees by; it is then a quarter."""
NEIGHBOURS: Final = (5, 1, 3, 10, 20, 40)
"""Numbers of neighbours to choose from; the first one is used where none can be judged."""

_SEED: Final = 0


def ladder() -> dict[str, Baseline]:
    """The baselines by name, from the plainest to the most elaborate."""
    embedded = Embedded()
    return {
        "constant-mean": constant_mean,
        "constant-median": constant_median,
        "linear-text-features": linearshape,
        "tfidf-ridge-log": tfidf_ridge_log,
        "gradient-boosting": gradient_boosting,
        "embeddings-ridge": embedded.ridge,
        "embeddings-nearest": embedded.nearest,
    }


def constant_mean(train: Dataset) -> Predictor:
    """The mean training price for every row: the best constant by RMSE."""
    return _constant(float(np.mean(_prices(train))))


def constant_median(train: Dataset) -> Predictor:
    """The median training price for every row: the best constant by MAE."""
    return _constant(float(np.median(_prices(train))))


def linearshape(train: Dataset) -> Predictor:
    """Least squares on features that need no vocabulary: lengths, digits, the largest number."""
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train = _sample(train, RIDGE_ROWS)
    model = make_pipeline(StandardScaler(), LinearRegression())
    with one_thread():
        model.fit(shape(_texts(train)), _log_prices(train))
    return _predictor(train, lambda texts: model.predict(shape(texts)))


def tfidf_ridge_log(train: Dataset) -> Predictor:
    """Ridge regression of the log price on words and pairs of words.

    Their weighting and the penalty are those with the least cross-validated MAE, see
    :func:`toolkit_price_regression.ridge.fit_ridge`.
    """
    train = _sample(train, RIDGE_ROWS)
    with one_thread():
        ridge = fit_ridge(_texts(train), _log_prices(train), groups(train))
    return _predictor(train, ridge.predict)


def gradient_boosting(train: Dataset) -> Predictor:
    """Boosted trees on the ridge's prediction, parsed quantities and single n-grams.

    The ridge adds up the effects of thousands of words, which trees are bad at; the trees add what
    it cannot express: non-linear effects of sizes, and quantities and words whose effect depends on
    the kind of goods. In training the ridge's predictions are out-of-fold, because it is too
    accurate on rows that it was fitted on (stacked generalisation, Wolpert 1992). Trees on the
    ridge's residuals were as good on the catalogue, and worse on prices of wines. The trees see the
    :data:`SEEN` n-grams that move the ridge's prediction most. The number of trees is that with the
    least error on a fold of groups that were held out, up to :data:`TREES`.
    """
    train = _sample(train, TREE_ROWS)
    texts, log_prices = _texts(train), _log_prices(train)
    with one_thread():
        ridge = fit_ridge(texts, log_prices, groups(train), SEEN)

        def features(texts: Sequence[str], predicted: Array) -> npt.NDArray[np.float32]:
            columns: list[Any] = [amounts(texts), ridge.indicators(texts), predicted[:, np.newaxis]]
            return np.hstack(columns).astype(np.float32)

        trees = _boost(features(texts, ridge.out_of_fold), log_prices, ridge)

    def predict(texts: Sequence[str]) -> Array:
        predicted = ridge.predict(texts)
        with one_thread():
            return np.asarray(trees.predict(features(texts, predicted)), dtype=np.float64)

    return _predictor(train, predict)


def _boost(features: npt.NDArray[np.float32], log_prices: Array, ridge: Ridge) -> Any:
    """Boosted trees, as many as predict a held-out fold best."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    def fit(at: Any, trees: int) -> Any:
        model = HistGradientBoostingRegressor(
            learning_rate=0.1,
            max_iter=trees,
            max_features=0.5,
            min_samples_leaf=min(20, max(2, len(at) // 20)),
            early_stopping=False,
            random_state=_SEED,
        )
        return model.fit(features[at], log_prices[at])

    every = np.arange(len(log_prices))
    if len(log_prices) < LEAST_TO_JUDGE or not ridge.folds:
        return fit(every, TREES // 4)
    at, held = ridge.folds[0]
    prices = np.exp(log_prices[held])
    low, high = log_prices.min(), log_prices.max()
    errors = [
        float(np.mean(np.abs(np.exp(np.clip(predicted, low, high)) - prices)))
        for predicted in fit(at, TREES).staged_predict(features[held])
    ]
    return fit(every, int(np.argmin(errors)) + 1)


class Embedded:
    """The baselines on sentence embeddings (all-MiniLM-L6-v2, from the extra ``offline``).

    They share the vectors, whose computation is nearly all of their time. Fitted on at most
    :data:`EMBEDDED_ROWS` rows; texts are cut after 128 tokens.
    """

    def __init__(self) -> None:
        self._vectors: dict[str, npt.NDArray[np.float32]] = {}

    def ridge(self, train: Dataset) -> Predictor:
        """Ridge regression of the log price on the vectors."""
        from sklearn.linear_model import RidgeCV

        encode = self._encoder("embeddings-ridge")
        train = _sample(train, EMBEDDED_ROWS)
        model = RidgeCV(alphas=np.logspace(-2, 2, 13))  # leave-one-out, from one SVD
        with one_thread():
            model.fit(encode(_texts(train)), _log_prices(train))
        return _predictor(train, lambda texts: model.predict(encode(texts)))

    def nearest(self, train: Dataset) -> Predictor:
        """The median price of the training rows whose vectors are nearest.

        Their number is that of :data:`NEIGHBOURS` with the least error when each training row is
        predicted from the rows of other groups.
        """
        encode = self._encoder("embeddings-nearest")
        train = _sample(train, EMBEDDED_ROWS)
        texts, log_prices = _texts(train), _log_prices(train)
        known = encode(texts)
        codes = np.unique(groups(train), return_inverse=True)[1]
        alike = known @ known.T
        alike[codes[:, np.newaxis] == codes[np.newaxis, :]] = -np.inf
        order = _nearest(alike, max(NEIGHBOURS))
        # A row whose group is nearly all rows has fewer neighbours than that; it judges nothing.
        fair = np.isfinite(np.take_along_axis(alike, order, axis=1)).all(axis=1)
        number = min(NEIGHBOURS[0], len(texts))
        if fair.any():
            prices, found = np.exp(log_prices[fair]), log_prices[order[fair]]
            errors = {
                k: float(np.mean(np.abs(np.exp(np.median(found[:, :k], axis=1)) - prices)))
                for k in NEIGHBOURS
                if k <= order.shape[1]
            }
            number = min(errors, key=lambda k: errors[k])

        def predict(texts: Sequence[str]) -> Array:
            rows = _nearest(encode(texts) @ known.T, number)
            return np.asarray(np.median(log_prices[rows], axis=1))

        return _predictor(train, predict)

    def _encoder(self, name: str) -> Callable[[Sequence[str]], npt.NDArray[np.float32]]:
        """Texts → normalised sentence embeddings; those seen before are remembered."""
        import torch

        # bfloat16 halves the time on a CPU that supports it, and moves no embedding by over 0.003.
        model = sentence_encoder(
            f"The baseline {name}",
            max_tokens=128,
            dtype=torch.bfloat16 if precision.bfloat16_pays() else torch.float32,
        )

        def encode(texts: Sequence[str]) -> npt.NDArray[np.float32]:
            new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
            if new:
                # encode() sorts by length itself, so that batches contain little padding
                vectors = model.encode(
                    new, batch_size=64, show_progress_bar=False, normalize_embeddings=True
                )
                self._vectors.update(zip(new, np.asarray(vectors, dtype=np.float32), strict=True))
            return np.stack([self._vectors[text] for text in texts])

        return encode


def _nearest(alike: npt.NDArray[np.float32], number: int) -> npt.NDArray[np.intp]:
    """The places of the greatest values of each row, the greatest first; ties in their order."""
    return np.argsort(-alike, axis=1, kind="stable")[:, :number]


def _constant(value: float) -> Predictor:
    return lambda rows: [value] * len(rows)


def _predictor(train: Dataset, predict_log: Callable[[Sequence[str]], Any]) -> Predictor:
    """Turn a function from texts to log prices into a predictor of prices of rows.

    Prices are clipped to the range of the training prices.
    """
    log_prices = _log_prices(train)
    low, high = log_prices.min(), log_prices.max()

    def predict(rows: Dataset) -> list[float]:
        if len(rows) == 0:
            return []
        return [float(p) for p in np.exp(np.clip(predict_log(_texts(rows)), low, high))]

    return predict


def _sample(rows: Dataset, most: int) -> Dataset:
    """At most ``most`` rows, drawn with a fixed seed; shuffled only if some are left out."""
    if len(rows) <= most:
        return rows
    return rows.select(np.random.default_rng(_SEED).choice(len(rows), most, replace=False))


def _texts(rows: Dataset) -> list[str]:
    return [str(text) for text in rows["text"][:]]


def _prices(rows: Dataset) -> Array:
    return np.asarray(rows["price"][:], dtype=np.float64)


def _log_prices(rows: Dataset) -> Array:
    return np.log(_prices(rows))
