"""The options of the readers of text files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Note = Callable[[str], None]
"""Receives a sentence about something that was decided for the user."""


@dataclass(frozen=True)
class ReadOptions:
    """How a text file is to be read.

    Args:
        encoding: of the file; ``None``: UTF-8, or that of the byte order mark.
        header: whether the file begins with column names; ``None``: yes, unless columns are
            ``numbered`` and the first row looks like data.
        numbered: whether the user refers to columns by their numbers.
        sheet: the sheet of a workbook; ``None``: the only one with rows.
    """

    encoding: str | None = None
    header: bool | None = None
    numbered: bool = False
    sheet: str | None = None
