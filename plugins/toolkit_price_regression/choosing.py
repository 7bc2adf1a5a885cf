"""Which columns of a file are the description, the price, the category and the group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from toolkit import DataError, Source
from toolkit.data import (
    Profile,
    Rendering,
    RowText,
    Wanted,
    column_names,
    columns,
    free_text,
    guessing,
    numbers,
    profiles,
    row_text,
    tables,
)
from toolkit_price_regression import prices

if TYPE_CHECKING:
    from datasets import Dataset

TARGETS = (
    *prices.WORDS, "cost", "amount", "selling price", "sale price", "discounted price",
    "actual price", "retail price", "list price", "unit price", "msrp", "rent", "fare", "value",
    "target", "label",
)  # fmt: skip
TITLES = ("title", "name", "product name", "product title", "item name", "headline", "item")
BODIES = (
    "description", "text", "product description", "item description", "details", "summary",
    "body", "content", "review", "review text", "notes", "about",
)  # fmt: skip
DETAILS = (
    "brand", "brand name", "manufacturer", "make", "model", "category", "type", "variety",
    "designation", "winery", "region", "province", "country", "vintage", "year", "points",
    "property type", "room type", "neighbourhood", "neighbourhood cleansed", "neighborhood",
    "city", "accommodates", "bedrooms", "beds", "bathrooms", "area", "condition",
    "item condition", "material", "size", "color", "colour", "weight", "quantity",
)  # fmt: skip
CATEGORIES = (
    "category", "product category", "main category", "category name", "department", "type",
    "product type", "property type", "room type", "genre", "variety", "country", "brand", "make",
    "manufacturer", "condition",
)  # fmt: skip
MOST_CATEGORIES = 50
LEVELS = 10
"""Whole numbers from 0 to this one, in :data:`SEEN` rows or more, are classes of prices."""
SEEN = 50
PRICE_WORDS = frozenset((*prices.WORDS, "cost", "msrp", "fee"))
"""Words in the names of columns that would give the price away."""


@dataclass(frozen=True)
class Choice:
    """How a file's columns become the task's."""

    rendering: Rendering
    target: str
    category: str | None
    decimal: str
    mask_target: bool
    group: str | None = None
    """The column of free text that rows of one split share; ``None``: the whole text."""
    times: float = 1.0
    """What the numbers are multiplied by, because the column's name says "in lakh"."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON values, for ``source.chosen``; the currency is added once prices are read."""
        return {
            "text": list(self.rendering.columns),
            "template": self.rendering.template,
            "bare": sorted(self.rendering.bare),
            "labelled": self.rendering.labelled,
            "target": self.target,
            "category": self.category,
            "mask_target": self.mask_target,
            "currency": None,
        }


def choose(source: Source, dataset: Dataset, mask_target: bool) -> Choice:
    """The columns that ``--text`` and ``--target`` name, or those that are found, with notes."""
    available = column_names(dataset)
    found = profiles.profiles(dataset, available)
    target = _target(source, found)
    money = [name for name in available if is_price_like(name)]
    others = [repr(name) for name in money if name != target]
    if others and source.target is None:
        source.note(f"there are other columns of prices: {', '.join(others)} (--target)")
    usable = [name for name in available if name != target and name not in money]
    text = rendering(source, dataset, usable, found, target)
    if target in text.columns:
        raise DataError(f"column {target!r} is the target and cannot be part of --text as well")
    values = column_values(dataset, target)
    decimal, note = numbers.decimal_mark(values, "prices")
    if note:
        source.note(note)
    times = _times(source, target, values)
    category = _guess_category(source, usable, found)
    choice = Choice(
        text, target, category, decimal, mask_target, _group(source, found, text.columns), times
    )
    if not source.text:
        guessing.note_unused(source, available, {target, *text.columns, category or ""})
    source.chosen = choice.as_dict()
    source.use((text.template,) if text.template else text.columns, target)
    return choice


def _times(source: Source, target: str, values: Sequence[Any]) -> float:
    """What the column's name multiplies its prices by, unless the prices say so themselves."""
    named = prices.of_name(target)
    if named.times == 1 or any(named.word in str(value).casefold() for value in values[:SEEN]):
        return 1.0
    source.note(
        f"column {target!r} says {named.word!r}: its numbers are multiplied by {named.times:,.0f}"
    )
    return named.times


