"""Links inside of what we publish lead somewhere: in the built pages and in other Markdown.

Addresses elsewhere are not asked: the tests run without a network.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?: \"[^\"]*\")?\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
OTHERS = sorted(
    path
    for pattern in ("*.md", "examples/**/*.md", "toolkit/**/*.md", "plugins/**/*.md")
    for path in ROOT.glob(pattern)
)
"""Markdown that MkDocs does not build."""


class Page(HTMLParser):
    """The ids of a page, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag in ("a", "link", "img", "script"):
            self.links |= {given[name] for name in ("href", "src") if given.get(name)}


def read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text("utf-8"))
    return page


def elsewhere(link: str) -> bool:
    parts = urlsplit(link)
    return bool(parts.scheme or parts.netloc)


@pytest.mark.slow
def test_links_of_the_built_pages_lead_somewhere(site: Path) -> None:
    pages = {path: read(path) for path in site.rglob("*.html") if path.name != "404.html"}
    dead = []
    for path, page in pages.items():
        for link in sorted(page.links):
            if elsewhere(link):
                continue
            parts = urlsplit(link)
            place = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = place / "index.html" if place.is_dir() else place
            there = target.is_file() and (
                not parts.fragment or target not in pages
                or unquote(parts.fragment) in {*pages[target].ids, "__codelineno"}
            )  # fmt: skip
            if not there:
                dead.append(f"{path.relative_to(site)}: {link}")
    assert not dead, "\n".join(dead)


def slug(heading: str) -> str:
    """The anchor of a heading, as Markdown viewers and Python-Markdown make it."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", plain.lower()).strip())


def anchors(path: Path) -> set[str]:
    text = FENCE.sub("", path.read_text("utf-8"))
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_of_other_markdown_lead_somewhere(path: Path) -> None:
    dead = []
    for link in LINK.findall(FENCE.sub("", path.read_text("utf-8"))):
        parts = urlsplit(link)
        if elsewhere(link):
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        anchored = parts.fragment and target.suffix == ".md"
        if not target.exists() or (anchored and parts.fragment not in anchors(target)):
            dead.append(link)
    assert not dead, dead


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here & there\n[a](page.md#here-there) [b](none.md) [c](page.md#no)\n")
    with pytest.raises(AssertionError, match=r"none\.md.*page\.md#no"):
        test_links_of_other_markdown_lead_somewhere(page)
