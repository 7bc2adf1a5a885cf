"""Rows with several labels, recognised: lists in one column, or a column of 0 and 1 for each label.

Taken for classes, the lists ``2, 5`` and ``2, 7`` would be two of hundreds of classes that have
nothing in common. So a task of one class a row refuses them; :class:`~toolkit.MultiLabelTask`
reads them (:mod:`toolkit.data.several_answers`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.data import tables
from toolkit.data.columns import plain, tidy
from toolkit.formatting import count

if TYPE_CHECKING:
    from datasets import Dataset

SEPARATORS = ",;|"
FEWEST_COLUMNS = 3
"""Columns of 0 and 1 from which on they are taken for labels: two may be anything."""
SHARE = 0.01
"""The share of rows with several labels from which on they are no spelling of a class."""
SHOWN = 4
_BRACKETS = re.compile(r"[\[({](.*)[\])}]", re.DOTALL)
_ON_OFF = frozenset(("0", "1", "true", "false"))
ADVICE = (
    "a row has one class here; a task of several labels predicts them all (in a task file problem "
    '= "multi-label"), or make a column with 1 and 0 for each label and name one of them with '
    "--target"
)


def items_of_list(text: str) -> list[str] | None:
    """The items of ``[2, 5]``, ``['a']`` or ``{a; b}``; ``None`` for a text without brackets."""
    inside = _BRACKETS.fullmatch(text.strip())
    if inside is None:
        return None
    separators = r"[,;|]" if re.search(r"[,;|]", inside[1]) else r"\s+"
    items = (item.strip().strip("'\"").strip() for item in re.split(separators, inside[1].strip()))
    return [item for item in items if item]


def listed(counts: Mapping[Any, int]) -> str | None:
    """The sentence that refuses a target whose values are lists of labels; ``None``: they are not.

    Values are lists where they stand in brackets, or where what stands between their separators
    are fewer labels than there are different values, and most of these occur in several of them.
    A class whose name has a comma in it, and a path such as ``a|b|c``, are no lists by that.

    Args:
        counts: each value of the target → its rows.
    """
    named = {str(value): rows for value, rows in counts.items()}
    total = sum(named.values())
    for split in (items_of_list, *(_splitter(mark) for mark in SEPARATORS)):
        lists = {text: items for text in named if (items := split(text)) is not None}
        several = [text for text, items in lists.items() if len(items) > 1]
        rows = sum(named[text] for text in several)
        if rows < max(2, SHARE * total):
            continue
        bracketed = split is items_of_list
        if not bracketed and not _combined(named, lists):
            continue
        labels = {item for items in lists.values() for item in items}
        shown = ", ".join(repr(text[:40]) for text in several[:SHOWN])
        return (
            f"the target of {rows:,} of {total:,} rows holds several labels ({shown}; "
            f"{len(labels):,} labels in {len(named):,} combinations): {ADVICE}"
        )
    return None


def _splitter(mark: str) -> Any:
    def split(text: str) -> list[str] | None:
        return [part.strip() for part in text.split(mark) if part.strip()] if mark in text else None

    return split


def _combined(named: Iterable[str], lists: Mapping[str, Sequence[str]]) -> bool:
    """Whether the values are combinations of fewer labels."""
    in_values: Counter[str] = Counter()
    distinct = list(named)
    for text in distinct:
        in_values.update(set(lists.get(text, (text.strip(),))))
    of_lists = {item for items in lists.values() for item in items}
    shared = sum(in_values[item] > 1 for item in of_lists)
    return len(in_values) < len(distinct) and shared > len(of_lists) / 2


def in_columns(dataset: Dataset) -> str | None:
    """The sentence that refuses a file with a column of 0 and 1 for each label, or ``None``.

    Args:
        dataset: the file's rows.
    """
    columns = _indicators(dataset)
    if len(columns) < FEWEST_COLUMNS:
        return None
    ones, one_each, first = Counter[str](), True, columns[0]
    for batch in tables.batches(dataset, columns):
        lit = {name: [is_on(value) for value in batch[name]] for name in columns}
        ones.update({name: sum(values) for name, values in lit.items()})
        one_each &= all(sum(row) == 1 for row in zip(*lit.values(), strict=True))
    shown = ", ".join(f"{name} ({count(ones[name], 'row')})" for name in columns[:8])
    more = f" and {len(columns) - 8} more" if len(columns) > 8 else ""
    if one_each:
        return (
            f"{len(columns)} columns hold 0 and 1, one of them is 1 in each row: {shown}{more}; "
            "they are the classes of one target: write them as one column with the class's name"
        )
    return (
        f"{len(columns)} columns hold 0 and 1: {shown}{more}; if they are labels, a row has "
        'several: list them as the target of a task file with problem = "multi-label", or name '
        f"the one to predict, as in --target {first}"
    )


def _indicators(dataset: Dataset) -> list[str]:
    """The columns that hold 0 and 1 (or true and false), both of them, and nothing else."""
    found: dict[str, set[str]] = {
        name: set() for name in dataset.column_names if name != "row_id" and plain(name) != "id"
    }
    for batch in tables.batches(dataset, list(found)):
        for name in [*found]:
            found[name] |= {tidy(value).casefold() for value in batch[name]} - {""}
            if not found[name] <= _ON_OFF:
                del found[name]
        if not found:
            break
    return [name for name, values in found.items() if len(values) == 2]


def is_on(value: Any) -> bool:
    """Whether a value says that a row has the label: 1 or true."""
    return tidy(value).casefold() in ("1", "true")


def is_off(value: Any) -> bool:
    """Whether a value says that a row lacks the label: 0, false or nothing."""
    return tidy(value).casefold() in ("0", "false", "")
