r"""Rows in a known form whose columns bear other names: which column of a file is which of it.

The forms are those of :mod:`toolkit.data.chat_formats`. A column of the form is a column of the
file, or a template that is filled with several: ``{"instruction": "{question}\n{context}"}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolkit.data import chat_formats, columns, tables
from toolkit.data.columns import Rendering
from toolkit.data.load import column_names

if TYPE_CHECKING:
    from datasets import Dataset


def form_columns() -> list[str]:
    """The names of all columns that the known forms have."""
    found = [name for f in chat_formats.FORMATS.values() for name in (*f.needs, *f.takes)]
    return list(dict.fromkeys(found))


def with_form_columns(
    dataset: Dataset,
    named: Mapping[str, str],
    *,
    answered: bool = True,
    also: str | None = None,
) -> Dataset:
    """Rows with the columns of their form, and no others.

    Args:
        dataset: the file's rows, with ``row_id``.
        named: column of the form → column of the file, or a template; empty: the rows stay as they
            are.
        answered: whether all columns must be there; rows to be predicted have no answers.
        also: another column that is kept under its own name.

    Raises:
        DataError: the file has no such column.
    """
    if not named:
        return dataset
    available = column_names(dataset)
    plain: dict[str, str] = {}
    made: dict[str, Rendering] = {}
    for name, wanted in named.items():
        if "{" in wanted and wanted not in available:
            made[name] = columns.rendering(available, (wanted,))
        elif answered or wanted in available:
            plain[name] = columns.resolve(available, wanted, name)
    if not answered and not plain and not made:
        return dataset
    if also is not None and also in available and also not in named:
        plain[also] = also

    def rendered(row: dict[str, Any]) -> dict[str, Any]:
        return {name: rendering(row) for name, rendering in made.items()}

    kept = dataset.select_columns(list(dict.fromkeys(("row_id", *plain.values()))))
    kept = kept.rename_columns({theirs: ours for ours, theirs in plain.items() if ours != theirs})
    if not made:
        return kept
    from datasets import concatenate_datasets

    texts = tables.mapped(dataset, rendered, remove_columns=dataset.column_names)
    return concatenate_datasets([kept, texts], axis=1)
