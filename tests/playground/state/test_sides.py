"""Which sides a run has, and which of them can be chosen."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.errors import UsageError
from toolkit.runs.run import Run
from toolkit_playground.state.library import Library
from toolkit_playground.state.sides import first_sides, resolve_sides, side_labels

FIRST, SECOND, OTHER_BASE = "20260101-000000-aaa", "20260102-000000-bbb", "20260103-000000-ccc"


def engine_of(run: Run, **problems: str) -> Any:
    added: list[str] = []
    return SimpleNamespace(
        run=run, problems=problems, added=added, add_run=lambda other: added.append(other.id)
    )


def test_a_run_has_its_base_its_adapters_and_those_of_other_runs_on_that_base(
    library: Library, tmp_path: Path
) -> None:
    expected = ["base", "adapter", "adapter-seed-1", f"adapter of {SECOND}"]
    assert side_labels(library, library.find(FIRST)) == first_sides(library) == expected
    # The run that was named can be chosen even beside another base; the engine then refuses it.
    assert side_labels(library, library.find(OTHER_BASE)) == [
        "base", "full", f"adapter of {FIRST}",
    ]  # fmt: skip
    assert first_sides(Library(tmp_path / "empty")) == ["base", "adapter"]


def test_chosen_sides_come_in_the_pages_order_and_are_put_on_the_base(library: Library) -> None:
    engine = engine_of(library.find(FIRST))
    labels = [f"adapter of {SECOND}", "base", "nobody"]
    assert resolve_sides(library, engine, labels) == ["base", f"adapter of {SECOND}"]
    assert engine.added == [SECOND]
    with pytest.raises(UsageError, match="choose at least one side"):
        resolve_sides(library, engine, ["nobody"])
    with pytest.raises(UsageError, match="base: out of memory"):
        resolve_sides(library, engine_of(library.find(FIRST), base="out of memory"), ["base"])
