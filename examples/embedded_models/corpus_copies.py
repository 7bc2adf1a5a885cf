"""Exercises in copying, for the pre-training of the embedded encoder–decoder.

Before an encoder–decoder can report on a record, it has to learn to copy a value word for word:
find its position in the input, and continue with what follows there. Nearly every token of these
targets trains that; in the text of a record it is one token in three. Names are put together anew
from pieces of ordinary words, so that they can only be copied and not remembered.
"""

from __future__ import annotations

from random import Random

from examples.embedded_models import corpus_fields, corpus_records
from examples.embedded_models.corpus_common import COMMON
from examples.embedded_models.corpus_fields import VALUES

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_KNOWN = frozenset(COMMON)
_JOINTS = (" ", " ", ", ", " / ", "; ", " | ", " - ")
_FRAMES = ("{label} is {value}.", "{label} {value}.", "{value} is the {label}.",
           "It has {label} {value}.", "{value} for {label}.", "{label}: {value}.")  # fmt: skip
MOST = 14
"""The most values of one input; most inputs have few."""


def piece(random: Random) -> str:
    """An invented word: the beginning of one word and the end of another, or random letters.

    Some have the middle of a third word between them, so that any piece may follow any other.
    """
    made = ""
    while not made or made in _KNOWN:
        if random.random() < 0.25:
            made = "".join(random.choices(_LETTERS, k=random.randint(2, 9)))
        else:
            one, middle, other = (random.choice(COMMON) for _ in range(3))
            made = one[: random.randint(1, max(1, len(one) - 1))]
            if random.random() < 0.3:
                begin = random.randrange(len(middle))
                made += middle[begin : begin + random.randint(1, 4)]
            made += other[random.randint(1, max(1, len(other) - 1)) :]
    return made.capitalize() if random.random() < 0.6 else made


def value(random: Random) -> str:
    """A value: one or two invented words, a few ordinary ones, or a value of a record."""
    chance = random.random()
    if chance < 0.3:
        return " ".join(piece(random) for _ in range(random.randint(1, 2)))
    if chance < 0.45:
        return " ".join(random.choices(COMMON, k=random.randint(1, 4)))
    return VALUES[random.choice(list(VALUES))](random)


def label(random: Random) -> str:
    """A label of a field: one that records use, an invented one, or one of two words."""
    return random.choice((
        lambda: random.choice(corpus_records.LABELS),
        lambda: random.choice(random.choice(random.choice(corpus_records.DOMAINS).fields).labels),
        lambda: piece(random).lower(),
        lambda: corpus_fields.thing(random),
        lambda: f"{random.choice(corpus_records.LABELS)} of {random.choice(corpus_fields.NOUNS)}",
    ))()  # fmt: skip


def _number(random: Random, least: int = 1) -> int:
    return min(MOST, least + int(random.expovariate(1 / 3)))


def _fields(random: Random, least: int = 1) -> dict[str, str]:
    return {label(random): value(random) for _ in range(_number(random, least))}


def repeated(random: Random) -> tuple[str, str]:
    """Values, to be repeated as they are."""
    joint = random.choice(_JOINTS)
    line = joint.join(value(random) for _ in range(_number(random)))
    return f"repeat: {line}", line


def picked(random: Random) -> tuple[str, str]:
    """Values, to be written backwards, without the first, or only the one at a position."""
    values = [value(random) for _ in range(_number(random, 2))]
    form = random.randrange(3)
    if form == 0:
        return f"backwards: {' / '.join(values)}", " / ".join(reversed(values))
    if form == 1:
        n = random.randrange(len(values))
        return f"number {n + 1} of: {' / '.join(values)}", values[n]
    return f"without {values[0]}: {' / '.join(values)}", " / ".join(values[1:])


def looked_up(random: Random) -> tuple[str, str]:
    """Fields; the target is the values of the requested labels, in the order of the request."""
    fields = _fields(random, 2)
    asked = random.sample(list(fields), min(len(fields), _number(random)))
    shown = corpus_records.written([*fields.items()], random)
    question = ", ".join(asked)
    answer = " / ".join(fields[one] for one in asked)
    if random.random() < 0.5:
        return f"{question}? {shown}", answer
    return f"value of {question}: {shown}", answer


def read_out(random: Random) -> tuple[str, str]:
    """Fields; the target states each in a plain sentence, all of one form."""
    source, target, _ = reading(random)
    return source, target


def reading(random: Random) -> tuple[str, str, list[str]]:
    """As :func:`read_out`, with the values that the target states."""
    fields = _fields(random)
    shown = corpus_records.written([*fields.items()], random)
    frame = random.randrange(len(_FRAMES))
    said = " ".join(_FRAMES[frame].format(label=name, value=held) for name, held in fields.items())
    return f"form {frame + 1}: {shown}", said, [*fields.values()]
