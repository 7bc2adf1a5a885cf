"""Baselines of the five instructions, and controls for the metrics of free text.

Each baseline reads the review and the question alone. The linear models predict the sentiment, the
stars, and each common aspect and pair of aspect and level of the training reviews, and write
answers from these by the same templates as the gold answers. So they differ from the model only in
how well they read the review.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from toolkit import Baseline, Predictor
from toolkit.baselines import embeddings_logistic, tfidf_logistic, tfidf_ridge
from toolkit.data import ROW_GROUP
from toolkit_review_augmentation import instructions, rules, texts
from toolkit_review_augmentation.reviews import pairs

if TYPE_CHECKING:
    from datasets import Dataset

    from toolkit.baselines import Features

MOST_EMBEDDED = 1_500
"""The assistant's baseline on embeddings is fitted on at most this many reviews, evenly spaced.
Encoding is slow, and it scores far below the baseline on TF-IDF."""


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


# -- linear models ---------------------------------------------------------------------------------
def tfidf_logreg(train: Dataset) -> Predictor:
    """Linear models on TF-IDF of words, or of words and characters."""
    from toolkit.baselines import ngrams

    return _regressions(_reviews(train), ngrams)


def embeddings_logreg(train: Dataset) -> Predictor:
    """Linear models on sentence embeddings (all-MiniLM-L6-v2)."""
    reviews = _reviews(train)
    return _regressions(reviews[:: max(1, -(-len(reviews) // MOST_EMBEDDED))], sentence_features)


def sentence_features(train: Sequence[str]) -> list[Features]:
    """Sentence embeddings of whole texts; needs the extra ``offline``."""
    texts.encoder()
    return [texts.embed_fast]


def _reviews(train: Dataset) -> list[Mapping[str, Any]]:
    """One example of each review."""
    return list({row["review"]: row for row in train}.values())


@dataclass(frozen=True)
class _Facts:
    """What is predicted of one review."""

    stars: int
    sentiment: str
    aspects: list[str]
    opinions: list[tuple[str, str]]


def _regressions(
    reviews: Sequence[Mapping[str, Any]], featurize: Callable[[Sequence[str]], list[Features]]
) -> Predictor:
    """Fit what the five questions ask for, each with features and a penalty of its own.

    That is a logistic regression of the stars and one of the sentiment, and for the features and
    for the opinions a ridge of each common aspect or pair of aspect and level, see
    :mod:`toolkit_review_augmentation.labelling`.
    """
    import numpy as np

    from toolkit.baselines import classifier
    from toolkit_review_augmentation.labelling import fit_labels

    given = [row["review"] for row in reviews]
    groups = [row.get(ROW_GROUP) or row["group"] for row in reviews]
    found = featurize(given) or [lambda texts: np.zeros((len(texts), 1))]
    matrices = [features(given) for features in found]
    stars_on, stars = classifier(matrices, [row["stars"] for row in reviews], groups, ordered=True)
    mood_on, mood = classifier(matrices, [row["sentiment"] for row in reviews], groups)
    opinions = [pairs(row) for row in reviews]
    aspects = [list(dict.fromkeys(aspect for aspect, _ in one)) for one in opinions]
    aspects_on, named = fit_labels(matrices, aspects, groups)
    opinions_on, judged = fit_labels(matrices, opinions, groups)

    def predict(rows: Dataset) -> list[str]:
        unique = list(dict.fromkeys(row["review"] for row in rows))
        if not unique:
            return []
        matrices = [features(unique) for features in found]
        predicted = zip(
            stars(matrices[stars_on]), mood(matrices[mood_on]),
            named(matrices[aspects_on]), judged(matrices[opinions_on]), strict=True,
        )  # fmt: skip
        facts = dict(zip(unique, (_Facts(*values) for values in predicted), strict=True))
        return [_answer(_instruction(row), facts[row["review"]]) for row in rows]

    return predict


def _answer(instruction: str, facts: _Facts) -> str:
    """The answer to an instruction, written from predicted facts of the review."""
    if instruction == "sentiment":
        return facts.sentiment
    if instruction == "recommendation":
        return instructions.recommendation(facts.stars or 3)
    if instruction == "features":
        return instructions.features(facts.aspects)
    if instruction == "quality":
        return instructions.quality(facts.opinions)
    return instructions.summary(facts.sentiment, facts.opinions)


def classifiers(
    column: str, by_rule: Callable[[str, Sequence[Any]], Any], *, ordered: bool = False
) -> dict[str, Baseline]:
    """The baseline ladder of a classification task on the column ``text``.

    Args:
        column: the column with the class.
        by_rule: ``(text, classes of the training rows) -> class``, for ``keyword-rules``.
        ordered: the classes are numbers: the ladder has a ridge regression of them, rounded, and
            the logistic regressions answer by the median of their distribution.
    """

    def labels(train: Dataset) -> list[Any]:
        return list(train[column][:])

    def commonest(train: Dataset) -> Predictor:
        value = Counter(labels(train)).most_common(1)[0][0]
        return lambda rows: [value] * len(rows)

    def drawn(train: Dataset) -> Predictor:
        known = labels(train)
        return lambda rows: [Random(text).choice(known) for text in rows["text"][:]]

    def ruled(train: Dataset) -> Predictor:
        known = sorted(set(labels(train)))
        return lambda rows: [by_rule(text, known) for text in rows["text"][:]]

    ladder: dict[str, Baseline] = {
        "majority": commonest,
        "random": drawn,
        "keyword-rules": ruled,
        "tfidf-logreg": tfidf_logistic("text", column, "group", ordered=ordered),
        "embeddings-logreg": embeddings_logistic("text", column, "group", ordered=ordered),
    }
    return {**ladder, "tfidf-ridge": _rounded(column)} if ordered else ladder


def _rounded(column: str) -> Baseline:
    """Ridge regression on n-grams, rounded to the nearest class of the training rows."""

    def fit(train: Dataset) -> Predictor:
        known = sorted(set(train[column][:]))
        predict = tfidf_ridge("text", column, "group")(train)
        return lambda rows: [min(known, key=lambda k: abs(k - n)) for n in predict(rows)]

    return fit


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
