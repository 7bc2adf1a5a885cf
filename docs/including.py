"""Files shown in the pages: a line ``# include: PATH`` in a fence stands for a file's content.

The file is one of the repository, or of a package that the page has made with ``toolkit new``. Used
by MkDocs when it builds the pages, and by the tests that run them.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
INCLUDE = re.compile(r"^# include: (\S+)$", re.MULTILINE)
NEW = re.compile(r"^\$ toolkit new (\S+) --kind (\S+)$", re.MULTILINE)
SHOWN = 14
"""Lines of a table that a page shows."""


def expand(page: str, *, shorten: bool = False) -> str:
    """A page with its files in it; with ``shorten`` the long tables are cut."""
    with tempfile.TemporaryDirectory() as folder:
        for name, kind in NEW.findall(page):
            from toolkit import scaffold

            scaffold.create(name, kind, Path(folder) / name)

        def content(match: re.Match[str]) -> str:
            made, own = Path(folder) / match[1], ROOT / match[1]
            lines = (made if made.is_file() else own).read_text(encoding="utf-8").splitlines()
            if shorten and match[1].endswith(".csv") and len(lines) > SHOWN:
                lines = [*lines[:SHOWN], "…"]
            return "\n".join(lines)

        return INCLUDE.sub(content, page)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs calls this with the text of each page."""
    return expand(markdown, shorten=True)
