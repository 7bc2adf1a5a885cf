"""Answers from rules, for reviews whose facts nobody knows: and the baseline ``keyword-rules``.

Three rules: words of praise and blame with negation for the feeling of a sentence, a lexicon of
things that reviews speak of (and what stands in "the … is"), and the most central sentence for a
summary. They were written without a look at the generator's wordings or answers, from general
knowledge of reviews: what they score on synthetic reviews is what such rules score.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolkit_review_augmentation import instructions as asked
from toolkit_review_augmentation import texts

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
"""Words after a negator whose feeling turns round."""

THINGS: Final = frozenset(
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
_NO_THING: Final = frozenset(
    "it that this one thing product item review purchase same other rest only first last".split()
)


def feeling(sentence: str) -> int:
    """Words of praise minus words of blame, each turned round behind a negator."""
    total, turned = 0, 0
    for word in (w.casefold().replace("’", "'") for w in texts.WORD.findall(sentence)):
        if word in NEGATORS:
            turned = REACH
            continue
        base = texts.lemma(word)
        value = bool({word, base} & GOOD_WORDS) - bool({word, base} & BAD_WORDS)
        total += -value if turned else value
        turned = max(0, turned - 1)
    return total


def stars(text: str) -> int:
    """One to five stars: the feelings of all sentences, added up."""
    total = sum(feeling(sentence) for sentence in texts.sentences(text))
    return 3 if total == 0 else (4 if total == 1 else 5) if total > 0 else (2 if total == -1 else 1)


def things(sentence: str) -> list[str]:
    """What a sentence speaks of: words of the lexicon, and what stands in "the … is"."""
    low = sentence.casefold()
    found = [word for w in texts.WORD.findall(low) if (word := texts.lemma(w)) in THINGS]
    for match in _SUBJECT.finditer(low):
        phrase = match.group(1).strip()
        if not set(phrase.split()) & (_NO_THING | texts.stop_words()) and phrase not in found:
            found.append(phrase)
    return list(dict.fromkeys(found))


def opinions(text: str) -> list[tuple[str, str]]:
    """Pairs of thing and level: the feeling of the sentence that first speaks of it."""
    found: dict[str, str] = {}
    for sentence in texts.sentences(text):
        value = feeling(sentence)
        level = "good" if value > 0 else "poor" if value < 0 else "average"
        for thing in things(sentence):
            found.setdefault(thing, level)
    return list(found.items())


def central_sentence(parts: Sequence[str]) -> str:
    """The sentence whose embedding is nearest to the mean of all; the first of two or fewer."""
    if len(parts) < 3:
        return parts[0] if parts else ""
    vectors = texts.quick_vectors(parts)
    return parts[int((vectors @ vectors.mean(axis=0)).argmax())]


def answer(instruction: str, text: str, known_stars: int | None = None) -> str:
    """The rules' answer to an instruction; stars that are known are not guessed."""
    found = known_stars or stars(text)
    if instruction == "sentiment":
        return asked.sentiment_of(found)
    if instruction == "recommendation":
        return asked.recommendation(found)
    said = opinions(text)
    if instruction == "features":
        return asked.features([thing for thing, _ in said])
    if instruction == "quality":
        return asked.quality(said)
    return asked.summary(asked.sentiment_of(found), said)
