"""Whether a file looks like reviews with stars or sentiments."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from toolkit.data import Profile, columns, guessing, label_scales
from toolkit_review_augmentation import ratings
from toolkit_review_augmentation.reviews import TARGET_NAMES

REVIEWS = ("review", "reviews", "review text", "verified reviews", "comment", "comments", "tweet")
JUDGING = tuple(name for name in REVIEWS if name != "tweet")
"""Names of texts that judge something, so that their labels are sentiments."""
STARS = ("rating", "ratings", "stars", "star rating", "score", "overall", "review rating")
FEWEST = 3
"""Words of a text, on average, from which on it may be a review."""
POLES = frozenset(("-1", "0", "1", "2", "4"))
"""Numbers by which files write sentiments."""


def of_stars(found: Mapping[str, Profile]) -> float:
    """How surely the file holds reviews with ratings that are stars or marks."""
    texts, named = _texts(found)
    target = next((n for n in _called(found, STARS) if _rated(found[n])), None)
    if target is None or not texts - {target}:
        return 0.0
    return 0.95 if named else 0.75


def of_sentiment(found: Mapping[str, Profile]) -> float:
    """How surely the file holds texts with sentiments: in words, as numbers, or as stars."""
    texts, named = _texts(found)
    for column in _called(found, TARGET_NAMES):
        profile = found[column]
        if not texts - {column} or not profile.values:
            continue
        if fmean(ratings.word_of(value) is not None for value in profile.values) > 0.5:
            return 0.95
        sentiment = "sentiment" in columns.plain(column).split()
        if profile.of_classes and not profile.constant and set(profile.values) <= POLES:
            # What the numbers 0, 1, 2 of a tweet's "class" stand for, nothing tells.
            judged = named and any(guessing.named(n, JUDGING) for n in texts)
            return 0.9 if sentiment else 0.75 if judged else 0.4
    return min(0.7, of_stars(found))


def _texts(found: Mapping[str, Profile]) -> tuple[set[str], bool]:
    """The columns that can be reviews, and whether one of them is called so."""
    texts = {n for n, profile in found.items() if profile.written and profile.words >= FEWEST}
    named = [n for n in texts if guessing.named(n, REVIEWS)]
    return texts, bool(named)


def _called(found: Mapping[str, Profile], names: tuple[str, ...]) -> list[str]:
    """The columns that are called like one of some names, the likeliest first."""
    scored = {name: guessing.named(name, names) for name in found}
    return sorted((name for name in found if scored[name] > 0), key=lambda name: -scored[name])


def _rated(profile: Profile) -> bool:
    """Whether most values are stars or marks on a scale that is no longer than ten."""
    if not profile.of_classes or profile.constant:
        return False
    marks = [label_scales.read_mark(value) for value in profile.values]
    read = [mark for mark in marks if mark is not None]
    short = all(mark.of is not None or 0 <= mark.number <= 10 for mark in read)
    return len(read) > 0.8 * len(marks) and short
