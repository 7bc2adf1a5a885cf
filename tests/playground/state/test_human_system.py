"""People's guesses as a system of their run: in it from enough rows on, and out of it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from judging_fixtures import make_run
from toolkit.evaluation import human_guesses
from toolkit.runs import predictions
from toolkit.runs.run import Run
from toolkit.task import Task
from toolkit_playground.state import attendance, human_system
from toolkit_playground.state.human_system import HumanSystem, one_each
from toolkit_playground.state.library import Library
from toolkit_playground.state.store import Guess


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Library, Run, Task]:
    run, task = make_run(tmp_path, sizes={"validation": 30, "calibration": 30, "test": 60})
    monkeypatch.setattr(human_system, "load_task", lambda run: task)
    monkeypatch.setattr(human_system, "refresh", lambda run, task: None)
    return Library(run.path.parent.parent), run, task


def test_the_runs_own_system_has_one_guess_a_row_of_somebody(
    made: tuple[Library, Run, Task],
) -> None:
    _, run, _ = made
    given = [Guess(who, row, float(len(who)), 1.0) for row in range(40) for who in ("a", "bb")]
    drawn = one_each(run, given)
    assert drawn == one_each(run, given[::-1]) and sorted(drawn) == list(range(40))
    assert {guess.voter for guess in drawn.values()} == {"a", "bb"}


def test_a_removed_name_leaves_the_system_and_can_come_back(
    made: tuple[Library, Run, Task],
) -> None:
    library, run, _ = made
    rows = list(human_guesses.rows(run))
    for row_id in rows[: human_guesses.ENOUGH]:
        library.store(run).guess("ann", row_id, 7.0, 1.0)
    HumanSystem._write(library, run)

    def guessed() -> int:
        found = {one.name: one for one in predictions.load(run)}
        return len(found["human"].rows()) if "human" in found else 0

    assert guessed() == human_guesses.ENOUGH
    library.roster(run).remove("ann")
    HumanSystem._write(library, run)
    assert guessed() == 0 and not (run.predictions / "human.jsonl").exists()
    HumanSystem._write(library, run)  # it is not there twice
    library.roster(run).bring_back("ann")
    HumanSystem._write(library, run)
    assert guessed() == human_guesses.ENOUGH


def test_a_name_is_removed_from_every_run_beside(made: tuple[Library, Run, Task]) -> None:
    library, run, _ = made
    library.store(run).guess("Ann", 1, 7.0, 1.0)
    updated: list[str] = []

    class Human(HumanSystem):
        def update(self, library: Library, run: Run) -> None:
            updated.append(run.id)

    attendance.change(library, Human(), run, "nobody", removed=True)
    assert updated == []
    before = attendance.stamp(library, run)
    attendance.change(library, Human(), run, "ann", removed=True)
    assert updated == [run.id] and library.store(run).guesses() == []
    assert attendance.stamp(library, run) != before
    people, counts = attendance.people_of(library, run)
    assert {(one.name, one.removed) for one in people} == {("nobody", True), ("ann", True)}
    assert counts == {"ann": 1}
