"""Data for tasks: what the command line names, files as rows, rows as a task's columns.

A task's ``load_rows`` gets a :class:`Source` and most often goes like this::

    def load_rows(self, source):
        decided = data.for_all_files(choose_columns)       # (source, dataset) -> choice

        def convert(source, dataset):
            choice = decided(source, dataset)
            return data.map_rows(source, dataset, choice.make, {"text": "string"})

        return data.load_rows(source, convert, self.own_data)

``columns`` are helpers to guess and render columns, ``tables`` to read and write large tables
batch by batch. Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_PUBLIC = {
    "OwnData": "toolkit.data.row_mapping",
    "Rendering": "toolkit.data.columns",
    "Source": "toolkit.data.source",
    "Unusable": "toolkit.data.row_mapping",
    "answer_type": "toolkit.data.readers.squad",
    "column_names": "toolkit.data.load",
    "find_column": "toolkit.data.load",
    "find_text": "toolkit.data.load",
    "for_all_files": "toolkit.data.row_mapping",
    "load_rows": "toolkit.data.row_mapping",
    "map_inputs": "toolkit.data.row_mapping",
    "map_rows": "toolkit.data.row_mapping",
    "read": "toolkit.data.load",
    "read_inputs": "toolkit.data.row_mapping",
    "read_splits": "toolkit.data.load",
}

__all__ = sorted([*_PUBLIC, "columns", "tables"])

if TYPE_CHECKING:
    from toolkit.data import columns as columns
    from toolkit.data import tables as tables
    from toolkit.data.columns import Rendering as Rendering
    from toolkit.data.load import column_names as column_names
    from toolkit.data.load import find_column as find_column
    from toolkit.data.load import find_text as find_text
    from toolkit.data.load import read as read
    from toolkit.data.load import read_splits as read_splits
    from toolkit.data.readers.squad import answer_type as answer_type
    from toolkit.data.row_mapping import OwnData as OwnData
    from toolkit.data.row_mapping import Unusable as Unusable
    from toolkit.data.row_mapping import for_all_files as for_all_files
    from toolkit.data.row_mapping import load_rows as load_rows
    from toolkit.data.row_mapping import map_inputs as map_inputs
    from toolkit.data.row_mapping import map_rows as map_rows
    from toolkit.data.row_mapping import read_inputs as read_inputs
    from toolkit.data.source import Source as Source


def __getattr__(name: str) -> Any:
    if name in ("columns", "tables"):
        return import_module(f"toolkit.data.{name}")
    if name in _PUBLIC:
        value = getattr(import_module(_PUBLIC[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'toolkit.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
