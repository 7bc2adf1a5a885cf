"""Baselines of the five instructions, and controls for the metrics of free text.

Each baseline reads the review and the question alone. The logistic regressions predict the
sentiment, the stars and each common pair of aspect and level of the training reviews, and write
answers from these by the same templates as the gold answers. So they differ from the model only in
how well they read the review.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from toolkit import Baseline, Predictor
from toolkit_review_augmentation import instructions, rules, texts
from toolkit_review_augmentation.reviews import pairs

if TYPE_CHECKING:
    import numpy as np
    from datasets import Dataset

Featurize = Callable[[Sequence[str]], Any]
"""Texts → a matrix with one row of features per text."""

MOST_PAIRS = 150
"""At most this many pairs of aspect and level are learned, the commonest first."""
LEAST_ROWS = 4
"""A pair is learned if at least this many reviews have it."""
MOST_EMBEDDED = 1_500
"""The assistant's baseline on embeddings is fitted on at most this many reviews, evenly spaced.
Encoding and a hundred dense fits are slow, and it scores far below the baseline on TF-IDF."""


def ladder() -> dict[str, Baseline]:
    """The baselines of the review assistant by name, from the simplest on."""
    return {
        "majority": majority,
        "random": at_random,
        "keyword-rules": keyword_rules,
        "tfidf-logreg": tfidf_logreg,
        "embeddings-logreg": embeddings_logreg,
    }


def controls() -> dict[str, Baseline]:
    """Systems that show the range of the metrics: gold answers, and those of other reviews."""
    return {"gold-answers": gold_answers, "shuffled-answers": shuffled_answers}


def _answers(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Instruction → the answers to it."""
    by_instruction: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        by_instruction[row["instruction"]].append(row["answer"])
    return by_instruction


def majority(train: Dataset) -> Predictor:
    """The commonest training answer to each instruction."""
    commonest = {k: Counter(v).most_common(1)[0][0] for k, v in _answers(train).items()}
    return lambda rows: [commonest.get(_instruction(row), "") for row in rows]


def at_random(train: Dataset) -> Predictor:
    """A random training answer to the same instruction; the review's text is the random seed."""
    known = _answers(train)

    def predict(rows: Dataset) -> list[str]:
        return [Random(row["review"]).choice(known.get(_instruction(row)) or [""]) for row in rows]

    return predict


def keyword_rules(train: Dataset) -> Predictor:
    """The rules of :mod:`toolkit_review_augmentation.rules`; they learn nothing."""
    return lambda rows: [rules.answer(_instruction(row), row["review"]) for row in rows]


def _instruction(row: Mapping[str, Any]) -> str:
    return instructions.instruction_of(row["question"])


