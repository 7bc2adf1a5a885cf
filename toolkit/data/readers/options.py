"""How a text file is to be read: what every reader takes beside the path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Note = Callable[[str], None]
"""Takes a sentence on something that was decided for the user."""


@dataclass(frozen=True)
class ReadOptions:
    """How a text file is to be read.

    Args:
        encoding: of the file; ``None``: UTF-8, or what the byte order mark says.
        header: whether the file begins with column names; ``None``: yes, unless columns are
            ``numbered`` and the first row looks like data.
        numbered: the user refers to columns by their numbers.
    """

    encoding: str | None = None
    header: bool | None = None
    numbered: bool = False
