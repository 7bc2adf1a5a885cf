"""The tables of keys in ``docs/how-to/import.md``, from the tables that the import works by.

    python docs/import_tables.py

writes them again between their marks; a test fails where the page differs from the code.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "how-to" / "import.md"
BEGIN, END = "<!-- keys: python docs/import_tables.py -->\n", "<!-- end of the keys -->\n"


def tables() -> str:
    """A section for each tool: the keys that are carried over, and those that are not."""
    sys.path.insert(0, str(ROOT))
    from toolkit.pipeline.importing.tools import TOOLS

    parts = []
    for name, tool in TOOLS.items():
        lines = [
            f"### {tool.title} (`--from {name}`)",
            "",
            "| Key | Becomes | Where it is left out |",
        ]
        lines.append("|---|---|---|")
        for key, one in tool.plain.items():
            default = tool.defaults.get(key, one.default)
            shown = "" if default is None else f"`{str(default).lower()}`"
            lines.append(f"| `{key}` | `{one.place}` | {shown} |")
        lines += [f"| `{key}` | {place} | |" for key, place in tool.special.items()]
        lines += ["", "| Not carried over | Why |", "|---|---|"]
        for keys, reason in tool.left_out:
            listed = ", ".join(f"`{key}`" for key in keys.split())
            lines.append(f"| {listed} | {reason} |")
        parts.append("\n".join(lines) + "\n")
    return "\n" + "\n".join(parts) + "\n"


def renewed(page: str) -> str:
    """The page with the tables as the code has them now."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + tables() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
