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
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit import Baseline, Predictor
from toolkit.baselines import sentence_encoder
from toolkit.system import precision
from toolkit_price_regression.features import amounts, frequent_words, shape, vectorizer

if TYPE_CHECKING:
    from datasets import Dataset

Array = npt.NDArray[np.float64]

RIDGE_ROWS: Final = 100_000
"""The linear models are fitted on a sample of at most this many rows (memory of the n-grams)."""
TREE_ROWS: Final = 30_000
"""The same for the random forest and gradient boosting, and for choosing a penalty."""
EMBEDDED_ROWS: Final = 4_000
"""The same for the embeddings: encoding is nearly all of their time, and a ridge on 384 columns
gains little from more rows (on the catalogue the MAE falls by 2 % from 4,000 to 9,600)."""

_SEED: Final = 0


def ladder() -> dict[str, Baseline]:
    """The baselines by name, from the plainest to the most elaborate."""
    return {
        "constant-mean": constant_mean,
        "constant-median": constant_median,
        "linear-text-features": linearshape,
        "tfidf-ridge-log": tfidf_ridge_log,
        "random-forest": random_forest,
        "gradient-boosting": gradient_boosting,
        "embeddings-ridge": embeddings_ridge,
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
    with _one_thread():
        model.fit(shape(_texts(train)), _log_prices(train))
    return _predictor(train, lambda texts: model.predict(shape(texts)))


def tfidf_ridge_log(train: Dataset) -> Predictor:
    """Ridge regression of the log price on words and pairs of words.

    The weighting (TF-IDF of unit length, or logarithms of counts, which suit prices that are a
    product of one factor per word) and the penalty are the pair with the least cross-validated MAE.
    """
    train = _sample(train, RIDGE_ROWS)
    with _one_thread():
        ridge = _fit_ridge(_texts(train), _log_prices(train))
    return _predictor(train, ridge.predict)


def random_forest(train: Dataset) -> Predictor:
    """A random forest of 80 trees on the most informative words and the parsed quantities."""
    from sklearn.ensemble import RandomForestRegressor

    train = _sample(train, TREE_ROWS)
    texts = _texts(train)
    # Single words scored much better than SVD components: a tree splits on "oak" in one step.
    words = frequent_words(texts, 400)

    def features(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.hstack([amounts(texts), words(texts)]).astype(np.float32)

    forest = RandomForestRegressor(80, max_features=0.4, n_jobs=-1, random_state=_SEED)
    forest.fit(features(texts), _log_prices(train))
    return _predictor(train, lambda texts: forest.predict(features(texts)))


def gradient_boosting(train: Dataset) -> Predictor:
    """Boosted trees on parsed quantities, TF-IDF components and the ridge's prediction.

    The ridge adds up the effects of thousands of words, which trees are bad at; the trees add what
    it cannot express: non-linear effects of sizes, and quantities whose effect depends on the kind
    of goods (stacked generalisation, Wolpert 1992). In training the ridge's predictions are
    out-of-fold, because it is too accurate on rows that it was fitted on.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.ensemble import HistGradientBoostingRegressor

    train = _sample(train, TREE_ROWS)
    texts, log_prices = _texts(train), _log_prices(train)
    with _one_thread():
        ridge = _fit_ridge(texts, log_prices)
        words = vectorizer(texts, min_df=3)
        rank = min(64, len(words.vocabulary_) - 1, len(texts) - 1)
        svd = TruncatedSVD(max(rank, 1), random_state=_SEED).fit(words.transform(texts))

    def features(texts: Sequence[str], ridge_predictions: Array) -> Array:
        components = svd.transform(words.transform(texts))
        return np.hstack([amounts(texts), components, ridge_predictions[:, np.newaxis]])

    model = HistGradientBoostingRegressor(
        learning_rate=0.06,
        max_iter=600,
        early_stopping=len(texts) >= 200,  # a tenth of fewer rows is too few to judge by
        n_iter_no_change=20,
        random_state=_SEED,
    )
    with _one_thread():
        model.fit(features(texts, ridge.out_of_fold), log_prices)
    return _predictor(train, lambda texts: model.predict(features(texts, ridge.predict(texts))))


def embeddings_ridge(train: Dataset) -> Predictor:
    """Ridge regression of the log price on sentence embeddings (all-MiniLM-L6-v2, offline).

    Fitted on at most :data:`EMBEDDED_ROWS` rows; texts are cut after 128 tokens.
    """
    from sklearn.linear_model import RidgeCV

    encode = _encoder()
    train = _sample(train, EMBEDDED_ROWS)
    model = RidgeCV(alphas=np.logspace(-2, 2, 13))  # leave-one-out cross-validation from one SVD
    model.fit(encode(_texts(train)), _log_prices(train))
    return _predictor(train, lambda texts: model.predict(encode(texts)))


class _Ridge(NamedTuple):
    """A fitted ridge, and its predictions of the training rows while each was held out."""

    predict: Callable[[Sequence[str]], Array]
    out_of_fold: Array


def _fit_ridge(texts: list[str], log_prices: Array) -> _Ridge:
    """Fit the ridge on word n-grams with the weighting and penalty of least cross-validated MAE."""
    from sklearn.linear_model import Ridge

    best: tuple[float, Any, float] | None = None
    few = np.sort(np.random.default_rng(_SEED).permutation(len(texts))[:TREE_ROWS])
    for weighting, alphas in (
        ({"norm": "l2", "use_idf": True}, (0.1, 0.3, 1.0, 3.0)),
        ({"norm": None, "use_idf": False}, (1.0, 3.0, 10.0, 30.0, 100.0)),
    ):
        words = vectorizer(texts, **weighting)
        features = words.transform([texts[row] for row in few])
        for alpha in alphas:
            held_out = _out_of_fold(Ridge(alpha=alpha), features, log_prices[few])
            error = float(np.mean(np.abs(np.exp(held_out) - np.exp(log_prices[few]))))
            if best is None or error < best[0]:
                best = (error, words, alpha)
    assert best is not None
    _, words, alpha = best
    features = words.transform(texts)
    model = Ridge(alpha=alpha).fit(features, log_prices)

    def predict(texts: Sequence[str]) -> Array:
        return np.asarray(model.predict(words.transform(texts)), dtype=np.float64)

    return _Ridge(
        predict=predict,
        out_of_fold=_out_of_fold(Ridge(alpha=alpha), features, log_prices),
    )


def _out_of_fold(model: Any, features: Any, targets: Array) -> Array:
    """Predict each row by a model fitted without it, and clip to the range of the targets."""
    from sklearn.model_selection import KFold, cross_val_predict

    folds = KFold(min(4, len(targets)), shuffle=True, random_state=_SEED)
    predicted = cross_val_predict(model, features, targets, cv=folds)
    return np.asarray(np.clip(predicted, targets.min(), targets.max()), dtype=np.float64)


def _encoder() -> Callable[[Sequence[str]], Array]:
    """Texts → normalised sentence embeddings, by the encoder of the extra ``offline``."""
    import torch

    # bfloat16 halves the time on a CPU that supports it, and moves no embedding by over 0.003.
    model = sentence_encoder(
        "The baseline embeddings-ridge",
        max_tokens=128,
        dtype=torch.bfloat16 if precision.bfloat16_pays() else torch.float32,
    )

    def encode(texts: Sequence[str]) -> Array:
        # encode() sorts by length itself, so that batches contain little padding
        vectors = model.encode(list(texts), batch_size=64, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float64)

    return encode


def _one_thread() -> AbstractContextManager[Any]:
    """Limit to one thread what parallelises badly: linear models and splits of boosted trees.

    Their parallel regions are so short that a second thread gains nothing; on a busy machine,
    waiting for it made fits of two seconds take thirty.
    """
    from threadpoolctl import threadpool_limits

    one: AbstractContextManager[Any] = threadpool_limits(1)
    return one


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
    return [str(text) for text in rows["text"]]


def _prices(rows: Dataset) -> Array:
    return np.asarray(rows["price"], dtype=np.float64)


def _log_prices(rows: Dataset) -> Array:
    return np.log(_prices(rows))
