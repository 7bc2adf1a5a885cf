"""The built-in data: made-up articles of several sentences about one event, with a summary.

The lead and a second sentence about the event contain what the summary states; the other sentences
are side facts. Each split has names, places and wordings of articles of its own. The same random
seed gives the same bytes on every machine, and a test pins the hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

from toolkit_summarization import articles_words as words
from toolkit_summarization.claims_words import FAMILY, GIVEN, TOWNS, share

SIZES: Final = {"train": 2_000, "validation": 300, "test": 400}
SEED: Final = 2026


class Article(NamedTuple):
    """An article and its summary in one sentence."""

    text: str
    summary: str
    event: int
    """The kind of event it is about (an index of ``EVENTS``)."""
    lead_first: bool
    """Whether the text begins with the event; if not, it begins with a side fact."""


def generate(split: str, number: int | None = None) -> Iterator[Article]:
    """Generate the articles of a split; no text occurs twice.

    Args:
        split: ``train``, ``validation`` or ``test``.
        number: number of articles; that of :data:`SIZES` if ``None``.
    """
    random = Random(f"articles {SEED} {split}")
    seen: set[str] = set()
    wanted = SIZES[split] if number is None else number
    while len(seen) < wanted:
        article = _article(random, split)
        if article.text not in seen:
            seen.add(article.text)
            yield article


def _article(random: Random, split: str) -> Article:
    kind = random.randrange(len(words.EVENTS))
    event = words.EVENTS[kind]
    values = _values(random, split)
    values["object"] = random.choice(event.objects).format(**values)
    values["reason"] = random.choice(event.reasons).format(**values)
    for name in ("object", "reason"):
        values[f"{name}_"] = values[name][0].upper() + values[name][1:]
    body = [_filled(random.choice(words.own(event.leads, split)), values),
            _filled(random.choice(words.own(event.details, split)), values)]  # fmt: skip
    asides = random.sample(share(words.ASIDES, split), random.randint(4, 6))
    side_facts = [_filled(aside, _aside_values(random, split, values)) for aside in asides]
    lead_first = random.random() < 0.75
    if lead_first:
        # The second sentence of the event comes at once or after some side facts.
        at = random.choice((1, 1, 2, 3))
        sentences = [body[0], *side_facts]
        sentences.insert(at, body[1])
    else:
        sentences = [side_facts[0], *body, *side_facts[1:]]
    summary = _filled(random.choice(event.summaries), values)
    return Article(" ".join(sentences), summary, kind, lead_first)


def _filled(frame: str, values: dict[str, str]) -> str:
    text = frame.format(**values)
    return text[0].upper() + text[1:]


def _values(random: Random, split: str) -> dict[str, str]:
    towns, family = share(TOWNS, split), share(FAMILY, split)
    town = random.choice(towns)
    return {
        "town": town,
        "person": f"{random.choice(share(GIVEN, split))} {random.choice(family)}",
        "firm": f"{random.choice(family)} {random.choice(words.FIRMS)}",
        "club": f"{random.choice(towns)} {random.choice(words.CLUBS)}",
        "day": random.choice(words.WEEKDAYS),
        "number": str(random.randint(21, 990)),
    }


def _aside_values(random: Random, split: str, values: dict[str, str]) -> dict[str, str]:
    others = [town for town in share(TOWNS, split) if town != values["town"]]
    return {
        "other": f"{random.choice(share(GIVEN, split))} {random.choice(share(FAMILY, split))}",
        "place": random.choice(others),
        "years": str(random.randint(3, 60)),
    }
