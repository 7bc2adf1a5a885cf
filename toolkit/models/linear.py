"""Linear models of texts, their settings chosen by cross-validation inside the training rows.

What the ready-made baselines are fitted with: n-grams of words and of
characters with TF-IDF weights, under a logistic regression or a ridge (Wang and Manning,
"Baselines and bigrams", ACL 2012, for how strong these are on short texts). Rows of one group are
always in one fold: copies of a row on both sides would make the weakest penalty look best.

The vectorizers are fitted once on all training texts and not once a fold; they see no answers.
Everything runs in one thread and without random numbers, so that two fits are equal.
"""

from __future__ import annotations

import functools
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from toolkit.metrics.texts import terms

__all__ = [
    "Features",
    "Fold",
    "characters",
    "classifier",
    "folds",
    "labeller",
    "ngrams",
    "one_thread",
    "regressor",
    "sample",
    "words",
]

Features = Callable[[Sequence[str]], Any]
"""Texts → a matrix with one row of features a text."""
Fold = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
"""The rows to fit on, and the rows to predict."""

FOLDS: Final = 4
TUNED_ROWS: Final = 4_000
"""Settings are chosen on a sample of at most this many rows; more move no choice of a factor 10."""
FITTED_ROWS: Final = 50_000
"""A model is fitted on a sample of at most this many rows, to stay within a few minutes."""
STRENGTHS: Final = (10.0, 1.0, 100.0)
"""Inverse penalties ``C`` of the logistic regression; the first is used where none is better."""
PENALTIES: Final = (1.0, 0.1, 0.3, 3.0, 10.0)
"""Penalties of the ridge; the first is used where none is better."""
THRESHOLDS: Final = tuple(number / 20 for number in range(1, 20))
"""Probabilities from which on a label may be given."""


# -- features --------------------------------------------------------------------------------------
def words(texts: Sequence[str]) -> Features | None:
    """TF-IDF of words and pairs of words; ``None`` if the texts have no word."""
    one_or_more = functools.partial(terms, shortest=1)
    return _tfidf(texts, ngram_range=(1, 2), tokenizer=one_or_more, token_pattern=None)


def characters(texts: Sequence[str]) -> Features | None:
    """TF-IDF of two to five characters inside words; ``None`` if the texts are empty.

    They see stems, endings and misspelt words, and serve scripts that set no blanks between words.
    """
    return _tfidf(texts, ngram_range=(2, 5), analyzer="char_wb", max_features=100_000)


def _tfidf(texts: Sequence[str], **settings: Any) -> Features | None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    least = 1 if len(texts) < 200 else 2
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=least, dtype=np.float32, **settings)
    try:
        vectorizer.fit(texts)
    except ValueError:  # no term at all, or none that two texts share
        return None
    transform: Features = vectorizer.transform
    return transform


def ngrams(texts: Sequence[str]) -> list[Features]:
    """The features to choose from: words, and words with characters; empty if there are none."""
    by_word, by_character = words(texts), characters(texts)
    if by_word is None or by_character is None:
        return [one for one in (by_word, by_character) if one is not None]
    one, other = by_word, by_character

    def both(given: Sequence[str]) -> Any:
        from scipy import sparse

        return sparse.hstack([one(given), other(given)]).tocsr()

    return [by_word, both]


