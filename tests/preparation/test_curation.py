"""Training rows that a recipe leaves out; held-out rows stay, and what is left out is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from toolkit import Recipe, Row, SequenceClassificationTask
from toolkit.data.source import Source
from toolkit.errors import RecipeError, UsageError
from toolkit.metrics import classification_metrics
from toolkit.plugins import recipe_values
from toolkit.preparation.prepare import Prepared, prepare


class Sorts(SequenceClassificationTask):
    """Texts of two classes."""

    api_version = 2
    name = "sorts"
    columns: ClassVar = {"text": "a text", "label": "its class"}
    answer = "label"
    metrics = classification_metrics(("often", "rare"))
    classes = ("often", "rare")
    recipes = (Recipe("small", "a model for tests", "embedded:minilm"),)

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": row["text"], "label": row.get("label")}

    def reference(self, row: Row) -> str:
        return str(row["label"])


def rows(folder: Path) -> str:
    """300 texts of two lopsided classes; 60 of them stand there twice, with blanks and case."""
    texts = [f"word{n} " * (1 + n % 10) for n in range(300)]
    labels = ["rare" if n % 5 == 0 else "often" for n in range(300)]
    table = pd.DataFrame({"text": texts, "label": labels})
    again = table.head(60).assign(text=table.head(60).text.str.upper() + "  ")
    pd.concat([table, again]).to_csv(folder / "rows.csv", index=False)
    return str(folder / "rows.csv")


def prepared(file: str, **curation: Any) -> tuple[Prepared, list[str]]:
    source = Source(data=file)
    found = prepare(Sorts(), source, 0, curation=curation)
    return found, [note for note in found.notes if "curation." in note]


def texts(found: Prepared, split: str = "train") -> list[str]:
    return list(found.splits[split]["text"])


@pytest.mark.parametrize(
    "curation",
    [{"deduplicate": True}, {"without_longest": 0.1}, {"without_shortest": 0.1},
     {"most_per_category": 30}],
)  # fmt: skip
def test_training_rows_alone_are_left_out(tmp_path: Path, curation: dict[str, Any]) -> None:
    file = rows(tmp_path)
    whole, none = prepared(file)
    fewer, notes = prepared(file, **curation)
    assert not none and len(notes) == 1 and next(iter(curation)) in notes[0]
    assert set(fewer.splits["train"]["row_id"]) < set(whole.splits["train"]["row_id"])
    for split in ("validation", "calibration", "test"):
        assert fewer.splits[split]["row_id"] == whole.splits[split]["row_id"]
    assert prepared(file, **curation)[0].fingerprint == fewer.fingerprint


def test_each_field_leaves_out_what_it_says(tmp_path: Path) -> None:
    file = rows(tmp_path)
    whole = texts(prepared(file)[0])
    once = texts(prepared(file, deduplicate=True)[0])
    plain = [" ".join(text.split()).casefold() for text in once]
    assert len(set(plain)) == len(plain)
    assert set(plain) == {" ".join(text.split()).casefold() for text in whole}
    shorter = texts(prepared(file, without_longest=0.25)[0])
    assert len(shorter) == len(whole) - int(0.25 * len(whole))
    longest = sorted(map(len, whole))[len(shorter) - 1]
    assert max(len(" ".join(text.split())) for text in shorter) <= longest
    longer = texts(prepared(file, without_shortest=0.25)[0])
    assert min(map(len, longer)) > min(map(len, whole))
    capped = prepared(file, most_per_category=30)[0].splits["train"]["label"]
    assert max(list(capped).count(label) for label in set(capped)) == 30
    named = prepared(file, most_per_category=30, category="label")[0].splits["train"]["label"]
    assert max(list(named).count(label) for label in set(named)) == 30


def test_what_leaves_too_few_rows_or_has_no_category_is_refused(tmp_path: Path) -> None:
    file = rows(tmp_path)
    with pytest.raises(UsageError, match="most_per_category would leave"):
        prepared(file, most_per_category=2)
    with pytest.raises(UsageError, match="have the columns"):
        prepared(file, most_per_category=30, category="colour")


@pytest.mark.parametrize(
    "wrong",
    [{"deduplicate": "yes"}, {"without_longest": 1.0}, {"without_shortest": -0.1},
     {"without_longest": float("nan")}, {"most_per_category": 0}, {"most_per_category": 2.5},
     {"category": 3}],
)  # fmt: skip
def test_values_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=f"curation.{next(iter(wrong))}"):
        recipe_values.check_curation(wrong)
