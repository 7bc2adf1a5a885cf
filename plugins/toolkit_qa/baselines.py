"""The baseline ladder of question answering: cheap ways to find an answer in a context.

Each has a score of how sure it is; below a threshold it says that there is no answer. The
threshold is the one with the best F1 on training rows, so that a baseline is not beaten for
lack of a "none". Heavy libraries are imported in the functions that need them.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from toolkit import Baseline, Predictor, Row
from toolkit.baselines import sentence_vectors
from toolkit.data import tables
from toolkit_qa import asking, scoring
from toolkit_qa.asking import Span
from toolkit_qa.scoring import NOTHING, Prediction, Reference

if TYPE_CHECKING:
    from datasets import Dataset

Guess = tuple[Prediction, float]
"""What a baseline would answer, and how sure it is."""

FITTED_ROWS: Final = 2_000
"""Training rows that a threshold is chosen on; for embeddings fewer, which take time."""
EMBEDDED_ROWS: Final = 300
WINDOW: Final = 12
"""Words on either side of a span that the sliding window reads."""
LONGEST: Final = 12
"""Words of the longest span that the sliding window tries."""


def ladder() -> dict[str, Baseline]:
    """The baselines by name, from the plainest to the most elaborate."""
    return {
        "no-answer": no_answer,
        "nearest-type": nearest_type,
        "overlap-sentence": overlap_sentence,
        "sliding-window": sliding_window,
        "embedding-sentence": embedding_sentence,
    }


def reference(row: Row) -> Reference:
    """The answers that count as right."""
    answers = row["answers"]
    return {"texts": list(answers["text"]), "starts": list(answers["answer_start"])}


def span(context: str, found: Span) -> Prediction:
    """A span as a prediction."""
    return {"text": found.of(context), "start": found.start, "end": found.end}


def no_answer(train: Dataset) -> Predictor:
    """Says of every question that it has no answer; the floor wherever there are such."""
    return lambda rows: [dict(NOTHING)] * len(rows)


def nearest_type(train: Dataset) -> Predictor:
    """A random span of the type that is asked for: a name, a date, a number.

    Where rules find none, a random word. The draw follows from the question and the context.
    """

    def guess(row: Row) -> Prediction:
        context = row["context"]
        found = asking.candidates(context, asking.question_type(row["question"]))
        unlike = [s for s in found if s.of(context) not in row["question"]]
        spans = unlike or found or asking.word_spans(context)
        if not spans:
            return NOTHING
        seed = hashlib.sha256(f"{row['question']}\n{context}".encode()).digest()
        return span(context, spans[int.from_bytes(seed[:8]) % len(spans)])

    return lambda rows: [dict(guess(row)) for row in tables.rows(rows)]


def overlap_sentence(train: Dataset) -> Predictor:
    """The sentence that shares most with the question, rare words counting more (IDF)."""
    weight = _weights(train)

    def guess(row: Row) -> Guess:
        context, asked = row["context"], set(asking.words(row["question"]))
        total = sum(map(weight, asked)) or 1.0
        scored = [
            (sum(map(weight, asked & set(asking.words(s.of(context))))) / total, -s.start, s)
            for s in asking.sentences(context)
        ]
        if not scored:
            return NOTHING, -math.inf
        score, _, best = max(scored)
        return span(context, best), score

    return _with_threshold(train, FITTED_ROWS, lambda rows: [guess(row) for row in rows])


def sliding_window(train: Dataset) -> Predictor:
    """The span whose neighbourhood shares most with the question, while it itself shares nothing.

    Spans of one to :data:`LONGEST` words within a sentence; among equal ones that of the length
    nearest to the training answers' median. After Richardson et al., "MCTest" (EMNLP 2013), and
    the sliding-window baseline of Rajpurkar et al. (EMNLP 2016).
    """
    import statistics

    weight = _weights(train)
    lengths = [
        len(asking.word_spans(text)) or 1
        for row in tables.rows(train, ["answers"])
        for text in row["answers"]["text"][:1]
    ]
    usual = statistics.median(lengths) if lengths else 3

    def guess(row: Row) -> Guess:
        return _slide(row["context"], row["question"], weight, usual)

    return _with_threshold(train, FITTED_ROWS, lambda rows: [guess(row) for row in rows])


def _slide(context: str, question: str, weight: Callable[[str], float], usual: float) -> Guess:
    """The best span of a context and its score, a share of the question's weight."""
    asked = set(asking.words(question))
    total = sum(map(weight, asked)) or 1.0
    best: tuple[tuple[float, float, int], Span] | None = None
    for sentence in asking.sentences(context):
        spans = [
            Span(sentence.start + s.start, sentence.start + s.end)
            for s in asking.word_spans(sentence.of(context))
        ]
        # Words that every text has count as words of the question: an answer is what is left.
        stems = [asking.words(s.of(context)) for s in spans]
        hits = [{w for w in found if w in asked} for found in stems]
        bare = [not found or bool(hit) for found, hit in zip(stems, hits, strict=True)]
        for first in range(len(spans)):
            for last in range(first, min(first + LONGEST, len(spans))):
                if hits[last]:
                    break  # it and all longer ones hold a word of the question
                if bare[first] or bare[last]:
                    continue  # an answer neither begins nor ends with an article
                near = hits[max(0, first - WINDOW) : first] + hits[last + 1 : last + 1 + WINDOW]
                score = sum(map(weight, set().union(*near))) / total if near else 0.0
                rank = (score, -abs(last - first + 1 - usual), -spans[first].start)
                if best is None or rank > best[0]:
                    best = rank, Span(spans[first].start, spans[last].end)
    if best is None:
        return NOTHING, -math.inf
    return span(context, best[1]), best[0][0]


