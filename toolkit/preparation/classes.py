"""The classes of the splits compared: unseen in training, spelled otherwise, too rare, only one.

A class that training lacks cannot be predicted; where its name differs from one of training in
spelling alone (``TRUE`` and ``True`` after a spreadsheet), every system would count as wrong.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.data import columns, several_labels, tables
from toolkit.data.normalization import class_key
from toolkit.data.numbers import plain_number
from toolkit.data.splits import HELD_OUT
from toolkit.errors import PreflightError

if TYPE_CHECKING:
    from datasets import Dataset

    from toolkit.task import Task

MANY = 100
"""Classes from which on the target is questioned."""
WORDS = 6
"""Words from which on the name of a class is long."""
RARE = 10
"""Training rows under which a class is called rare."""
SPELLED = 0.05
"""The share of a split's rows with a class spelled otherwise that is refused."""
SHOWN = 5
BOOLEANS = (("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"), ("1", "0"))
"""How yes and no are written."""

Counts = Mapping[str, Counter[Any]]
"""Split → class → rows."""


@dataclass
class ClassFindings:
    """What the comparison of classes found, as sentences and as figures.

    Args:
        warnings: what makes figures doubtful.
        unseen: held-out split → class that training lacks → rows.
        rare: class → training rows, for classes with few.
        single: classes with one test row.
        untested: classes of training that the test split lacks.
    """

    warnings: list[str] = field(default_factory=list)
    unseen: dict[str, dict[str, int]] = field(default_factory=dict)
    rare: dict[str, int] = field(default_factory=dict)
    single: list[str] = field(default_factory=list)
    untested: list[str] = field(default_factory=list)

    def document(self, counts: Counts) -> dict[str, Any]:
        """The part ``classes`` of ``data/preflight.json``."""
        return {
            "counts": {s: {str(k): n for k, n in c.most_common()} for s, c in counts.items()},
            "unseen": self.unseen,
            "rare": self.rare,
            "single": self.single,
            "untested": self.untested,
        }


def require_several(task: Task, train: Dataset) -> None:
    """Refuse training rows of a single class.

    Raises:
        PreflightError: all rows have the same class.
    """
    found: set[Any] = set()
    for row in tables.rows(train):
        kind = task.stratum(row)
        if kind is None:
            return  # a task without classes, or rows that have none
        found.add(", ".join(sorted(map(str, kind))) if isinstance(kind, list) else kind)
        if len(found) > 1:
            return
    raise PreflightError(
        f"all {len(train):,} training rows have the class {found.pop()!r}: there is nothing to "
        "tell apart; choose another --target, or data with several classes"
    )


def compare_classes(counts: Counts, *, declared: bool = True) -> ClassFindings:
    """Compare the classes of the splits.

    Args:
        counts: split → class → rows.
        declared: whether the task says what its classes are; where not, other answers in held-out
            rows are what one expects, and only their spelling is compared.

    Raises:
        PreflightError: no row of a split has a class of the training rows, or many rows have one
            that is spelled otherwise there; or rows have several labels, or nearly each one a
            class of its own.
    """
    found = ClassFindings()
    if not counts:
        return found
    train = counts["train"]
    if declared:
        found.warnings += _questioned(train)
    found.warnings += _alike(train)
    for split in HELD_OUT:
        unseen = {kind: n for kind, n in counts[split].items() if kind not in train}
        if not unseen:
            continue
        twins = _twins(unseen, train)
        _check_spelling(found, split, twins, counts)
        others = {kind: n for kind, n in unseen.items() if kind not in twins}
        if declared:
            found.unseen[split] = {str(kind): n for kind, n in unseen.items()}
            _check_unseen(found, split, others, counts)
    if declared:
        _check_rare(found, counts)
    return found


def absent_classes(known: Sequence[Any] | None, counts: Counts) -> list[str]:
    """A note on classes of the task that no training row has."""
    absent = [kind for kind in known or () if counts and kind not in counts["train"]]
    if not absent or not counts["train"].keys() & set(known or ()):
        return []
    return [
        f"no training row has {'the class' if len(absent) == 1 else 'the classes'} "
        f"{_listed(map(_name, absent))} of the task"
    ]


# -- are they classes? -----------------------------------------------------------------------------


def _questioned(train: Mapping[Any, int]) -> list[str]:
    """A warning on a target of very many classes; several labels a row are refused.

    Raises:
        PreflightError: the values are lists of labels, or so many that there are no classes.
    """
    if sentence := several_labels.listed(train):
        raise PreflightError(sentence)
    if len(train) <= MANY:
        return []
    rows, single = sum(train.values()), sum(n == 1 for n in train.values())
    values = [str(kind) for kind in train]
    what = "numbers to be predicted as such (a task of regression)"
    if not all(plain_number(value) is not None for value in values):
        long = sum(len(value.split()) > WORDS for value in values) > len(values) / 2
        what = (
            "texts to be written (a task of kind causal-lm)" if long else "names or numbers of rows"
        )
    sentence = (
        f"the target has {len(train):,} different values in {rows:,} training rows, {single:,} of "
        f"them in one row alone ({_listed([_name(k) for k, _ in _most(train)])})"
    )
    if len(train) > rows / 2:
        raise PreflightError(
            f"{sentence}: these are no classes, more likely {what}; choose another --target"
        )
    return [f"{sentence}: are these classes, or {what}? Another column is named with --target"]


# -- spelling --------------------------------------------------------------------------------------


