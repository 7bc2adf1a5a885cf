"""Ready-made baselines: cheap ways to do a task. A task may also write its own.

Each function returns a :data:`~toolkit.task.Baseline`: a function that takes the training rows and
returns a predictor. scikit-learn is imported only when a baseline is fitted.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.data.grouping import ROW_GROUP
from toolkit.data.normalization import normalized
from toolkit.metrics import texts
from toolkit.models.sentence_encoder import sentence_encoder, sentence_vectors
from toolkit.task import Row

if TYPE_CHECKING:
    from datasets import Dataset

    from toolkit.models.linear import Features as Features
    from toolkit.models.linear import Fold as Fold
    from toolkit.models.linear import characters as characters
    from toolkit.models.linear import classifier as classifier
    from toolkit.models.linear import folds as folds
    from toolkit.models.linear import labeller as labeller
    from toolkit.models.linear import ngrams as ngrams
    from toolkit.models.linear import one_thread as one_thread
    from toolkit.models.linear import regressor as regressor
    from toolkit.models.linear import sample as sample
    from toolkit.models.linear import words as words
    from toolkit.task import Baseline, Predictor

__all__ = [
    "Features",
    "Fold",
    "Text",
    "characters",
    "class_baselines",
    "classifier",
    "embeddings_logistic",
    "embeddings_ridge",
    "first_words",
    "folds",
    "labeller",
    "median",
    "most_frequent",
    "nearest",
    "nearest_sentence",
    "ngrams",
    "number_baselines",
    "one_thread",
    "regressor",
    "sample",
    "sentence_encoder",
    "sentence_vectors",
    "text_baselines",
    "tfidf_logistic",
    "tfidf_ridge",
    "words",
]

LINEAR = (
    "Features", "Fold", "characters", "classifier", "folds", "labeller", "ngrams", "one_thread",
    "regressor", "sample", "words",
)  # fmt: skip
"""Names of :mod:`toolkit.models.linear`, which needs NumPy: a task is listed without it."""


def __getattr__(name: str) -> Any:
    if name not in LINEAR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from toolkit.models import linear

    return getattr(linear, name)


EMBEDDED_ROWS = 4_000
"""Baselines on embeddings are fitted on a sample of at most this many rows: encoding is slow."""


Text = str | Callable[[Row], str]
"""The text that a baseline reads: the name of a column, or a function of the row."""


def _texts(rows: Dataset, text: Text) -> list[str]:
    if isinstance(text, str):
        return [str(value) for value in rows[text][:]]
    return [text(dict(row)) for row in rows]


def _vectorizer(given: Sequence[str]) -> Any:
    """TF-IDF of words and word pairs, fitted; of characters where texts have no word."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        return TfidfVectorizer(
            sublinear_tf=True, ngram_range=(1, 2), tokenizer=texts.terms, token_pattern=None
        ).fit(given)
    except ValueError:
        return TfidfVectorizer(sublinear_tf=True, analyzer="char").fit([*given, "."])


def _groups(rows: Dataset, group: Text | None, texts: Sequence[str]) -> list[str]:
    """The group of each row; where none is given, its normalised text, as copies share one.

    A column of the file that decides on the groups goes before both, as in
    :func:`toolkit.task.group_of`.
    """
    own = [normalized(text) for text in texts] if group is None else _texts(rows, group)
    if ROW_GROUP not in rows.column_names:
        return own
    return [key or other for key, other in zip(rows[ROW_GROUP][:], own, strict=True)]


def most_frequent(answer: str) -> Baseline:
    """Always the answer that the training rows give most often.

    Of lists of labels, those that have the best F1 where all rows are given them.

    Args:
        answer: the column of the answers.
    """

    def fit(train: Dataset) -> Predictor:
        answers = train[answer][:]
        if _are_lists(answers):
            labels = _frequent_labels(answers)
            return lambda rows: [labels for _ in range(len(rows))]
        counts = Counter(answers)
        # Ties go to the first in alphabetical order, so that every fit gives the same answer.
        best = min(counts, key=lambda value: (-counts[value], str(value)))
        return lambda rows: [best] * len(rows)

    return fit


def _are_lists(answers: Sequence[Any]) -> bool:
    """Whether a row has any number of answers, as a row of several labels has."""
    return bool(len(answers)) and isinstance(answers[0], list)


def _frequent_labels(answers: Sequence[Sequence[Any]]) -> list[Any]:
    """The most frequent labels, as many as make the best F1 where every row is given them."""
    counts = Counter(label for row in answers for label in set(row))
    ranked = sorted(counts, key=lambda label: (-counts[label], str(label)))
    total, right, best = counts.total(), 0, (0.0, 0)
    for number, label in enumerate(ranked, 1):
        right += counts[label]
        best = max(best, (2 * right / (number * len(answers) + total), -number))
    return ranked[: -best[1]]


