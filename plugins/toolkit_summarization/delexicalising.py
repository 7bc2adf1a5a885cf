"""Structured sources and the texts about them: fields, slots, and texts with their values left out.

A *field* is a label with a value. A *slot* is the place of a field's value in a text: the label,
or, where a label stands there twice, the label with its number ("location 1/2"). A *fact* is what a
text can be about: a slot, or, for values that texts express in other words ("familyFriendly: no",
"location: not provided"), the slot with its value. Which values are of the second sort is learned
from the training texts (:class:`Facts`).

Leaving out values, learning on what remains and filling in other values is delexicalisation, as in
Wen et al., "Semantically Conditioned LSTM-based Natural Language Generation" (EMNLP 2015).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from toolkit_summarization import faithfulness
from toolkit_summarization.faithfulness import Field

_LINE: Final = re.compile(r"([^:|\[\]{}]{1,40}?)\s*:(.*)")
"""A field on a line without blanks at its ends: its label, and its value with blanks around."""
_OPEN, _CLOSE = "\ue000", "\ue001"
"""Characters of Unicode's private use area around a slot's name in a text without values."""
_SLOT: Final = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")
STATED: Final = 0.5
"""A value is a slot's where at least this share of the training texts states it as it is."""


class Slot(NamedTuple):
    """A field of a source with the name of its place in texts."""

    name: str
    value: str


@lru_cache(maxsize=20_000)
def fields_of(text: str) -> tuple[Field, ...]:
    """The fields of a source; empty for running text.

    The source is ``label: value | …``, ``label[value], …``, two lines ``label: value`` or more with
    different labels, or a JSON object without objects in it.
    """
    found = faithfulness.parse(text)
    if found:
        return found
    if text.lstrip().startswith("{"):
        return _of_object(text)
    matches = [_LINE.fullmatch(line) for line in map(str.strip, text.splitlines()) if line]
    fields = tuple((m[1], m[2].strip()) for m in matches if m)
    # Turns of a dialogue look like fields, but their labels (the speakers) come again.
    different = len({label.casefold() for label, _ in fields}) == len(matches)
    return fields if len(matches) > 1 and different else ()


def _of_object(text: str) -> tuple[Field, ...]:
    try:
        found = json.loads(text)
    except ValueError:
        return ()
    if not isinstance(found, Mapping) or any(isinstance(v, Mapping) for v in found.values()):
        return ()
    return tuple(
        (str(label), _plain(one))
        for label, value in found.items()
        for one in (value if isinstance(value, list) else [value])
    )


def _plain(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def structured(sources: Iterable[str]) -> bool:
    """Whether at least nine of ten sources have fields."""
    found = [bool(fields_of(source)) for source in sources]
    return bool(found) and sum(found) >= 0.9 * len(found)


def slots(source: str) -> list[Slot]:
    """The fields of a source, each with the name of its slot."""
    fields = fields_of(source)
    times, seen = Counter(label.casefold() for label, _ in fields), Counter[str]()
    named = []
    for label, value in fields:
        name = label.casefold()
        seen[name] += 1
        numbered = f"{name} {seen[name]}/{times[name]}" if times[name] > 1 else name
        named.append(Slot(numbered, value))
    return named


def delexicalise(text: str, given: Sequence[Slot]) -> str:
    """A text with each occurrence of a value replaced by the mark of its slot.

    Longer values come first; of slots with the same value each occurrence takes the next one.
    """
    taken: list[tuple[int, int, str]] = []
    used: Counter[str] = Counter()
    lowered = text.casefold()
    for slot in sorted(given, key=lambda slot: -len(slot.value)):
        if slot.value.casefold() not in lowered and len(slot.value.split()) < 2:
            continue
        rivals = [other.name for other in given if other.value == slot.value]
        for start, end in faithfulness.places(slot.value, text):
            if all(end <= a or b <= start for a, b, _ in taken):
                taken.append((start, end, min(rivals, key=lambda name: used[name])))
                used[taken[-1][2]] += 1
    for start, end, name in sorted(taken, reverse=True):
        text = f"{text[:start]}{mark(name)}{text[end:]}"
    return text


def mark(name: str) -> str:
    """What stands for the value of a slot in a text without values."""
    return f"{_OPEN}{name}{_CLOSE}"


def slots_in(template: str) -> list[str]:
    """The names of the slots of a text without values, in their order, each once."""
    return list(dict.fromkeys(_SLOT.findall(template)))


def fill(template: str, values: Mapping[str, str]) -> str:
    """A text without values, filled with those of a source; it begins with a capital."""
    text = _SLOT.sub(lambda match: values[match[1]], template)
    return text[:1].upper() + text[1:] if template.startswith(_OPEN) else text


def words_of(template: str) -> str:
    """A text without values as words alone, for comparing texts; each slot is one word."""
    return _SLOT.sub(lambda match: "slot" + re.sub(r"\W+", "", match[1]), template)


class Facts:
    """Which facts a source has, by what training texts state of their sources' values.

    Args:
        pairs: the slots of each training source, with the texts about it, without values.
    """

    def __init__(self, pairs: Iterable[tuple[Sequence[Slot], Sequence[str]]]) -> None:
        known: Counter[str] = Counter()
        stated: Counter[str] = Counter()
        of_value: Counter[Slot] = Counter()
        stated_value: Counter[Slot] = Counter()
        for given, texts in pairs:
            for slot in given:
                times = sum(mark(slot.name) in text for text in texts)
                key = _key(slot)
                known[slot.name] += len(texts)
                of_value[key] += len(texts)
                stated[slot.name] += times
                stated_value[key] += times
        self._known, self._stated = known, stated
        self._of_value, self._stated_value = of_value, stated_value

    def __call__(self, given: Sequence[Slot]) -> list[str]:
        """The facts of a source's slots, in their order."""
        return [
            slot.name if self._is_stated(slot) else f"{slot.name}={slot.value.casefold()}"
            for slot in given
        ]

    def _is_stated(self, slot: Slot) -> bool:
        """Whether texts give the value as it is: by that value if it is known, else by its slot."""
        key = _key(slot)
        if not slot.value.strip() or slot.value.casefold() in faithfulness.NOTHING:
            return False
        if self._of_value[key] >= 3:
            return self._stated_value[key] >= STATED * self._of_value[key]
        return self._stated[slot.name] >= STATED * self._known[slot.name]


def _key(slot: Slot) -> Slot:
    return Slot(slot.name, slot.value.casefold())