# -- cross-validation ------------------------------------------------------------------------------
def folds(groups: Sequence[Hashable], classes: Sequence[Any] | None = None) -> list[Fold]:
    """Folds whose groups are whole, with equal shares of the classes where these are given.

    Returns:
        At most :data:`FOLDS` folds; none where there is a single group.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    codes = _codes(groups)
    number = min(FOLDS, len(set(codes)))
    if number < 2:
        return []
    if classes is None:
        return list(GroupKFold(number).split(codes, groups=codes))
    counts = Counter(classes)
    if max(counts.values()) < number:  # too many classes for equal shares
        return list(GroupKFold(number).split(codes, groups=codes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than folds
        split = StratifiedGroupKFold(number).split(codes, _codes(classes), codes)
        return [(fit, held) for fit, held in split if len(fit) and len(held)]


def _codes(values: Sequence[Hashable]) -> npt.NDArray[np.intp]:
    """Each value as the place where it first occurs among the different ones."""
    places = {value: i for i, value in enumerate(dict.fromkeys(values))}
    return np.asarray([places[value] for value in values], dtype=np.intp)


def sample(number: int, most: int) -> npt.NDArray[np.intp]:
    """The places of at most ``most`` of ``number`` rows, in order, drawn with a fixed seed."""
    if number <= most:
        return np.arange(number)
    return np.sort(np.random.default_rng(0).permutation(number)[:most])


# -- models ----------------------------------------------------------------------------------------
def classifier(
    features: Sequence[Any],
    labels: Sequence[Any],
    groups: Sequence[Hashable],
    *,
    ordered: bool = False,
    balanced: bool = False,
    score: Callable[[Any, Any], float] | None = None,
) -> tuple[int, Callable[[Any], list[Any]]]:
    """A logistic regression with the features and the penalty that predict held-out folds best.

    The features are chosen first, under the first of :data:`STRENGTHS`, and then the strength.

    Args:
        features: the matrices to choose from, one row a label each.
        labels: the class of each row.
        groups: the group of each row.
        ordered: classes are numbers; the median of the predicted distribution is the prediction,
            which has the least expected absolute error, and settings are chosen by that error.
        balanced: weight classes inversely to their frequency.
        score: ``(predictions, labels) -> figure``, the greater the better, to choose by; by default
            the accuracy, and with ``ordered`` the negative mean absolute error.

    Returns:
        The place of the chosen matrix, and a function from a matrix like it to classes.
    """
    known = sorted(set(labels), key=lambda label: (str(type(label)), label))
    codes = np.asarray([known.index(label) for label in labels], dtype=np.intp)
    values = np.asarray(known, dtype=float) if ordered else np.arange(len(known), dtype=float)
    judge = score or (_closeness(values) if ordered else _accuracy)

    def fit(matrix: Any, at: Any, strength: float) -> Callable[[Any], npt.NDArray[np.intp]]:
        return _logistic(matrix[at], codes[at], strength, ordered=ordered, balanced=balanced)

    few = sample(len(codes), TUNED_ROWS)
    parts = folds([groups[i] for i in few], codes[few].tolist()) if len(known) > 1 else []

    def figure(matrix: Any, strength: float) -> float:
        right, predicted = [], []
        for train, held in parts:
            right.append(codes[few[held]])
            predicted.append(fit(matrix, few[train], strength)(matrix[few[held]]))
        return judge(np.concatenate(predicted), np.concatenate(right))

    with one_thread():
        chosen, strength = _search(features, STRENGTHS, figure if parts else None)
        model = fit(features[chosen], sample(len(codes), FITTED_ROWS), strength)
    return chosen, lambda matrix: [known[code] for code in model(matrix)]


def labeller(
    features: Sequence[Any], labels: Sequence[Sequence[Any]], groups: Sequence[Hashable]
) -> tuple[int, Callable[[Any], list[list[Any]]]]:
    """A logistic regression for each label, with one threshold of probability for all of them.

    Features, strength and threshold are those with the best F1 of all labels (micro) on held-out
    folds.

    Args:
        features: the matrices to choose from, one row each.
        labels: the labels of each row.
        groups: the group of each row.

    Returns:
        The place of the chosen matrix, and a function from a matrix like it to lists of labels.
    """
    known = sorted({one for row in labels for one in row}, key=lambda v: (str(type(v)), v))
    has = np.asarray([[one in row for one in known] for row in labels], dtype=np.int8)
    has = has.reshape(len(labels), len(known))
    few = sample(len(has), TUNED_ROWS)
    parts = folds([groups[i] for i in few]) if known else []
    thresholds: dict[tuple[int, float], float] = {}

    def figure(matrix: Any, strength: float) -> float:
        right = np.concatenate([has[few[held]] for _, held in parts])
        shares = np.concatenate(
            [
                _shares(matrix[few[train]], has[few[train]], strength)(matrix[few[held]])
                for train, held in parts
            ]
        )
        found = {limit: _micro_f1(shares >= limit, right) for limit in THRESHOLDS}
        best = max(found, key=lambda limit: (found[limit], -abs(limit - 0.5)))
        thresholds[id(matrix), strength] = best
        return found[best]

    with one_thread():
        chosen, strength = _search(features, STRENGTHS, figure if parts else None)
        at = sample(len(has), FITTED_ROWS)
        model = _shares(features[chosen][at], has[at], strength)
    limit = thresholds.get((id(features[chosen]), strength), 0.5)

    def predict(matrix: Any) -> list[list[Any]]:
        return [
            [one for one, share in zip(known, row, strict=True) if share >= limit]
            for row in model(matrix)
        ]

    return chosen, predict


def _shares(
    matrix: Any, has: npt.NDArray[np.int8], strength: float
) -> Callable[[Any], npt.NDArray[np.float64]]:
    """Fit a logistic regression for each column; gives the probabilities, shape (rows, labels)."""
    from sklearn.linear_model import LogisticRegression

    def fit(column: npt.NDArray[np.int8]) -> Callable[[Any], npt.NDArray[np.float64]]:
        if column.min() == column.max():
            return lambda given: np.full(given.shape[0], float(column[0]))
        model = LogisticRegression(C=strength, max_iter=300, tol=1e-3)
        with _unconverged():
            model.fit(matrix, column)
        return lambda given: np.asarray(model.predict_proba(given)[:, 1], dtype=np.float64)

    models = [fit(column) for column in has.T]
    return lambda given: np.stack([model(given) for model in models], axis=1)


def _micro_f1(predicted: Any, right: Any) -> float:
    total = float(predicted.sum() + right.sum())
    return 2 * float((predicted & (right > 0)).sum()) / total if total else 0.0


@contextmanager
def _unconverged() -> Iterator[None]:
    """Within the block a fit may stop early.

    A weak penalty may take longer; what it has by then is judged like any other setting.
    """
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def regressor(
    features: Sequence[Any], numbers: Sequence[Any], groups: Sequence[Hashable]
) -> tuple[int, Callable[[Any], npt.NDArray[np.float64]]]:
    """A ridge regression with the features and the penalty of least error on held-out folds.

    Predictions stay within the range of the numbers. Chosen by the mean absolute error, of several
    numbers in a row each in deviations.

    Args:
        features: the matrices to choose from, one row a number each.
        numbers: the number of each row, or its numbers, shape (rows,) or (rows, numbers).
        groups: the group of each row.

    Returns:
        The place of the chosen matrix, and a function from a matrix like it to numbers.
    """
    from sklearn.linear_model import Ridge

    right = np.asarray(numbers, dtype=np.float64)
    low, high = right.min(axis=0), right.max(axis=0)
    unit = np.where(low < high, right.std(axis=0), 1.0) if right.ndim > 1 else 1.0

    def fit(matrix: Any, at: Any, penalty: float) -> Callable[[Any], npt.NDArray[np.float64]]:
        # For sparse columns the solver is conjugate gradient: no result depends on threads.
        model = Ridge(alpha=penalty).fit(matrix[at], right[at])
        shape = (-1, *right.shape[1:])
        return lambda given: np.clip(
            np.asarray(model.predict(given), np.float64).reshape(shape), low, high
        )

    few = sample(len(right), TUNED_ROWS)
    parts = folds([groups[i] for i in few])

    def figure(matrix: Any, penalty: float) -> float:
        errors = [
            np.abs(fit(matrix, few[train], penalty)(matrix[few[held]]) - right[few[held]]) / unit
            for train, held in parts
        ]
        return -float(np.mean(np.concatenate(errors)))

    with one_thread():
        chosen, penalty = _search(features, PENALTIES, figure if parts else None)
        model = fit(features[chosen], sample(len(right), FITTED_ROWS), penalty)
    return chosen, model


def _search(
    features: Sequence[Any],
    settings: Sequence[float],
    figure: Callable[[Any, float], float] | None,
) -> tuple[int, float]:
    """The place of the best features under the first setting, and the best setting for them."""
    if figure is None:
        return 0, settings[0]
    found = [figure(matrix, settings[0]) for matrix in features]
    chosen = int(np.argmax(found))
    figures = [found[chosen], *(figure(features[chosen], value) for value in settings[1:])]
    return chosen, settings[int(np.argmax(figures))]


def _logistic(
    matrix: Any, codes: Any, strength: float, *, ordered: bool, balanced: bool
) -> Callable[[Any], npt.NDArray[np.intp]]:
    """Fit a logistic regression; with a single class, a function that always predicts it."""
    from sklearn.linear_model import LogisticRegression

    present = np.unique(codes)
    if len(present) == 1:
        return lambda given: np.full(given.shape[0], present[0], dtype=np.intp)
    weights = "balanced" if balanced else None
    model = LogisticRegression(C=strength, max_iter=300, tol=1e-3, class_weight=weights)
    with _unconverged():
        model.fit(matrix, codes)
    if not ordered:
        return lambda given: np.asarray(model.predict(given), dtype=np.intp)

    def median(given: Any) -> npt.NDArray[np.intp]:
        below = np.cumsum(model.predict_proba(given), axis=1)
        return np.asarray(model.classes_[(below >= 0.5 - 1e-9).argmax(axis=1)], dtype=np.intp)

    return median


def _accuracy(predicted: Any, right: Any) -> float:
    return float(np.mean(predicted == right))


def _closeness(values: npt.NDArray[np.float64]) -> Callable[[Any, Any], float]:
    return lambda predicted, right: -float(np.mean(np.abs(values[predicted] - values[right])))


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit to one thread what parallelises badly: the linear algebra of small linear models."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
