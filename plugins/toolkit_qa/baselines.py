"""The baseline ladder of question answering: cheap ways to find an answer in a context.

Apart from ``no-answer`` and ``nearest-type``, each baseline scores its answer; below a threshold it
predicts that there is no answer. The threshold is the one with the best F1 on training rows, so
that no baseline loses merely because it cannot abstain. Heavy libraries are imported in the
functions that need them.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from toolkit import Baseline, Predictor, Row
from toolkit.baselines import sentence_vectors
from toolkit.data import ROW_GROUP, tables
from toolkit_qa import asking, scoring
from toolkit_qa.asking import Span
from toolkit_qa.scoring import NOTHING, Prediction, Reference

if TYPE_CHECKING:
    from datasets import Dataset

Guess = tuple[Prediction, float]
"""A baseline's answer and its score; higher is more certain, ``-inf`` means no answer."""

FITTED_ROWS: Final = 2_000
"""At most this many training rows are used to choose a threshold."""
RANKED_ROWS: Final = 2_500
"""At most this many training rows are learned from by the baseline that ranks spans."""
EMBEDDED_ROWS: Final = 300
"""The same for the baseline on embeddings, which are slow to compute."""
WINDOW: Final = 12
"""Words on each side of a span that the sliding window compares with the question."""
LONGEST: Final = 12
"""Length in words of the longest span that the sliding window tries."""


def ladder() -> dict[str, Baseline]:
    """The baselines by name, from the plainest to the most elaborate."""
    return {
        "no-answer": no_answer,
        "nearest-type": nearest_type,
        "overlap-sentence": overlap_sentence,
        "typed-overlap": typed_overlap,
        "sliding-window": sliding_window,
        "embedding-sentence": embedding_sentence,
        "span-ranker": span_ranker,
    }


def reference(row: Row) -> Reference:
    """The answers of a row that count as right; empty if the question has no answer."""
    answers = row["answers"]
    return {"texts": list(answers["text"]), "starts": list(answers["answer_start"])}


def span(context: str, answer: Span) -> Prediction:
    """A span of the context as a prediction."""
    return {"text": answer.of(context), "start": answer.start, "end": answer.end}


def no_answer(train: Dataset) -> Predictor:
    """Predict for every question that it has no answer: the floor on data with such questions."""
    return lambda rows: [dict(NOTHING)] * len(rows)


def nearest_type(train: Dataset) -> Predictor:
    """A random span of the type that the question asks for, such as a name, a date or a number.

    If the rules find no such span, a random word. The random generator is seeded with the question
    and the context, so the same row always gets the same answer.
    """

    def guess(row: Row) -> Prediction:
        context = row["context"]
        candidates = asking.candidates(context, asking.question_type(row["question"]))
        # What the question itself names is seldom its answer.
        unnamed = [s for s in candidates if s.of(context) not in row["question"]]
        spans = unnamed or candidates or asking.word_spans(context)
        if not spans:
            return NOTHING
        seed = hashlib.sha256(f"{row['question']}\n{context}".encode()).digest()
        return span(context, spans[int.from_bytes(seed[:8]) % len(spans)])

    return lambda rows: [dict(guess(row)) for row in tables.rows(rows)]


def overlap_sentence(train: Dataset) -> Predictor:
    """The sentence that shares most words with the question, weighted by rarity (IDF)."""
    weight = _weights(train)

    def guess(row: Row) -> Guess:
        context, wanted = row["context"], set(asking.words(row["question"]))
        total = sum(map(weight, wanted)) or 1.0
        scored = [
            (sum(map(weight, wanted & set(asking.words(s.of(context))))) / total, -s.start, s)
            for s in asking.sentences(context)
        ]
        if not scored:
            return NOTHING, -math.inf
        score, _, best = max(scored)
        return span(context, best), score

    return _with_threshold(train, FITTED_ROWS, lambda rows: [guess(row) for row in rows])


def typed_overlap(train: Dataset) -> Predictor:
    """A span of the question's type in the sentence that shares most words with the question.

    Of several spans it takes the one that is nearest to the question's words, and none that stands
    in the question. Where that sentence has no span of the type, the next one counts, with what it
    shares; where no sentence has one, the answer is the whole sentence.
    """
    weight = _weights(train)

    def guess(row: Row) -> Guess:
        return _typed(row["context"], row["question"], weight)

    return _with_threshold(train, FITTED_ROWS, lambda rows: [guess(row) for row in rows])


def _typed(context: str, question: str, weight: Callable[[str], float]) -> Guess:
    wanted = set(asking.words(question))
    total = sum(map(weight, wanted)) or 1.0
    spans = [
        s
        for s in asking.candidates(context, asking.question_type(question))
        if s.of(context) not in question
    ]
    scored: list[tuple[bool, float, float, int, Span]] = []
    for sentence in asking.sentences(context):
        score = sum(map(weight, wanted & set(asking.words(sentence.of(context))))) / total
        mine = [s for s in spans if sentence.start <= s.start and s.end <= sentence.end]
        for s in mine or [sentence]:
            scored.append(
                (bool(mine), score, -_distance(context, sentence, s, wanted), -s.start, s)
            )
    if not scored:
        return NOTHING, -math.inf
    _, score, _, _, best = max(scored, key=lambda found: found[:4])
    return span(context, best), score


def _distance(context: str, sentence: Span, answer: Span, wanted: set[str]) -> float:
    """The mean distance, in characters, from a span to the question's words in its sentence."""
    places = [
        sentence.start + s.start
        for s in asking.word_spans(sentence.of(context))
        if set(asking.words(sentence.of(context)[s.start : s.end])) & wanted
    ]
    return sum(abs(at - answer.start) for at in places) / len(places) if places else 0.0


