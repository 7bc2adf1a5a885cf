"""The default way to load rows of question-answering tasks.

They come from a SQuAD file, or from a table with a question, a context and an answer. In a table,
the position of an answer is that of its first occurrence in the context, and an empty answer means
that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolkit.data.columns import tidy
from toolkit.data.load import find_column
from toolkit.data.readers import squad
from toolkit.data.row_mapping import RowIds, Unusable, map_rows
from toolkit.data.source import Source
from toolkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from datasets import Dataset

NAMES: Mapping[str, tuple[str, ...]] = {
    "question": ("question", "query"),
    "context": ("context", "passage", "paragraph", "document", "text"),
    "answers": ("answers", "answer", "answer text", "target"),
}
"""The task's columns → names that they have in files."""


def convert(source: Source, dataset: Dataset, *, titled: bool = False) -> Dataset:
    """A file's rows as ``question``, ``context`` and ``answers`` (SQuAD's lists).

    Args:
        source: what the command line says; it names the columns.
        dataset: the file's rows.
        titled: also ``title``, that of the document, empty where the file has none.
    """
    columns = _columns(source, dataset)

    def make(row: Mapping[str, Any]) -> dict[str, Any]:
        question, context = tidy(row[columns["question"]]), str(row[columns["context"]] or "")
        if not question or not context.strip():
            raise Unusable("no context" if question else "no question")
        answers = _answers(row[columns["answers"]], context)
        if answers is None:
            raise Unusable("the answer does not stand in its context")
        made = {"question": question, "context": context, "answers": answers}
        return made | ({"title": tidy(row.get("title") or "")} if titled else {})

    types = {"question": "string", "context": "string", "answers": squad.answer_type()}
    types |= {"title": "string"} if titled else {}
    return map_rows(source, dataset, make, types, nothing_left=_nothing_left)


def _nothing_left(left_out: RowIds) -> DataError:
    return DataError("no question can be used; the answers must stand in their contexts")


def _columns(source: Source, dataset: Dataset) -> dict[str, str]:
    if source.text and len(source.text) != 2:
        raise UsageError("--text takes two columns here: --text QUESTION,CONTEXT")
    wanted = dict(zip(("question", "context"), source.text, strict=False))
    named = {**wanted, **({"answers": source.target} if source.target else {})}
    return {
        name: find_column(source, dataset, named.get(name), names, name)
        for name, names in NAMES.items()
    }


def _answers(value: Any, context: str) -> dict[str, list[Any]] | None:
    """SQuAD's lists; ``None`` where an answer is not in the context."""
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
