"""A tiny task and small files for the tests of the data stage."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from toolkit.data.columns import tidy
from toolkit.data.load import find_column, find_text, read_splits
from toolkit.data.source import Source
from toolkit.data.tables import batches, from_batches
from toolkit.task import Task


class Echo(Task):
    """Text in, a number out; columns ``text`` and ``score``."""

    name = "echo"
    summary = "for tests"
    columns: ClassVar[dict[str, str]] = {"text": "a text", "score": "a number"}
    metrics = ()
    primary_metric = ""
    recipes = ()

    def load_rows(self, source: Source) -> Any:
        def convert(dataset: Any) -> Any:
            texts = find_text(source, dataset, ("text",))
            target = find_column(source, dataset, source.target, ("score",), "target")
            names = list(dict.fromkeys(["row_id", *texts.columns, target]))
            return from_batches(
                (
                    {
                        "row_id": batch["row_id"],
                        "text": texts.batch(batch),
                        "score": [float(tidy(value)) for value in batch[target]],
                    }
                    for batch in batches(dataset, names)
                ),
                {"row_id": "int64", "text": "string", "score": "float64"},
            )

        return read_splits(source, convert)

    def format_example(self, row: Any) -> dict[str, Any]:
        return {"prompt": row["text"], "completion": str(row["score"])}

    def postprocess(self, output: Any, row: Any) -> Any:
        return float(output)

    def reference(self, row: Any) -> Any:
        return row["score"]


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """A well-formed CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def numbered(path: Path, rows: int, copies: int = 1, first: int = 0) -> Path:
    """A CSV file of ``text,score`` whose texts come several times each."""
    texts = (f"thing number {first + at // copies} of the lot" for at in range(rows))
    return write_csv(path, ("text", "score"), ((text, at) for at, text in enumerate(texts)))
