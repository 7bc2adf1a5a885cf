"""What is built: every public name is in the reference, and its docstrings are Markdown."""

from __future__ import annotations

import importlib
import re
import zlib
from pathlib import Path

import pytest

import toolkit
from toolkit.system import version_1

pytestmark = pytest.mark.slow  # the pages take a while to build


def public_names() -> list[str]:
    """All that has to be found in the reference, by its full name."""
    names = [f"toolkit.{name}" for name in toolkit.__all__ if name != "__version__"]
    for name in toolkit.PUBLIC_MODULES:
        module = importlib.import_module(name)
        names += [f"{name}.{each}" for each in getattr(module, "__all__", ())]
    # The names of version 1 of the contract stand beside today's, and are in no reference.
    members = [n for n in vars(toolkit.Task) if not n.startswith("_") and n not in version_1.NAMES]
    return [*names, *(f"toolkit.Task.{name}" for name in members)]


def inventory(path: Path) -> set[str]:
    """The names in a Sphinx inventory, which mkdocstrings writes of what it has rendered."""
    body = path.read_bytes().split(b"\n", 4)[4]
    return {line.split()[0] for line in zlib.decompress(body).decode().splitlines() if line}


ROLE = re.compile(r":(?:py:)?\w+:<code>")


def test_the_reference_has_every_public_name(site: Path) -> None:
    page = (site / "reference" / "tasks" / "index.html").read_text("utf-8")
    assert "SequenceClassificationTask" in page and "parse_answer" in page
    rendered = inventory(site / "objects.inv")
    # What a class only inherits is rendered where it is declared.
    missing = [name for name in public_names() if name not in rendered]
    assert not missing, f"not in the built reference: {', '.join(missing)}"


def test_included_files_are_in_the_pages(site: Path) -> None:
    made = (site / "tutorials" / "causal-lm" / "index.html").read_text("utf-8")
    assert "class" in made and "OrderLines" in made


def test_no_role_of_sphinx_is_left_in_the_pages(site: Path) -> None:
    found = {
        path.relative_to(site).as_posix(): roles
        for path in site.rglob("*.html")
        if (roles := ROLE.findall(path.read_text("utf-8")))
    }
    assert not found


def test_what_a_docstring_names_is_a_link(site: Path) -> None:
    page = (site / "reference" / "tasks" / "index.html").read_text("utf-8")
    assert re.search(r'href="#toolkit\.Task\.load_state"><code>load_state</code></a>', page)
    assert "<autoref" not in page
