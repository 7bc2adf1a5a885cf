"""Data for tasks: the options that name them, files as rows, and rows as a task's columns.

A task's ``load_rows`` gets a :class:`Source` and usually looks like this::

    def load_rows(self, source):
        decided = data.for_all_files(choose_columns)       # (source, dataset) -> choice

        def convert(source, dataset):
            choice = decided(source, dataset)
            return data.map_rows(source, dataset, choice.make, {"text": "string"})

        return data.load_rows(source, convert, self.own_data)

``columns`` are helpers to name and render columns, ``guessing`` and ``profiles`` to find them by
their names and contents, ``numbers`` and ``label_scales`` read what people write for numbers,
ratings and labels, ``several_labels`` recognises rows with more than one class, ``tables`` reads
and writes large tables batch by batch. Heavy libraries are imported only when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.data import columns as columns
    from toolkit.data import guessing as guessing
    from toolkit.data import label_scales as label_scales
    from toolkit.data import numbers as numbers
    from toolkit.data import profiles as profiles
    from toolkit.data import several_labels as several_labels
    from toolkit.data import tables as tables
    from toolkit.data.columns import Rendering as Rendering
    from toolkit.data.grouping import ROW_GROUP as ROW_GROUP
    from toolkit.data.grouping import group_key as group_key
    from toolkit.data.guessing import Wanted as Wanted
    from toolkit.data.load import column_names as column_names
    from toolkit.data.load import find_column as find_column
    from toolkit.data.load import find_text as find_text
    from toolkit.data.load import read as read
    from toolkit.data.load import read_splits as read_splits
    from toolkit.data.normalization import normalized as normalized
    from toolkit.data.pairs import Pair as Pair
    from toolkit.data.pairs import find_pair as find_pair
    from toolkit.data.profiles import Profile as Profile
    from toolkit.data.readers.squad import answer_type as answer_type
    from toolkit.data.row_mapping import OwnData as OwnData
    from toolkit.data.row_mapping import Unusable as Unusable
    from toolkit.data.row_mapping import for_all_files as for_all_files
    from toolkit.data.row_mapping import load_rows as load_rows
    from toolkit.data.row_mapping import map_inputs as map_inputs
    from toolkit.data.row_mapping import map_rows as map_rows
    from toolkit.data.row_mapping import read_inputs as read_inputs
    from toolkit.data.source import Source as Source
    from toolkit.data.table_texts import RowText as RowText
    from toolkit.data.table_texts import free_text as free_text
    from toolkit.data.table_texts import row_text as row_text

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "columns",
        "guessing",
        "label_scales",
        "numbers",
        "profiles",
        "several_labels",
        "tables",
    ],
    submod_attrs={
        "columns": ["Rendering"],
        "grouping": ["ROW_GROUP", "group_key"],
        "guessing": ["Wanted"],
        "load": ["column_names", "find_column", "find_text", "read", "read_splits"],
        "normalization": ["normalized"],
        "pairs": ["Pair", "find_pair"],
        "profiles": ["Profile"],
        "readers.squad": ["answer_type"],
        "row_mapping": [
            "OwnData",
            "Unusable",
            "for_all_files",
            "load_rows",
            "map_inputs",
            "map_rows",
            "read_inputs",
        ],
        "source": ["Source"],
        "table_texts": ["RowText", "free_text", "row_text"],
    },
)
