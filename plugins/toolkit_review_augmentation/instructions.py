"""The five instructions: their wordings, templates for answers, and parsing of answers.

The generator, the rules and the baselines write their answers with the same functions, so that
answers differ in content and not in form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from toolkit.metrics.texts import sentences

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
"""Instruction → its wordings. The first one is used where only one is wanted."""

PROMPT: Final = "Review: {review}\n{question}\nAnswer:"

_NUMBER = re.compile(r"(?<![\d.,])([1-5])(?![\d]|[.,]\d)")
_OF = re.compile(r"([1-5])(?:\.0)?\s*(?:of|out of|/)\s*5")


def sentiment_of(stars: int) -> str:
    """1 and 2 stars are negative, 3 neutral, 4 and 5 positive."""
    return SENTIMENTS[(stars > 2) + (stars > 3)]


# -- answers -------------------------------------------------------------------------------------
def recommendation(stars: int) -> str:
    """Yes, maybe or no, as follows from the stars, and the stars."""
    word = {"negative": "No", "neutral": "Maybe", "positive": "Yes"}[sentiment_of(stars)]
    return f"{word}, {stars} of 5 stars."


def features(aspects: Sequence[str]) -> str:
    """The aspects as a list with commas, without repeats, or "none"."""
    return ", ".join(dict.fromkeys(aspects)) or "none"


def quality(opinions: Sequence[tuple[str, str]]) -> str:
    """A sentence per aspect, from pairs of aspect and level ("good", "average", "poor")."""
    sentences = [f"The {aspect} is {level}." for aspect, level in dict.fromkeys(opinions)]
    return " ".join(sentences) or "It says nothing about the quality."


def summary(sentiment: str, opinions: Sequence[tuple[str, str]]) -> str:
    """The buyer's mood, then the aspects that are liked, disliked and average.

    Args:
        sentiment: one of :data:`SENTIMENTS`.
        opinions: pairs of aspect and level ("good", "average", "poor").
    """
    mood = {
        "positive": "The buyer is happy",
        "neutral": "The buyer is in two minds",
        "negative": "The buyer is unhappy",
    }[sentiment]
    parts = []
    for verb, level in (("likes", "good"), ("dislikes", "poor"), ("does not mind", "average")):
        aspects = list(dict.fromkeys(a for a, found in opinions if found == level))
        if aspects:
            parts.append(f"{verb} the {_listed(aspects)}")
    return f"{mood}: {'; '.join(parts)}." if parts else f"{mood}."


def _listed(aspects: Sequence[str]) -> str:
    return " and the ".join(filter(None, (", the ".join(aspects[:-1]), aspects[-1])))


# -- parsing answers -------------------------------------------------------------------------------
def read_sentiment(text: str) -> str | None:
    """The first sentiment that an answer names, or ``None``."""
    match = re.search("|".join(SENTIMENTS), text.casefold())
    return match.group() if match else None


def read_stars(text: str) -> int | None:
    """The stars of an answer: those of "4 of 5", else the first number from 1 to 5, or ``None``."""
    match = _OF.search(text) or _NUMBER.search(text)
    return int(match.group(1)) if match else None


def read_features(text: str) -> list[str]:
    """The items of an answer's list, without leading words such as "the"."""
    parts = re.split(r"[,;\n]|\band\b|[.](?:\s|$)", text)
    named = [re.sub(r"^(?:the|a|an|its|-|\*|\s)+\b", "", p.strip(), flags=re.I) for p in parts]
    return [name.strip(" .:-*") for name in named if name.strip(" .:-*") not in ("", "none")]


def without_repeats(instruction: str, text: str) -> str:
    """An answer without repeated items of its list of features, or sentences on quality."""
    if instruction == "features":
        return ", ".join(dict.fromkeys(part.strip() for part in text.split(",")))
    if instruction == "quality":
        return " ".join(dict.fromkeys(sentences(text, casual=True)))
    return text


def readable(instruction: str, text: str) -> bool:
    """Whether an answer can be parsed as an answer to the instruction."""
    if instruction == "sentiment":
        return read_sentiment(text) is not None
    if instruction == "recommendation":
        return read_stars(text) is not None
    return bool(re.search(r"\w", text))


def instruction_of(question: str) -> str:
    """The instruction that a question asks: by its wording, else by a keyword, else a summary."""
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
