"""Reviews as rows: the built-in synthetic ones, or a stranger's file as it stands.

Columns of a review: ``row_id``, ``text``, ``stars`` (1 to 5, 0 where they are not known),
``sentiment``, ``opinions`` (a list of "aspect=level", empty where not known), ``known`` (whether
stars and opinions are the facts a text was made from), ``category``, ``group`` (the text that
copies share) and ``suite`` (empty; what makes a challenge row hard).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit import DataError, Source, UsageError
from toolkit.data import (
    Pair,
    Unusable,
    Wanted,
    column_names,
    columns,
    find_pair,
    for_all_files,
    guessing,
    map_rows,
    normalized,
    profiles,
    read,
    read_inputs,
    several_labels,
)
from toolkit.data import load_rows as load_files
from toolkit_review_augmentation import generator, perturb, ratings
from toolkit_review_augmentation.edge_cases import EDGE_CASES
from toolkit_review_augmentation.instructions import sentiment_of

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

COLUMNS = ("row_id", "text", "stars", "sentiment", "opinions", "known", "category", "group",
           "suite")  # fmt: skip
TEXT_NAMES = ("review", "reviews", "review text", "text", "sentence", "content", "comment", "body")
TARGET_NAMES = (
    "rating", "stars", "star rating", "score", "overall", "sentiment", "polarity", "label", "liked",
    "recommended", "grade", "class", "target",
)  # fmt: skip
MOODS = ("sentiment", "polarity")
"""Names that come first where a task needs no stars."""
CATEGORY_NAMES = ("category", "variation", "condition", "product", "domain")
CHANGED = "text: "
"""How the suite of perturbed reviews begins."""
PERTURBED = 60
"""Test reviews that come again with each perturbation."""

MOST = 1_000_000
"""The most synthetic reviews of a part."""


@dataclass(frozen=True)
class Sizes:
    """Synthetic reviews of each part."""

    train: int
    validation: int
    test: int

    @classmethod
    def of(cls, options: Mapping[str, Any], validation: int) -> Sizes:
        """The sizes that a task's options ask for."""
        for name in ("train_reviews", "test_reviews"):
            if not 1 <= int(options[name]) <= MOST:
                raise UsageError(f"task.{name} must be from 1 to {MOST:,}, not {options[name]:,}")
        return cls(int(options["train_reviews"]), validation, int(options["test_reviews"]))


def load(source: Source, sizes: Sizes, *, stars: bool = True) -> Dataset | DatasetDict:
    """The user's reviews, or synthetic ones with edge cases and perturbed text as challenge rows.

    Args:
        stars: whether reviews without stars (labels 0 and 1) are refused.
    """
    return _from_file(source, stars) if source.given else synthetic(source, sizes)


# -- built in --------------------------------------------------------------------------------------
def synthetic(source: Source, sizes: Sizes) -> DatasetDict:
    """Generated reviews, whose wordings and products no two parts share."""
    import datasets

    source.synthetic = True
    source.note(
        f"the data is synthetic: {sizes.train:,} generated reviews to train on, and "
        f"{sizes.validation + sizes.test:,} in other wordings on other products to judge by "
        "(name your own with --data)"
    )
    parts, first = {}, 1
    for part, number in (
        ("train", sizes.train), ("validation", sizes.validation), ("test", sizes.test),
    ):  # fmt: skip
        rows = [_generated(i, r) for i, r in enumerate(generator.generate(number, part), first)]
        parts[part] = rows
        first += number
    parts["challenge"] = _challenge(parts["test"][:PERTURBED], first)
    return datasets.DatasetDict({k: datasets.Dataset.from_list(v) for k, v in parts.items()})


def _generated(row_id: int, review: generator.Review) -> dict[str, Any]:
    return {
        "row_id": row_id,
        "text": review.text,
        "stars": review.stars,
        "sentiment": sentiment_of(review.stars),
        "opinions": [f"{o.aspect}={o.level}" for o in review.opinions],
        "known": True,
        "category": review.category,
        "group": normal(review.text),
        "suite": "",
    }


def _challenge(clean: Sequence[Mapping[str, Any]], first: int) -> list[dict[str, Any]]:
    """Edge cases, and clean reviews beside what perturbations make of them."""
    rows: list[dict[str, Any]] = [
        {"text": case.text, "stars": case.stars, "sentiment": sentiment_of(case.stars),
         "opinions": [], "known": True, "category": "", "suite": case.kind}
        for case in EDGE_CASES
    ]  # fmt: skip
    for name in ("clean", *perturb.PERTURBATIONS):
        for row in clean:
            text = str(row["text"])
            if name != "clean":
                text = perturb.apply(name, text)
            rows.append({**row, "text": text, "category": "", "suite": f"{CHANGED}{name}"})
    return [{**row, "row_id": i, "group": normal(row["text"])} for i, row in enumerate(rows, first)]


def load_texts(source: Source) -> Dataset:
    """Rows to predict: ``row_id`` and ``text``."""
    chosen = source.chosen.get("text")
    if chosen and not source.text:
        source.text = tuple(chosen)
    return read_inputs(source, ["text"])


def normal(text: str) -> str:
    """Text without case, double spaces and the choice of a Unicode form: equal for copies."""
    return normalized(text)


