"""Names: who has said one, and which a teacher has removed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.errors import UsageError
from toolkit_playground.state import roster
from toolkit_playground.state.people import person
from toolkit_playground.state.roster import Person, Roster
from toolkit_playground.state.store import Store, Vote

VOTE = Vote("Ann", False, 3, "in", "prompt", "base", "adapter", "a", "b", "right")


def visitor(login: str | None = None) -> Any:
    return SimpleNamespace(session_hash="s", username=login)


@pytest.fixture
def names(tmp_path: Path) -> Roster:
    return Roster(tmp_path / "people.sqlite")


def test_a_typed_name_is_not_verified_and_a_login_is(names: Roster) -> None:
    assert names.people() == [] and names.removed() == frozenset()
    assert names.join(visitor(), " ann  b") == "ann b" == names.join(visitor(), "ann b")
    assert names.join(visitor("bob"), "somebody else") == "bob"
    assert set(names.people()) == {Person("ann b", False, False), Person("bob", True, False)}
    names.join(visitor(), "bob")  # somebody types it, where no login is asked for
    assert Person("bob", False, False) in names.people()


def test_what_a_removed_name_left_counts_nowhere_until_it_comes_back(names: Roster) -> None:
    store = Store(names.path.parent / "run.sqlite", names)
    store.vote(VOTE)
    store.guess("Ann", 1, 2.0, 1.0)
    store.guess("bob", 1, 3.0, 1.0)
    before = store.stamp()
    names.remove("ann")  # in other letters, and never joined
    assert store.votes() == [] and [guess.voter for guess in store.guesses()] == ["bob"]
    assert store.stamp() != before and store.given() == {"Ann": (1, 1), "bob": (0, 1)}
    with pytest.raises(UsageError, match="the teacher has removed the name “ANN”; type another"):
        names.join(visitor(), "ANN")
    assert names.join(visitor(), "ann two") == "ann two"
    names.bring_back("Ann")
    assert store.votes() == [VOTE] and len(store.guesses()) == 2 and store.stamp() == before
    assert names.join(visitor(), "ANN") == "ANN"


def test_there_is_an_end_to_names(names: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "MOST_NAMES", 2)
    monkeypatch.setattr(roster, "MOST_EVER", 3)
    for name in ("a", "b"):
        names.join(visitor(), name)
    with pytest.raises(UsageError, match="too many names"):
        names.join(visitor(), "c")
    assert names.join(visitor(), "a") == "a"
    names.remove("a")
    names.join(visitor(), "c")
    names.remove("b")
    with pytest.raises(UsageError, match="too many names"):
        names.join(visitor(), "d")


def test_a_name_has_no_characters_that_are_not_seen() -> None:
    assert person(visitor(), "a\u202enn\u200b\x00 \n b") == "ann b"
    assert person(visitor(), "e\u0301") == "é"
    with pytest.raises(UsageError, match="say who you are"):
        person(visitor(), "\u200b\u2066")