def span_ranker(train: Dataset) -> Predictor:
    """The span for which gradient-boosted trees expect the highest F1, learned from training rows.

    What they see of a span stands in :mod:`~toolkit_qa.ranking`. The threshold below which it
    predicts that there is no answer is the best one on estimates by cross-validation, in which no
    document is both learned from and estimated.
    """
    from toolkit_qa.ranking import Candidate, Ranker, candidates

    weight = _weights(train)
    few = [dict(row) for row in tables.rows(_sample(train, RANKED_ROWS))]
    spans = [candidates(row, weight) for row in few]

    def best(row: Row, found: Sequence[Candidate], values: Sequence[float]) -> Guess:
        if not found:
            return NOTHING, -math.inf
        at = max(range(len(found)), key=lambda at: (values[at], -at))
        return span(row["context"], found[at].span), values[at]

    judged = []
    for learned, held in _folds(few):
        ranker = Ranker([few[at] for at in learned], [spans[at] for at in learned])
        for at, values in zip(held, ranker([spans[at] for at in held]), strict=True):
            answer, score = best(few[at], spans[at], values)
            none = not few[at]["answers"]["text"]
            judged.append((score, scoring.f1(answer, reference(few[at])), none))
    threshold = best_threshold(judged) if judged else -math.inf
    ranker = Ranker(few, spans)

    def predict(rows: Dataset) -> list[Any]:
        given = [dict(row) for row in tables.rows(rows)]
        found = [candidates(row, weight) for row in given]
        answers = [best(*three) for three in zip(given, found, ranker(found), strict=True)]
        return [dict(answer if score >= threshold else NOTHING) for answer, score in answers]

    return predict


def _folds(rows: Sequence[Row]) -> Iterator[tuple[list[int], list[int]]]:
    """Places of rows to learn from and to estimate, three times; none without three documents."""
    from sklearn.model_selection import GroupKFold

    groups = [str(row.get(ROW_GROUP) or row.get("document") or row["context"]) for row in rows]
    if len(set(groups)) >= 3:
        for learned, held in GroupKFold(3).split(groups, groups=groups):
            yield learned.tolist(), held.tolist()


def sliding_window(train: Dataset) -> Predictor:
    """The span whose surrounding words share most with the question, and that shares none itself.

    It tries spans of one to :data:`LONGEST` words within a sentence; among equal scores it takes
    the length nearest to the median of the training answers. After Richardson et al., "MCTest"
    (EMNLP 2013), and the sliding-window baseline of Rajpurkar et al. (EMNLP 2016).
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
    """The best span of a context, and its score: the share of the question's weight, 0 to 1."""
    wanted = set(asking.words(question))
    total = sum(map(weight, wanted)) or 1.0
    best: tuple[tuple[float, float, int], Span] | None = None
    for sentence in asking.sentences(context):
        spans = [
            Span(sentence.start + s.start, sentence.start + s.end)
            for s in asking.word_spans(sentence.of(context))
        ]
        # A span must not begin or end with a stop word or with a word of the question.
        stems = [asking.words(s.of(context)) for s in spans]
        hits = [{w for w in of_word if w in wanted} for of_word in stems]
        excluded = [not of_word or bool(hit) for of_word, hit in zip(stems, hits, strict=True)]
        for first in range(len(spans)):
            for last in range(first, min(first + LONGEST, len(spans))):
                if hits[last]:
                    break  # this span and all longer ones contain a word of the question
                if excluded[first] or excluded[last]:
                    continue
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
        answers = []
        for row, spans in zip(rows, places, strict=True):
            near = [float(vectors[s.of(row["context"])] @ vectors[row["question"]]) for s in spans]
            best = max(range(len(spans)), key=lambda at: near[at], default=None)
            answers.append(
                (NOTHING, -math.inf)
                if best is None
                else (span(row["context"], spans[best]), near[best])
            )
        return answers

    return _with_threshold(train, EMBEDDED_ROWS, guesses)


# -- shared by the baselines ---------------------------------------------------------------------
def _with_threshold(
    train: Dataset, most: int, guesses: Callable[[Sequence[Row]], list[Guess]]
) -> Predictor:
    """A predictor that gives no answer below the score that is best on at most ``most`` rows."""
    few = [dict(row) for row in tables.rows(_sample(train, most))]
    threshold = best_threshold(
        [(score, scoring.f1(answer, reference(row)), not row["answers"]["text"])
         for row, (answer, score) in zip(few, guesses(few), strict=True)]
    )  # fmt: skip

    def predict(rows: Dataset) -> list[Any]:
        scored = guesses([dict(row) for row in tables.rows(rows)])
        return [dict(answer if score >= threshold else NOTHING) for answer, score in scored]

    return predict


def best_threshold(rows: Sequence[tuple[float, float, bool]]) -> float:
    """The score from which on to give answers, so that the mean F1 is highest.

    Args:
        rows: for each row, the answer's score, its F1, and whether the question has no answer
            (then giving none has an F1 of 1, else of 0).

    Returns:
        The lowest score at which an answer is given; infinity if giving none is always best.
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
    """At most ``most`` rows in their order, drawn with a fixed seed."""
    if len(rows) <= most:
        return rows
    import numpy as np

    return rows.select(np.sort(np.random.default_rng(0).choice(len(rows), most, replace=False)))


def _weights(train: Dataset) -> Callable[[str], float]:
    """A function from a word to its inverse document frequency in the training contexts."""
    contexts = {row["context"] for row in tables.rows(_sample(train, 20_000), ["context"])}
    counts = Counter(word for text in contexts for word in set(asking.words(text)))
    return lambda word: math.log((1 + len(contexts)) / (1 + counts[word])) + 1.0
