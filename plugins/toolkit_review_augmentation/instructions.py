"""The five instructions: their wordings, and answers written from what is known of a review.

Whoever knows the facts of a review (the generator, the stars, a rule, a teacher) writes the answer
by the same functions, so that answers differ in what they say and not in how they say it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

INSTRUCTIONS: Final = ("sentiment", "quality", "recommendation", "features", "summary")
SENTIMENTS: Final = ("negative", "neutral", "positive")
STARS: Final = (1, 2, 3, 4, 5)

WORDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "sentiment": (
        "Is this review positive, negative or neutral?",
        "Analyze the sentiment of this review.",
        "What is the sentiment of this review?",
    ),
    "quality": (
        "What do customers say about quality?",
        "How good is the quality, point by point?",
        "What does the review say about the quality of each thing?",
    ),
    "recommendation": (
        "Should I buy this product?",
        "Is it a good buy, and how many stars does it get?",
        "Would you recommend this product?",
    ),
    "features": (
        "What features are mentioned?",
        "Which features does the review speak of?",
        "List the features of the product that are mentioned.",
    ),
    "summary": (
        "Summarize this product review.",
        "What does the review say, in short?",
        "Give a short summary of the review.",
    ),
}
"""Instruction → the ways it is put. The first is the plain one."""

PROMPT: Final = "Review: {review}\n{question}\nAnswer:"

_NUMBER = re.compile(r"(?<![\d.,])([1-5])(?![\d]|[.,]\d)")
_OF = re.compile(r"([1-5])(?:\.0)?\s*(?:of|out of|/)\s*5")


def sentiment_of(stars: int) -> str:
    """1 and 2 stars are negative, 3 neutral, 4 and 5 positive."""
    return SENTIMENTS[(stars > 2) + (stars > 3)]


# -- answers -------------------------------------------------------------------------------------
def recommendation(stars: int) -> str:
    """A yes, maybe or no that follows from the stars, and the stars."""
    word = {"negative": "No", "neutral": "Maybe", "positive": "Yes"}[sentiment_of(stars)]
    return f"{word}, {stars} of 5 stars."


def features(aspects: Sequence[str]) -> str:
    """A list between commas, or "none"."""
    return ", ".join(dict.fromkeys(aspects)) or "none"


def quality(opinions: Sequence[tuple[str, str]]) -> str:
    """A sentence an aspect, from pairs of aspect and level ("good", "average", "poor")."""
    found = [f"The {aspect} is {level}." for aspect, level in dict.fromkeys(opinions)]
    return " ".join(found) or "It says nothing about the quality."


def summary(sentiment: str, opinions: Sequence[tuple[str, str]]) -> str:
    """The buyer's mood, then what is liked and what is not."""
    mood = {
        "positive": "The buyer is happy",
        "neutral": "The buyer is in two minds",
        "negative": "The buyer is unhappy",
    }[sentiment]
    said = []
    for verb, level in (("likes", "good"), ("dislikes", "poor"), ("does not mind", "average")):
        aspects = list(dict.fromkeys(a for a, found in opinions if found == level))
        if aspects:
            said.append(f"{verb} the {_listed(aspects)}")
    return f"{mood}: {'; '.join(said)}." if said else f"{mood}."


def _listed(aspects: Sequence[str]) -> str:
    return " and the ".join(filter(None, (", the ".join(aspects[:-1]), aspects[-1])))


# -- reading answers -------------------------------------------------------------------------------
def read_sentiment(text: str) -> str | None:
    """The first of the three words in an answer, if any."""
    found = re.search("|".join(SENTIMENTS), text.casefold())
    return found.group() if found else None


def read_stars(text: str) -> int | None:
    """The stars an answer gives: "4 of 5", else the first number from 1 to 5."""
    found = _OF.search(text) or _NUMBER.search(text)
    return int(found.group(1)) if found else None


def read_features(text: str) -> list[str]:
    """The parts of a list, without leading words such as "the"."""
    parts = re.split(r"[,;\n]|\band\b|[.](?:\s|$)", text)
    named = [re.sub(r"^(?:the|a|an|its|-|\*|\s)+\b", "", p.strip(), flags=re.I) for p in parts]
    return [name.strip(" .:-*") for name in named if name.strip(" .:-*") not in ("", "none")]


def said_once(instruction: str, text: str) -> str:
    """An answer without the features of a list, or sentences on quality, that it says again."""
    if instruction == "features":
        return ", ".join(dict.fromkeys(part.strip() for part in text.split(",")))
    if instruction == "quality":
        return " ".join(dict.fromkeys(re.split(r"(?<=[.!?])\s+", text)))
    return text


def readable(instruction: str, text: str) -> bool:
    """Whether an answer can be read as an answer to that instruction."""
    if instruction == "sentiment":
        return read_sentiment(text) is not None
    if instruction == "recommendation":
        return read_stars(text) is not None
    return bool(re.search(r"\w", text))


def instruction_of(question: str) -> str:
    """Which instruction a question is: by its wording, else by words that give it away."""
    for instruction, wordings in WORDINGS.items():
        if question in wordings:
            return instruction
    low = question.casefold()
    for instruction, word in (
        ("sentiment", "sentiment"), ("sentiment", "positive"), ("features", "feature"),
        ("recommendation", "recommend"), ("recommendation", "buy"), ("recommendation", "stars"),
        ("quality", "quality"),
    ):  # fmt: skip
        if word in low:
            return instruction
    return "summary"
