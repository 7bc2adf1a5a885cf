"""Rows of the price task: the built-in catalogue, or a stranger's file.

Columns: ``row_id``, ``text``, ``price`` (a number), ``category`` (may be empty).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.data import columns, tables
from toolkit.data.columns import Rendering
from toolkit.data.load import column_names, read, read_splits
from toolkit.data.source import Source
from toolkit.errors import DataError, UsageError
from toolkit_price_regression import catalogue, prices
from toolkit_price_regression.choosing import (
    Choice,
    category_name,
    choose,
    column_values,
    rendering,
)

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

TYPES = {"row_id": "int64", "text": "string", "price": "float64", "category": "string"}
CATALOGUE_ROWS = 12_000


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

    return read_splits(source, convert)


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
        text = rendering(source, dataset, available)
    else:
        names = [columns.resolve(available, name, "text") for name in chosen["text"]]
        text = Rendering(tuple(names), chosen["template"], frozenset(chosen["bare"]))
    masked = bool(chosen and chosen.get("mask_target")) or source.mask_target

    def batches() -> Iterator[dict[str, Any]]:
        for batch in tables.batches(dataset, ["row_id", *text.columns]):
            texts = text.batch(batch)
            texts = [prices.mask_prices(each) for each in texts] if masked else texts
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

    made = enumerate(catalogue.generate(CATALOGUE_ROWS), start=1)
    return tables.from_rows(({"row_id": row_id, **row} for row_id, row in made), TYPES)


# -- rows ----------------------------------------------------------------------------------------


def _convert(source: Source, dataset: Dataset, choice: Choice) -> Dataset:
    available = column_names(dataset)
    needed = [choice.target, *choice.rendering.columns]
    for name in needed:
        columns.resolve(available, name, "target" if name == choice.target else "text")
    category = choice.category if choice.category in available else None
    values = column_values(dataset, choice.target)
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
                "category": [category_name(categories[offset]) for offset in kept],
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
    shown = [(row, value) for row, value in enumerate(values, 1) if value not in (None, "")]
    examples = ", ".join(f"row {row}: {str(value)[:40]!r}" for row, value in shown[:3])
    reasons = ", ".join(f"{len(at):,} × {why}" for why, at in column.reasons.items())
    return DataError(
        f"column {choice.target!r} holds no usable price in {len(values):,} rows: {reasons} "
        f"({examples or 'all are empty'}); "
        "name the column of prices with --target"
    )
