"""The map of modules in ``docs/architecture.md``, from the modules' own first sentences.

    python docs/module_map.py

writes it again between its two marks; a test fails where the page differs from the code. Packages
are listed in the order of the layers in ``pyproject.toml``, those that others build on first.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- map of modules: python docs/module_map.py -->\n", "<!-- end of the map -->\n"


def layers() -> list[str]:
    """Packages and modules of ``toolkit`` from the lowest layer up."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    ordered = next(c["layers"] for c in contracts if c["type"] == "layers")
    return [name.strip() for layer in reversed(ordered) for name in layer.split("|")]


def first_sentence(path: Path) -> str:
    """The first paragraph of a module's docstring, on one line."""
    paragraph = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")
    sentence = " ".join(paragraph[0].split()).replace("``", "`")
    return re.sub(r":\w+:`~?([^`]*)`", r"`\1`", sentence).replace("|", "\\|")


def modules(name: str) -> Iterator[Path]:
    """The files of a package, its own first, or of a module."""
    folder = ROOT / "toolkit" / name
    if folder.is_dir():
        files = [p for p in folder.rglob("*.py") if "templates" not in p.parts]
        yield from sorted(files, key=lambda p: (p.parent, p.name != "__init__.py", p.name))
    else:
        yield folder.with_suffix(".py")


def table() -> str:
    """The map as Markdown: one line for each module."""
    lines = ["| module | what it is |", "|---|---|"]
    for name in ["__init__", *layers()]:
        for path in modules(name):
            where = path.relative_to(ROOT / "toolkit").as_posix()
            shown = f"**`{path.parent.relative_to(ROOT / 'toolkit').as_posix()}/`**"
            if path.name != "__init__.py" or name == "__init__":
                shown = f"`{where}`"
            lines.append(f"| {shown} | {first_sentence(path)} |")
    return "\n".join(lines) + "\n"


def renewed(page: str) -> str:
    """The page with the map as the code has it now."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
