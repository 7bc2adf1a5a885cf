"""A text and a target found together: never one column as both, and never a copy as the target."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from toolkit.data import columns, guessing, profiles, tables
from toolkit.data.columns import Rendering
from toolkit.data.guessing import Scored, Wanted
from toolkit.data.load import column_names
from toolkit.data.normalization import normalized
from toolkit.data.profiles import Profile
from toolkit.errors import DataError

if TYPE_CHECKING:
    from datasets import Dataset

    from toolkit.data.source import Source

COMPARED = 500
"""Rows whose texts and targets are compared."""
PAIRED = 4
"""Candidates for each part of a pair that are tried together."""
COPIES, MOST_COPIES = 0.01, 0.95
"""Shares of rows whose target is their text: from which on it is said, and refused."""
WEAK = 0.5
"""The share of the best fit under which a column without a name that speaks for it is no text."""
MUCH_LONGER = 2.0
"""How many times as long as the text another column is that may be the text as well."""
LONGER = 0.1
"""The share of rows whose target is longer than their text from which on it is said."""
EQUAL_ROWS = 10
"""Rows from which on columns with the same values are the same."""
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Pair:
    """The text and the target of a task.

    Args:
        text: how the text is made.
        target: the column of the target.
    """

    text: Rendering
    target: str


def find_pair(source: Source, dataset: Dataset, text: Wanted, target: Wanted) -> Pair:
    """The text and the target: as ``--text`` and ``--target`` name them, or guessed together.

    Args:
        source: names columns, and receives notes.
        dataset: rows as they are in the file.
        text: what the text is like.
        target: what the target is like.

    Raises:
        DataError: there is no such column, none can be guessed, or the target is a copy of the
            text.
    """
    available = column_names(dataset)
    found = profiles.profiles(dataset, available)
    shown = columns.rendering(available, source.text) if source.text else None
    wanted = columns.resolve(available, source.target, "target") if source.target else None
    if shown and wanted and wanted in shown.columns:
        raise DataError(f"column {wanted!r} is the target and cannot be part of --text as well")
    if shown is None or wanted is None:
        _check_names(available, found)
        shown, wanted = _guessed(source, found, (text, target), (shown, wanted))
        used = [*shown.columns, wanted]
        guessing.note_unused(source, available, used)
        _note_equal(source, found, used)
    pair = Pair(shown, wanted)
    source.use((shown.template,) if shown.template else shown.columns, wanted)
    compare(source, dataset, pair, text.role, written=target.fit is guessing.prose)
    return pair


def _guessed(
    source: Source,
    found: Mapping[str, Profile],
    parts: tuple[Wanted, Wanted],
    given: tuple[Rendering | None, str | None],
) -> tuple[Rendering, str]:
    """Both parts of a pair, of which one may be given."""
    text, target = parts
    shown, wanted = given
    if shown is not None:
        best = guessing.ranked(found, target, shown.columns)
        return shown, _taken(source, found, target, best, (shown.columns, None))
    if wanted is not None:
        best = guessing.ranked(found, text, {wanted})
        return Rendering((_taken(source, found, text, best, ((), wanted)),)), wanted
    texts, targets = _texts(found, text), guessing.ranked(found, target)
    if not _two(found):
        raise _one_column(found)
    tried = [
        (one.total + other.total + relation(found[one.column], found[other.column]), one, other)
        for one in texts[:PAIRED]
        for other in targets[:PAIRED]
        if one.column != other.column
    ]
    if source.header is None and guessing.without_names(found):
        raise _without_names(found, texts, targets)
    if tried:
        _, one, other = max(tried, key=lambda entry: entry[0])
        texts = [one, *(s for s in texts if s not in (one,) and s.column != other.column)]
        targets = [other, *(s for s in targets if s != other and s.column != one.column)]
    if not targets:
        _taken(source, found, target, targets, (_likely(found), None))  # raises
    first = _taken(source, found, text, texts, ((), targets[0].column))
    targets = [scored for scored in targets if scored.column != first]
    return Rendering((first,)), _taken(source, found, target, targets, ((first,), None))


def _texts(found: Mapping[str, Profile], wanted: Wanted) -> list[Scored]:
    """Candidates for the text, but for those that are far from the best one in name and content.

    So a column of classes does not become the text because the one column of texts is a target.
    """
    best = guessing.ranked(found, wanted)
    return [s for s in best if s.name or s.fit >= WEAK * max(one.fit for one in best)]


def _taken(
    source: Source,
    found: Mapping[str, Profile],
    wanted: Wanted,
    best: Sequence[Scored],
    line: tuple[Sequence[str], str | None],
) -> str:
    """The first candidate, where it is sure; else an error with a line to type.

    Args:
        line: the columns that are suggested as text and as target, as far as they are known.
    """
    if guessing.sure(best):
        source.note(guessing.chosen_note(wanted, best))
        return best[0].column
    text, target = line
    if wanted.option == "--target":
        target = best[0].column if best else _named(found, wanted) or _last(found, text)
        target = target or _last(found, ())
    elif not text or not best:
        clear = best and best[0].fit > guessing.CLEAR
        text = [best[0].column] if clear else _likely(found, target)
    text = [name for name in text if name != target] or [n for n in found if n != target][:1]
    typed = guessing.line_for(found, text, target or _last(found, text))
    file, classes = source.data or source.train, any(p.of_classes for p in found.values())
    if file and classes and not best and wanted.fit is guessing.prose:
        raise guessing.only_classes(found, wanted, file, typed)
    other = _other_way(found, text)
    raise guessing.unknown(
        found, wanted, best, f"{typed}, or: {guessing.line_for(found, *other)}" if other else typed
    )


def _other_way(found: Mapping[str, Profile], text: Sequence[str]) -> tuple[list[str], str] | None:
    """A much longer column as the text, and the one that would be the text as its target."""
    if len(text) != 1 or not found[text[0]].free_text:
        return None
    least = MUCH_LONGER * found[text[0]].length
    longer = [n for n, profile in found.items() if profile.free_text and profile.length >= least]
    return ([max(longer, key=lambda n: found[n].length)], text[0]) if longer else None


def _two(found: Mapping[str, Profile]) -> bool:
    return len(found) > 1


def _one_column(found: Mapping[str, Profile]) -> DataError:
    (name,) = found
    return DataError(
        f"the file has one column, {columns.short(name)!r}, and the task takes a text and a "
        "target from two; is it separated by something other than commas, semicolons, tabs or bars?"
    )


def _without_names(
    found: Mapping[str, Profile], texts: Sequence[Scored], targets: Sequence[Scored]
) -> DataError:
    text = texts[0].column if texts else next(iter(found))
    target = next((s.column for s in targets if s.column != text), _last(found, (text,)))
    first = ", ".join(repr(columns.short(name)) for name in list(found)[:3])
    return DataError(
        f"the file seems to have no column names: its first line is {first}. Name the columns by "
        f"number, and it is read as a row: {guessing.line_for(found, (text,), target)} (or say "
        "that they are names, with --header)"
    )


def _likely(found: Mapping[str, Profile], target: str | None = None) -> list[str]:
    """Columns that could be fields of a text, for a line that is suggested."""
    return [
        name
        for name, profile in found.items()
        if name != target and not profile.constant and not profile.identifies
    ][: guessing.LISTED]


def _named(found: Mapping[str, Profile], wanted: Wanted) -> str | None:
    """The column whose name is the best, whatever it holds."""
    best = max(found, key=lambda name: guessing.named(name, wanted.names))
    return best if guessing.named(best, wanted.names) else None


def _last(found: Mapping[str, Profile], used: Sequence[str]) -> str | None:
    left = [name for name in _likely(found) if name not in used]
    return left[-1] if left else None


def relation(text: Profile, target: Profile) -> float:
    """How well two columns go together: a target shares words with its text and is no longer.

    A column that is equal to the other one is no target.
    """
    both = zip(text.cells, target.cells, strict=True)
    rows = [(one, other) for one, other in both if one and other][:COMPARED]
    if not rows:
        return 0.0
    if all(one == other for one, other in rows):
        return -2.0
    covered = fmean(_covered(one, other) for one, other in rows)
    longer = target.length > text.length
    return 0.5 * covered - (0.4 if longer else 0.0)


def _covered(text: str, target: str) -> float:
    words = set(re.findall(r"\w+", target.casefold()))
    return len(words & set(re.findall(r"\w+", text.casefold()))) / len(words) if words else 0.0


# -- what is wrong ---------------------------------------------------------------------------------
def _check_names(available: Sequence[str], found: Mapping[str, Profile]) -> None:
    """Refuse to guess in a file whose first line is one name that holds several.

    That is what comes of lines such as ``id,dialogue,summary;;``.
    """
    for name in available:
        for mark, what in SEPARATORS.items():
            parts = [part for part in name.split(mark) if part.strip()]
            others = [other for other in available if other != name and found[other].values]
            if len(parts) > 1 and not re.search(re.escape(mark) + r"\s", name) and not others:
                raise DataError(
                    f"the only column with values is called {columns.short(name)!r}: its name "
                    f"holds {what}, so the lines of the file are not separated as its first line "
                    "says; mend the file (are whole lines in quotes, or do marks stand at their "
                    "ends?) or name the columns with --text and --target"
                )


def _note_equal(source: Source, found: Mapping[str, Profile], used: Sequence[str]) -> None:
    """Say which other columns hold the same as one that is used."""
    for name in used:
        same = [
            other
            for other, profile in found.items()
            if other not in used and len(profile.cells) >= EQUAL_ROWS
            if profile.cells == found[name].cells
        ]
        if same:
            source.note(f"column {name!r} holds the same as {', '.join(map(repr, same))}")


def compare(
    source: Source, dataset: Dataset, pair: Pair, role: str = "text", *, written: bool = True
) -> None:
    """Say where targets are copies of their texts, or longer; refuse to train on copies.

    Args:
        source: receives notes.
        dataset: rows as they are in the file.
        pair: the text and the target.
        role: what the text is called.
        written: whether the target is a text too, so that its length says something.
    """
    names = list(dict.fromkeys((*pair.text.columns, pair.target)))
    rows = dataset.select(range(0, len(dataset), len(dataset) // COMPARED + 1))
    copies = longer = number = 0
    for row in tables.rows(rows, names):
        text, target = _flat(pair.text, row), columns.tidy(row[pair.target])
        if not text or not target:
            continue
        number += 1
        copies += normalized(text) == normalized(target)
        longer += len(target) > len(text)
    if not number:
        return
    made = ", ".join(map(repr, pair.text.columns))
    if copies > MOST_COPIES * number:
        raise DataError(
            f"the target, column {pair.target!r}, is a copy of the {role} ({made}) in "
            f"{copies / number:.0%} of {number:,} rows that were compared: there is nothing to "
            "learn; name other columns with --text and --target"
        )
    if copies > COPIES * number:
        source.note(
            f"the target is a copy of the {role} in {copies / number:.0%} of {number:,} rows that "
            "were compared"
        )
    if written and longer > LONGER * number:
        source.note(
            f"the target ({pair.target!r}) is longer than the {role} ({made}) in "
            f"{longer / number:.0%} of {number:,} rows that were compared; are they the right way "
            "round?"
        )


def _flat(shown: Rendering, row: Mapping[str, object]) -> str:
    flat = {
        name: " ".join(map(columns.tidy, value)) if isinstance(value, list) else value
        for name, value in ((name, row[name]) for name in shown.columns)
    }
    return shown(flat)
