"""The metrics of the review assistant.

A prediction is the answer's text. A reference has the ``instruction`` and ``question``, the gold
``answer``, and its ``stars`` and ``features``. If a metric does not apply to an instruction, its
``per_example`` is ``None``; that depends on the reference alone, so systems are still compared row
by row.

How the metrics of free text are computed, and what they do not measure, is in their notes
(:data:`COMPLETENESS`, :data:`COHERENCE`, :data:`SPECIFICITY`), which the report prints. The report
also shows the gold answers, the answers of other rows and the rules beside each metric.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from toolkit import Metric, classification_metrics, ordinal_metrics
from toolkit.formatting import in_sentence
from toolkit_review_augmentation import instructions, texts
from toolkit_review_augmentation.instructions import SENTIMENTS

Reference = Mapping[str, Any]
FREE_TEXT = ("quality", "summary")

SCORE = (
    "the mean over all five instructions: 1 or 0 for a right or wrong sentiment, 1 minus a quarter "
    "of the error in stars for a recommendation, F1 for features, word F1 for quality and summary."
)
COMPLETENESS = (
    "over the clauses g of the gold answer, the mean of the largest cosine of g with any clause c "
    "of the answer, by sentence embeddings: mean over g of max over c of max(0, cos(g, c)). "
    "Superfluous statements do not lower it, and embeddings hardly distinguish good from poor: "
    "compare it with the controls and the rules."
)
COHERENCE = (
    "the mean cosine of neighbouring clauses of an answer (a single clause is compared with the "
    "question). It measures whether an answer keeps to its subject, not whether it is true; the "
    "gold answers, which list different things, need not score highest."
)
SPECIFICITY = (
    "the share of an answer's content words that occur in at least three training reviews. It "
    "measures the vocabulary of an answer, not whether it is right: shuffled answers score as high."
)
"""The notes that the report prints below the metrics."""


def only(
    instructions: Collection[str], measure: Callable[[str, Reference], float | tuple[float, ...]]
) -> Callable[[str, Reference], Any]:
    """A ``per_example`` that applies the measure to some instructions; ``None`` on others."""

    def per_example(answer: str, reference: Reference) -> Any:
        return measure(answer, reference) if reference["instruction"] in instructions else None

    return per_example


# -- sentiment and stars ---------------------------------------------------------------------------
def _sentiment(metric: Metric) -> Metric:
    """A classification metric, on the sentiments that the answer and the gold answer name."""

    def measure(answer: str, reference: Reference) -> Any:
        gold = instructions.read_sentiment(reference["answer"])
        return metric.per_example(instructions.read_sentiment(answer), gold)

    return replace(
        metric, name=f"sentiment_{metric.name}", per_example=only(("sentiment",), measure),
        label=f"Sentiment: {in_sentence(metric.label)}",
    )  # fmt: skip


def _rating(metric: Metric) -> Metric:
    """A metric of stars, on the stars that an answer and the reference give."""

    def measure(answer: str, reference: Reference) -> Any:
        return metric.per_example(stars_of(answer, reference), reference["stars"])

    return replace(
        metric, name=f"rating_{metric.name}", per_example=only(("recommendation",), measure),
        label=f"Rating: {in_sentence(metric.label)}",
    )  # fmt: skip


def stars_of(answer: str, reference: Reference) -> int:
    """The stars of an answer; an answer without stars counts as those farthest from the gold."""
    stars = instructions.read_stars(answer)
    if stars is not None:
        return stars
    return 1 if reference["stars"] >= 3 else 5


def sentiment_in(value: str | Reference) -> str | None:
    """The sentiment that an answer names, or that a reference to ``sentiment`` has, or ``None``."""
    if isinstance(value, str):
        return instructions.read_sentiment(value)
    applies = value["instruction"] == "sentiment"
    return instructions.read_sentiment(value["answer"]) if applies else None


# -- features --------------------------------------------------------------------------------------
def matched(predicted: Collection[str], gold: Collection[str]) -> int:
    """The number of gold features predicted, compared by lemmas ("batteries" is "battery")."""
    wanted = {tuple(texts.lemmas(name)) for name in gold}
    return len(wanted & {tuple(texts.lemmas(name)) for name in predicted})


def feature_counts(answer: str, reference: Reference) -> tuple[int, int, int]:
    """The numbers of right features, of predicted ones, and of gold ones."""
    predicted = list(
        dict.fromkeys(tuple(texts.lemmas(f)) for f in instructions.read_features(answer))
    )
    gold = reference["features"]
    right = matched([" ".join(f) for f in predicted], gold)
    return right, len(predicted), len(set(gold))


def feature_figure(which: str) -> Callable[[str, Reference], float]:
    """Precision, recall or F1 (0 to 1) of a row's features; 1 if there are none on both sides.

    Args:
        which: ``precision``, ``recall`` or ``f1``.
    """

    def measure(answer: str, reference: Reference) -> float:
        right, predicted, gold = feature_counts(answer, reference)
        if not predicted and not gold:
            return 1.0
        total = {"precision": predicted, "recall": gold, "f1": (predicted + gold) / 2}[which]
        return right / total if total else 0.0

    return measure


# -- free text -------------------------------------------------------------------------------------
def word_f1(answer: str, reference: Reference) -> float:
    """F1 (0 to 1) of the sets of lemmas of the answer and the gold answer, without stop words."""
    words, gold = (set(texts.content_lemmas(t)) for t in (answer, reference["answer"]))
    return 2 * len(words & gold) / (len(words) + len(gold)) if words or gold else 1.0


def completeness(answer: str, reference: Reference) -> float:
    """How well the answer covers the gold answer's clauses, 0 to 1 (:data:`COMPLETENESS`)."""
    gold, clauses = texts.clauses(reference["answer"]), texts.clauses(answer)
    if not gold or not clauses:
        return float(not gold)
    cosines = texts.embed(gold) @ texts.embed(clauses).T
    return float(cosines.max(axis=1).clip(0, 1).mean())


