"""Modules under the names of version 1 of the contract: the same content, and a warning."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from toolkit.data import Rendering, Source
from toolkit.system.renamed_modules import RENAMED


@pytest.mark.parametrize("old", sorted(RENAMED))
def test_an_old_name_gives_what_the_module_has_now(old: str) -> None:
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=RENAMED[old].replace(".", r"\.")):
        module = importlib.import_module(old)
    now = importlib.import_module(RENAMED[old])
    names = [name for name in vars(now) if not name.startswith("__")]
    assert names and all(getattr(module, name) is getattr(now, name) for name in names)


@pytest.mark.parametrize(
    ("old", "names"),
    [
        ("toolkit.reading", ("BATCH", "FORMATS", "is_hub_id", "read", "read_hub")),
        ("toolkit.source", ("Source", "column_names", "read_inputs")),
    ],
)
def test_functions_that_stand_in_another_module_now(old: str, names: tuple[str, ...]) -> None:
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match="since version 2"):
        module = importlib.import_module(old)
    assert all(hasattr(module, name) for name in names)


def test_methods_that_are_functions_now(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,score\na,1\n")
    source: Any = Source(data=str(path))
    with pytest.warns(DeprecationWarning, match=r"toolkit\.data\.read_splits"):
        rows: Any = source.load(lambda dataset: dataset)
    assert rows.column_names == ["text", "score", "row_id"]
    with pytest.warns(DeprecationWarning, match=r"toolkit\.data\.find_column"):
        assert source.column(rows, None, ("score",), "target") == "score"
    with pytest.warns(DeprecationWarning, match=r"toolkit\.data\.find_text"):
        assert source.rendering(rows, ("text",)) == Rendering(("text",))
    with pytest.warns(DeprecationWarning, match="mask_target"):
        assert source.mask_target is False
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = source.nothing


def test_other_names_are_missing_as_ever() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("toolkit.nothing")
