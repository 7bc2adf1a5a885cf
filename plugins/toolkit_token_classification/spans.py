"""Places in a text and tags of tokens, one from the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit_token_classification.outputs import Entity

if TYPE_CHECKING:
    import numpy as np

OUTSIDE = "O"


def stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """A place without the blanks at its ends: some tokenizers count them to a word."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def tags_of(
    places: Sequence[tuple[int, int]], text: str, entities: Sequence[Mapping[str, Any]]
) -> list[str | None]:
    """The tag of each token: B- of the first of an entity, I- of the others, O outside.

    Args:
        places: the characters of each token; empty ones are special tokens, whose tag is ``None``.
        text: the text.
        entities: the places that are marked, which do not overlap.
    """
    tags: list[str | None] = []
    begun: set[int] = set()
    for start, end in (stripped(text, *place) for place in places):
        if end <= start:
            tags.append(None)
            continue
        inside = next(
            (i for i, e in enumerate(entities) if start < e["end"] and end > e["start"]), None
        )
        if inside is None:
            tags.append(OUTSIDE)
            continue
        # A window may begin within an entity, whose first token there begins nothing.
        first = inside not in begun and start <= entities[inside]["start"]
        begun.add(inside)
        tags.append(f"{'B' if first else 'I'}-{entities[inside]['label']}")
    return tags


def entities_of(
    text: str, places: Sequence[tuple[int, int]], shares: np.ndarray, tags: Sequence[str]
) -> Iterator[Entity]:
    """The entities that the likeliest tags of tokens make.

    A tag I- behind another label, or behind none, begins an entity too.

    Args:
        text: the text.
        places: the characters of each token, ascending.
        shares: the probability of each tag, shape (tokens, tags).
        tags: their names.
    """
    best = shares.argmax(axis=1)
    start, end, label, least = 0, 0, "", 1.0

    def ended() -> Iterator[Entity]:
        first, last = stripped(text, start, end)
        if label and last > first:
            yield Entity(first, last, label, round(least, 4))

    for place, number, row in zip(places, best.tolist(), shares, strict=True):
        part, _, name = tags[number].partition("-")
        if part == "I" and name == label:
            end, least = place[1], min(least, float(row[number]))
            continue
        yield from ended()
        start, end, label, least = place[0], place[1], name, float(row[number])
    yield from ended()
