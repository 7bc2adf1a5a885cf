"""Spans of a context that could answer a question, and what is known of each: for ranking them.

Spans are the typed ones of :mod:`~toolkit_qa.asking` (names, dates, numbers, …), runs of words
between stop words and punctuation, two such runs with what links them, clauses and sentences. Each
has figures (:data:`FIGURES`): whether its type is that of the question, how much of the question
its sentence and its neighbourhood share (by rarity, IDF), how far the question's words are, its
length and form.
:class:`Ranker` learns from training rows how much F1 a span with such figures gets.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from toolkit import Row
from toolkit_qa import asking
from toolkit_qa.asking import Span

Weight = Callable[[str], float]
"""The rarity of a stem."""

MOST_SPANS: Final = 250
"""At most so many spans of a context are ranked: the first ones."""
FAR: Final = 40
"""Words; what is farther away counts as so far."""
FIGURES: Final = (
    "the question's type", "of that type", "is a date", "is a number", "is a name", "is a thing",
    "is a run", "is a clause", "is a sentence", "words", "share of capitals", "share of digits",
    "share of the question in the span", "in the sentence", "in the best sentence",
    "rank of the sentence", "in the sentence before", "within 3 words", "within 8 words",
    "words to the question before", "words to the question after", "place in the sentence",
    "place of the sentence", "spans of that type in the sentence", "in the context",
    "word before", "sign after", "length of the question", "asked noun in the sentence",
    "asked noun beside",
)  # fmt: skip
"""What the figures of a span are, in their order."""

CATEGORIES: Final = ("the question's type", "word before")
"""Figures that are numbers of categories."""

_STOP_RUN: Final = re.compile(r"[^\W_]+(?:[.’'-][^\W_]+)*|[^\w\s]")
_CLAUSE: Final = re.compile(r"[^,;:()]+")
_BEFORE: Final = ("by", "in", "at", "on", "of", "to", "for", "with", "from", "the", "a", "an",
                  "and", "is", "are", "was", "were", "as", "or", "your")  # fmt: skip
_LINKS: Final = frozenset("of the and in for to a an or on with your our".split())


class Place(NamedTuple):
    """A sentence with its words, their stems, and the question's weight that it shares."""

    span: Span
    tokens: list[Span]
    stems: list[str]
    share: float


class Question(NamedTuple):
    """What is asked: the type, the stems with their weights, the noun after the question word."""

    type: str
    weights: dict[str, float]
    noun: str

    @classmethod
    def of(cls, text: str, weight: Weight) -> Question:
        """The question of a text."""
        stems = list(dict.fromkeys(asking.words(text)))
        asked = re.search(r"\b(?:what|which|how many|how much)\s+([^\W\d_]+)", text.casefold())
        noun = asking.words(asked[1]) if asked else []
        weights = {stem: weight(stem) for stem in stems}
        return cls(asking.question_type(text), weights, noun[0] if noun else "")

    def share(self, stems: Iterable[str]) -> float:
        """The share (0 to 1) of the question's weight that stems have."""
        total = sum(self.weights.values())
        return sum(self.weights.get(stem, 0.0) for stem in set(stems)) / total if total else 0.0


class Candidate(NamedTuple):
    """A span of a context with its figures."""

    span: Span
    figures: tuple[float, ...]


def candidates(row: Row, weight: Weight) -> list[Candidate]:
    """The spans of a row's context that could answer its question, each once."""
    context, question = row["context"], Question.of(row["question"], weight)
    typed = set(asking.candidates(context, question.type))
    kinds = [
        set(asking.candidates(context, "when")), set(asking.candidates(context, "how many")),
        set(asking.names(context)), set(asking.candidates(context, "what")),
    ]  # fmt: skip
    places = _places(context, question)
    order = sorted(range(len(places)), key=lambda at: (-places[at].share, at))
    ranks = {at: rank for rank, at in enumerate(order)}
    in_context = len(typed)
    found: list[Candidate] = []
    for at, place in enumerate(places):
        inside = [s for s in typed.union(*kinds) if _within(s, place.span)]
        runs = list(_runs(context, place.span))
        clauses = list(_clauses(context, place.span))
        here = sum(_within(s, place.span) for s in typed)
        around = (
            places[order[0]].share, float(ranks[at]), places[at - 1].share if at else 0.0,
            at / len(places), float(here), float(in_context),
        )  # fmt: skip
        forms = {place.span, *clauses, *runs, *inside}
        for span in sorted(forms, key=lambda s: (s.start, s.end)):
            flags = (
                span in typed, *(span in kind for kind in kinds), span in runs, span in clauses,
                span == place.span,
            )  # fmt: skip
            figures = _figures(context, span, place, question, flags, around)
            if figures:
                found.append(Candidate(span, figures))
    return found[:MOST_SPANS]


