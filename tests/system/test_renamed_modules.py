"""Modules under the names of version 1 of the contract: the same content, and a warning."""

from __future__ import annotations

import importlib
import sys

import pytest

from toolkit.system.renamed_modules import RENAMED


@pytest.mark.parametrize("old", sorted(RENAMED))
def test_an_old_name_gives_what_the_module_has_now(old: str) -> None:
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=RENAMED[old].replace(".", r"\.")):
        module = importlib.import_module(old)
    now = importlib.import_module(RENAMED[old])
    names = [name for name in vars(now) if not name.startswith("__")]
    assert names and all(getattr(module, name) is getattr(now, name) for name in names)


def test_other_names_are_missing_as_ever() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("toolkit.nothing")
