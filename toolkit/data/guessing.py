"""Which column is the text and which the target, by their names and by what they hold.

Each column gets a score: how well its name is one that the task knows, plus how well its content
fits (:class:`Profile`). A column whose content cannot be meant, such as numbers as a text to be
summarized, is never taken for its name. Where no name speaks for a column, its content must do so
clearly; otherwise nothing is guessed, and the error gives the line to type.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.data import columns
from toolkit.data.profiles import Profile
from toolkit.errors import DataError

if TYPE_CHECKING:
    from toolkit.data.source import Source

Fit = Callable[[Profile], float]
"""How well the content of a column fits what is looked for: from 0 (it cannot be meant) to 1."""

EXACT, HOLDING, BY_RANK = 1.0, 0.55, 0.25
"""What a name adds that is one of the known ones; that holds one as whole words; and how much of it
the last of the known names loses."""
CLEAR = 0.5
"""The fit of a column that may be taken without a name that speaks for it."""
POOR, GOOD = 0.3, 0.8
"""A column that fits poorly is not taken for its name where another one fits well."""
SECOND = 0.6
"""The score, in shares of the best one, from which on a second choice is shown."""
LISTED = 12
LONG_NAME = 50
"""Characters of a name from which on it may be a text."""
_NUMBERED = re.compile(r"(?<=[^\W\d])(?=\d+(?:\s|$))")
"""Between a name and its number, as in ``summary1``."""


def anything(profile: Profile) -> float:
    """The content says nothing: half a fit for all columns with values."""
    return 0.5 if profile.values else 0.05


def some_text(profile: Profile) -> float:
    """Texts of any length; numbers, codes and dates are none, and what comes again is less of one.

    The name of a product has as many words as a short review, but is that of many rows.
    """
    if not profile.values:
        return 0.05
    if not profile.written:
        return 0.0
    return min(1.0, 0.2 + profile.words / 10) * (1.0 if _mostly_different(profile) else 0.7)


def _mostly_different(profile: Profile) -> bool:
    return len(profile.values) < 20 or profile.distinct >= 0.3 * len(profile.values)


def some_class(profile: Profile) -> float:
    """A few values that come again and again; no dates, addresses or what tells rows apart."""
    if not profile.values:
        return 0.05
    if profile.identifies or profile.constant or profile.dates >= 0.5:
        return 0.1
    return 0.8 if profile.of_classes else 0.4


def named_text(profile: Profile) -> float:
    """As :func:`some_text`, but a name may speak for numbers too, where no text is there."""
    return max(0.1, some_text(profile))


def prose(profile: Profile) -> float:
    """Texts that a person wrote, the longer the better; a few values that come again are none."""
    if not profile.values:
        return 0.05
    if not profile.written or (profile.of_classes and profile.words < 6):
        return 0.0
    return min(1.0, profile.words / 8)


@dataclass(frozen=True)
class Wanted:
    """A column that is looked for.

    Args:
        role: what errors and notes call it ("text", "target", "report").
        names: names that such a column often has, the likeliest first.
        fit: how well a content fits.
        option: the option that names it, such as ``--text``; empty: there is none.
    """

    role: str
    names: Sequence[str]
    fit: Fit = anything
    option: str = ""


@dataclass(frozen=True)
class Scored:
    """A column with its scores.

    Args:
        column: its name in the file.
        name: what its name says, 0 where it says nothing.
        fit: how well its content fits.
    """

    column: str
    name: float
    fit: float

    @property
    def total(self) -> float:
        return self.name + self.fit


def named(column: str, names: Sequence[str]) -> float:
    """How well a column's name is one of the known ones: exactly, or holding it as whole words."""
    own = _NUMBERED.sub(" ", columns.plain(column))
    best = 0.0
    for rank, known in enumerate(map(columns.plain, names)):
        late = BY_RANK * rank / max(len(names), 1)
        if own == known:
            best = max(best, EXACT - late)
        elif known and f" {known} " in f" {own} ":
            # Of names that hold it, the shortest says least else: "price" before "price per night".
            best = max(best, HOLDING - late - min(0.1, 0.002 * len(own)))
    return best


def ranked(
    found: Mapping[str, Profile], wanted: Wanted, excluded: Collection[str] = ()
) -> list[Scored]:
    """The columns that can be meant, the best first; of equal ones the longer, then the earlier."""
    scored = [
        Scored(name, named(name, wanted.names), fit)
        for name, profile in found.items()
        if name not in excluded and (fit := wanted.fit(profile)) > 0
    ]
    return sorted(scored, key=lambda s: (-s.total, -min(found[s.column].words, 100)))


def sure(best: Sequence[Scored]) -> bool:
    """Whether the first of some columns may be taken without asking."""
    if not best:
        return False
    first, others = best[0], best[1:]
    if first.name:
        return first.fit >= POOR or not any(other.fit >= GOOD for other in others)
    return first.fit > CLEAR and all(other.fit < first.fit / 2 for other in others)


