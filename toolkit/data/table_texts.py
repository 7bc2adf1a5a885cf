"""The text of a row whose file has no single text column: a title, fields and a description.

The columns are found by name where the task knows the name, and by what they hold otherwise, so
that a table of fields alone (make, model, year, mileage) becomes a text as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from toolkit.data import columns
from toolkit.data.columns import Rendering
from toolkit.data.guessing import Scored, Wanted, ranked, sure
from toolkit.data.profiles import Profile

LONGEST_FIELD = 40
"""Characters of a value, on average, up to which a column is a field."""
LONG = 30
"""Characters on average from which on a column holds texts rather than fields."""
MOST_CHARACTERS = 600
"""Characters of all fields with their names, on average, unless the user names more: about 200
tokens, which a small model reads."""
LEAST_FILLED = 0.1
MOSTLY = 0.5
"""The share of letters from which on a value is words rather than a number with its unit."""
LEAST_DESCRIBED = 12
"""Words, on average, under which a text without a name for it says what a row is, not how."""
MORE = 1.5
"""As many words for each one of the title make a text a description of the same thing."""
EQUAL_ROWS = 10


@dataclass(frozen=True)
class RowText:
    """The columns of which a text is made.

    Args:
        columns: in the order in which they are written.
        body: the description, which is written without its column's name; ``None``: there is none.
        equal: columns that are left out, because another one holds the same.
        labelled: whether the first column is written with its name too, as numbers need it.
    """

    columns: tuple[str, ...]
    body: str | None = None
    equal: tuple[str, ...] = ()
    labelled: bool = False

    @property
    def rendering(self) -> Rendering:
        """How the text is written."""
        bare = frozenset((self.body,) if self.body else ())
        return Rendering(self.columns, bare=bare, labelled=self.labelled)


def row_text(
    found: Mapping[str, Profile],
    *,
    titles: Sequence[str],
    bodies: Sequence[str],
    fields: Sequence[str],
    excluded: Collection[str] = (),
) -> RowText | None:
    """Title, fields and description of a table; ``None`` where no column says anything.

    The description comes last: a text that is too long for the model then loses the end of the
    description and not the number of bedrooms.

    Args:
        found: the profiles of the file's columns.
        titles: names of columns that say in a few words what a row is, the likeliest first.
        bodies: names of columns that describe it.
        fields: names of columns that are always worth reading.
        excluded: columns that must not be part of the text, such as the target.
    """
    usable = {n: p for n, p in found.items() if n not in excluded and p.values}
    named = _exact(usable, titles)
    title = next((name for name in named if usable[name].written), None)
    rest = {name: profile for name, profile in usable.items() if name != title}
    body = _body(rest, bodies, usable[title] if title else None)
    if title is None and body is not None and _is_title(usable[body], bodies):
        title, body = body, None  # what a row is comes first, and is not what is cut off
    known = [name for name in _exact(rest, fields) if name != body and _is_field(rest[name])]
    others = [
        name
        for name, profile in rest.items()
        if name not in known and name != body and _tells(profile, alone=not (title or body))
    ]
    kept = _that_fit([rest[name] for name in (*known, *others)])
    chosen = [name for name in (title, *kept, body) if name is not None]
    equal = _equal(usable, chosen)
    chosen = [name for name in chosen if name not in equal]
    if not (title or body):
        # A table of fields reads best in the order of the file; one field alone is no description.
        chosen = _in_order(usable, chosen)
        if len(chosen) == 1 and not _is_text(found[chosen[0]]):
            return None
    labelled = bool(chosen) and chosen[0] != title and usable[chosen[0]].letters < MOSTLY
    return RowText(tuple(chosen), body, tuple(equal), labelled) if chosen else None


def _that_fit(fields: Sequence[Profile]) -> list[str]:
    """The first fields that a text has room for."""
    room, kept = float(MOST_CHARACTERS), []
    for profile in fields:
        room -= len(profile.name) + profile.length + 3
        if room >= 0:
            kept.append(profile.name)
    return kept


def _in_order(found: Mapping[str, Profile], chosen: Sequence[str]) -> list[str]:
    """Fields in the order of the file, behind the first one that holds words.

    The first value of a text is written without its column's name, which a number needs.
    """
    ordered = [name for name in found if name in chosen]
    first = next((name for name in ordered if found[name].letters >= MOSTLY), "")
    return sorted(ordered, key=lambda name: name != first)


def free_text(found: Mapping[str, Profile], names: Sequence[str]) -> str | None:
    """The one of some columns that holds free text; of several the longest."""
    free = [name for name in names if found[name].free_text]
    return max(free, key=lambda name: found[name].words, default=None)


def _exact(found: Mapping[str, Profile], names: Sequence[str]) -> list[str]:
    """Columns that are called like a known name, in the order of the names."""
    return [n for known in names for n in found if columns.plain(n) == columns.plain(known)]


def _body(found: Mapping[str, Profile], bodies: Sequence[str], title: Profile | None) -> str | None:
    """The description: by its name, or else the one column of long texts.

    Beside a title it is the longest free text, where that says much more than the title does.
    """
    best = ranked(found, Wanted("text", bodies, _describes))
    named: list[Scored] = [scored for scored in best if scored.name]
    if named and sure([*named, *(s for s in best if not s.name)]):
        return named[0].column
    long = [s.column for s in best if found[s.column].length >= LONG]
    if named:
        return long[0] if long else named[0].column
    if title is None:
        return long[0] if len(long) == 1 else None
    least = max(LEAST_DESCRIBED, MORE * title.words)
    free = free_text(found, [name for name in long if not found[name].identifies])
    return free if free and found[free].words >= least else None


def _is_title(profile: Profile, bodies: Sequence[str]) -> bool:
    """Whether a column that no name calls a description is too short to be one."""
    return not ranked({profile.name: profile}, Wanted("text", bodies))[0].name and (
        profile.words < LEAST_DESCRIBED
    )


def _describes(profile: Profile) -> float:
    if not profile.written or (profile.of_classes and profile.words < 4):
        return 0.0
    return min(1.0, 0.1 + profile.words / 10)


def _is_field(profile: Profile) -> bool:
    return profile.filled >= LEAST_FILLED and profile.length <= LONGEST_FIELD


def _is_text(profile: Profile) -> bool:
    return profile.written and profile.words >= 2 and not profile.of_classes


def _tells(profile: Profile, *, alone: bool) -> bool:
    """Whether a column whose name is not known is worth reading as a field.

    Args:
        alone: whether there is neither a title nor a description; then names of things count too.
    """
    if not _is_field(profile) or profile.constant or profile.identifies or profile.dates >= 0.5:
        return False
    a_name = profile.written and profile.distinct > 0.9 * len(profile.values)
    return alone or not a_name


def _equal(found: Mapping[str, Profile], names: Sequence[str]) -> list[str]:
    """Columns that hold the same as one before them, in :data:`EQUAL_ROWS` rows or more."""
    seen: dict[tuple[str, ...], str] = {}
    equal = []
    for name in names:
        if len(found[name].cells) >= EQUAL_ROWS:
            first = seen.setdefault(tuple(found[name].cells), name)
            if first != name:
                equal.append(name)
    return equal
