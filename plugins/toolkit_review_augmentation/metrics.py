"""The evaluators of the review assistant, one figure a row; rows of other instructions have none.

A prediction is the answer's text. A reference says what was asked (``instruction``), the gold
``answer`` and what it holds. Where a metric does not apply to an instruction its ``per_example``
is ``None``; that depends on the reference alone, so systems are still compared row by row.

How the figures of free text are computed, and what they cannot tell, stands in their notes
(:data:`COMPLETENESS`, :data:`COHERENCE`, :data:`SPECIFICITY`), which the report prints.
So the report puts the gold answers, other rows' answers and the rules beside each figure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from toolkit import Metric, classification_metrics, ordinal_metrics
from toolkit.formatting import in_sentence
from toolkit_review_augmentation import instructions as asked
from toolkit_review_augmentation import texts
from toolkit_review_augmentation.instructions import SENTIMENTS

Reference = Mapping[str, Any]
FREE_TEXT = ("quality", "summary")

SCORE = (
    "the mean over all five instructions: right or not for a sentiment, one less a quarter of the "
    "error in stars for a recommendation, F1 for features, word F1 for quality and summary."
)
COMPLETENESS = (
    "over the clauses g of the gold answer, the mean of the largest cosine of g with any clause c "
    "of the answer, by sentence embeddings: mean over g of max over c of max(0, cos(g, c)). It "
    "does not see what an answer says too much, and embeddings hardly tell good from poor: hold it "
    "against the yardsticks and the rules."
)
COHERENCE = (
    "the mean cosine of neighbouring clauses of an answer (of its only one with the question). It "
    "tells that an answer stays with its subject, not that it is true; the gold answers, which "
    "list unlike things, need not score highest."
)
SPECIFICITY = (
    "the share of an answer's content words that at least three training reviews hold. It tells "
    "whose words are used, not whether they are the right ones: shuffled answers score as high."
)
"""What the report says of the figures that no reader can know."""


def only(
    instructions: Collection[str], measure: Callable[[str, Reference], float | tuple[float, ...]]
) -> Callable[[str, Reference], Any]:
    """The measure on rows of those instructions, ``None`` on all others."""

    def per_example(answer: str, reference: Reference) -> Any:
        return measure(answer, reference) if reference["instruction"] in instructions else None

    return per_example


# -- sentiment and stars ---------------------------------------------------------------------------
def _feeling(metric: Metric) -> Metric:
    """A metric of classes, on the sentiments that answer and gold answer name."""

    def measure(answer: str, reference: Reference) -> Any:
        gold = asked.read_sentiment(reference["answer"])
        return metric.per_example(asked.read_sentiment(answer), gold)

    return replace(
        metric, name=f"sentiment_{metric.name}", per_example=only(("sentiment",), measure),
        label=f"Sentiment: {in_sentence(metric.label)}",
    )  # fmt: skip


def _rating(metric: Metric) -> Metric:
    """A metric of stars, on those that an answer gives."""

    def measure(answer: str, reference: Reference) -> Any:
        return metric.per_example(stars_of(answer, reference), reference["stars"])

    return replace(
        metric, name=f"rating_{metric.name}", per_example=only(("recommendation",), measure),
        label=f"Rating: {in_sentence(metric.label)}",
    )  # fmt: skip


def stars_of(answer: str, reference: Reference) -> int:
    """The stars of an answer; one without stars counts as the farthest from the gold."""
    said = asked.read_stars(answer)
    if said is not None:
        return said
    return 1 if reference["stars"] >= 3 else 5


def feeling_of(value: str | Reference) -> str | None:
    """The sentiment that an answer names; of a reference, where it asks for one."""
    if isinstance(value, str):
        return asked.read_sentiment(value)
    asks = value["instruction"] == "sentiment"
    return asked.read_sentiment(value["answer"]) if asks else None


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
        gold = asked.read_sentiment(reference["answer"])
        return float(asked.read_sentiment(answer) == gold)
    if instruction == "recommendation":
        return 1 - abs(stars_of(answer, reference) - int(reference["stars"])) / 4
    if instruction == "features":
        return feature_figure("f1")(answer, reference)
    return word_f1(answer, reference)


def metrics(terms: Collection[str] = (), *, embeddings: bool = True) -> tuple[Metric, ...]:
    """The metrics of a run; ``terms`` are its domain terms.

    Args:
        embeddings: without them completeness and coherence are left out.
    """
    found = [
        Metric("answer_score", answer_score, label="Answer score", note=SCORE),
        *map(_feeling, classification_metrics(SENTIMENTS)),
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
        found += [
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
    return tuple(found)
