"""Cheap ways to answer the five instructions, and yardsticks for the figures of free text.

Each baseline looks at the review and the question alone. The logistic regressions predict the
sentiment, the stars and every pair of aspect and level that training reviews hold, and write the
answers from those by the same templates as the gold answers: they lack nothing but the text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from toolkit import Baseline, Predictor
from toolkit_review_augmentation import instructions as asked
from toolkit_review_augmentation import rules, texts
from toolkit_review_augmentation.reviews import pairs

if TYPE_CHECKING:
    import numpy as np
    from datasets import Dataset

Featurize = Callable[[Sequence[str]], Any]
"""Texts → one row of features a text."""

MOST_PAIRS = 150
"""Pairs of aspect and level that are learned, the commonest first."""
LEAST_ROWS = 4
"""Reviews that must hold a pair for it to be learned."""
MOST_EMBEDDED = 1_500
"""Reviews that the assistant's rung on embeddings is fitted on, at most, drawn evenly. Encoding and
a hundred dense fits take their time, and the rung lies far below the one on TF-IDF."""


def ladder() -> dict[str, Baseline]:
    """The baselines of the review assistant by name, from the plainest on."""
    return {
        "majority": majority,
        "random": at_random,
        "keyword-rules": keyword_rules,
        "tfidf-logreg": tfidf_logreg,
        "embeddings-logreg": embeddings_logreg,
    }


def yardsticks() -> dict[str, Baseline]:
    """What the gold answers score, and what the answers of other reviews do."""
    return {"gold-answers": gold_answers, "shuffled-answers": shuffled_answers}


def _answers(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[row["instruction"]].append(row["answer"])
    return found


def majority(train: Dataset) -> Predictor:
    """The commonest training answer to each instruction."""
    commonest = {k: Counter(v).most_common(1)[0][0] for k, v in _answers(train).items()}
    return lambda rows: [commonest.get(_instruction(row), "") for row in rows]


def at_random(train: Dataset) -> Predictor:
    """A training answer to the same instruction, drawn by the review's text."""
    known = _answers(train)

    def predict(rows: Dataset) -> list[str]:
        return [Random(row["review"]).choice(known.get(_instruction(row)) or [""]) for row in rows]

    return predict


def keyword_rules(train: Dataset) -> Predictor:
    """The rules of :mod:`toolkit_review_augmentation.rules`; they learn nothing."""
    return lambda rows: [rules.answer(_instruction(row), row["review"]) for row in rows]


def _instruction(row: Mapping[str, Any]) -> str:
    return asked.instruction_of(row["question"])


# -- logistic regressions --------------------------------------------------------------------------
def word_features(train: Sequence[str]) -> Featurize:
    """TF-IDF of words and pairs of words, fitted on those texts."""
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
    given = [row["review"] for row in reviews]
    features = featurize(given)
    learned = features(given)
    stars = classifier(learned, [row["stars"] for row in reviews])
    feelings = classifier(learned, [row["sentiment"] for row in reviews])
    held = [pairs(row) for row in reviews]
    common = [p for p, n in Counter(p for h in held for p in set(h)).most_common(MOST_PAIRS)
              if n >= LEAST_ROWS]  # fmt: skip
    known = [classifier(learned, [p in h for h in held], balanced=True) for p in common]

    def predict(rows: Dataset) -> list[str]:
        asked_of = list(dict.fromkeys(row["review"] for row in rows))
        if not asked_of:
            return []
        found = features(asked_of)
        said_stars, said_feelings = stars(found), feelings(found)
        said_pairs = [one(found) for one in known]
        facts = {
            text: (
                int(said_stars[i]),
                str(said_feelings[i]),
                [p for p, yes in zip(common, said_pairs, strict=True) if yes[i]],
            )
            for i, text in enumerate(asked_of)
        }
        return [_told(_instruction(row), *facts[row["review"]]) for row in rows]

    return predict


def _told(instruction: str, stars: int, feeling: str, said: list[tuple[str, str]]) -> str:
    if instruction == "sentiment":
        return feeling
    if instruction == "recommendation":
        return asked.recommendation(stars or 3)
    if instruction == "features":
        return asked.features([aspect for aspect, _ in said])
    return asked.quality(said) if instruction == "quality" else asked.summary(feeling, said)


def classifier(
    features: Any, labels: Sequence[Any], *, balanced: bool = False
) -> Callable[[Any], np.ndarray]:
    """A logistic regression, fitted; the one label there is, where there is but one."""
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
    """The ladder of the tasks whose answer is a class: the value of a column.

    Args:
        by_rule: ``(text, classes of the training rows) -> class`` without learning.
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


# -- yardsticks ------------------------------------------------------------------------------------
def gold_answers(train: Dataset) -> Predictor:
    """Every row's own gold answer."""
    return lambda rows: [row["answer"] for row in rows]


def shuffled_answers(train: Dataset) -> Predictor:
    """Every row gets another held-out row's gold answer to the same instruction."""

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
