"""Rows of the question-answering task: the built-in contexts, SQuAD files, or any table.

Columns: ``row_id``, ``id``, ``title``, ``question``, ``context``, ``answers`` (SQuAD's lists
``text`` and ``answer_start``; empty lists where there is no answer) and ``document``: titles that
share a context are one document, and a context without a title is one of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import Source
from toolkit.data import ROW_GROUP, tables
from toolkit.data import load_rows as load_files
from toolkit_qa import stories
from toolkit_qa.converting import converted, digest, document, from_rows

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict


def load_rows(source: Source, *, repair: bool = False) -> Dataset | DatasetDict:
    """The user's rows, or the built-in contexts where no data is named.

    Args:
        source: what the command line says.
        repair: mend or leave out what is wrong in a file, and count it, instead of refusing it.
    """
    import datasets

    if not source.given:
        return _built_in(source)
    parts: dict[str, set[bytes]] = {}

    def convert(source: Source, dataset: Dataset) -> Dataset:
        found = converted(source, dataset, repair=repair)
        parts[source.file] = {digest(row["context"]) for row in tables.rows(found, ["context"])}
        return found

    loaded = load_files(source, convert)
    if not isinstance(loaded, datasets.DatasetDict):
        return _with_documents(loaded, _joined([loaded]))
    _tell_shared(source, parts)
    owners = _joined(list(loaded.values()))
    return datasets.DatasetDict(
        {name: _with_documents(part, owners) for name, part in loaded.items()}
    )


def _built_in(source: Source) -> DatasetDict:
    import datasets

    source.synthetic = True
    made = {}
    for split in stories.SIZES:
        made[split] = from_rows(_numbered(stories.rows(split)))
    total = sum(map(len, made.values()))
    source.note(
        f"the data is synthetic: {total:,} questions about made-up places (name your own with "
        "--data)"
    )
    return datasets.DatasetDict(made)


def _numbered(questions: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row_id, qa in enumerate(questions, start=1):
        texts = [answer["text"] for answer in qa["answers"]]
        starts = [answer["answer_start"] for answer in qa["answers"]]
        yield {
            **{name: qa[name] for name in ("id", "title", "question", "context")},
            "row_id": row_id,
            "answers": {"text": texts, "answer_start": starts},
            "document": document(qa["context"]),
        }


def _tell_shared(source: Source, parts: Mapping[str, set[bytes]]) -> None:
    """Say which of the user's own splits share contexts."""
    files = list(parts)
    for at, one in enumerate(files):
        for other in files[at + 1 :]:
            both = len(parts[one] & parts[other])
            if both:
                source.note(
                    f"{Path(one).name} and {Path(other).name} share {both:,} contexts (of "
                    f"{len(parts[one]):,} and {len(parts[other]):,}); no context is both trained "
                    "on and tested on"
                )


# -- documents -----------------------------------------------------------------------------------
def _with_documents(found: Dataset, owners: Mapping[str, str]) -> Dataset:
    """Rows whose ``document`` is that of their title, where they have one."""
    return from_rows(
        (
            {
                **row,
                "document": f"document {owners[row['title']]}" if row["title"] else row["document"],
            }
            for row in tables.rows(found)
        ),
        [name for name in found.column_names if name == ROW_GROUP],
    )


def _joined(parts: Sequence[Dataset]) -> dict[str, str]:
    """Title → the first title of its document; titles that share a context are one document."""
    parent: dict[str, str] = {}

    def root(title: str) -> str:
        while parent.setdefault(title, title) != title:
            title = parent[title]
        return title

    first: dict[bytes, str] = {}
    for row in (row for part in parts for row in tables.rows(part, ["title", "context"])):
        if row["title"]:
            other = first.setdefault(digest(row["context"]), row["title"])
            parent[root(row["title"])] = root(other)
    return {title: root(title) for title in list(parent)}
