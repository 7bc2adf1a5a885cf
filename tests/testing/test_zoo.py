"""Each layout of the zoo in one kind of task; ``.ci/campaign/zoo.py`` takes all through all."""

from __future__ import annotations

from pathlib import Path

import pytest

import zoo
from toolkit.testing.layouts import LAYOUTS

pytestmark = pytest.mark.slow

PART = (
    *(
        zoo.Case(name, zoo.fitting(name)[at % len(zoo.fitting(name))])
        for at, name in enumerate(LAYOUTS)
    ),
)
"""One task for each layout, so that every task has its turn."""
HEART = (
    zoo.Case("llama-3-instruct", "plain"),
    zoo.Case("gpt2", "plain"),
    zoo.Case("t5", "seq2seq"),
)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("zoo")


def test_every_layout_and_every_task_are_in_the_part() -> None:
    assert {case.layout for case in PART} == set(LAYOUTS)
    assert {case.task for case in PART} == set(zoo.TASKS)


@pytest.mark.parametrize("case", PART, ids=str)
def test_from_data_to_a_playground_answer(case: zoo.Case, models: Path, tmp_path: Path) -> None:
    assert zoo.through(case, models, tmp_path)


@pytest.mark.parametrize("case", HEART, ids=str)
def test_sixteen_rows_are_learned_by_heart(case: zoo.Case, models: Path, tmp_path: Path) -> None:
    right, unended = zoo.by_heart(case, models, tmp_path)
    assert right >= zoo.ENOUGH and not unended