def choose(
    source: Source,
    found: Mapping[str, Profile],
    wanted: Wanted,
    excluded: Collection[str] = (),
    refusal: Callable[[Sequence[Scored]], DataError] | None = None,
) -> str:
    """The column that is meant, with a note that shows the second choice.

    Args:
        source: receives the note.
        found: the profiles of the file's columns.
        wanted: what is looked for.
        excluded: columns that have another part.
        refusal: makes the error where none is sure, from the candidates.
    """
    best = ranked(found, wanted, excluded)
    if not sure(best):
        raise refusal(best) if refusal else unknown(found, wanted, best)
    source.note(chosen_note(wanted, best))
    return best[0].column


def chosen_note(wanted: Wanted, best: Sequence[Scored]) -> str:
    """``the text is column 'content' (second choice 'source'; choose with --text)``."""
    second = next((s for s in best[1:] if s.total >= SECOND * best[0].total and _speaks(s)), None)
    parts = [f"second choice {second.column!r}"] if second else []
    parts += [f"choose with {wanted.option}"] if wanted.option else []
    more = f" ({'; '.join(parts)})" if parts else ""
    return f"the {wanted.role} is column {best[0].column!r}{more}"


def _speaks(scored: Scored) -> bool:
    return scored.name > 0 or scored.fit > CLEAR


def unknown(
    found: Mapping[str, Profile], wanted: Wanted, best: Sequence[Scored], line: str = ""
) -> DataError:
    """The error for a column that cannot be guessed: what the columns hold, and a line to type."""
    numbers = ""
    if any(len(name) > LONG_NAME or columns.is_number(name) for name in found):
        numbers = " (by number where the file has no column names: --text 1 --target 2)"
    option = wanted.option or f"--{wanted.role}"
    why = ""
    if wanted.fit is not anything and not best:
        why = f" (none holds what a {wanted.role} could be)"
    elif len(best) > 1:
        why = f" ({best[0].column!r} or {best[1].column!r}?)"
    typed = f", such as: {line}" if line else ""
    return DataError(
        f"cannot tell which column holds the {wanted.role}{why}: name it with {option}{numbers}"
        f"{typed}; the data has {contents(found)}"
    )


def only_classes(found: Mapping[str, Profile], wanted: Wanted, file: str, line: str) -> DataError:
    """The error for a file that holds no written target but classes: which command takes those."""
    classes = [repr(name) for name, profile in found.items() if profile.of_classes][:3]
    return DataError(
        f"no column holds what a {wanted.role} could be; the few values of {', '.join(classes)} "
        f"are for a task of classes: toolkit init {shlex.quote(file)} writes one (to have them "
        f"written all the same: {line}); the data has {contents(found)}"
    )


def without_names(found: Mapping[str, Profile]) -> bool:
    """Whether the first line of a file looks like a row rather than the names of columns.

    A name is then one of the classes, a text of many words among texts, or a number among numbers
    (numbers that count the columns are names that other programs have given).
    """
    return any(
        (profile.of_classes and name in profile.values)
        or (profile.written and len(name) > LONG_NAME and profile.words >= 5)
        or (profile.numbers > 0.95 and _is_a_value(name, at))
        for at, (name, profile) in enumerate(found.items())
    )


def _is_a_value(name: str, at: int) -> bool:
    return columns.is_number(name) and name not in (str(at), str(at + 1))


def contents(found: Mapping[str, Profile]) -> str:
    """What each of the columns holds: ``columns 'id' (numbers), 'text' (texts of about …)``."""
    shown = ", ".join(
        f"{columns.short(name)!r} ({profile.sentence()})"
        for name, profile in list(found.items())[:LISTED]
    )
    more = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return f"column{'' if len(found) == 1 else 's'} {shown}{more}"


def line_for(found: Mapping[str, Profile], text: Sequence[str], target: str | None) -> str:
    """The options that name columns of a file, by number where it has no names for them."""
    if not without_names(found):
        return ready_line(text, target)
    places = {name: str(at) for at, name in enumerate(found, 1)}
    return ready_line([places[name] for name in text], places.get(target or ""))


def ready_line(text: Sequence[str], target: str | None) -> str:
    """The options that name columns, as they can be typed into a shell."""
    value = ",".join(text)
    if any("," in name or name != name.strip() for name in text):
        value = "\n".join(f"{{{name}}}" for name in text).replace("\n", " ")
    parts = ["--text", shlex.quote(value)] if text else []
    return " ".join([*parts, *(["--target", shlex.quote(target)] if target else [])])


def note_unused(
    source: Source,
    available: Sequence[str],
    used: Collection[str],
    advice: str = " (--text adds columns)",
) -> None:
    """Say which columns are read for nothing.

    Args:
        source: receives the note.
        available: the file's columns.
        used: those that are read.
        advice: how to read more, in brackets.
    """
    left = [name for name in available if name not in used]
    if left:
        shown = ", ".join(repr(columns.short(name)) for name in left[:LISTED])
        more = f" and {len(left) - LISTED} more" if len(left) > LISTED else ""
        source.note(f"not used: column{'s' * (len(left) > 1)} {shown}{more}{advice}")
