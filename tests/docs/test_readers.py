"""Pages for newcomers: short enough to be read, and true to the code that they quote."""

from __future__ import annotations

import ast
import functools
import itertools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
START = sorted((DOCS / "start").glob("*.md"))
WORDS_A_MINUTE = 240
"""What adults read of plain English: Brysbaert 2019, doi.org/10.1016/j.jml.2019.104047."""
BY_NAME = re.compile(r"pip install (?:[^`\n]* )?'adapter-toolkit")


def literals(tree: ast.AST) -> Iterator[str]:
    """The texts in a module, those with places for values as well, each place as one sign."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            pieces = (p.value if isinstance(p, ast.Constant) else "…" for p in node.values)
            yield "".join(map(str, pieces))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@functools.cache
def messages() -> tuple[str, ...]:
    """All texts of the code with three words or more."""
    found = {
        " ".join(text.split())
        for folder in ("toolkit", "plugins", "playground")
        for path in (ROOT / folder).rglob("*.py")
        if "templates" not in path.parts
        for text in literals(ast.parse(path.read_text("utf-8")))
        if len(text.split()) > 2
    }
    return tuple(sorted(found))


def likeness(message: str) -> float:
    """The largest share of a message's pairs of words that one text of the code has."""
    pieces = [piece.strip(" ,:;") for piece in message.split("…")]
    pairs = {" ".join(pair) for each in pieces for pair in itertools.pairwise(each.split())}
    return max(sum(pair in text for pair in pairs) for text in messages()) / len(pairs)


HEADINGS = re.findall(r"^### (.+)$", (DOCS / "troubleshooting.md").read_text("utf-8"), re.MULTILINE)
UPSTREAM = ("Please specify", "OOM:", "The verdict is")
"""Headings that are other tools' messages, or no message."""


@pytest.mark.parametrize("page", START, ids=lambda page: page.stem)
def test_a_page_of_two_minutes_is_read_in_two_minutes(page: Path) -> None:
    text = re.sub(r"\]\([^)]*\)", "]", page.read_text("utf-8"))
    assert len(re.findall(r"[\w-]+", text)) <= 2 * WORDS_A_MINUTE


def test_there_is_a_page_for_each_kind_of_reader() -> None:
    assert {page.stem for page in START} == {"engineer", "teacher", "plugin-author"}
    index = (DOCS / "index.md").read_text("utf-8")
    assert all(f"start/{page.name}" in index for page in START)


@pytest.mark.parametrize("heading", [h for h in HEADINGS if not h.startswith(UPSTREAM)])
def test_a_message_that_is_explained_is_one_of_the_code_s(heading: str) -> None:
    for message in heading.split(" / "):
        assert likeness(message) >= 0.5, message


def test_a_message_that_nobody_wrote_is_found() -> None:
    assert likeness("the flux capacitor of this run has no plutonium left") < 0.5


@pytest.mark.parametrize(
    "page",
    [p for p in DOCS.rglob("*.md") if "reports" not in p.parts
     and BY_NAME.search(p.read_text("utf-8"))],
    ids=lambda page: page.relative_to(DOCS).as_posix(),
)  # fmt: skip
def test_who_installs_by_name_is_told_what_to_do_until_there_is_a_release(page: Path) -> None:
    assert page.name == "install.md" or "install.md)" in page.read_text("utf-8")


def test_the_readme_names_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in project["optional-dependencies"] if f"`{name}`" not in text] == ["dev"]