def _places(context: str, question: Question) -> list[Place]:
    places = []
    for sentence in asking.sentences(context):
        tokens = [
            Span(sentence.start + word.start, sentence.start + word.end)
            for word in asking.word_spans(sentence.of(context))
        ]
        stems = ["".join(asking.words(token.of(context))[:1]) for token in tokens]
        places.append(Place(sentence, tokens, stems, question.share(stems)))
    return places


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _runs(context: str, sentence: Span) -> Iterable[Span]:
    """Runs of words between stop words and punctuation, and pairs of them linked by stop words."""
    runs: list[tuple[Span, bool]] = []
    start = end = -1
    linked = False
    for match in _STOP_RUN.finditer(context, sentence.start, sentence.end):
        word = match[0].casefold()
        if word not in _LINKS and asking.words(word):
            start = match.start() if start < 0 else start
            end = match.end()
            continue
        if start >= 0:
            runs.append((Span(start, end), linked))
            start, linked = -1, True
        linked = linked and word in _LINKS
    if start >= 0:
        runs.append((Span(start, end), linked))
    for at, (run, joined) in enumerate(runs):
        yield run
        if at and joined:
            yield Span(runs[at - 1][0].start, run.end)


def _clauses(context: str, sentence: Span) -> Iterable[Span]:
    """Parts of a sentence between commas, colons and brackets, without the sign at its end."""
    for match in _CLAUSE.finditer(context, sentence.start, sentence.end):
        text = match[0].rstrip(" .!?\n")
        start = match.start() + len(text) - len(text.lstrip())
        if start < match.start() + len(text):
            yield Span(start, match.start() + len(text))


def _figures(
    context: str, span: Span, place: Place, question: Question,
    flags: Sequence[bool], around: Sequence[float],
) -> tuple[float, ...]:  # fmt: skip
    """The figures of a span; none if it has no word."""
    inside = [
        at
        for at, token in enumerate(place.tokens)
        if token.start < span.end and span.start < token.end
    ]
    if not inside:
        return ()
    first, last = inside[0], inside[-1]
    text, stems = span.of(context), place.stems
    asked = [at for at, stem in enumerate(stems) if stem in question.weights]
    before = min((first - at for at in asked if at < first), default=FAR)
    after = min((at - last for at in asked if at > last), default=FAR)
    near = [
        question.share([*stems[max(0, first - n) : first], *stems[last + 1 : last + 1 + n]])
        for n in (3, 8)
    ]
    word = place.tokens[first - 1].of(context).casefold() if first else ""
    best, rank, previous, where, here, everywhere = around
    sign = context[span.end : span.end + 1]
    return (
        float(asking.TYPES.index(question.type)) if question.type in asking.TYPES else -1.0,
        *map(float, flags), float(len(inside)),
        sum(map(str.isupper, text)) / len(text), sum(map(str.isdigit, text)) / len(text),
        question.share(stems[first : last + 1]), place.share, best, rank, previous, *near,
        float(min(before, FAR)), float(min(after, FAR)), first / len(stems),
        where, here, everywhere,
        float(_BEFORE.index(word)) if word in _BEFORE else -1.0,
        0.0 if not sign or sign.isspace() else 1.0 if sign in ".!?" else 2.0,
        float(len(question.weights)),
        float(bool(question.noun) and question.noun in stems),
        float(bool(question.noun) and question.noun in stems[max(0, first - 2) : last + 3]),
    )  # fmt: skip


def overlap(words: Sequence[str], gold: Sequence[str]) -> float:
    """F1 of words, as for answers, without the official normalisation: for learning alone."""
    same = (Counter(words) & Counter(gold)).total()
    return 2 * same / (len(words) + len(gold)) if same else 0.0


def plain(text: str) -> list[str]:
    """The words of an answer, without articles, regardless of case."""
    found = re.findall(r"\w+", text.casefold())
    return [word for word in found if word not in ("a", "an", "the")]


class Ranker:
    """Estimates the F1 of spans by gradient-boosted trees on their figures.

    Args:
        rows: training rows.
        spans: the candidates of each row.
    """

    def __init__(self, rows: Sequence[Row], spans: Sequence[Sequence[Candidate]]) -> None:
        import numpy as np
        from sklearn.ensemble import HistGradientBoostingRegressor

        worth = []
        for row, found in zip(rows, spans, strict=True):
            golds = [plain(text) for text in row["answers"]["text"]]
            for one in found:
                mine = plain(one.span.of(row["context"]))
                worth.append(max((overlap(mine, gold) for gold in golds), default=0.0))
        figures = np.asarray([one.figures for found in spans for one in found])
        self._model: Any = None
        if len(set(worth)) > 1:
            self._model = HistGradientBoostingRegressor(
                max_iter=120, learning_rate=0.1, max_leaf_nodes=15, min_samples_leaf=20,
                categorical_features=[FIGURES.index(name) for name in CATEGORIES],
                early_stopping=False, random_state=0,
            )  # fmt: skip
            self._model.fit(figures, worth)

    def __call__(self, spans: Sequence[Sequence[Candidate]]) -> list[list[float]]:
        """The estimates of the spans of each row."""
        import numpy as np

        figures = np.asarray([one.figures for found in spans for one in found])
        if self._model is None or not len(figures):
            return [[0.0] * len(found) for found in spans]
        values = iter(self._model.predict(figures).tolist())
        return [[next(values) for _ in found] for found in spans]
