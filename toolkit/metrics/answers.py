"""Scores of short answers: exact match and the F1 of words, as SQuAD's evaluation defines them.

The definitions are those of the official ``evaluate-v2.0.py`` (Rajpurkar et al. 2018, arXiv
1806.03822), and on ASCII texts the values are equal to its values. For other texts they follow the
evaluation of MLQA (Lewis et al. 2020, arXiv 1910.07475): all punctuation of Unicode is removed
rather than that of ASCII alone, and scripts without blanks between words are compared character by
character. Texts are compared in Unicode's normal form C. Articles are the English ones, whatever
the language, since a metric does not know it.
"""

from __future__ import annotations

import functools
import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import regex

from toolkit.metrics import texts

__all__ = ["exact_match", "normalize_answer", "on_best_reference", "token_f1"]

_ARTICLES: Final = re.compile(r"\b(a|an|the)\b")
_ASCII_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)


@functools.cache
def _unicode() -> tuple[Any, Any]:
    """Punctuation, and English articles that are no part of a word with marks."""
    return (
        regex.compile(rf"[\p{{P}}{re.escape(string.punctuation)}]"),
        regex.compile(r"(?<![\w\p{M}])(a|an|the)(?![\w\p{M}])"),
    )


@functools.lru_cache(maxsize=100_000)
def normalize_answer(text: str) -> str:
    """A text as SQuAD compares answers: small letters, no punctuation, no articles, single blanks.

    Punctuation is removed, not replaced: "1,000" is "1000", "U.S." is "us", and "3.5" is "35".
    Signs of currency and of arithmetic that are no ASCII stay: "€5" is not "$5".
    """
    if text.isascii():
        plain = _ARTICLES.sub(" ", text.lower().translate(_ASCII_PUNCTUATION))
        return " ".join(plain.split())
    punctuation, articles = _unicode()
    lower = texts.normalized(texts.normalized(text).lower())
    return " ".join(texts.spaced(articles.sub(" ", punctuation.sub("", lower))).split())


def exact_match(prediction: str, reference: str) -> float:
    """1 if two texts are equal once they are normalised, else 0."""
    return float(normalize_answer(prediction) == normalize_answer(reference))


def token_f1(prediction: str, reference: str) -> float:
    """F1 (0 to 1) of the words that two texts share, each as often as it occurs in both.

    Where one of them has no words, it is 1 if both have none, else 0.
    """
    predicted, expected = (normalize_answer(text).split() for text in (prediction, reference))
    if not predicted or not expected:
        return float(predicted == expected)
    shared = sum((Counter(predicted) & Counter(expected)).values())
    # 2 × precision × recall / (precision + recall), with one division.
    return 2 * shared / (len(predicted) + len(expected))


def on_best_reference(score: Callable[[str, str], float]) -> Callable[[Any, Any], float]:
    """A score of two texts → one of a prediction and all that counts as right: the best of them.

    The prediction is a text or a span (``{"text": …}``); ``None`` is an empty text. What counts as
    right is a text, a list of texts, or the reference of a question-answering task
    (``{"texts": […]}``, an empty list where there is no answer). As officially, references without
    any word do not count beside others.
    """

    def scored(prediction: Any, reference: Any) -> float:
        answer = _text(prediction["text"] if isinstance(prediction, Mapping) else prediction)
        return max(score(answer, one) for one in _expected(reference))

    return scored


def _expected(reference: Any) -> Sequence[str]:
    expected = reference["texts"] if isinstance(reference, Mapping) else reference
    several = expected if isinstance(expected, list | tuple) else [expected]
    return [text for one in several if normalize_answer(text := _text(one))] or [""]


def _text(value: Any) -> str:
    return "" if value is None else str(value)
