"""Rows of the price task: the built-in catalogue, or a file in whatever columns it has.

Columns: ``row_id``, ``text``, ``price`` (a number), ``category`` (may be empty). From top to
bottom: what a task calls (:func:`load_rows`, :func:`load_inputs`, :func:`selected`), and how one
row is made. The columns of a file are found in :mod:`toolkit_price_regression.choosing`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from toolkit import DataError, Source, UsageError
from toolkit.data import (
    ROW_GROUP,
    Rendering,
    Unusable,
    column_names,
    columns,
    for_all_files,
    group_key,
    map_inputs,
    map_rows,
    normalized,
    tables,
)
from toolkit.data import load_rows as load_files
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

TYPES = {"text": "string", "price": "float64", "category": "string"}
CATALOGUE_ROWS = 12_000
LARGEST = "largest"
"""The value of ``task.category`` that means the category with the most rows."""
LONGEST_SHOWN = 40
"""Characters of an unreadable price that are shown."""
LEAST_SHARED = 30
"""Characters of a description from which on rows with the same one are of one group."""


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
            text = Rendering(
                tuple(names),
                chosen["template"],
                frozenset(chosen["bare"]),
                bool(chosen.get("labelled")),  # missing in runs of earlier versions
            )
        return lambda row: {"text": _text(text, row, masked)}

    return map_inputs(source, ["text"], maker)


def group(text: str) -> str:
    """What rows must share to be kept in one split: their whole text, normalised.

    Where several columns make the text and one of them is free text, rows that share that one are
    of one group instead (:data:`toolkit.data.ROW_GROUP`): the same description under two names, or
    with another number of bedrooms, is the same thing to a model that has learned it by heart.
    """
    return normalized(text)


def groups(rows: Dataset) -> list[str]:
    """The group of each row, for baselines that hold groups out."""
    texts = [group(str(text)) for text in rows["text"][:]]
    if ROW_GROUP not in rows.column_names:
        return texts
    return [key or text for key, text in zip(rows[ROW_GROUP][:], texts, strict=True)]


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
                unread[str(row[choice.target])[:LONGEST_SHOWN]] += 1
            raise Unusable(price)
        kind = category_name(row[category]) if category else ""
        made = {"text": text, "price": price.value * choice.times, "category": kind}
        if choice.group is not None:
            made[ROW_GROUP] = _shared(columns.tidy(row[choice.group]), choice.mask_target)
        return made

    types = {**TYPES, ROW_GROUP: "string"} if choice.group else TYPES
    rows = map_rows(
        source, dataset, make, types, needed=[*needed, *([category] if category else [])],
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


def _shared(free_text: str, masked: bool) -> str:
    """The key of rows that share their free text; of a short one, which joins nothing, none."""
    made = prices.mask_prices(free_text) if masked else free_text
    return group_key(made, least=LEAST_SHARED)


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
    counts = Counter(value for value in rows["category"][:] if value)
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
