"""The built-in data: short contexts about made-up places, with questions, in SQuAD 2.0 form.

A context states several facts about one place and often some about a second one of the same kind,
so that every answer can be confused with others of its type. A quarter of the questions have no
answer: the fact is stated about the other place, or not at all.

Each split has names, towns, years, numbers and wordings of questions of its own; five kinds of
places occur in the test contexts only. The sentences that state facts are worded alike in all
splits. The same seed gives the same bytes on every machine: only ``random.Random`` is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from toolkit_qa import stories_words as words
from toolkit_qa.stories_facts import COUNTED, FACTS, Fact

SIZES: Final = {"train": 1_100, "validation": 100, "test": 200}
"""Number of contexts of each split."""
QUESTIONS: Final = 4
"""Questions per context, one of them without an answer."""
SEED: Final = 20_26

_Question = tuple[str, tuple[str, int] | None]
"""A question with its answer and the answer's start in the context; ``None``: it has no answer."""


def generate(split: str, contexts: int | None = None) -> dict[str, Any]:
    """Generate one split as a SQuAD 2.0 document.

    Args:
        split: ``train``, ``validation`` or ``test``.
        contexts: number of contexts; that of :data:`SIZES` if ``None``.
    """
    random = Random(f"{SEED} {split}")
    names = _Names(split, random)
    count = SIZES[split] if contexts is None else contexts
    articles = [_article(split, number, names, random) for number in range(1, count + 1)]
    return {"version": "v2.0", "data": articles}


class _Names:
    """Draws values from the pools of a split; none is repeated within one context."""

    def __init__(self, split: str, random: Random) -> None:
        self.random = random
        self.used: set[str] = set()
        given, family = words.share(words.GIVEN, split), words.share(words.FAMILY, split)
        starts = words.share(words.TOWN_STARTS, split)
        self.titles = words.share(words.TITLES, split)
        years = words.share(range(1703, 2003), split)
        small = words.share(range(11, 1_000), split)
        large = words.share(range(101, 10_000), split)
        closed = {
            "material": words.share(words.MATERIALS, split),
            "colour": words.share(words.COLOURS, split),
            "language": words.share(words.LANGUAGES, split),
            "animal": words.share(words.ANIMALS, split),
        }
        pick = random.choice
        self.pools: dict[str, Callable[[], str]] = {
            "person": lambda: f"{pick(given)} {pick(family)}",
            "date": lambda: self._date(pick(years)),
            "town": lambda: f"{pick(starts)}{pick(words.TOWN_ENDS)}",
            "number": lambda: str(pick(small)),
            "crowd": lambda: f"{pick(large) * 100:,}",
            "firm": lambda: pick(("{} and Sons", "{} Brothers", "{} and Company")).format(
                pick(family)
            ),
            "paper": lambda: f"{pick(starts)}{pick(words.TOWN_ENDS)} {pick(words.PAPERS)}",
            **{name: (lambda values=values: pick(values)) for name, values in closed.items()},  # type: ignore[misc]
        }

    def _date(self, year: int) -> str:
        month = self.random.choice(words.MONTHS)
        return self.random.choice((str(year), str(year), f"{month} {year}"))

    def draw(self, pool: str) -> str:
        """A value that neither contains nor is part of another one, so that answers occur once."""
        while True:
            value = self.pools[pool]()
            if not any(value in other or other in value for other in self.used):
                self.used.add(value)
                return value

    def title(self) -> str:
        """A name for a place that this context has not used."""
        while (value := self.random.choice(self.titles)) in self.used:
            pass
        self.used.add(value)
        return value


@dataclass
class _Place:
    """A place in a context: its names and the facts that the context states about it."""

    name: str
    kind: str
    short: str
    stated: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Fact → its answer, and the answer's start in the context."""

    def facts(self) -> dict[str, Fact]:
        """All facts that could be stated about it."""
        counted = {f"counted {things}": COUNTED for things in words.KINDS[self.kind]}
        return {**FACTS, **counted}