def median(answer: str | Sequence[str]) -> Baseline:
    """Always the median of the training rows: the constant with the least absolute error.

    Args:
        answer: the column of the numbers; of several, predictions are ``{column: number}``.
    """

    def fit(train: Dataset) -> Predictor:
        if not isinstance(answer, str):
            middles = {name: statistics.median_low(train[name][:]) for name in answer}
            return lambda rows: [dict(middles) for _ in range(len(rows))]
        middle = statistics.median_low(train[answer][:])
        return lambda rows: [middle] * len(rows)

    return fit


def nearest(text: Text, answer: str) -> Baseline:
    """The answer of the training row whose text is nearest by TF-IDF.

    Args:
        text: the column of the texts, or a function that makes a text of a row.
        answer: the column of the answers.
    """

    def fit(train: Dataset) -> Predictor:
        vectorizer = _vectorizer(_texts(train, text))
        known = vectorizer.transform(_texts(train, text))
        answers = train[answer][:]

        def predict(rows: Dataset) -> list[Any]:
            alike = vectorizer.transform(_texts(rows, text)) @ known.T
            return [answers[int(row.argmax())] for row in alike]

        return predict

    return fit


def text_baselines(text: Text, answer: str) -> dict[str, Baseline]:
    """What every task with written answers can be compared with.

    Args:
        text: the column of the texts, or a function that makes a text of a row.
        answer: the column of the answers.
    """
    return {"most-frequent": most_frequent(answer), "nearest": nearest(text, answer)}


def class_baselines(text: Text, answer: str, group: Callable[[Row], str]) -> dict[str, Baseline]:
    """What every task with classes can be compared with.

    Args:
        text: the column of the texts, or a function that makes a text of a row.
        answer: the column of the classes.
        group: what rows share that must stay together, see :meth:`toolkit.Task.group`.
    """
    return {
        "most-frequent": most_frequent(answer),
        "tfidf-logistic": tfidf_logistic(text, answer, group),
        "embeddings-logistic": embeddings_logistic(text, answer, group),
    }


def number_baselines(
    text: Text, answer: str | Sequence[str], group: Callable[[Row], str]
) -> dict[str, Baseline]:
    """What every task with numbers can be compared with.

    Args:
        text: the column of the texts, or a function that makes a text of a row.
        answer: the column of the numbers, or the columns.
        group: what rows share that must stay together, see :meth:`toolkit.Task.group`.
    """
    return {
        "median": median(answer),
        "tfidf-ridge": tfidf_ridge(text, answer, group),
        "embeddings-ridge": embeddings_ridge(text, answer, group),
    }


def first_words(text: Text, words: int) -> Baseline:
    """The first words of the text; hard to beat where the important part comes first.

    Args:
        text: the column of the texts, or a function that makes a text of a row.
        words: how many words.
    """

    def fit(train: Dataset) -> Predictor:
        return lambda rows: [texts.leading(value, words) for value in _texts(rows, text)]

    return fit


def nearest_sentence(question: str = "question", context: str = "context") -> Baseline:
    """The sentence of the context that shares most words with the question, as a span.

    A prediction is ``{"text": …, "start": …, "end": …}``, with positions in characters.

    Args:
        question: the column of the questions.
        context: the column of the texts that hold the answers.
    """

    def answer(row: Row) -> dict[str, Any]:
        question_words = set(texts.words(str(row[question]).casefold()))
        spans = texts.sentence_spans(str(row[context])) or [(0, 0)]

        def shared(span: tuple[int, int]) -> int:
            there = str(row[context])[span[0] : span[1]].casefold()
            return len(question_words.intersection(texts.words(there)))

        start, end = max(spans, key=shared)
        return {"text": str(row[context])[start:end], "start": start, "end": end}

    def fit(train: Dataset) -> Predictor:
        return lambda rows: [answer(dict(row)) for row in rows]

    return fit


def tfidf_logistic(
    text: Text, answer: str, group: Text | None = None, *, ordered: bool = False
) -> Baseline:
    """Logistic regression on n-grams with TF-IDF weights, for classes.

    Whether the n-grams are of words or of words and characters, and the penalty, are chosen by
    cross-validation on the training rows, see :func:`classifier`.

    Args:
        text: the column of the texts, or a function that makes a text of a row.
        answer: the column of the classes, or of lists of labels (see :func:`labeller`).
        group: the column of the rows' groups, or a function that gives it, such as ``self.group``
            of a task; rows of one group stay in one fold. Default: rows with the same text.
        ordered: the classes are numbers with a distance, such as stars.
    """

    def fit(train: Dataset) -> Predictor:
        from toolkit.models.linear import ngrams

        texts = _texts(train, text)
        found = ngrams(texts)
        if not found:
            return _constant(answer, ordered)(train)
        chosen, model = _classified(
            [features(texts) for features in found], train[answer][:],
            _groups(train, group, texts), ordered,
        )  # fmt: skip
        return _predictor(lambda rows: model(found[chosen](_texts(rows, text))))

    return fit


