"""Answers from rules: for reviews whose facts are unknown, and for the baseline ``keyword-rules``.

There are three rules: words of praise and blame with negation for the polarity of a sentence; a
lexicon of aspects that reviews mention, and the subject of "the … is"; and the most central
sentence as a summary. They were written from general knowledge of reviews, without looking at the
generator's wordings or answers, so their score on synthetic reviews is a fair baseline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolkit_review_augmentation import instructions, texts

GOOD_WORDS: Final = frozenset(
    """good great excellent amazing awesome love like perfect best nice happy wonderful fantastic
    superb brilliant reliable sturdy solid durable comfortable easy quick fast beautiful lovely
    recommend pleased satisfied impress enjoy favorite favourite worth cheap bargain quiet soft
    fresh clear crisp bright smooth strong useful helpful friendly fun cool glad delight thank
    outstanding terrific pleasant elegant stylish clean convenient flawless improvement effective
    work""".split()
)
BAD_WORDS: Final = frozenset(
    """bad poor terrible awful horrible worst hate useless broken break fail failure disappoint
    disappointed disappointing disappointment waste return refund cheaply flimsy defective faulty
    slow loud noisy ugly uncomfortable difficult hard annoying problem issue complaint leak crack
    scratch smell stink junk garbage trash weak unreliable wrong missing avoid regret unhappy
    overpriced expensive rough dirty sticky itchy pain painful side-effect worse nasty lousy
    miserable dreadful rip-off cheat scam dead die stop crash error trouble lose unusable""".split()
)
NEGATORS: Final = frozenset(
    "not no never nothing hardly without cannot can't won't don't didn't doesn't isn't wasn't "
    "aren't nor neither barely far".split()
)
REACH: Final = 4
"""A negator inverts the polarity of this many words after it."""

ASPECTS: Final = frozenset(
    """battery sound audio screen display camera price cost value quality design look style colour
    color size fit shape weight material fabric leather handle lid cover strap belt zip zipper
    button switch cable cord charger plug app software menu setup installation instruction manual
    connection signal bluetooth wifi speed performance noise smell scent fragrance taste texture
    shade finish coverage pump bottle jar tube packaging package wrapping box delivery shipping
    service support warranty durability workmanship comfort padding sole seam stitching surface
    coating capacity assembly cleaning motor engine blade filter lens light brightness remote
    keyboard mouse microphone mic volume bass alarm timer temperature heat water pressure
    skin hair effect dose pill side-effect sleep pain mood energy appetite music voice speaker
    story plot acting character film movie script ending""".split()
)
_SUBJECT = re.compile(r"\b(?:the|its|this|their)\s+((?:[a-z-]+\s)?[a-z-]+)\s+(?:is|was|are|were)\b")
_NO_ASPECT: Final = frozenset(
    "it that this one thing product item review purchase same other rest only first last".split()
)


def polarity(sentence: str) -> int:
    """The number of words of praise minus words of blame, each inverted after a negator."""
    total, negated = 0, 0
    for word in (w.casefold().replace("’", "'") for w in texts.WORD.findall(sentence)):
        if word in NEGATORS:
            negated = REACH
            continue
        base = texts.lemma(word)
        value = bool({word, base} & GOOD_WORDS) - bool({word, base} & BAD_WORDS)
        total += -value if negated else value
        negated = max(0, negated - 1)
    return total


def stars(text: str) -> int:
    """One to five stars, by the sum of the polarities of all sentences."""
    total = sum(polarity(sentence) for sentence in texts.sentences(text))
    return 3 if total == 0 else (4 if total == 1 else 5) if total > 0 else (2 if total == -1 else 1)


def aspects(sentence: str) -> list[str]:
    """The aspects that a sentence mentions: words of the lexicon, and subjects of "the … is"."""
    low = sentence.casefold()
    found = [word for w in texts.WORD.findall(low) if (word := texts.lemma(w)) in ASPECTS]
    for match in _SUBJECT.finditer(low):
        phrase = match.group(1).strip()
        if not set(phrase.split()) & (_NO_ASPECT | texts.stop_words()) and phrase not in found:
            found.append(phrase)
    return list(dict.fromkeys(found))


def opinions(text: str) -> list[tuple[str, str]]:
    """Pairs of aspect and level, by the polarity of the sentence that first mentions the aspect."""
    found: dict[str, str] = {}
    for sentence in texts.sentences(text):
        value = polarity(sentence)
        level = "good" if value > 0 else "poor" if value < 0 else "average"
        for aspect in aspects(sentence):
            found.setdefault(aspect, level)
    return list(found.items())


def central_sentence(parts: Sequence[str]) -> str:
    """The sentence whose quick vector is nearest to the mean of all; the first of up to two."""
    if len(parts) < 3:
        return parts[0] if parts else ""
    vectors = texts.quick_vectors(parts)
    return parts[int((vectors @ vectors.mean(axis=0)).argmax())]


def answer(instruction: str, text: str, known_stars: int | None = None) -> str:
    """The rules' answer to an instruction about a review.

    Args:
        known_stars: the review's stars; ``None`` or 0: the rules guess them.
    """
    rating = known_stars or stars(text)
    if instruction == "sentiment":
        return instructions.sentiment_of(rating)
    if instruction == "recommendation":
        return instructions.recommendation(rating)
    judged = opinions(text)
    if instruction == "features":
        return instructions.features([aspect for aspect, _ in judged])
    if instruction == "quality":
        return instructions.quality(judged)
    return instructions.summary(instructions.sentiment_of(rating), judged)