def embedding_sentence(train: Dataset) -> Predictor:
    """The sentence whose embedding is nearest to the question's (all-MiniLM-L6-v2, offline)."""
    encode = sentence_vectors("The baseline embedding-sentence")

    def guesses(rows: Sequence[Row]) -> list[Guess]:
        places = [asking.sentences(row["context"]) for row in rows]
        texts = [s.of(r["context"]) for r, spans in zip(rows, places, strict=True) for s in spans]
        known = dict.fromkeys([*texts, *(row["question"] for row in rows)])
        vectors = dict(zip(known, encode(list(known)), strict=True))
        found = []
        for row, spans in zip(rows, places, strict=True):
            near = [float(vectors[s.of(row["context"])] @ vectors[row["question"]]) for s in spans]
            best = max(range(len(spans)), key=lambda at: near[at], default=None)
            found.append(
                (NOTHING, -math.inf)
                if best is None
                else (span(row["context"], spans[best]), near[best])
            )
        return found

    return _with_threshold(train, EMBEDDED_ROWS, guesses)


# -- what they share -----------------------------------------------------------------------------
def _with_threshold(
    train: Dataset, most: int, guesses: Callable[[Sequence[Row]], list[Guess]]
) -> Predictor:
    """A predictor that answers "none" where it is less sure than pays on the training rows."""
    few = [dict(row) for row in tables.rows(_sample(train, most))]
    threshold = best_threshold(
        [(score, scoring.f1(answer, reference(row)), not row["answers"]["text"])
         for row, (answer, score) in zip(few, guesses(few), strict=True)]
    )  # fmt: skip

    def predict(rows: Dataset) -> list[Any]:
        found = guesses([dict(row) for row in tables.rows(rows)])
        return [dict(answer if score >= threshold else NOTHING) for answer, score in found]

    return predict


def best_threshold(rows: Sequence[tuple[float, float, bool]]) -> float:
    """The score from which on answers are given, for the best mean.

    Args:
        rows: of each row the score, what the answer is worth, and whether "none" is right, which
            is then worth 1.
    """
    ranked = sorted(rows, key=lambda row: -row[0])
    gained = best = float(sum(none for _, _, none in ranked))  # all are "none"
    threshold = math.inf
    for at, (score, worth, none) in enumerate(ranked):
        gained += worth - none
        last_of_score = at + 1 == len(ranked) or ranked[at + 1][0] < score
        if last_of_score and gained > best:
            best, threshold = gained, score
    return threshold


def _sample(rows: Dataset, most: int) -> Dataset:
    """At most so many rows, drawn with a fixed seed."""
    if len(rows) <= most:
        return rows
    import numpy as np

    return rows.select(np.sort(np.random.default_rng(0).choice(len(rows), most, replace=False)))


def _weights(train: Dataset) -> Callable[[str], float]:
    """A word's inverse document frequency in the training contexts."""
    contexts = {row["context"] for row in tables.rows(_sample(train, 20_000), ["context"])}
    counts = Counter(word for text in contexts for word in set(asking.words(text)))
    return lambda word: math.log((1 + len(contexts)) / (1 + counts[word])) + 1.0
