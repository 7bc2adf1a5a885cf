"""Columns of a file, selected by name, by number or by a guess, and joined into one text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.errors import DataError, UsageError, did_you_mean

_FIELD = re.compile(r"\{([^{}]+)\}")


def split_option(option: str) -> tuple[str, ...]:
    """The value of ``--text``: column names between commas, or one template with ``{column}``."""
    if _FIELD.search(option):
        return (option,)
    names = tuple(name.strip() for name in option.split(",") if name.strip())
    if not names:
        raise UsageError("--text names no column")
    return names


def resolve(available: Sequence[str], wanted: str, role: str) -> str:
    """A column by its name, a name that differs in case or separators only, or its number from 1.

    Args:
        available: the file's columns.
        wanted: the name or number that the user gave.
        role: what the column is for ("text", "target"), as the error calls it.

    Raises:
        DataError: there is no such column.
    """
    if wanted in available:
        return wanted
    alike = [name for name in available if plain(name) == plain(wanted)]
    if len(alike) == 1:
        return alike[0]
    if wanted.isdigit() and 1 <= int(wanted) <= len(available):
        return available[int(wanted) - 1]
    near = did_you_mean(wanted, available)
    raise DataError(
        f"there is no column {wanted!r} for the {role}{near}; the data has {_listed(available)}"
    )


def guess(available: Sequence[str], guesses: Sequence[str]) -> str | None:
    """The first column that is named like one of the guesses, or else contains one as whole words.

    ``None`` where there is no such column.
    """
    for wanted in guesses:
        for name in available:
            if plain(name) == plain(wanted):
                return name
    for wanted in guesses:
        holding = [n for n in available if f" {plain(wanted)} " in f" {plain(n)} "]
        if holding:
            return min(holding, key=len)
    return None


def unknown(available: Sequence[str], role: str) -> DataError:
    """The error for a column that was not named and cannot be guessed."""
    option = "--text" if role == "text" else "--target"
    numbers = ""
    if any(len(name) > 50 or is_number(name) for name in available):
        numbers = " (by number where the file has no column names: --text 1 --target 2)"
    return DataError(
        f"cannot tell which column holds the {role}: name it with {option}{numbers}; "
        f"the data has {_listed(available)}"
    )


def plain(name: str) -> str:
    """A name in lower case between blanks: ``selling price`` for ``sellingPrice`` and others."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return " ".join(re.findall(r"[^\W_]+", spaced.casefold()))


def _listed(names: Sequence[str]) -> str:
    shown = [short(name) for name in names[:20]]
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ("column " if len(names) == 1 else "columns ") + ", ".join(map(repr, shown)) + more


def short(name: str) -> str:
    """A column's name for a message, which of a file without names may be a whole text."""
    return name if len(name) <= 40 else name[:39] + "…"


_WHOLE = re.compile(r"-?\d+\.0")


def is_number(value: str) -> bool:
    """Whether a text is a number as Python writes it."""
    try:
        float(value)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Rendering:
    """How a row becomes one text.

    The text of a single column is its value. Of several columns, the first value is taken as it is,
    and each further one follows on its own line as ``column: value``; empty values are skipped. A
    template is filled in.

    Args:
        columns: the columns that are read.
        template: text with ``{column}`` in it; ``None``: no template.
        bare: columns whose values are written without their names, such as a long description.
        labelled: whether the first of several columns is written with its name too.
    """

    columns: tuple[str, ...]
    template: str | None = None
    bare: frozenset[str] = frozenset()
    labelled: bool = False

    def as_dict(self) -> dict[str, Any]:
        """JSON values for ``source.chosen``; ``bare`` and ``labelled`` are stored by tasks."""
        return {"columns": list(self.columns), "template": self.template}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Rendering:
        """The inverse of :meth:`as_dict`."""
        return cls(tuple(values["columns"]), values["template"])

    def __call__(self, row: Mapping[str, Any]) -> str:
        values = {name: tidy(row[name]) for name in self.columns}
        if not any(values.values()):
            return ""
        if self.template is not None:
            return _FIELD.sub(lambda match: values[match[1]], self.template).strip()
        return "\n".join(
            self._labelled(at, name, values[name])
            for at, name in enumerate(self.columns)
            if values[name]
        )

    def _labelled(self, at: int, name: str, value: str) -> str:
        if (at == 0 and not self.labelled) or name in self.bare or name.isdigit():
            return value
        return f"{name.replace('_', ' ')}: {value}"

    def batch(self, columns: Mapping[str, Sequence[Any]]) -> list[str]:
        """Texts of a batch of columns."""
        if len(self.columns) == 1 and self.template is None:
            return [tidy(value) for value in columns[self.columns[0]]]
        return [
            self(dict(zip(self.columns, values, strict=True)))
            for values in zip(*(columns[name] for name in self.columns), strict=True)
        ]


def rendering(available: Sequence[str], wanted: Sequence[str]) -> Rendering:
    """The rendering that ``--text`` asks for; raises :class:`DataError` for unknown columns."""
    if len(wanted) == 1 and _FIELD.search(wanted[0]):
        return _template(available, wanted[0])
    names = [resolve(available, name, "text") for name in wanted]
    return Rendering(tuple(dict.fromkeys(names)))


def _template(available: Sequence[str], template: str) -> Rendering:
    columns: dict[str, None] = {}

    def field(match: re.Match[str]) -> str:
        name = resolve(available, match[1].strip(), "text")
        columns[name] = None
        return "{" + name + "}"

    template = _FIELD.sub(field, template.replace("\\n", "\n"))
    return Rendering(tuple(columns), template)


def tidy(value: Any) -> str:
    """A value as text: ``1.0`` as ``1``, a list with commas, a missing value as empty text."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = value.strip()
        return text[:-2] if text.endswith(".0") and _WHOLE.fullmatch(text) else text
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value).removesuffix(".0")
    if isinstance(value, list):
        return ", ".join(tidy(item) for item in value)
    return str(value)
