"""The evaluators of the review assistant, one figure a row; rows of other instructions have none.

A prediction is the answer's text. A reference says what was asked (``instruction``), the gold
``answer`` and what it holds. Where a metric does not apply to an instruction its ``per_example``
is ``None``; that depends on the reference alone, so systems are still compared row by row.

What stands behind the figures of free text, and what they cannot tell:

* *Completeness*: the gold answer is cut into clauses; each is compared with every clause of the
  answer by the cosine of sentence embeddings (all-MiniLM-L6-v2), and the best cosines are averaged:
  ``mean over gold clauses g of max over clauses c of max(0, cos(g, c))``. It cannot see what an
  answer says too much, and embeddings hardly tell "good" from "poor".
* *Coherence*: the mean cosine of neighbouring clauses; of an answer with one clause, its cosine
  with the question. It measures that an answer stays with its subject, not that it is true.
* *Domain specificity*: the share of an answer's content words (lemmas without stop words) that
  are common in the training reviews. It says nothing on whether they are the right ones.

So the report puts the gold answers, other rows' answers and the rules beside each figure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit import Metric
from toolkit_review_augmentation import instructions as asked
from toolkit_review_augmentation import texts
from toolkit_review_augmentation.instructions import SENTIMENTS

if TYPE_CHECKING:
    import numpy as np

Reference = Mapping[str, Any]
FREE_TEXT = ("quality", "summary")
UNREAD = len(SENTIMENTS)
"""The class of an answer that names no sentiment: never right."""


def only(
    instructions: Collection[str], measure: Callable[[str, Reference], float | tuple[float, ...]]
) -> Callable[[str, Reference], Any]:
    """The measure on rows of those instructions, ``None`` on all others."""

    def per_example(answer: str, reference: Reference) -> Any:
        return measure(answer, reference) if reference["instruction"] in instructions else None

    return per_example


# -- sentiment and stars ---------------------------------------------------------------------------
def sentiment_right(answer: str, reference: Reference) -> float:
    """1 where answer and gold name the same sentiment."""
    return float(asked.read_sentiment(answer) == asked.read_sentiment(reference["answer"]))


def sentiment_pair(answer: str, reference: Reference) -> tuple[float, ...]:
    """Classes of gold answer and answer, as numbers."""
    said = asked.read_sentiment(answer)
    gold = SENTIMENTS.index(asked.read_sentiment(reference["answer"]) or "")
    return float(gold), float(SENTIMENTS.index(said) if said else UNREAD)


def star_error(answer: str, reference: Reference) -> float:
    """Stars between answer and gold; an answer without stars counts as the farthest."""
    gold, said = int(reference["stars"]), asked.read_stars(answer)
    return float(max(gold - 1, 5 - gold) if said is None else abs(gold - said))


def _counts(gold: np.ndarray, said: np.ndarray, of: int, axis: int) -> tuple[Any, Any, Any]:
    """True positives, predicted and actual rows of a class."""
    is_gold, is_said = gold == of, said == of
    return (is_gold & is_said).sum(axis), is_said.sum(axis), is_gold.sum(axis)


def class_figure(which: str, of: int) -> Callable[..., Any]:
    """Precision, recall or F1 of one class, as an aggregate over :func:`sentiment_pair`."""

    def aggregate(gold: np.ndarray, said: np.ndarray, axis: int = -1) -> Any:
        right, predicted, actual = _counts(gold, said, of, axis)
        below = {"precision": predicted, "recall": actual, "f1": (predicted + actual) / 2}[which]
        return right / (below + (below == 0))

    return aggregate


def macro(which: str, classes: int = len(SENTIMENTS)) -> Callable[..., Any]:
    """The mean of a figure over the classes."""
    parts = [class_figure(which, of) for of in range(classes)]

    def aggregate(gold: np.ndarray, said: np.ndarray, axis: int = -1) -> Any:
        return sum(part(gold, said, axis=axis) for part in parts) / len(parts)

    return aggregate


def root(squares: np.ndarray, axis: int = -1) -> Any:
    """The root of the mean of squares."""
    return squares.mean(axis=axis) ** 0.5


# -- features --------------------------------------------------------------------------------------
def matched(said: Collection[str], gold: Collection[str]) -> int:
    """Gold features that were named, compared by their lemmas ("batteries" is "battery")."""
    wanted = {tuple(texts.lemmas(name)) for name in gold}
    return len(wanted & {tuple(texts.lemmas(name)) for name in said})


def feature_counts(answer: str, reference: Reference) -> tuple[int, int, int]:
    """Features that are right, were named, and were to be named."""
    said = list(dict.fromkeys(tuple(texts.lemmas(f)) for f in asked.read_features(answer)))
    gold = reference["features"]
    return matched([" ".join(f) for f in said], gold), len(said), len(set(gold))


def feature_figure(which: str) -> Callable[[str, Reference], float]:
    """Precision, recall or F1 of a row's features; naming none where there is none is right."""

    def measure(answer: str, reference: Reference) -> float:
        right, said, gold = feature_counts(answer, reference)
        if not said and not gold:
            return 1.0
        below = {"precision": said, "recall": gold, "f1": (said + gold) / 2}[which]
        return right / below if below else 0.0

    return measure