def embeddings_logistic(
    text: Text, answer: str, group: Text | None = None, *, ordered: bool = False
) -> Baseline:
    """Logistic regression on sentence embeddings, for classes; needs the extra ``offline``.

    The penalty is chosen by cross-validation. Fitted on at most :data:`EMBEDDED_ROWS` rows; texts
    are cut after 128 tokens.

    Args:
        text: the column of the texts, or a function that makes a text of a row.
        answer: the column of the classes, or of lists of labels.
        group: as in :func:`tfidf_logistic`.
        ordered: the classes are numbers with a distance, such as stars.
    """

    def fit(train: Dataset) -> Predictor:
        encode, few, vectors, groups = _embedded(train, text, group)
        _, model = _classified([vectors], few[answer][:], groups, ordered)
        return _predictor(lambda rows: model(encode(_texts(rows, text))))

    return fit


def _classified(
    features: Sequence[Any], answers: Sequence[Any], groups: Sequence[str], ordered: bool
) -> tuple[int, Callable[[Any], list[Any]]]:
    """The best linear model of classes, or of lists of labels, and its features."""
    from toolkit.models.linear import classifier, labeller

    if _are_lists(answers):
        return labeller(features, answers, groups)
    return classifier(features, answers, groups, ordered=ordered)


def tfidf_ridge(text: Text, answer: str | Sequence[str], group: Text | None = None) -> Baseline:
    """Ridge regression on n-grams with TF-IDF weights, for numbers.

    Whether the n-grams are of words or of words and characters, and the penalty, are chosen by
    cross-validation on the training rows, see :func:`regressor`.

    Args:
        text: the column of the texts, or a function that makes a text of a row.
        answer: the column of the numbers; of several, predictions are ``{column: number}``.
        group: as in :func:`tfidf_logistic`.
    """

    def fit(train: Dataset) -> Predictor:
        from toolkit.models.linear import ngrams, regressor

        texts = _texts(train, text)
        found = ngrams(texts)
        if not found:
            return median(answer)(train)
        chosen, model = regressor(
            [features(texts) for features in found], _numbers(train, answer),
            _groups(train, group, texts),
        )  # fmt: skip
        return _predictor(lambda rows: _named(model(found[chosen](_texts(rows, text))), answer))

    return fit


def embeddings_ridge(
    text: Text, answer: str | Sequence[str], group: Text | None = None
) -> Baseline:
    """Ridge regression on sentence embeddings, for numbers; needs the extra ``offline``.

    The penalty is chosen by cross-validation. Fitted on at most :data:`EMBEDDED_ROWS` rows; texts
    are cut after 128 tokens.

    Args:
        text: the column of the texts, or a function that makes a text of a row.
        answer: the column of the numbers; of several, predictions are ``{column: number}``.
        group: as in :func:`tfidf_logistic`.
    """

    def fit(train: Dataset) -> Predictor:
        from toolkit.models.linear import regressor

        encode, few, vectors, groups = _embedded(train, text, group)
        _, model = regressor([vectors], _numbers(few, answer), groups)
        return _predictor(lambda rows: _named(model(encode(_texts(rows, text))), answer))

    return fit


def _numbers(rows: Dataset, answer: str | Sequence[str]) -> Sequence[Any]:
    """The numbers of one column, or those of several, a tuple for each row."""
    if isinstance(answer, str):
        return list(rows[answer][:])
    return list(zip(*(rows[name][:] for name in answer), strict=True))


def _named(found: Any, answer: str | Sequence[str]) -> list[Any]:
    """Predicted numbers as a regressor gives them, those of several columns by their names."""
    if isinstance(answer, str):
        return list(found.tolist())
    return [dict(zip(answer, row, strict=True)) for row in found.tolist()]


def _embedded(
    train: Dataset, text: Text, group: Text | None
) -> tuple[Callable[[Sequence[str]], Any], Dataset, Any, list[str]]:
    """The encoder; the rows that are fitted on, at most :data:`EMBEDDED_ROWS`; their embeddings,
    shape (rows, 384); and their groups.
    """
    from toolkit.models.linear import sample

    encode = sentence_vectors("The baseline on sentence embeddings", max_tokens=128)
    few = train.select(sample(len(train), EMBEDDED_ROWS))
    texts = _texts(few, text)
    return encode, few, encode(texts), _groups(few, group, texts)


def _constant(answer: str, ordered: bool) -> Baseline:
    return median(answer) if ordered else most_frequent(answer)


def _predictor(answers: Callable[[Dataset], list[Any]]) -> Predictor:
    """A predictor that asks no model about no rows, which scikit-learn refuses."""
    return lambda rows: answers(rows) if len(rows) else []