def _article(split: str, number: int, names: _Names, random: Random) -> dict[str, Any]:
    """A SQuAD article with one context and its questions."""
    names.used.clear()
    kind = random.choice(words.kinds(split))
    place = _Place(f"the {names.title()} {kind.title()}", kind, f"the {kind}")
    other = None
    if random.random() < 0.6:
        name = f"the {names.title()} {kind.title()}"
        other = _Place(name, kind, name)
    chosen = _choose(place, 5 if other else 7, random)
    shared = random.sample(chosen, 2) if other else []
    context = _introduction(place, random)
    for key in chosen:
        context += _sentence(place, key, len(context), names, random)
    for key in shared:
        assert other is not None
        context += _sentence(other, key, len(context), names, random)
    places = [place, other] if other else [place]
    questions = _answered(places, split, random)
    questions += _unanswered(places, split, random)
    random.shuffle(questions)
    return {
        "title": f"{place.name.removeprefix('the ')} ({split} {number})",
        "paragraphs": [
            {
                "context": context,
                "qas": [
                    _qa(f"{split}-{number}-{at}", question, answer)
                    for at, (question, answer) in enumerate(questions, start=1)
                ],
            }
        ],
    }


def _choose(place: _Place, count: int, random: Random) -> list[str]:
    """Facts to state, among them at least two pairs whose answers are of one type."""
    facts = place.facts()
    types = random.sample(("who", "when", "where", "how many", "which"), 2)
    chosen: list[str] = []
    for kind in types:
        chosen += random.sample([key for key, fact in facts.items() if fact.type == kind], 2)
    rest = [key for key in facts if key not in chosen]
    chosen += random.sample(rest, count - len(chosen))
    random.shuffle(chosen)
    return chosen


def _introduction(place: _Place, random: Random) -> str:
    adjective = random.choice(("well-known", "large", "small", "much loved", "busy", "quiet"))
    return _sentence_case(
        random.choice(
            (
                f"{place.name} is a {adjective} {place.kind}.",
                f"There is a {adjective} {place.kind} called {place.name}.",
                f"Few people have not heard of {place.name}, a {adjective} {place.kind}.",
            )
        )
    )


def _sentence(place: _Place, key: str, at: int, names: _Names, random: Random) -> str:
    """State a fact after a context of length ``at``, and record the answer in ``place.stated``."""
    fact = place.facts()[key]
    answer = names.draw(fact.values)
    before, _, behind = (
        part.replace("{n}", place.short).replace("{things}", key.removeprefix("counted "))
        for part in random.choice(fact.statements).partition("{a}")
    )
    place.stated[key] = (answer, at + 1 + len(before))
    return " " + _sentence_case(f"{before}{answer}{behind}")


def _sentence_case(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _answered(places: list[_Place], split: str, random: Random) -> list[_Question]:
    """Questions whose answer the context states."""
    stated = [(place, key) for place in places for key in place.stated]
    return [
        (_question(place, key, split, random), place.stated[key])
        for place, key in random.sample(stated, QUESTIONS - 1)
    ]


def _unanswered(places: list[_Place], split: str, random: Random) -> list[_Question]:
    """A question whose answer the context does not state, though it has others of its type."""
    types = {place.facts()[key].type for place in places for key in place.stated}
    tempting: list[tuple[_Place, str]] = []
    for place in places:
        unstated = [
            key
            for key, fact in place.facts().items()
            if key not in place.stated and fact.type in types
        ]
        stated_elsewhere = [key for key in unstated if any(key in p.stated for p in places)]
        tempting += [(place, key) for key in stated_elsewhere * 2]
        tempting += [(place, key) for key in random.sample(unstated, min(6, len(unstated)))]
    place, key = random.choice(tempting)
    return [(_question(place, key, split, random), None)]


def _question(place: _Place, key: str, split: str, random: Random) -> str:
    wording = random.choice(place.facts()[key].questions(split))
    return wording.format(s=place.name, things=key.removeprefix("counted "))


def _qa(id_: str, question: str, answer: tuple[str, int] | None) -> dict[str, Any]:
    answers = [{"text": answer[0], "answer_start": answer[1]}] if answer else []
    return {"id": id_, "question": question, "answers": answers, "is_impossible": not answer}


def rows(split: str) -> Iterator[dict[str, Any]]:
    """The questions of a split as flat rows: title, context, and the fields of the question."""
    for article in generate(split)["data"]:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                yield {"title": article["title"], "context": paragraph["context"], **qa}
