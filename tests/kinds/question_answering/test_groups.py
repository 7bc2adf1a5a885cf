"""Questions by document or by context, for tasks of files and for those of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolkit.data.source import Source
from toolkit.errors import UsageError
from toolkit.plugins.toml_kinds import SpanTask
from toolkit.preparation.prepare import prepare


class Titled(SpanTask):
    """A task whose rows have titles."""

    name = "titled"


class Untitled(SpanTask):
    """A task without titles."""

    name = "untitled"
    columns = {name: text for name, text in SpanTask.columns.items() if name != "title"}


def squad(folder: Path, documents: int, contexts: int, title: str = "Document {}") -> str:
    """Documents of several contexts, each with two questions."""
    text = "The bridge was opened in 1871"
    data = [
        {
            "title": title.format(d),
            "paragraphs": [
                {
                    "context": f"{text}. Number {d}-{c}.",
                    "qas": [
                        {"id": f"{d}-{c}-{n}", "question": f"When, {n}?",
                         "answers": [{"text": "1871", "answer_start": 25}]}
                        for n in range(2)
                    ],
                }
                for c in range(contexts)
            ],
        }
        for d in range(documents)
    ]  # fmt: skip
    path = folder / "squad.json"
    path.write_text(json.dumps({"version": "1.1", "data": data}), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("task", "documents", "title", "way"),
    [
        (Titled, 220, "Document {}", "document"),
        (Titled, 30, "Document {}", "context"),
        (Titled, 220, "", "context"),
        (Untitled, 220, "Document {}", "context"),
    ],
)
def test_documents_are_groups_where_there_are_titles_and_enough_of_them(
    tmp_path: Path, task: Any, documents: int, title: str, way: str
) -> None:
    made = task()
    prepared = prepare(made, Source(data=squad(tmp_path, documents, 2, title)))
    assert prepared.found["group_by"] == way
    assert any(note.startswith(f"rows are grouped by {way}") for note in prepared.notes)
    made.load_state(prepared.found)
    of = {name: {made.group(row) for row in rows} for name, rows in prepared.splits.items()}
    assert not of["train"] & of["test"]
    assert all(group.startswith("document ") is (way == "document") for group in of["test"])


@pytest.mark.parametrize("way", ["document", "context"])
def test_the_option_decides(tmp_path: Path, way: str) -> None:
    made = Titled()
    made.options["group_by"] = way
    assert prepare(made, Source(data=squad(tmp_path, 60, 2))).found["group_by"] == way


def test_another_option_is_refused(tmp_path: Path) -> None:
    made = Titled()
    made.options["group_by"] = "paragraph"
    with pytest.raises(UsageError, match="auto, document or context"):
        prepare(made, Source(data=squad(tmp_path, 60, 2)))


def test_documents_without_titles_cannot_be_wanted(tmp_path: Path) -> None:
    made = Untitled()
    made.options["group_by"] = "document"
    with pytest.raises(UsageError, match="have no column title"):
        prepare(made, Source(data=squad(tmp_path, 60, 2)))
