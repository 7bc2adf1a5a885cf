"""What a model has to beat that finds places: a dictionary, and a linear model of single words."""

from __future__ import annotations

import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from toolkit_token_classification.outputs import Tagged
from toolkit_token_classification.spans import entities_of, tags_of

Places = Sequence[Mapping[str, Any]]
Fit = Callable[[Sequence[str], Sequence[Places]], Callable[[str], list[Any]]]
"""From texts and their entities to what finds the entities of a text."""
WORD = re.compile(r"\w+|[^\w\s]")
AROUND = 2
"""Neighbours on each side that a word is told by."""


def dictionary(texts: Sequence[str], entities: Sequence[Places]) -> Callable[[str], list[Any]]:
    """What is marked in training, marked wherever it stands with its most frequent label."""
    known: dict[str, Counter[str]] = defaultdict(Counter)
    for one in (one for row in entities for one in row):
        known[one["text"].casefold()][one["label"]] += 1
    longest_first = sorted(known, key=lambda text: (-len(text), text))
    if not longest_first:
        return lambda text: []
    pattern = re.compile(
        "|".join(rf"(?<!\w){re.escape(text)}(?!\w)" for text in longest_first), re.IGNORECASE
    )
    return lambda text: [
        {
            "start": hit.start(), "end": hit.end(), "text": hit[0],
            "label": known[hit[0].casefold()].most_common(1)[0][0],
        }
        for hit in pattern.finditer(text)
        if hit[0].casefold() in known
    ]  # fmt: skip


def word_features(texts: Sequence[str], entities: Sequence[Places]) -> Callable[[str], list[Any]]:
    """A logistic regression over each word, its form and its neighbours.

    Source: the features that L. Ratinov and D. Roth call the baseline of named entities ("Design
    Challenges and Misconceptions in Named Entity Recognition", 2009), each word by itself.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.linear_model import LogisticRegression

    features: list[list[str]] = []
    tags: list[str] = []
    for text, row in zip(texts, entities, strict=True):
        places = _places(text)
        features.extend(_features(text, places))
        tags.extend(tag or "O" for tag in tags_of(places, text, row))
    if len(set(tags)) < 2:
        return lambda text: []
    hasher = FeatureHasher(2**18, input_type="string", alternate_sign=False)
    model = LogisticRegression(C=10.0, max_iter=200, tol=1e-3)
    with warnings.catch_warnings():
        # What is not quite at its end is near it, and judged like any other model.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(hasher.transform(features), tags)
    names = [str(name) for name in model.classes_]

    def marked(text: str) -> list[Any]:
        places = _places(text)
        if not places:
            return []
        shares = model.predict_proba(hasher.transform(list(_features(text, places))))
        found = tuple(entities_of(text, places, shares, names))
        return list(Tagged(text, found).predictions())

    return marked


def _places(text: str) -> list[tuple[int, int]]:
    return [hit.span() for hit in WORD.finditer(text)]


def _features(text: str, places: Sequence[tuple[int, int]]) -> Iterator[list[str]]:
    """For each word what is known of it and of its neighbours, as texts."""
    words = [text[start:end] for start, end in places]
    for at, word in enumerate(words):
        near = {by: _word(words, at + by) for by in range(-AROUND, AROUND + 1)}
        lower = word.casefold()
        yield [
            "bias", f"shape={_shape(word)}",
            *(f"begins={lower[:size]}" for size in (1, 2, 3)),
            *(f"ends={lower[-size:]}" for size in (1, 2, 3)),
            *(f"{by}={other.casefold()}" for by, other in near.items()),
            *(f"{by} shape={_shape(other)}" for by, other in near.items()),
            f"-1,0={near[-1].casefold()} {lower}", f"0,1={lower} {near[1].casefold()}",
        ]  # fmt: skip


def _word(words: Sequence[str], at: int) -> str:
    return words[at] if 0 <= at < len(words) else "<end>"


def _shape(word: str) -> str:
    """``Xx`` for a capitalized word, ``d-`` for what has digits: signs of a kind count once."""
    kinds = (
        "d" if sign.isdigit() else "X" if sign.isupper() else "x" if sign.isalpha() else sign
        for sign in word
    )
    return re.sub(r"(.)\1+", r"\1", "".join(kinds))