def coherence(answer: str, reference: Reference) -> float:
    """How similar neighbouring clauses of an answer are, 0 to 1 (:data:`COHERENCE`)."""
    clauses = texts.clauses(answer)
    if not clauses:
        return 0.0
    chain = clauses if len(clauses) > 1 else [str(reference["question"]), *clauses]
    vectors = texts.embed(chain)
    return float((vectors[:-1] * vectors[1:]).sum(axis=1).clip(0, 1).mean())


def embed_clauses(answers: Sequence[str], references: Sequence[Reference]) -> None:
    """Embed in batches all clauses that completeness and coherence will compare."""
    clauses: set[str] = set()
    for answer, reference in zip(answers, references, strict=True):
        if reference["instruction"] in FREE_TEXT:
            clauses.update(texts.clauses(answer))
            clauses.update(texts.clauses(reference["answer"]))
            clauses.add(str(reference["question"]))
    texts.embed(sorted(clauses))


def specificity(terms: Collection[str]) -> Callable[[str, Reference], float]:
    """The share of an answer's content words that are among the terms."""

    def measure(answer: str, reference: Reference) -> float:
        words = texts.content_lemmas(answer)
        return sum(word in terms for word in words) / len(words) if words else 0.0

    return measure


def domain_terms(reviews: Collection[str], most: int = 3_000, at_least: int = 3) -> list[str]:
    """Content words of at least ``at_least`` training reviews: the ``most`` commonest, in order."""
    from collections import Counter

    seen = Counter(word for text in reviews for word in set(texts.content_lemmas(text)))
    ranked = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    return [word for word, count in ranked[:most] if count >= at_least and len(word) > 1]


# -- all of them -----------------------------------------------------------------------------------
def answer_score(answer: str, reference: Reference) -> float:
    """The score of an answer, 0 to 1, by the measure of its instruction (:data:`SCORE`)."""
    instruction = reference["instruction"]
    if instruction == "sentiment":
        gold = instructions.read_sentiment(reference["answer"])
        return float(instructions.read_sentiment(answer) == gold)
    if instruction == "recommendation":
        return 1 - abs(stars_of(answer, reference) - int(reference["stars"])) / 4
    if instruction == "features":
        return feature_figure("f1")(answer, reference)
    return word_f1(answer, reference)


def metrics(terms: Collection[str] = (), *, embeddings: bool = True) -> tuple[Metric, ...]:
    """The metrics of a run.

    Args:
        terms: its domain terms (:func:`domain_terms`).
        embeddings: whether sentence embeddings are installed; without them completeness and
            coherence are left out.
    """
    all_metrics = [
        Metric("answer_score", answer_score, label="Answer score", note=SCORE),
        *map(_sentiment, classification_metrics(SENTIMENTS)),
        *map(_rating, ordinal_metrics("stars")),
        *(
            Metric(
                f"features_{w}", only(("features",), feature_figure(w)), label=f"Features: {label}"
            )
            for w, label in (("precision", "precision"), ("recall", "recall"), ("f1", "F1"))
        ),
        Metric("word_f1", only(FREE_TEXT, word_f1), label="Quality and summary: word F1"),
        Metric(
            "domain_specificity", only(FREE_TEXT, specificity(frozenset(terms))),
            label="Domain specificity", note=SPECIFICITY,
        ),
    ]  # fmt: skip
    if embeddings:
        all_metrics += [
            Metric(
                "completeness", only(FREE_TEXT, completeness), label="Completeness",
                note=COMPLETENESS,
                prepare=embed_clauses, tolerance=1e-4,
            ),
            Metric(
                "coherence", only(FREE_TEXT, coherence), label="Coherence", note=COHERENCE,
                prepare=embed_clauses, tolerance=1e-4,
            ),
        ]  # fmt: skip
    return tuple(all_metrics)
