"""Rows of a question-answering task that brings no loading of its own.

A SQuAD file, or a table with a question, a context and an answer; an answer stands where it is
found first in its context, and an empty one means that there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from toolkit.data import tables
from toolkit.data.columns import tidy
from toolkit.data.source import Source
from toolkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from datasets import Dataset

NAMES: Mapping[str, tuple[str, ...]] = {
    "question": ("question", "query"),
    "context": ("context", "passage", "paragraph", "document", "text"),
    "answers": ("answers", "answer", "answer text", "target"),
}
"""The task's columns, and what files call them."""


def convert(source: Source, dataset: Dataset) -> Dataset:
    """A file's rows as ``question``, ``context`` and ``answers`` (SQuAD's lists)."""
    import pyarrow as pa

    answers = pa.struct([("text", pa.list_(pa.string())), ("answer_start", pa.list_(pa.int64()))])
    text = dict.fromkeys(("question", "context"), "string")
    left_out: dict[str, list[int]] = {}
    found = tables.from_rows(
        _rows(dataset, _columns(source, dataset), left_out),
        {"row_id": "int64", **text, "answers": answers},
    )
    for reason, row_ids in left_out.items():
        source.leave_out(reason, row_ids)
    if not len(found):
        raise DataError("no question can be used; the answers must stand in their contexts")
    return found


def _columns(source: Source, dataset: Dataset) -> dict[str, str]:
    if source.text and len(source.text) != 2:
        raise UsageError("--text takes two columns here: --text QUESTION,CONTEXT")
    wanted = dict(zip(("question", "context"), source.text, strict=False))
    asked = {**wanted, **({"answers": source.target} if source.target else {})}
    return {
        name: source.column(dataset, asked.get(name), names, name) for name, names in NAMES.items()
    }


def _rows(
    dataset: Dataset, columns: Mapping[str, str], left_out: dict[str, list[int]]
) -> Iterator[dict[str, Any]]:
    for row in tables.rows(dataset):
        question, context = tidy(row[columns["question"]]), str(row[columns["context"]] or "")
        answers = _answers(row[columns["answers"]], context)
        reason = "no question" if not question else "no context" if not context.strip() else None
        if answers is None:
            reason = reason or "the answer does not stand in its context"
        if reason:
            left_out.setdefault(reason, []).append(row["row_id"])
            continue
        values = (row["row_id"], question, context, answers)
        yield dict(zip(("row_id", *NAMES), values, strict=True))


def _answers(value: Any, context: str) -> dict[str, list[Any]] | None:
    """SQuAD's lists; ``None`` where an answer does not stand in the context."""
    if isinstance(value, Mapping):
        texts, starts = list(value["text"]), list(value["answer_start"])
    else:
        texts = [text] if (text := tidy(value)) else []
        starts = [context.find(text) for text in texts]
    if any(
        at < 0 or not context.startswith(text, at) for text, at in zip(texts, starts, strict=True)
    ):
        return None
    return {"text": texts, "answer_start": starts}
