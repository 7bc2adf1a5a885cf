"""Which columns of a stranger's file hold the price, the text and the category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.data import columns, tables
from toolkit.data.columns import Rendering
from toolkit.data.load import column_names, find_column
from toolkit.data.source import Source
from toolkit.errors import DataError
from toolkit_price_regression import prices

if TYPE_CHECKING:
    from datasets import Dataset

TARGETS = (
    "price", "cost", "amount", "selling price", "sale price", "discounted price", "actual price",
    "retail price", "list price", "unit price", "msrp", "value", "target", "label",
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
    "product type", "property type", "room type", "genre", "variety", "country", "brand",
    "condition",
)  # fmt: skip
MOST_CATEGORIES = 50
LONGEST_DETAIL = 40
LOOKED_AT = 2_000
"""Rows that guesses are made from."""


@dataclass(frozen=True)
class Choice:
    """How a file's columns become the task's."""

    rendering: Rendering
    target: str
    category: str | None
    decimal: str

    def as_dict(self, source: Source) -> dict[str, Any]:
        """As JSON values, for ``source.chosen``; the currency is added once prices are read."""
        return {
            "text": list(self.rendering.columns),
            "template": self.rendering.template,
            "bare": sorted(self.rendering.bare),
            "target": self.target,
            "category": self.category,
            "mask_target": source.mask_target,
            "currency": None,
        }


def choose(source: Source, dataset: Dataset) -> Choice:
    """The columns that ``--text`` and ``--target`` name, or the obvious ones, said in notes."""
    available = column_names(dataset)
    samples = _samples(dataset, available)
    target = find_column(source, dataset, source.target, TARGETS, "target")
    money = [name for name in available if _is_price_like(name)]
    others = [repr(name) for name in money if name != target]
    if others and source.target is None:
        source.note(f"there are other columns of prices: {', '.join(others)} (--target)")
    usable = [name for name in available if name != target and name not in money]
    text = rendering(source, dataset, usable)
    if target in text.columns:
        raise DataError(f"column {target!r} is the target and cannot be part of --text as well")
    decimal, note = prices.decimal_mark(column_values(dataset, target))
    if note:
        source.note(note)
    return Choice(text, target, _guess_category(source, usable, samples), decimal)


def rendering(source: Source, dataset: Dataset, usable: Sequence[str]) -> Rendering:
    """How a row becomes the description: as ``--text`` asks, or the obvious columns."""
    if source.text:
        return columns.rendering(column_names(dataset), source.text)
    return _guess_text(source, usable, _samples(dataset, usable))


def _samples(dataset: Dataset, names: Sequence[str]) -> dict[str, list[str]]:
    """The first values of each column, as text."""
    head = dataset.select(range(min(LOOKED_AT, len(dataset))))
    return {
        name: [columns.tidy(value) for value in values]
        for name, values in _whole(head, names).items()
    }


def _whole(dataset: Dataset, names: Sequence[str]) -> dict[str, list[Any]]:
    whole: dict[str, list[Any]] = {name: [] for name in names}
    for batch in tables.batches(dataset, names):
        for name in names:
            whole[name].extend(batch[name])
    return whole


def column_values(dataset: Dataset, name: str) -> list[Any]:
    """All values of a column, in the order of the rows."""
    return _whole(dataset, [name])[name]


def _is_price_like(name: str) -> bool:
    return bool({"price", "cost", "msrp", "fee"} & set(columns.plain(name).split()))


def _exact(available: Sequence[str], guesses: Sequence[str]) -> list[str]:
    """Columns that are called like a guess, in the order of the guesses."""
    return [name for guess in guesses for name in available if columns.plain(name) == guess]


def _guess_text(
    source: Source, available: Sequence[str], samples: dict[str, list[str]]
) -> Rendering:
    """Title, short known details and description; or the only column of long texts.

    The description comes last: a text that is too long for the model then loses the end of the
    description and not the number of bedrooms.
    """
    filled = [name for name in available if any(samples[name])]
    title = columns.guess(_exact(filled, TITLES), TITLES)
    body = columns.guess([name for name in filled if name != title], BODIES)
    if title is None and body is None:
        body = _only_long(filled, samples)
    if title is None and body is None:
        raise columns.unknown(available, "text")
    details = [
        name
        for name in dict.fromkeys(_exact(filled, DETAILS))
        if name not in (title, body) and _is_detail(samples[name])
    ]
    names = [name for name in (title, *details, body) if name is not None]
    source.note(
        f"the text is made of {'column' if len(names) == 1 else 'columns'} "
        f"{', '.join(map(repr, names))} (choose with --text {','.join(names)})"
    )
    bare = frozenset((body,)) if body else frozenset()
    return Rendering(tuple(names), bare=bare)


def _only_long(available: Sequence[str], samples: dict[str, list[str]]) -> str | None:
    """The one column that holds texts, if there is just one."""
    long = [n for n in available if np.mean([len(v) for v in samples[n]]) >= 30]
    return long[0] if len(long) == 1 else None


def _is_detail(values: Sequence[str]) -> bool:
    filled = [len(value) for value in values if value]
    return len(filled) >= len(values) / 10 and float(np.mean(filled)) <= LONGEST_DETAIL


def _guess_category(
    source: Source, available: Sequence[str], samples: dict[str, list[str]]
) -> str | None:
    """A column of a few values that many rows share; the report slices by it."""
    for name in _exact(available, CATEGORIES):
        counts = Counter(category_name(value) for value in samples[name] if value)
        if 2 <= len(counts) <= MOST_CATEGORIES and len(samples[name]) >= 5 * len(counts):
            source.note(f"errors are also shown by column {name!r} ({len(counts)} values)")
            return name
    return None


def category_name(value: Any) -> str:
    """A category without stray blanks."""
    return " ".join(columns.tidy(value).split())
