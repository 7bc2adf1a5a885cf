"""The built-in data: made-up insurance claims as fields, each with a report that states them.

A claim has some of seventeen fields, common ones and rare ones. A value can be missing ("not
provided"), and a field can have two values that conflict; the report then states so. The fields of
a claim decide its split: no combination of fields in validation or test occurs in training. The
same random seed gives the same bytes on every machine: only ``random.Random`` is used, and a test
pins the hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from random import Random
from typing import Final, NamedTuple

from toolkit_summarization import claims_words as words
from toolkit_summarization.claims_words import ABSENT, share

SIZES: Final = {"train": 5_289, "validation": 661, "test": 662}
"""Number of claims of each split, as in the original project."""
SEED: Final = 2026

OFTEN: Final = {
    "claim no": 0.8, "cover": 0.9, "policy no": 0.45, "date of loss": 0.9, "location": 0.7,
    "damaged": 0.6, "amount claimed": 0.9, "claim status": 0.55,
}  # fmt: skip
"""Common field → the probability that a claim has it."""
RARE: Final = {
    "excess": 0.12, "notified on": 0.12, "police ref": 0.08, "witness": 0.08, "injured": 0.06,
    "adjuster": 0.10, "repairer": 0.05,
}  # fmt: skip
"""Rare field → the probability that a claim has it."""
ORDER: Final = (
    "claimant", "claim no", "cover", "policy no", "incident", "date of loss", "location",
    "damaged", "injured", "amount claimed", "excess", "notified on", "police ref", "witness",
    "repairer", "adjuster", "claim status",
)  # fmt: skip
MISSING_SHARE, CONFLICT_SHARE = 0.05, 0.035
CAN_BE_MISSING: Final = ("date of loss", "location", "amount claimed", "policy no", "damaged")
CAN_CONFLICT: Final = ("date of loss", "amount claimed", "location", "policy no")


class Claim(NamedTuple):
    """Pairs of label and value in the order of the input, and the report."""

    fields: tuple[tuple[str, str], ...]
    report: str

    @property
    def text(self) -> str:
        """The fields as one line."""
        return " | ".join(f"{label}: {value}" for label, value in self.fields)


def generate(split: str, number: int | None = None) -> Iterator[Claim]:
    """Generate the claims of a split; no input occurs twice.

    Args:
        split: ``train``, ``validation`` or ``test``.
        number: number of claims; that of :data:`SIZES` if ``None``.
    """
    random = Random(f"claims {SEED} {split}")
    seen: set[str] = set()
    wanted = SIZES[split] if number is None else number
    while len(seen) < wanted:
        claim = _claim(random, split)
        if owner(claim) == split and claim.text not in seen:
            seen.add(claim.text)
            yield claim


def combination(claim: Claim) -> str:
    """The labels of a claim's fields, joined, regardless of their order and values."""
    return "+".join(sorted({label for label, _ in claim.fields}))


def owner(claim: Claim) -> str:
    """The split that a combination of fields belongs to."""
    digest = hashlib.sha256(combination(claim).encode()).digest()[0]
    return "train" if digest < 170 else "validation" if digest < 213 else "test"


# -- fields --------------------------------------------------------------------------------------
def _claim(random: Random, split: str) -> Claim:
    cover = random.choice(list(words.COVERS))
    have = {label for label, often in {**OFTEN, **RARE}.items() if random.random() < often}
    have |= {"claimant", "incident"}
    values: dict[str, list[str]] = {}
    for label in ORDER:
        if label in have:
            values[label] = [_value(label, cover, random, split)]
            chance = random.random()
            if chance < MISSING_SHARE and label in CAN_BE_MISSING:
                values[label] = [ABSENT]
            elif chance > 1 - CONFLICT_SHARE and label in CAN_CONFLICT:
                values[label].append(_other(label, values[label][0], cover, random, split))
    shown = [(label, value) for label, given in values.items() for value in given]
    if random.random() < 0.25:  # some forms are filled in in another order
        random.shuffle(shown)
    return Claim(tuple(shown), report(values, random))


def _value(label: str, cover: str, random: Random, split: str) -> str:
    return _MAKERS[label](cover, random, split)


def _other(label: str, first: str, cover: str, random: Random, split: str) -> str:
    while (second := _value(label, cover, random, split)) == first:
        pass
    return second


def _person(random: Random, split: str) -> str:
    return f"{random.choice(share(words.GIVEN, split))} {random.choice(share(words.FAMILY, split))}"


def _date(random: Random) -> str:
    year = random.choice((2022, 2023, 2024, 2025))
    return f"{random.randint(1, 28)} {random.choice(words.MONTHS)} {year}"


def _amount(random: Random, low: int, high: int) -> str:
    value = random.randint(low, high)
    return f"${value // 10 * 10 if value > 2_000 else value:,}"


