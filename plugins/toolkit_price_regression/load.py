"""Rows of the price task: the built-in catalogue, or a stranger's file.

Columns: ``row_id``, ``text``, ``price`` (a number), ``category`` (may be empty).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit import columns, tables
from toolkit.columns import Rendering
from toolkit.errors import DataError, UsageError
from toolkit.reading import read
from toolkit.source import Source, column_names
from toolkit_price_regression import catalogue, prices

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

TYPES = {"row_id": "int64", "text": "string", "price": "float64", "category": "string"}
CATALOGUE_ROWS = 12_000

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


def load_rows(source: Source) -> Dataset | DatasetDict:
    """The user's rows, or the synthetic catalogue where no data is named.

    Rows without text or without a usable price are left out and told to the source. Columns and
    the decimal mark are decided on the training file and hold for all.
    """
    if not source.given:
        return _catalogue(source)
    choices: list[Choice] = []

    def convert(dataset: Dataset) -> Dataset:
        if not choices:
            choices.append(choose(source, dataset))
            source.chosen = choices[0].as_dict(source)
        return _convert(source, dataset, choices[0])

    return source.load(convert)


def load_inputs(source: Source, chosen: Mapping[str, Any] | None = None) -> Dataset:
    """Rows to predict: ``row_id`` and ``text``, made as the training texts were.

    Args:
        chosen: what ``load_rows`` left in ``source.chosen``; guessed anew without.
    """
    if source.data is None:
        raise UsageError("name a file of rows to predict with --data")
    dataset = read(source.data, source)
    available = column_names(dataset)
    if source.text or not chosen or not chosen.get("text"):
        rendering = _rendering(source, dataset, available)
    else:
        names = [columns.resolve(available, name, "text") for name in chosen["text"]]
        rendering = Rendering(tuple(names), chosen["template"], frozenset(chosen["bare"]))
    masked = bool(chosen and chosen.get("mask_target")) or source.mask_target

    def batches() -> Iterator[dict[str, Any]]:
        for batch in tables.batches(dataset, ["row_id", *rendering.columns]):
            texts = rendering.batch(batch)
            texts = [prices.mask_prices(text) for text in texts] if masked else texts
            yield {"row_id": batch["row_id"], "text": texts}

    return tables.from_batches(batches(), {"row_id": "int64", "text": "string"})


def group(text: str) -> str:
    """What rows must share to be kept in one split: the longest line of their text.

    The same description under two names, or with another number of bedrooms, is the same thing
    to a model that has learned it by heart.
    """
    lines = (" ".join(line.casefold().split()) for line in text.splitlines())
    return max(lines, key=len, default="")


def _catalogue(source: Source) -> Dataset:
    source.synthetic = True
    source.note(
        f"the data is synthetic: {CATALOGUE_ROWS:,} listings of a made-up catalogue (name your own "
        "with --data)"
    )

    def batches() -> Iterator[dict[str, list[Any]]]:
        batch: dict[str, list[Any]] = {name: [] for name in TYPES}
        for row_id, row in enumerate(catalogue.generate(CATALOGUE_ROWS, source.seed), start=1):
            values = {"row_id": row_id, **row}
            for name in TYPES:
                batch[name].append(values[name])
            if row_id % tables.BATCH == 0:
                yield batch
                batch = {name: [] for name in TYPES}
        if batch["row_id"]:
            yield batch

    return tables.from_batches(batches(), TYPES)


# -- which columns -------------------------------------------------------------------------------


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
    target = source.column(dataset, source.target, TARGETS, "target")
    money = [name for name in available if _is_price_like(name)]
    others = [repr(name) for name in money if name != target]
    if others and source.target is None:
        source.note(f"there are other columns of prices: {', '.join(others)} (--target)")
    usable = [name for name in available if name != target and name not in money]
    rendering = _rendering(source, dataset, usable)
    if target in rendering.columns:
        raise DataError(f"column {target!r} is the target and cannot be part of --text as well")
    decimal, note = prices.decimal_mark(_column(dataset, target))
    if note:
        source.note(note)
    return Choice(rendering, target, _guess_category(source, usable, samples), decimal)


def _rendering(source: Source, dataset: Dataset, usable: Sequence[str]) -> Rendering:
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


def _column(dataset: Dataset, name: str) -> list[Any]:
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
        counts = Counter(_category(value) for value in samples[name] if value)
        if 2 <= len(counts) <= MOST_CATEGORIES and len(samples[name]) >= 5 * len(counts):
            source.note(f"errors are also shown by column {name!r} ({len(counts)} values)")
            return name
    return None


def _category(value: Any) -> str:
    return " ".join(columns.tidy(value).split())


# -- rows ----------------------------------------------------------------------------------------


def _convert(source: Source, dataset: Dataset, choice: Choice) -> Dataset:
    available = column_names(dataset)
    needed = [choice.target, *choice.rendering.columns]
    for name in needed:
        columns.resolve(available, name, "target" if name == choice.target else "text")
    category = choice.category if choice.category in available else None
    values = _column(dataset, choice.target)
    column = prices.read_column(values, choice.decimal)
    for note in column.notes:
        source.note(note)
    source.chosen.setdefault("currency", None)
    source.chosen["currency"] = source.chosen["currency"] or column.currency
    left_out: dict[str, list[int]] = {}
    reasons = {int(at): reason for reason, where in column.reasons.items() for at in where}
    names = list(dict.fromkeys(["row_id", *needed, *([category] if category else [])]))

    def batches() -> Iterator[dict[str, Any]]:
        at = 0
        for batch in tables.batches(dataset, names):
            texts = choice.rendering.batch(batch)
            if source.mask_target:
                texts = [prices.mask_prices(text) for text in texts]
            kept = []
            for offset, text in enumerate(texts):
                reason = _reason(text, reasons.get(at + offset))
                if reason:
                    left_out.setdefault(reason, []).append(batch["row_id"][offset])
                else:
                    kept.append(offset)
            categories = batch[category] if category else [""] * len(texts)
            yield {
                "row_id": [batch["row_id"][offset] for offset in kept],
                "text": [texts[offset] for offset in kept],
                "price": column.prices[at + np.asarray(kept, dtype=np.int64)],
                "category": [_category(categories[offset]) for offset in kept],
            }
            at += len(texts)

    rows = tables.from_batches(batches(), TYPES)
    for reason, row_ids in left_out.items():
        source.leave_out(reason, row_ids)
    if len(rows) == 0:
        raise _nothing_usable(choice, values, column)
    if source.mask_target:
        source.note(f"amounts of money in the text are replaced by {prices.MASK} (--mask-target)")
    return rows


def _reason(text: str, price: str | None) -> str | None:
    if text:
        return price
    return "blank row" if price == prices.EMPTY else "no text"


def _nothing_usable(choice: Choice, values: Sequence[Any], column: prices.Column) -> DataError:
    if np.isfinite(column.prices).any():
        return DataError(
            f"no row has both a price and a text ({', '.join(choice.rendering.columns)})"
        )
    shown = dict.fromkeys(str(value)[:40] for value in values if value not in (None, ""))
    examples = ", ".join(map(repr, list(shown)[:3])) or "it is empty"
    return DataError(
        f"column {choice.target!r} holds no usable price in {len(values):,} rows ({examples}); "
        "name the column of prices with --target"
    )
