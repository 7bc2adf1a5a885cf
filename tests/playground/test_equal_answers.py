"""One answer and one winner, whoever is asked: the campaign in short, a dozen rows of two kinds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio", reason="the extra 'playground' brings gradio")

import equal_answers
from equal_answers import Answered, Asked, Side, differences, name_of
from playground_site import serving
from toolkit import cli

ROWS = 6
"""Rows of each split."""


@pytest.fixture
def toolkit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Calls the command in this process, which has the heavy libraries already."""

    def call(folder: Path, *arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["toolkit", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert stopped.value.code in (0, None)

    return call


@pytest.fixture(scope="module")
def runs(played: Path, played_notes: Path) -> dict[str, Asked]:
    """A run with numbers and one with texts."""
    return {
        name: equal_answers.asked(folder, ROWS)
        for name, folder in (("price", played), ("text", played_notes))
    }


@pytest.fixture(scope="module")
def site(runs: dict[str, Asked], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folders = [str(of.run.path) for of in runs.values()]
    with serving(tmp_path_factory.mktemp("equal"), *folders) as (url, _):
        yield url


@pytest.mark.slow
@pytest.mark.parametrize("name", ["price", "text"])
def test_all_give_the_same_answer_and_the_same_winner(
    name: str, runs: dict[str, Asked], site: str, tmp_path: Path, toolkit: Callable[..., None]
) -> None:
    of = runs[name]
    ways = {
        "report": equal_answers.stored(of),
        "compare": equal_answers.told(of, site, "/compare"),
        "prediction": equal_answers.told(of, site, "/prediction"),
        "page": equal_answers.seen(of),
        "predict": equal_answers.predicted(of, tmp_path, toolkit),
    }
    assert len(of.rows) == 2 * ROWS and differences(of, ways) == []


def test_a_difference_is_told(runs: dict[str, Asked]) -> None:
    of = runs["price"]
    first = name_of(of.rows[0])
    mine: dict[str, Answered] = equal_answers.stored(of)
    sides: dict[str, Any] = dict(mine[first].sides)
    sides["base"] = Side(sides["base"].prediction + 1, sides["base"].raw)
    other = {**mine, first: Answered(sides, "nobody knows")}
    answer, winner = differences(of, {"one": mine, "two": other})
    assert first in answer and "base" in answer and "answers" in answer
    assert "winners" in winner and "nobody knows" in winner
    texts = {**mine, first: Answered({**sides, "base": Side(raw="said")}, mine[first].winner)}
    (raw,) = differences(of, {"one": mine, "two": texts})
    assert "raw text" in raw
    assert equal_answers.read(equal_answers.written(mine)) == mine