def pairs(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A review's opinions as pairs of aspect and level."""
    return [(o.rpartition("=")[0], o.rpartition("=")[2]) for o in row["opinions"]]


# -- a stranger's file -----------------------------------------------------------------------------
def _from_file(source: Source, stars: bool) -> Dataset | DatasetDict:
    _find_header(source)
    decided = for_all_files(lambda source, dataset: _decide(source, dataset, stars))
    return load_files(source, lambda s, dataset: _convert(s, dataset, *decided(s, dataset)))


def _find_header(source: Source) -> None:
    """Without column names in the file (sst2 has none) its first row is data."""
    place = source.data or source.train
    if source.header is not None or place is None or source.text or source.target:
        return
    quiet = Source(encoding=source.encoding, sheet=source.sheet)
    names = column_names(read(place, quiet))
    known = columns.guess(names, TEXT_NAMES) or columns.guess(names, TARGET_NAMES)
    numbers = [name for name in names if name.strip().isdigit()]
    if len(names) == 2 and len(numbers) == 1 and not (known and len(known) < 20):
        source.header = False
        at = names.index(numbers[0])
        source.text, source.target = (str(2 - at),), str(at + 1)
        source.note(
            f"the file has no column names: column {2 - at} is the text, column {at + 1} the label"
        )


def _decide(
    source: Source, dataset: Dataset, stars: bool
) -> tuple[Mapping[str, Any], ratings.Reading]:
    """Which columns hold what, and how the ratings are read; also what a prediction needs of it."""
    available = column_names(dataset)
    pair = _pair(source, dataset, stars)
    reading = ratings.find(source, dataset[pair.target][:], stars)
    text = list(source.text) or list(pair.text.columns)
    source.use(text, pair.target)
    source.chosen = {
        "text": text,
        "target": pair.target,
        "scale": reading.as_dict(),
        "category": columns.guess(available, CATEGORY_NAMES),
    }
    return source.chosen, reading


def _pair(source: Source, dataset: Dataset, stars: bool) -> Pair:
    """The text and the column of the ratings; a file with a column for each label has none."""
    several = () if source.text else _several_texts(source, dataset)
    named = dataclasses.replace(source, text=several) if several else source
    targets = TARGET_NAMES if stars else (*MOODS, *TARGET_NAMES)
    try:
        return find_pair(
            named,
            dataset,
            Wanted("text", TEXT_NAMES, guessing.named_text, "--text"),
            Wanted("target", targets, ratings.fits(source.meanings()), "--target"),
        )
    except DataError as error:
        if source.target is None and (labels := several_labels.in_columns(dataset)):
            raise DataError(labels) from error
        raise


def _convert(
    source: Source, dataset: Dataset, chosen: Mapping[str, Any], reading: ratings.Reading
) -> Dataset:
    shown = columns.rendering(column_names(dataset), chosen["text"])
    category = chosen["category"] if chosen["category"] in dataset.column_names else None
    seen: set[tuple[str, Any]] = set()
    counts: Counter[str] = Counter()

    def make(row: Mapping[str, Any]) -> dict[str, Any]:
        text, found = shown(row), reading(row[chosen["target"]])
        if not text.strip():
            raise Unusable("no text")
        if isinstance(found, str):
            raise Unusable(found)
        copy = (normal(text), found)
        if copy in seen:
            raise Unusable("the same text and rating as an earlier row")
        seen.add(copy)
        counts[f"{found[0]} stars" if found[0] else found[1]] += 1
        return {
            "text": text, "stars": found[0], "sentiment": found[1], "opinions": [], "known": False,
            "category": str(row[category] or "").strip() if category else "",
            "group": normal(text), "suite": "",
        }  # fmt: skip

    needed = [chosen["target"], *shown.columns, *([category] if category else [])]
    rows = map_rows(
        source, dataset, make, _types(), needed=needed,
        nothing_left=lambda _: DataError(
            "no review of the data has a text and a rating that can be read"
        ),
    )  # fmt: skip
    _tell_balance(source, counts)
    return rows


def _types() -> dict[str, Any]:
    import pyarrow as pa

    text = dict.fromkeys(("text", "sentiment", "category", "group", "suite"), "string")
    types = {**text, "stars": "int64", "opinions": pa.list_(pa.string()), "known": "bool"}
    return {name: types[name] for name in COLUMNS if name != "row_id"}


def _several_texts(source: Source, dataset: Dataset) -> tuple[str, ...]:
    """The columns of the text where several are called reviews; else none."""
    available = column_names(dataset)
    held = profiles.profiles(dataset, available)
    several = tuple(
        name
        for name in available
        if columns.plain(name).split()[-1:] in (["review"], ["reviews"])
        and held[name].written
        and not held[name].of_classes
    )
    if len(several) < 2:
        return ()
    source.note(f"the text is columns {', '.join(several)} (choose with --text)")
    return several


def _tell_balance(source: Source, counts: Counter[str]) -> None:
    total = sum(counts.values())
    if not total:
        return
    (name, most), *_ = counts.most_common(1)
    if most / total > 0.6:
        source.note(
            f"{most / total:.0%} of the reviews have {name}" if "stars" in name
            else f"{most / total:.0%} of the reviews are {name}"
        )  # fmt: skip
