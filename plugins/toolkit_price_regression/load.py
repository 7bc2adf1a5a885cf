"""Rows of the price task: the built-in catalogue, or a file in whatever columns it has.

Columns: ``row_id``, ``text``, ``price`` (a number), ``category`` (may be empty). From top to
bottom: what a task calls (:func:`load_rows`, :func:`load_inputs`, :func:`selected`), how one row
is made, and how the columns of a file are found.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit import DataError, Source, UsageError
from toolkit.data import (
    Rendering,
    Unusable,
    column_names,
    columns,
    find_column,
    for_all_files,
    map_inputs,
    map_rows,
    normalized,
    numbers,
    tables,
)
from toolkit.data import load_rows as load_files
from toolkit_price_regression import catalogue, prices

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

TYPES = {"text": "string", "price": "float64", "category": "string"}
CATALOGUE_ROWS = 12_000
LARGEST = "largest"
"""The value of ``task.category`` that means the category with the most rows."""

TARGETS = (
    *prices.WORDS, "cost", "amount", "selling price", "sale price", "discounted price",
    "actual price", "retail price", "list price", "unit price", "msrp", "value", "target", "label",
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


def load_rows(source: Source, *, mask_target: bool = False) -> Dataset | DatasetDict:
    """The user's rows, or the synthetic catalogue where no data is named.

    Rows without text or without a usable price are left out and reported to the source. Columns
    and the decimal mark are decided on the training file and hold for all. The currency, which a
    number no longer shows, is left in ``source.found``.

    Args:
        source: what the command line says.
        mask_target: replace the amounts of money in the texts.
    """
    if source.given:
        decided = for_all_files(lambda source, dataset: choose(source, dataset, mask_target))
        rows = load_files(source, lambda s, dataset: _converted(s, dataset, decided(s, dataset)))
    else:
        rows = _catalogue(source)
    source.found["currency"] = source.chosen.get("currency") or ("$" if source.synthetic else "")
    return rows


def _catalogue(source: Source) -> Dataset:
    source.synthetic = True
    source.note(
        f"the data is synthetic: {CATALOGUE_ROWS:,} listings of a made-up catalogue (name your own "
        "with --data)"
    )
    made = enumerate(catalogue.generate(CATALOGUE_ROWS), start=1)
    rows = ({"row_id": row_id, **row} for row_id, row in made)
    return tables.from_rows(rows, {"row_id": "int64", **TYPES})


def load_inputs(
    source: Source, chosen: Mapping[str, Any] | None = None, *, mask_target: bool = False
) -> Dataset:
    """Rows to predict: ``row_id`` and ``text``, made as the training texts were.

    Args:
        source: names the file.
        chosen: what ``load_rows`` left in ``source.chosen``; guessed anew without.
        mask_target: replace the amounts of money in the texts; so does a run that was trained so.
    """
    masked = bool(chosen and chosen.get("mask_target")) or mask_target

    def maker(dataset: Dataset) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        available = column_names(dataset)
        if source.text or not chosen or not chosen.get("text"):
            text = rendering(source, dataset, available)
        else:
            names = [columns.resolve(available, name, "text") for name in chosen["text"]]
            text = Rendering(tuple(names), chosen["template"], frozenset(chosen["bare"]))
        return lambda row: {"text": _text(text, row, masked)}

    return map_inputs(source, ["text"], maker)


def group(text: str) -> str:
    """What rows must share to be kept in one split: the longest line of their text.

    The same description under two names, or with another number of bedrooms, is the same thing
    to a model that has learned it by heart.
    """
    lines = map(normalized, text.splitlines())
    return max(lines, key=len, default="")


# -- one file's rows -------------------------------------------------------------------------------


def _converted(source: Source, dataset: Dataset, choice: Choice) -> Dataset:
    available = column_names(dataset)
    needed = [choice.target, *choice.rendering.columns]
    for name in needed:
        columns.resolve(available, name, "target" if name == choice.target else "text")
    category = choice.category if choice.category in available else None
    currencies: Counter[str] = Counter()
    units: Counter[str] = Counter()
    unread: Counter[str] = Counter()

    def make(row: Mapping[str, Any]) -> dict[str, Any]:
        price = prices.read_price(row[choice.target], choice.decimal)
        if isinstance(price, prices.Price):
            units[price.per] += 1
            if price.currency:
                currencies[price.currency] += 1
        text = _text(choice.rendering, row, choice.mask_target)
        if not text:
            raise Unusable("blank row" if price == prices.EMPTY else "no text")
        if not isinstance(price, prices.Price):
            if price == prices.UNREADABLE:
                unread[str(row[choice.target])[:LONGEST_DETAIL]] += 1
            raise Unusable(price)
        kind = category_name(row[category]) if category else ""
        return {"text": text, "price": price.value * choice.times, "category": kind}

    rows = map_rows(
        source, dataset, make, TYPES, needed=[*needed, *([category] if category else [])],
        nothing_left=lambda _: _nothing_usable(choice, dataset),
    )  # fmt: skip
    currency, note = prices.common_currency(currencies)
    for sentence in filter(None, (note, prices.common_unit(units))):
        source.note(sentence)
    if unread:
        shown = ", ".join(f"{text!r} ({rows:,})" for text, rows in unread.most_common(4))
        source.note(f"prices that cannot be read: {shown}")
    if not currencies:
        currency = prices.of_name(choice.target).currency
    source.chosen["currency"] = source.chosen.get("currency") or currency
    if choice.mask_target:
        source.note(f"amounts of money in the text are replaced by {prices.MASK} (--mask-target)")
    return rows


def _text(text: Rendering, row: Mapping[str, Any], masked: bool) -> str:
    made = text(row)
    return prices.mask_prices(made) if masked else made


def _nothing_usable(choice: Choice, dataset: Dataset) -> DataError:
    values = column_values(dataset, choice.target)
    found = [prices.read_price(value, choice.decimal) for value in values]
    if any(isinstance(price, prices.Price) for price in found):
        return DataError(
            f"no row has both a price and a text ({', '.join(choice.rendering.columns)})"
        )
    shown = [(row, value) for row, value in enumerate(values, 1) if value not in (None, "")]
    examples = ", ".join(f"row {row}: {str(value)[:40]!r}" for row, value in shown[:3])
    reasons = ", ".join(f"{count:,} × {why}" for why, count in Counter(map(str, found)).items())
    return DataError(
        f"column {choice.target!r} holds no usable price in {len(values):,} rows: {reasons} "
        f"({examples or 'all are empty'}); "
        "name the column of prices with --target"
    )


def category_name(value: Any) -> str:
    """A category without stray blanks."""
    return " ".join(columns.tidy(value).split())


# -- fewer rows ------------------------------------------------------------------------------------


def selected(
    rows: Dataset | DatasetDict, settings: Mapping[str, Any], source: Source
) -> Dataset | DatasetDict:
    """The rows that the task's options ``category`` and ``rows`` leave.

    A user's own splits keep their held-out rows in number; ``--limit`` goes before ``rows``.

    Raises:
        DataError: no row is of that category.
        UsageError: ``rows`` is no number above zero.
    """
    from datasets import DatasetDict

    wanted, most = settings.get("category"), settings.get("rows")
    if most is not None and (not isinstance(most, int) or most < 1):
        raise UsageError(f"task.rows is {most!r}; it must be a whole number above 0")
    if isinstance(rows, DatasetDict):
        category = _named(wanted, rows["train"]) if wanted else None
        kept = DatasetDict({name: _of(part, category) for name, part in rows.items()})
        kept["train"] = _drawn(kept["train"], most, source)
    else:
        category = _named(wanted, rows) if wanted else None
        kept = _drawn(_of(rows, category), most, source)
    if category is not None:
        source.note(f"only rows of the category {category!r} are used (task.category)")
    return kept


def _named(wanted: str, rows: Dataset) -> str:
    counts = Counter(value for value in rows["category"] if value)
    if wanted == LARGEST and counts:
        return str(counts.most_common(1)[0][0])
    for name in counts:
        if str(name).casefold() == str(wanted).casefold():
            return str(name)
    known = ", ".join(str(name) for name, _ in counts.most_common(8)) or "none"
    raise DataError(f"task.category: no row is of the category {wanted!r}; there are {known}")


def _of(rows: Dataset, category: str | None) -> Dataset:
    if category is None:
        return rows
    return rows.select([i for i, value in enumerate(rows["category"]) if value == category])


def _drawn(rows: Dataset, most: int | None, source: Source) -> Dataset:
    if most is None or source.limit is not None or len(rows) <= most:
        return rows
    source.note(f"{most:,} of {len(rows):,} rows are used, drawn by the seed (task.rows)")
    drawn = sorted(random.Random(source.seed).sample(range(len(rows)), most))
    return rows.select(drawn)


# -- which columns hold what ----------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """How a file's columns become the task's."""

    rendering: Rendering
    target: str
    category: str | None
    decimal: str
    mask_target: bool
    times: float = 1.0
    """What the numbers are multiplied by, because the column's name says "in lakh"."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON values, for ``source.chosen``; the currency is added once prices are read."""
        return {
            "text": list(self.rendering.columns),
            "template": self.rendering.template,
            "bare": sorted(self.rendering.bare),
            "target": self.target,
            "category": self.category,
            "mask_target": self.mask_target,
            "currency": None,
        }


def choose(source: Source, dataset: Dataset, mask_target: bool) -> Choice:
    """The columns that ``--text`` and ``--target`` name, or the obvious ones, with notes."""
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
    values = column_values(dataset, target)
    decimal, note = numbers.decimal_mark(values, "prices")
    if note:
        source.note(note)
    times = _times(source, target, values)
    category = _guess_category(source, usable, samples)
    choice = Choice(text, target, category, decimal, mask_target, times)
    source.chosen = choice.as_dict()
    return choice


def _times(source: Source, target: str, values: Sequence[Any]) -> float:
    """What the column's name multiplies its prices by, unless the prices say so themselves."""
    named = prices.of_name(target)
    if named.times == 1 or any(named.word in str(value).casefold() for value in values[:LOOKED_AT]):
        return 1.0
    source.note(
        f"column {target!r} says {named.word!r}: its numbers are multiplied by {named.times:,.0f}"
    )
    return named.times


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
    return bool({*prices.WORDS, "cost", "msrp", "fee"} & set(columns.plain(name).split()))


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
