"""Which column a task of its own answers finds in a file, by what it can read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from data_fixtures import write_csv
from toolkit.data.column_mapping import ColumnMapping
from toolkit.data.source import Source
from toolkit.errors import DataError

ROWS = 60
TEXTS = [f"the {('old', 'new', 'red')[n % 3]} lamp number {n} is here" for n in range(ROWS)]


def of(*values: Any) -> list[Any]:
    return [values[n % len(values)] for n in range(ROWS)]


def any_text(text: str) -> str | None:
    return text or None


def mood(text: str) -> str | None:
    return text if text in ("good", "bad") else None


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def read(folder: Path, parse: Callable[[str], Any], **columns: Sequence[Any]) -> Source:
    path = write_csv(folder / "a.csv", list(columns), zip(*columns.values(), strict=True))
    source = Source(data=str(path))

    def own() -> Any:
        raise AssertionError("the file is given")

    ColumnMapping(("text", "label"), "label", ("text",), parse).load_rows(source, own)
    return source


def target(source: Source) -> str:
    (note,) = [note for note in source.notes if note.startswith("the target is column")]
    return note.split("'")[1]


@pytest.mark.parametrize(
    ("parse", "columns", "wanted"),
    [
        (any_text, {"tweet": TEXTS, "nr": range(ROWS), "kind": of("a", "b", "c")}, "kind"),
        (any_text, {"message": TEXTS, "day": of("2021-03-04", "2021-03-05"), "kind": of("x", "y")},
         "kind"),
        (any_text, {"review": TEXTS, "town": of("Ulm", "Bonn"), "sentiment": of("up", "down")},
         "sentiment"),
        (mood, {"text": TEXTS, "town": of("Ulm", "Bonn"), "airline_mood": of("good", "bad")},
         "airline_mood"),
        (number, {"text": TEXTS, "town": of("Ulm", "Bonn"), "minutes": of("3.5", "7", "11")},
         "minutes"),
    ],
)  # fmt: skip
def test_the_answer_is_what_the_task_can_read(
    tmp_path: Path, parse: Callable[[str], Any], columns: dict[str, Sequence[Any]], wanted: str
) -> None:
    assert target(read(tmp_path, parse, **columns)) == wanted


def test_a_name_stands_where_nothing_else_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not know: 'fine' \\(30\\), 'poor' \\(30\\)"):
        read(tmp_path, mood, text=TEXTS, label=of("fine", "poor"), town=of("Ulm", "Bonn"))


@pytest.mark.parametrize("names", [("kind", "town"), ("length", "width")])
def test_of_several_columns_none_is_taken(tmp_path: Path, names: tuple[str, str]) -> None:
    values = (of("a", "b"), of("c", "d")) if names[0] == "kind" else (of("1", "2"), of("3", "4"))
    parse = any_text if names[0] == "kind" else number
    with pytest.raises(DataError, match=f"--text text --target {names[0]}"):
        read(tmp_path, parse, text=TEXTS, **dict(zip(names, values, strict=True)))