# -- free text -------------------------------------------------------------------------------------
def word_f1(answer: str, reference: Reference) -> float:
    """F1 of the answer's lemmas against the gold answer's, without stop words, as sets."""
    said, gold = (set(texts.content_lemmas(t)) for t in (answer, reference["answer"]))
    return 2 * len(said & gold) / (len(said) + len(gold)) if said or gold else 1.0


def completeness(answer: str, reference: Reference) -> float:
    """How well the gold answer's clauses are found again in the answer (see the module)."""
    gold, said = texts.clauses(reference["answer"]), texts.clauses(answer)
    if not gold or not said:
        return float(not gold)
    cosines = texts.embed(gold) @ texts.embed(said).T
    return float(cosines.max(axis=1).clip(0, 1).mean())


def coherence(answer: str, reference: Reference) -> float:
    """How near neighbouring clauses are to each other (see the module)."""
    said = texts.clauses(answer)
    if not said:
        return 0.0
    chain = said if len(said) > 1 else [str(reference["question"]), *said]
    vectors = texts.embed(chain)
    return float((vectors[:-1] * vectors[1:]).sum(axis=1).clip(0, 1).mean())


def embed_clauses(answers: Sequence[str], references: Sequence[Reference]) -> None:
    """Embed all that completeness and coherence will compare, in batches."""
    found: set[str] = set()
    for answer, reference in zip(answers, references, strict=True):
        if reference["instruction"] in FREE_TEXT:
            found.update(texts.clauses(answer))
            found.update(texts.clauses(reference["answer"]))
            found.add(str(reference["question"]))
    texts.embed(sorted(found))


def specificity(terms: Collection[str]) -> Callable[[str, Reference], float]:
    """The share of an answer's content words that are among the terms."""

    def measure(answer: str, reference: Reference) -> float:
        words = texts.content_lemmas(answer)
        return sum(word in terms for word in words) / len(words) if words else 0.0

    return measure


def domain_terms(reviews: Collection[str], most: int = 3_000, at_least: int = 3) -> list[str]:
    """Content words that at least so many training reviews hold, the commonest first."""
    from collections import Counter

    seen = Counter(word for text in reviews for word in set(texts.content_lemmas(text)))
    ranked = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    return [word for word, count in ranked[:most] if count >= at_least and len(word) > 1]


# -- all of them -----------------------------------------------------------------------------------
def answer_score(answer: str, reference: Reference) -> float:
    """How good an answer is, 0 to 1, by the measure of its instruction."""
    instruction = reference["instruction"]
    if instruction == "sentiment":
        return sentiment_right(answer, reference)
    if instruction == "recommendation":
        return 1 - star_error(answer, reference) / 4
    if instruction == "features":
        return feature_figure("f1")(answer, reference)
    return word_f1(answer, reference)


def metrics(terms: Collection[str] = (), *, embeddings: bool = True) -> tuple[Metric, ...]:
    """The metrics of a run; ``terms`` are its domain terms.

    Args:
        embeddings: without them completeness and coherence are left out.
    """
    feeling, stars, named = (("sentiment",), ("recommendation",), ("features",))
    pair = only(feeling, sentiment_pair)
    found = [
        Metric("answer_score", answer_score, label="Answer score"),
        Metric("sentiment_accuracy", only(feeling, sentiment_right), label="Sentiment accuracy"),
        *(
            Metric(f"sentiment_{w}", pair, aggregate=macro(w), label=f"Sentiment {label}, macro")
            for w, label in (("precision", "precision"), ("recall", "recall"), ("f1", "F1"))
        ),
        *(
            Metric(f"f1_{name}", pair, aggregate=class_figure("f1", i), label=f"F1 {name}")
            for i, name in enumerate(SENTIMENTS)
        ),
        Metric(
            "rating_mae", only(stars, star_error), greater_is_better=False,
            label="Rating: mean absolute error", unit="stars",
        ),
        Metric(
            "rating_rmse", only(stars, lambda a, r: star_error(a, r) ** 2), aggregate=root,
            greater_is_better=False, label="Rating: root mean squared error", unit="stars",
        ),
        Metric(
            "rating_exact", only(stars, lambda a, r: float(star_error(a, r) == 0)),
            label="Rating exact",
        ),
        Metric(
            "within_1_star", only(stars, lambda a, r: float(star_error(a, r) <= 1)),
            label="Rating within one star",
        ),
        *(
            Metric(f"features_{w}", only(named, feature_figure(w)), label=f"Features: {label}")
            for w, label in (("precision", "precision"), ("recall", "recall"), ("f1", "F1"))
        ),
        Metric("word_f1", only(FREE_TEXT, word_f1), label="Quality and summary: word F1"),
        Metric(
            "domain_specificity", only(FREE_TEXT, specificity(frozenset(terms))),
            label="Domain specificity",
        ),
    ]  # fmt: skip
    if embeddings:
        found += [
            Metric(
                "completeness", only(FREE_TEXT, completeness), label="Completeness",
                prepare=embed_clauses, tolerance=1e-4,
            ),
            Metric(
                "coherence", only(FREE_TEXT, coherence), label="Coherence",
                prepare=embed_clauses, tolerance=1e-4,
            ),
        ]  # fmt: skip
    return tuple(found)
