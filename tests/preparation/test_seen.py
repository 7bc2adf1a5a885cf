"""Test rows that stand in the training file are looked for in what the task reads of them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from cli_runner import write_csv
from toolkit.plugins import file_options, lookup
from toolkit.preparation import seen
from toolkit.preparation.prepare import Prepared, prepare

TASK = """kind = "causal-lm"
prompt = "What does a customer of our shop want who writes the following: {text} Answer in a word:"
target = "label"
"""


def _rows(count: int, seed: int) -> list[dict[str, Any]]:
    source = random.Random(seed)
    return [
        {
            "text": " ".join("".join(source.choices("abcdefghiklmnoprstu", k=6)) for _ in range(9)),
            "label": source.choice(("refund", "advice")),
        }
        for _ in range(count)
    ]


def _looked(
    folder: Path, train: list[dict[str, Any]], test: list[dict[str, Any]], *,
    judged: bool, quoted: bool = True, own_test: bool = True,
) -> tuple[dict[str, Any] | None, Prepared]:  # fmt: skip
    (folder / "t.toml").write_text(TASK)
    files = {"train": str(write_csv(folder / "train.csv", train))}
    if own_test:
        files["test"] = str(write_csv(folder / "test.csv", test))
    found = lookup.find(str(folder / "t.toml"))
    task = found()
    prepared = prepare(task, file_options.merged(found, files))
    task.load_state({**prepared.found, **task.fit(prepared.splits["train"])})
    return seen.look(task, prepared, judged=judged, quoted=quoted), prepared


@pytest.fixture
def planted() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """300 training rows; of 106 test rows 3 are copies, 2 in another writing, 1 reworded."""
    train, test = _rows(300, 1), _rows(100, 2)
    texts = [row["text"] for row in train]
    copies = [*texts[:3], f"{texts[3]}!", texts[4].upper(), f"{texts[5]} indeed"]
    return train, [*test, *({"text": text, "label": "refund"} for text in copies)]


def test_of_what_is_judged_all_rows_of_the_training_file_count(
    tmp_path: Path, planted: tuple[list[Any], list[Any]]
) -> None:
    document, prepared = _looked(tmp_path, *planted, judged=True)
    assert document is not None and document["train_rows"] == 300
    assert prepared.sizes["train"] < 300
    found = {
        kind: [(copy["test_row"], copy["train_row"]) for copy in document[kind]]
        for kind in ("exact", "normalized", "near")
    }
    assert found == {
        "exact": [(101, 1), (102, 2), (103, 3)], "normalized": [(104, 4), (105, 5)],
        "near": [(106, 6)],
    }  # fmt: skip
    headline, exact, *_ = prepared.cautions[-4:]
    assert headline.startswith("6 of 106 test rows (5.7%) stand in the training file")
    assert "test row 101 is training row 1" in exact and planted[0][0]["text"][:20] in exact
    assert planted[0][0]["text"] not in json.dumps(document)


def test_private_rows_are_not_quoted(tmp_path: Path, planted: tuple[list[Any], list[Any]]) -> None:
    _, prepared = _looked(tmp_path, *planted, judged=True, quoted=False)
    said = " ".join([*prepared.cautions, *prepared.notes])
    assert "test row 101 is training row 1" in said
    assert not any(row["text"][:20] in said for row in planted[0])


def test_a_run_is_asked_about_the_rows_that_it_trains_on(
    tmp_path: Path, planted: tuple[list[Any], list[Any]]
) -> None:
    """Copies are left out of training; what is left of them are rows in other words."""
    train, test = planted
    copies = [{**row, "text": f"{row['text']} indeed"} for row in train[10:40]]
    document, prepared = _looked(tmp_path, train, [*test, *copies], judged=False)
    assert document is not None and not document["exact"]
    assert document["train_rows"] == prepared.sizes["train"]
    assert len(document["near"]) > 20
    assert any("--near-duplicates" in caution for caution in prepared.cautions)


@pytest.mark.parametrize("judged", [True, False])
def test_without_copies_only_what_is_judged_is_told(judged: bool, tmp_path: Path) -> None:
    """The words of the prompt are in all rows, and make none of them look like another."""
    document, prepared = _looked(tmp_path, _rows(300, 1), _rows(100, 2), judged=judged)
    assert document is not None and document["share"] == 0 and not document["beyond_chance"]
    assert document["measures"][0]["similar"] == 0
    said = " ".join(prepared.notes)
    assert ("none of the 100 test rows was found among the 300 training rows" in said) == judged
    assert not any("training file" in caution for caution in prepared.cautions)


def test_splits_of_one_file_are_not_compared(tmp_path: Path) -> None:
    document, _ = _looked(tmp_path, _rows(300, 1), [], judged=False, own_test=False)
    assert document is None


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Say: a b now", "Say: a c now"], ["b", "c"]),
        (["a b c", "a b c b c"], ["c", "c b c"]),
        (["same text", "same text"], ["same text", "same text"]),
        (["costs 12", "costs 13"], ["12", "13"]),
        ([], []),
    ],
)
def test_what_all_texts_begin_and_end_with_is_no_part_of_a_row(
    texts: list[str], expected: list[str]
) -> None:
    assert [text.strip() for text in seen.without_frame(texts)] == expected
