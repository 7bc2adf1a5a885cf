"""People who guess: each in an order of their own, and each with a figure of their own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from judging_fixtures import make_run
from toolkit.errors import UsageError
from toolkit.evaluation import human_guesses
from toolkit.runs.run import Run
from toolkit_playground.rendering import guesses as rendering
from toolkit_playground.state import guesses
from toolkit_playground.state.guesses import FEW, PERSON, next_question, standing
from toolkit_playground.state.library import Library
from toolkit_playground.state.people import person


@pytest.fixture
def classroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Library, Run]:
    """A run without guesses."""
    run, task = make_run(tmp_path, sizes={"validation": 30, "calibration": 30, "test": 60})
    monkeypatch.setattr(guesses, "load_task", lambda run: task)
    return Library(tmp_path), run


def visitor(login: str | None) -> Any:
    return SimpleNamespace(session_hash="s", username=login)


def test_a_login_or_a_name_is_a_person_and_a_session_is_nobody() -> None:
    assert person(visitor("ann"), "somebody else") == "ann"
    assert person(visitor(None), "  bob   b ") == "bob b" and person(None, "x" * 99) == "x" * 80
    for name in (None, "", "   "):
        with pytest.raises(UsageError, match="say who you are"):
            person(visitor(None), name)


def test_each_person_has_an_order_of_their_own(classroom: tuple[Library, Run]) -> None:
    library, run = classroom
    store = library.store(run)

    def asked(voter: str) -> list[int]:
        seen = []
        while (question := next_question(library, run, voter)) is not None:
            store.guess(voter, question.row_id, 1.0, 1.0)
            seen.append(question.row_id)
        return seen

    ann, bob = asked("ann"), asked("bob")
    assert sorted(ann) == sorted(bob) == sorted(human_guesses.rows(run)) and ann != bob


def test_the_table_has_each_person_the_whole_class_and_its_best(
    classroom: tuple[Library, Run],
) -> None:
    library, run = classroom
    store, rows = library.store(run), human_guesses.rows(run)
    task = guesses.load_task(run)
    off = {"ann": 1.0, "bob": 5.0, "cy": 2.0}
    for voter, count in (("ann", PERSON), ("bob", PERSON + 4), ("cy", PERSON - 1)):
        for row_id in list(rows)[:count]:
            store.guess(voter, row_id, task.reference(rows[row_id]) + off[voter], 1.0)
    found = standing(library, run, "cy")
    assert found is not None and (found.people, found.mine) == (3, PERSON - 1)
    lines = {line.name: line for line in found.lines}
    value = {name: found.metric.value(list(line.values)) for name, line in lines.items()}
    assert value["ann"] == pytest.approx(1.0) and lines["ann"].kind == "best"
    assert value["bob"] == pytest.approx(5.0) and lines["bob"].kind == "person"
    assert len(lines["cy"].values) == PERSON - 1  # they see their own line, others do not
    other = standing(library, run, "ann")
    assert other is not None and "cy" not in {line.name for line in other.lines}
    everybody = lines["all people"]
    assert len(everybody.values) == 3 * PERSON + 3 and everybody.groups is not None
    assert len(set(everybody.groups)) <= PERSON + 4  # guesses on one row are not independent
    shown = rendering.standing(found)
    assert "ann (the best)" in shown and "all people" in shown and "too few yet" not in shown


def test_a_board_has_lines_sooner_and_names_who_has_begun(classroom: tuple[Library, Run]) -> None:
    library, run = classroom
    store, rows = library.store(run), human_guesses.rows(run)
    for voter, count in (("ann", FEW), ("bob", FEW - 1)):
        for row_id in list(rows)[:count]:
            store.guess(voter, row_id, 1.0, 1.0)
    found = standing(library, run, None, FEW)
    assert found is not None and found.begun == {"bob": FEW - 1}
    assert [line.name for line in found.lines if line.kind == "person"] == ["ann"]
    library.roster(run).remove("Ann")
    found = standing(library, run, None, FEW)
    assert found is not None and found.people == 1 and len(found.lines[-1].values) != FEW