_Maker = Callable[[str, Random, str], str]
_MAKERS: Final[dict[str, _Maker]] = {
    "claimant": lambda cover, r, split: _person(r, split),
    "claim no": lambda cover, r, split: f"CL-{r.randint(10_000, 99_999)}",
    "cover": lambda cover, r, split: cover,
    "policy no": lambda cover, r, split: f"{cover[:2].upper()}{r.randint(100_000, 999_999)}",
    "incident": lambda cover, r, split: r.choice(words.COVERS[cover]),
    "date of loss": lambda cover, r, split: _date(r),
    "location": lambda cover, r, split: r.choice(share(words.TOWNS, split)),
    "damaged": lambda cover, r, split: r.choice(words.LOSSES[cover]),
    "injured": lambda cover, r, split: str(r.randint(2, 9)),
    "amount claimed": lambda cover, r, split: _amount(r, 180, 24_000),
    "excess": lambda cover, r, split: f"${r.choice((100, 150, 200, 250, 300, 500, 750))}",
    "notified on": lambda cover, r, split: _date(r),
    "police ref": lambda cover, r, split: f"PR/{r.randint(1_000, 9_999)}",
    "witness": lambda cover, r, split: _person(r, split),
    "adjuster": lambda cover, r, split: _person(r, split),
    "repairer": lambda cover, r, split: f"{r.choice(share(words.FAMILY, split))} Restoration",
    "claim status": lambda cover, r, split: r.choice(words.STATUSES),
}


# -- the report ----------------------------------------------------------------------------------
def report(values: dict[str, list[str]], random: Random) -> str:
    """Write a report that states the fields, drawing a wording for each sentence.

    Args:
        values: label → its value, or two values that conflict.
    """
    known = {label: given[0] for label, given in values.items() if _plain(given)}
    sentences = [
        _opening(known, random),
        _event(known, random),
        *_single(known, random, "damaged"),
        *_single(known, random, "injured"),
        *_money(known, random),
        *(line for label in ("notified on", "police ref", "witness", "repairer", "adjuster")
          for line in _single(known, random, label)),
        *_doubts(values, random),
        *_single(known, random, "claim status"),
    ]  # fmt: skip
    return " ".join(sentences)


def _plain(given: list[str]) -> bool:
    """Whether a field has one value that is not missing."""
    return len(given) == 1 and given[0] != ABSENT


def _opening(known: dict[str, str], random: Random) -> str:
    number = f"claim {known['claim no']}" if "claim no" in known else "a claim"
    cover = f" on {known['cover']} insurance" if "cover" in known else ""
    policy = f", policy {known['policy no']}" if "policy no" in known else ""
    frames = ("{who} filed {number}{cover}{policy}.",
              "The insured person {who} submitted {number}{cover}{policy}.")  # fmt: skip
    frame = random.choice(frames)
    return frame.format(who=known["claimant"], number=number, cover=cover, policy=policy)


def _event(known: dict[str, str], random: Random) -> str:
    when = f" on {known['date of loss']}" if "date of loss" in known else ""
    where = f" in {known['location']}" if "location" in known else ""
    frame = random.choice(("The loss was caused by: {what}{when}{where}.",
                           "Reported cause: {what}{when}{where}."))  # fmt: skip
    return frame.format(what=known["incident"], when=when, where=where)


_SENTENCES: Final[dict[str, tuple[str, ...]]] = {
    "damaged": ("Damage was found to {}.", "Affected by this: {}."),
    "injured": ("Injuries were suffered by {} people.", "In all {} people were injured."),
    "amount claimed": ("Compensation of {} is demanded.", "The claimant demands {}."),
    "notified on": ("The insurer was informed on {}.", "Notice reached the insurer on {}."),
    "police ref": ("Police recorded the case as {}.", "A police file exists, {}."),
    "witness": ("{} testified as a witness.", "A testimony was given by {}."),
    "repairer": ("Repairs were assigned to {}.", "The contractor is {}."),
    "adjuster": ("The file is assessed by {}.", "Assessor in charge: {}."),
    "claim status": ("Decision: {}.", "At present the file is {}."),
}


def _single(known: dict[str, str], random: Random, label: str) -> list[str]:
    if label not in known:
        return []
    return [random.choice(_SENTENCES[label]).format(known[label])]


def _money(known: dict[str, str], random: Random) -> list[str]:
    lines = _single(known, random, "amount claimed")
    if "excess" in known:
        frames = ("The deductible amounts to {}.", "A deductible of {} applies.")
        lines.append(random.choice(frames).format(known["excess"]))
    return lines


_NAMES: Final = {
    "date of loss": "date of the loss", "location": "place of the loss",
    "amount claimed": "sum demanded", "policy no": "policy number", "damaged": "damaged property",
}  # fmt: skip
"""Label → its name in sentences about a missing or conflicting value."""


def _doubts(values: dict[str, list[str]], random: Random) -> list[str]:
    """Sentences about missing and conflicting values."""
    lines = []
    for label, given in values.items():
        if given == [ABSENT]:
            frames = ("The {} is missing from the form.", "Still to be supplied: the {}.")
            lines.append(random.choice(frames).format(_NAMES[label]))
        elif len(given) > 1:
            frame = random.choice(("The {} is contradictory: {} against {}.",
                                   "For the {} two entries exist, {} and {}."))  # fmt: skip
            lines.append(frame.format(_NAMES[label], *given))
    return lines
