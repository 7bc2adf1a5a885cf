"""The architecture page: its map has every module, and the code has every call that it gives."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CALL = re.compile(r"`(toolkit(?:\.\w+)+)\.(\w+)\(([^)`]*)\)`")

sys.path.insert(0, str(ROOT / "docs"))
import import_tables  # noqa: E402
import module_map  # noqa: E402


def test_the_map_is_the_code_s() -> None:
    assert module_map.renewed(PAGE) == PAGE, "run: python docs/module_map.py"


def test_the_keys_of_the_import_are_the_code_s() -> None:
    page = import_tables.PAGE.read_text(encoding="utf-8")
    assert import_tables.renewed(page) == page, "run: python docs/import_tables.py"


def test_every_module_is_in_the_map() -> None:
    missing = []
    for path in (ROOT / "toolkit").rglob("*.py"):
        where = path.relative_to(ROOT / "toolkit").as_posix()
        shown = where if where == "__init__.py" else where.removesuffix("__init__.py")
        if "templates" not in path.parts and f"`{shown}`" not in PAGE:
            missing.append(where)
    assert not missing


@pytest.mark.parametrize(("module", "name", "parameters"), CALL.findall(PAGE))
def test_the_calls_of_the_page_are_in_the_code(module: str, name: str, parameters: str) -> None:
    function = getattr(importlib.import_module(module), name)
    given = [each.strip() for each in parameters.split(",") if each.strip()]
    assert given == list(inspect.signature(function).parameters)


def test_the_page_gives_the_calls_of_a_run() -> None:
    names = {name for _, name, _ in CALL.findall(PAGE)}
    assert {"find", "resolve", "start", "execute", "prepare", "check", "score", "write"} <= names


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:\w+/)*\w+\.py)`", PAGE))))
def test_files_that_the_page_names_are_there(path: str) -> None:
    places = (ROOT, ROOT / "toolkit", ROOT / "playground" / "toolkit_playground")
    found = any((place / path).is_file() for place in places)
    assert found or list((ROOT / "toolkit").rglob(path)), path
