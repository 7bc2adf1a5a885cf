"""Synthetic product reviews: facts are drawn first, then a text that states them.

A review's stars, its aspects and the level of each are drawn; then sentences are chosen that state
exactly these. So gold answers come from facts and not from rules that read the text. The wordings
come from :mod:`toolkit_review_augmentation.wordings`, most of which belong to one split alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from toolkit_review_augmentation import wordings as words

STARS_SHARE = {1: 0.15, 2: 0.15, 3: 0.30, 4: 0.20, 5: 0.20}
"""Stars → their share: 40 % positive, 30 % neutral, 30 % negative, as in the original project."""
LENGTHS = {
    "train": {"short": 0.42, "medium": 0.54, "long": 0.04},
    "validation": {"short": 0.42, "medium": 0.58, "long": 0.0},
    "test": {"short": 0.36, "medium": 0.53, "long": 0.11},
}
"""Split → shares of lengths. Short reviews have under 50 tokens, long ones mostly over 200; as long
ones cost most to train on, training has few."""


@dataclass(frozen=True)
class Opinion:
    """What a review says about one aspect: ``level`` is ``good``, ``average`` or ``poor``."""

    aspect: str
    level: str


@dataclass(frozen=True)
class Review:
    """A review with the facts that it states.

    Args:
        text: the review.
        stars: 1 to 5.
        opinions: about aspects of this product, in the order of the text.
        product: the kind of product, such as ``tablet``.
        category: ``electronics``, ``beauty``, ``home`` or ``sports``.
    """

    text: str
    stars: int
    opinions: tuple[Opinion, ...]
    product: str
    category: str


def generate(number: int, part: str, seed: int = 0) -> Iterator[Review]:
    """Generate reviews of one part (``train``, ``validation``, ``test``); no text occurs twice."""
    random = Random(f"reviews {part} {seed}")
    seen: set[str] = set()
    while len(seen) < number:
        review = _review(random, part)
        if review.text not in seen:
            seen.add(review.text)
            yield review


def _review(random: Random, part: str) -> Review:
    stars = random.choices(list(STARS_SHARE), list(STARS_SHARE.values()))[0]
    length = random.choices(list(LENGTHS[part]), list(LENGTHS[part].values()))[0]
    category = random.choice(list(words.ASPECTS))
    product = random.choice(words.PRODUCTS[category][part])
    levels = _levels(random, stars, length)
    names = {**words.ASPECTS[category], **words.COMMON}
    aspects = random.sample(list(names), len(levels))
    opinions = tuple(Opinion(a, level) for a, level in zip(aspects, levels, strict=True))
    writer = _Writer(random, part, product)
    stated = [writer.opinion(random.choice(names[o.aspect]), o.level) for o in opinions]
    # A review of a single aspect needs a verdict, or its stars could not be inferred.
    verdict = len(levels) < 2 or random.random() < 0.85
    body = _with_others(random, writer, stated, length, list(names), aspects, names)
    first = [writer.opening()] if length != "short" or random.random() < 0.5 else []
    last = [writer.verdict(stars)] if verdict else []
    if verdict and random.random() < 0.2:  # some begin with the verdict
        first, last = [*last, *first], []
    return Review(" ".join([*first, *body, *last]), stars, opinions, product, category)


def _levels(random: Random, stars: int, length: str) -> list[str]:
    """Draw the levels of a review's aspects so that they fit its stars."""
    most = {"short": 2, "medium": 4, "long": 8}[length]
    good, average, poor = words.LEVELS
    if stars in (1, 5):
        levels = [good if stars == 5 else poor] * random.randint(1, max(2, most - 1))
    elif stars in (2, 4):
        most_are = good if stars == 4 else poor
        other = random.choice([average, poor if stars == 4 else good])
        count = random.randint(1, max(2, most - 2))
        levels = [most_are] * count + ([other] if count > 1 or length != "short" else [])
    elif random.random() < 0.4:
        levels = [average] * random.randint(1, max(1, most - 2))
    else:
        pairs = random.randint(1, max(1, most // 2))
        levels = [good, poor] * pairs + [average] * (pairs > 1)
    random.shuffle(levels)
    return levels


def _with_others(
    random: Random,
    writer: _Writer,
    stated: list[str],
    length: str,
    pool: list[str],
    taken: list[str],
    names: dict[str, tuple[str, ...]],
) -> list[str]:
    """Mix the sentences with opinions with others that state nothing about this product."""
    body = list(stated)
    if random.random() < {"short": 0.1, "medium": 0.25, "long": 0.6}[length]:
        aspect = random.choice([name for name in pool if name not in taken])
        body.insert(random.randint(0, len(body)), writer.distractor(random.choice(names[aspect])))
    fillers = {"short": 0, "medium": random.randint(0, 2), "long": random.randint(12, 14)}[length]
    for sentence in writer.fillers(fillers):
        body.insert(random.randint(0, len(body)), sentence)
    return body


class _Writer:
    """Writes sentences about one product in the wordings of one part."""

    def __init__(self, random: Random, part: str, product: str) -> None:
        self.random, self.part, self.product = random, part, product
        self.person = random.choice(words.PEOPLE[part])
        self.used: set[str] = set()

    def opinion(self, name: str, level: str) -> str:
        frames = words.FRAMES[level][self.part]
        frame = self.random.choice([f for f in frames if f not in self.used] or frames)
        self.used.add(frame)
        return self._fill(frame, name)

    def distractor(self, name: str) -> str:
        return self._fill(self.random.choice(words.DISTRACTORS[self.part]), name)

    def opening(self) -> str:
        return self._fill(self.random.choice(words.OPENINGS[self.part]), "")

    def fillers(self, number: int) -> list[str]:
        chosen = self.random.sample(words.FILLERS[self.part], number)
        return [self._fill(text, "") for text in chosen]

    def verdict(self, stars: int) -> str:
        return self._fill(self.random.choice(words.VERDICTS[stars][self.part]), "")

    def _adjectives(self, key: str, shared: tuple[str, ...]) -> list[str]:
        own = self.part == "test" and self.random.random() < words.TEST_ONLY_SHARE
        return self.random.sample(words.TEST_ONLY[key] if own else shared, 2)

    def _fill(self, frame: str, aspect: str) -> str:
        pos, pos2 = self._adjectives("pos", words.POSITIVE)
        neg, neg2 = self._adjectives("neg", words.NEGATIVE)
        mid, _ = self._adjectives("mid", words.MIDDLING)
        any_ = self.random.choice((pos, neg))
        text = frame.format(
            a=aspect, pos=pos, pos2=pos2, neg=neg, neg2=neg2, mid=mid, any=any_,
            Pos=pos.capitalize(), Neg=neg.capitalize(), Mid=mid.capitalize(),
            art_pos=_a(pos), art_neg=_a(neg), art_any=_a(any_),
            p=self.product, n=self.product.rpartition(" ")[2],
            b=self.random.choice(words.BRANDS[self.part]),
            who=self.person, Who=self.person[0].upper() + self.person[1:],
        )  # fmt: skip
        return text[0].upper() + text[1:]


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
