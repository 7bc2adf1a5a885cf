"""What the built-in tasks recognise: by names and contents together, never by a name alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from toolkit.data.profiles import Profile, profile
from toolkit.plugins import discovery

ROWS = 60
WORDS = ("cup", "lamp", "chair", "desk", "bed", "shelf")


def prose(start: str, words: int) -> list[str]:
    return [
        " ".join([start, *(WORDS[(i + n) % 6] + str(i) for n in range(words))]) for i in range(ROWS)
    ]


def found(columns: Mapping[str, Sequence[object]]) -> dict[str, Profile]:
    return {name: profile(name, [str(value) for value in cells]) for name, cells in columns.items()}


NUMBERS = [str(10 + i * 7 % 90) for i in range(ROWS)]
STARS = [str(i % 5 + 1) for i in range(ROWS)]
MOODS = ["positive" if i % 2 else "negative" for i in range(ROWS)]
SHAPES: dict[str, tuple[dict[str, Sequence[object]], str | None]] = {
    "prices": ({"title": prose("a fine", 3), "price": [f"${n}" for n in NUMBERS]},
               "price-regression"),
    "a table of cars": ({"make": ["Opel", "Fiat", "Ford"] * 20, "year": ["2010", "2012"] * 30,
                         "mileage": NUMBERS, "selling_price": NUMBERS}, "price-regression"),
    "a price range in words": ({"name": prose("the", 4), "price": ["cheap", "dear"] * 30}, None),
    "reviews": ({"review": prose("it was", 9), "rating": STARS}, "review-rating"),
    "reviews with a price": ({"review_text": prose("it was", 9), "rating": STARS,
                              "price": NUMBERS}, "review-rating"),
    "moods": ({"text": prose("it was", 9), "sentiment": MOODS}, "review-sentiment"),
    "ratings without texts": ({"user": NUMBERS, "rating": STARS}, None),
    "news": ({"content": prose("today", 60), "summary": prose("all", 8)}, "summarization"),
    "a copy as a summary": ({"content": prose("today", 40), "summary": prose("today", 40)}, None),
    "yes and no as a summary": ({"content": prose("today", 40), "summary": ["yes", "no"] * 30},
                                None),
    "records": ({"mr": prose("name[the]", 8), "ref": prose("there is", 12)}, "claim-report"),
    "numbers as claims": ({"claim": NUMBERS, "report": ["YES", "NO"] * 30}, None),
    "answers": ({"question": prose("who", 4), "context": prose("he", 40),
                 "answer": [text.split()[3] for text in prose("he", 40)]}, "question-answering"),
    "answers that stand nowhere": ({"question": prose("who", 4), "context": prose("he", 40),
                                    "answer": prose("nobody", 2)}, None),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_the_surest_task_is_the_one_that_is_meant(shape: str) -> None:
    columns, wanted = SHAPES[shape]
    held = found(columns)
    sure = {
        name: task.recognises(held)
        for name, task in discovery.load().tasks.items()
        if not (origin := discovery.load().origins.get(name)) or not origin.file
    }
    assert all(0 <= value <= 1 for value in sure.values())
    best = max(sure, key=lambda name: sure[name])
    if wanted is None:
        assert sure[best] < 0.7, sure
    else:
        assert best == wanted and sure[best] >= 0.7, sure


def test_a_task_that_says_nothing_recognises_nothing() -> None:
    assert discovery.load().tasks["review-augmentation"].recognises(found({"text": WORDS})) == 0.0