def _target(source: Source, found: Mapping[str, Profile]) -> str:
    """The column of prices; a name has to speak for it, for every table has other numbers."""
    if source.target is not None:
        return columns.resolve(list(found), source.target, "target")
    wanted = Wanted("target", TARGETS, fits_price, "--target")

    def refusal(best: Sequence[guessing.Scored]) -> DataError:
        best = [s for s in best if not found[s.column].identifies]
        numbers = [s.column for s in best if found[s.column].numbers >= 0.8]
        meant = (numbers or [n for n in found if not found[n].identifies])[-1:]
        text = _row_text(found, meant)
        others = [name for name in found if name not in meant and not found[name].identifies]
        named = text.columns if text else tuple(others)
        line = guessing.ready_line(named, meant[0]) if named and meant else ""
        return guessing.unknown(found, wanted, best, line)

    return guessing.choose(source, found, wanted, refusal=refusal)


def fits_price(profile: Profile) -> float:
    """The share of values that are a price; 0 for classes. Never clear without a name."""
    if not profile.values:
        return 0.05
    levels = len(profile.values) >= SEEN and profile.of_classes and not profile.constant
    if levels and all(v.isdecimal() and int(v) <= LEVELS for v in set(profile.values)):
        return 0.0
    if max(profile.codes, profile.links, profile.dates) >= 0.5:
        return 0.0
    looked_at = profile.values[:: len(profile.values) // 200 + 1]
    read = fmean(isinstance(prices.read_price(value), prices.Price) for value in looked_at)
    return max(0.02, guessing.CLEAR * read)


def is_price_like(name: str) -> bool:
    """Whether a column is called a price."""
    return bool(PRICE_WORDS & set(columns.plain(name).split()))


def rendering(
    source: Source,
    dataset: Dataset,
    usable: Sequence[str],
    found: Mapping[str, Profile] | None = None,
    target: str | None = None,
) -> Rendering:
    """How a row becomes the description: as ``--text`` asks, or from the columns that are found.

    Args:
        source: names columns, and receives a note.
        dataset: the file's rows.
        usable: columns that may be part of the description.
        found: the profiles of all columns, where they are known.
        target: the column of prices, for the line that an error suggests.
    """
    if source.text:
        return columns.rendering(column_names(dataset), source.text)
    known = found or profiles.profiles(dataset, column_names(dataset))
    text = _row_text(known, [name for name in known if name not in usable])
    if text is None:
        wanted = Wanted("text", (*TITLES, *BODIES), guessing.some_text, "--text")
        line = guessing.ready_line(list(usable), target) if usable and target else ""
        raise guessing.unknown(known, wanted, guessing.ranked(known, wanted, [target or ""]), line)
    source.note(
        f"the text is made of {'column' if len(text.columns) == 1 else 'columns'} "
        f"{', '.join(map(repr, text.columns))} (choose with "
        f"{guessing.ready_line(text.columns, None)})"
    )
    if text.equal:
        source.note(f"left out, as others hold the same: {', '.join(map(repr, text.equal))}")
    return text.rendering


def _row_text(found: Mapping[str, Profile], excluded: Sequence[str]) -> RowText | None:
    return row_text(found, titles=TITLES, bodies=BODIES, fields=DETAILS, excluded=excluded)


def _group(source: Source, found: Mapping[str, Profile], names: Sequence[str]) -> str | None:
    """The column of free text among several: a description under two names is the same thing."""
    if source.group is not None:
        return None
    column = free_text(found, names) if len(names) > 1 else None
    if column is None:
        source.note(
            "rows with the same text stay in one split (--group COLUMN names what they share)"
        )
    else:
        source.group_by(column)
    return column


def column_values(dataset: Dataset, name: str) -> list[Any]:
    """All values of a column, in the order of the rows."""
    return [value for batch in tables.batches(dataset, [name]) for value in batch[name]]


def category_name(value: Any) -> str:
    """A category without stray blanks."""
    return " ".join(columns.tidy(value).split())


def _guess_category(
    source: Source, available: Sequence[str], found: Mapping[str, Profile]
) -> str | None:
    """A column of a few values that many rows share; the report slices by it."""
    named = [n for known in CATEGORIES for n in available if columns.plain(n) == known]
    for name in named:
        counts = Counter(map(category_name, found[name].values))
        if 2 <= len(counts) <= MOST_CATEGORIES and len(found[name].cells) >= 5 * len(counts):
            source.note(f"errors are also shown by column {name!r} ({len(counts)} values)")
            return name
    return None
