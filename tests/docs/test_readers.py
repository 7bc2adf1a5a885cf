"""Pages for newcomers: short enough to be read, and true to the code that they quote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
START = sorted((DOCS / "start").glob("*.md"))
WORDS_A_MINUTE = 240
"""What adults read of plain English: Brysbaert 2019, doi.org/10.1016/j.jml.2019.104047."""
BY_NAME = re.compile(r"pip install (?:[^`\n]* )?'adapter-toolkit")


def code() -> str:
    """All literal text of the code, with f-strings' places as one sign and pieces joined."""
    texts = []
    for folder in ("toolkit", "plugins", "playground"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            joined = re.sub(r'"\s*\n\s*f?"', "", path.read_text("utf-8"))
            texts.append(re.sub(r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", "…", joined))
    return " ".join(" ".join(texts).split())


CODE = code()
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
        pieces = [piece.strip(" …:") for piece in re.split("…", message)]
        assert any(len(piece) >= 5 for piece in pieces), message
        missing = [piece for piece in pieces if piece and piece not in CODE]
        assert not missing, missing


@pytest.mark.parametrize(
    "page",
    [p for p in DOCS.rglob("*.md") if "reports" not in p.parts
     and BY_NAME.search(p.read_text("utf-8"))],
    ids=lambda page: page.relative_to(DOCS).as_posix(),
)  # fmt: skip
def test_who_installs_by_name_is_told_what_to_do_until_there_is_a_release(page: Path) -> None:
    assert page.name == "install.md" or "install.md)" in page.read_text("utf-8")