def _twins(unseen: Iterable[Any], train: Iterable[Any]) -> dict[Any, Any]:
    """Classes that training lacks → the one class of training that differs in spelling alone."""
    known: dict[str, list[Any]] = defaultdict(list)
    for kind in train:
        known[class_key(str(kind))].append(kind)
    single = {key: kinds[0] for key, kinds in known.items() if len(kinds) == 1}
    found = {}
    for kind in unseen:
        key = class_key(str(kind))
        pair = next((pair for pair in BOOLEANS if key in pair), None)
        if key in single:
            found[kind] = single[key]
        elif pair and len(single) == len(known) == 2:
            place = pair.index(key)
            other = next((b for b in BOOLEANS if set(b) == set(single)), None)
            if other:
                found[kind] = single[other[place]]
    return found


def _difference(one: str, other: str) -> str:
    """In what two names of a class differ."""
    if unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other):
        return "the Unicode form (NFC, NFD)"
    if one.casefold() == other.casefold():
        return "case"
    if " ".join(one.split()) == " ".join(other.split()):
        return "blanks"
    return "spelling"


def _check_spelling(
    found: ClassFindings, split: str, twins: Mapping[Any, Any], counts: Counts
) -> None:
    """Warn of classes that are spelled otherwise in training; refuse many rows of them."""
    if not twins:
        return
    rows = sum(counts[split][kind] for kind in twins)
    pairs = [f"{_name(kind)} for {_name(twins[kind])}" for kind in twins]
    differ = dict.fromkeys(_difference(str(a), str(b)) for a, b in twins.items())
    sentence = (
        f"{rows:,} of {counts[split].total():,} {split} rows have a class that training rows spell "
        f"otherwise ({_listed(pairs)}; the difference is in {' and '.join(differ)}), and any "
        "prediction would count as wrong; write the classes of all rows as the training rows do"
    )
    if rows > SPELLED * counts[split].total():
        raise PreflightError(sentence)
    found.warnings.append(sentence)


def _alike(train: Mapping[Any, int]) -> list[str]:
    """A warning on classes of the training rows that differ in spelling alone."""
    alike: dict[str, list[Any]] = defaultdict(list)
    for kind in train:
        alike[class_key(str(kind))].append(kind)
    several = [kinds for kinds in alike.values() if len(kinds) > 1]
    if not several:
        return []
    shown = [" and ".join(f"{_name(k)} ({train[k]:,} rows)" for k in kinds) for kinds in several]
    differ = dict.fromkeys(_difference(str(k[0]), str(other)) for k in several for other in k[1:])
    return [
        f"training has classes that differ in {' and '.join(differ)} alone: {_listed(shown)}; if "
        "they mean the same, write them alike"
    ]


def _name(kind: Any) -> str:
    """A class in quotes; letters that look the same in another Unicode form are spelled out."""
    text = columns.short(str(kind))
    if not unicodedata.is_normalized("NFC", text) or any(
        unicodedata.category(c) == "Cf" for c in text
    ):
        return ascii(text)
    return repr(text)


# -- classes without rows --------------------------------------------------------------------------


def _check_unseen(
    found: ClassFindings, split: str, unseen: Mapping[Any, int], counts: Counts
) -> None:
    """Warn of classes that training lacks; refuse a split that has no others."""
    if not unseen:
        return
    rows, total = sum(unseen.values()), counts[split].total()
    named = _listed([f"{_name(k)} ({n:,} row{'' if n == 1 else 's'})" for k, n in _most(unseen)])
    if rows == total:
        raise PreflightError(
            f"no row of the {split} split has a class of the training rows: it has {named}, and "
            f"they have {_listed([_name(k) for k, _ in _most(counts['train'])])}; name the same "
            "column in both with --target, or write the classes alike"
        )
    what = "a class" if len(unseen) == 1 else f"{len(unseen):,} classes"
    found.warnings.append(
        f"the {split} split has {what} that training rows lack: {named}; whatever is predicted for "
        f"{'this row' if rows == 1 else f'these {rows:,} rows'} is wrong"
    )


def _check_rare(found: ClassFindings, counts: Counts) -> None:
    """Warn of classes with few training rows, with one test row, and with none."""
    train, test = counts["train"], counts["test"]
    rare = {kind: n for kind, n in train.items() if n < RARE}
    single = [kind for kind, n in test.items() if n == 1]
    untested = [kind for kind in train if kind not in test]
    found.rare = {str(kind): n for kind, n in rare.items()}
    found.single = [str(kind) for kind in single]
    found.untested = [str(kind) for kind in untested]
    if rare:
        named = _listed(
            [f"{_name(k)} ({n:,})" for k, n in sorted(rare.items(), key=lambda i: i[1])]
        )
        found.warnings.append(
            f"{_classes(rare)} under {RARE} training rows: {named}; hardly anything can be learned "
            "of them"
        )
    if single:
        found.warnings.append(
            f"{_classes(single)} a single test row: {_listed(map(_name, single))}; its recall is 0 "
            "or 1 by that row, and macro F1 with it"
        )
    if untested:
        found.warnings.append(
            f"{_classes(untested)} no test row: {_listed(map(_name, untested))}; no figure tells "
            "how well they are predicted"
        )


def _classes(kinds: Iterable[Any]) -> str:
    number = len(list(kinds))
    return "a class has" if number == 1 else f"{number:,} classes have"


def _most(counts: Mapping[Any, int]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))


def _listed(items: Iterable[str]) -> str:
    """The first items, and how many more there are."""
    all_items: Sequence[str] = list(items)
    more = f" and {len(all_items) - SHOWN:,} more" if len(all_items) > SHOWN else ""
    return ", ".join(all_items[:SHOWN]) + more