# -- logistic regressions --------------------------------------------------------------------------
def word_features(train: Sequence[str]) -> Featurize:
    """TF-IDF of words and pairs of words, fitted on the training texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=1 if len(train) < 200 else 2
    )
    words.fit(train)
    return lambda given: words.transform(given)


def sentence_features(train: Sequence[str]) -> Featurize:
    """Sentence embeddings of whole texts; needs the extra ``offline``."""
    texts.encoder()
    return lambda given: texts.embed_fast(given)


def tfidf_logreg(train: Dataset) -> Predictor:
    """Logistic regressions on TF-IDF."""
    return _regressions(_reviews(train), word_features)


def embeddings_logreg(train: Dataset) -> Predictor:
    """Logistic regressions on sentence embeddings (all-MiniLM-L6-v2)."""
    reviews = _reviews(train)
    return _regressions(reviews[:: max(1, -(-len(reviews) // MOST_EMBEDDED))], sentence_features)


def _reviews(train: Dataset) -> list[Mapping[str, Any]]:
    """One example of each review."""
    return list({row["review"]: row for row in train}.values())


def _regressions(
    reviews: Sequence[Mapping[str, Any]], featurize: Callable[[Sequence[str]], Featurize]
) -> Predictor:
    """Fit a classifier of stars, of sentiment, and of each common pair of aspect and level."""
    given = [row["review"] for row in reviews]
    features = featurize(given)
    matrix = features(given)
    stars = classifier(matrix, [row["stars"] for row in reviews])
    sentiments = classifier(matrix, [row["sentiment"] for row in reviews])
    opinions = [pairs(row) for row in reviews]
    common = [p for p, n in Counter(p for o in opinions for p in set(o)).most_common(MOST_PAIRS)
              if n >= LEAST_ROWS]  # fmt: skip
    has_pair = [classifier(matrix, [p in o for o in opinions], balanced=True) for p in common]

    def predict(rows: Dataset) -> list[str]:
        unique = list(dict.fromkeys(row["review"] for row in rows))
        if not unique:
            return []
        matrix = features(unique)
        predicted_stars, predicted_sentiments = stars(matrix), sentiments(matrix)
        predicted_pairs = [one(matrix) for one in has_pair]
        facts = {
            text: (
                int(predicted_stars[i]),
                str(predicted_sentiments[i]),
                [p for p, yes in zip(common, predicted_pairs, strict=True) if yes[i]],
            )
            for i, text in enumerate(unique)
        }
        return [_answer(_instruction(row), *facts[row["review"]]) for row in rows]

    return predict


def _answer(instruction: str, stars: int, sentiment: str, opinions: list[tuple[str, str]]) -> str:
    """The answer to an instruction, written from predicted facts of the review."""
    if instruction == "sentiment":
        return sentiment
    if instruction == "recommendation":
        return instructions.recommendation(stars or 3)
    if instruction == "features":
        return instructions.features([aspect for aspect, _ in opinions])
    if instruction == "quality":
        return instructions.quality(opinions)
    return instructions.summary(sentiment, opinions)


def classifier(
    features: Any, labels: Sequence[Any], *, balanced: bool = False
) -> Callable[[Any], np.ndarray]:
    """Fit a logistic regression; with a single label, a function that always predicts it.

    Args:
        features: matrix with one row per label.
        labels: the class of each row.
        balanced: weight classes inversely to their frequency.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    if len(set(labels)) < 2:
        return lambda given: np.asarray([labels[0]] * given.shape[0])
    model = LogisticRegression(
        C=10.0, max_iter=500, class_weight="balanced" if balanced else None, random_state=0
    )
    with threadpool_limits(1):
        model.fit(features, labels)
    return lambda given: np.asarray(model.predict(given))


def classifiers(column: str, by_rule: Callable[[str, Sequence[Any]], Any]) -> dict[str, Baseline]:
    """The baseline ladder of a classification task on the column ``text``.

    Args:
        column: the column with the class.
        by_rule: ``(text, classes of the training rows) -> class``, for ``keyword-rules``.
    """

    def labels(train: Dataset) -> list[Any]:
        return list(train[column])

    def commonest(train: Dataset) -> Predictor:
        value = Counter(labels(train)).most_common(1)[0][0]
        return lambda rows: [value] * len(rows)

    def drawn(train: Dataset) -> Predictor:
        known = labels(train)
        return lambda rows: [Random(text).choice(known) for text in rows["text"]]

    def ruled(train: Dataset) -> Predictor:
        known = sorted(set(labels(train)))
        return lambda rows: [by_rule(text, known) for text in rows["text"]]

    def fitted(featurize: Callable[[Sequence[str]], Featurize]) -> Baseline:
        def fit(train: Dataset) -> Predictor:
            features = featurize(list(train["text"]))
            model = classifier(features(list(train["text"])), labels(train))

            def predict(rows: Dataset) -> list[Any]:
                return model(features(list(rows["text"]))).tolist() if len(rows) else []

            return predict

        return fit

    return {
        "majority": commonest,
        "random": drawn,
        "keyword-rules": ruled,
        "tfidf-logreg": fitted(word_features),
        "embeddings-logreg": fitted(sentence_features),
    }


# -- controls ------------------------------------------------------------------------------------
def gold_answers(train: Dataset) -> Predictor:
    """Predict every row's own gold answer: the best possible scores."""
    return lambda rows: [row["answer"] for row in rows]


def shuffled_answers(train: Dataset) -> Predictor:
    """Predict for every row the gold answer of another row to the same instruction."""

    def predict(rows: Dataset) -> list[str]:
        by_kind: dict[str, list[int]] = defaultdict(list)
        answers = [row["answer"] for row in rows]
        for i, row in enumerate(rows):
            by_kind[row["instruction"]].append(i)
        found = list(answers)
        for places in by_kind.values():
            mixed = list(places)
            Random(0).shuffle(mixed)
            for a, b in zip(mixed, [*mixed[1:], *mixed[:1]], strict=True):
                found[a] = answers[b]
        return found

    return predict
