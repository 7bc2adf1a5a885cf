"""What is kept: each owner's own, seen by others only where it was shared."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from toolkit.errors import UsageError
from toolkit_playground.state import kept
from toolkit_playground.state.kept import Shelf, owner_of
from toolkit_playground.state.store import Store

ANN, BOB = "browser a", "browser b"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(Store(tmp_path / "run.sqlite"), "conversation")


def test_it_is_kept_listed_and_kept_on(shelf: Shelf) -> None:
    assert shelf.mine(ANN) == []
    assert shelf.keep("1", ANN, "  first \n words ", {"turns": ["a"]})
    assert shelf.keep("2", ANN, "second", {"turns": []})
    assert shelf.keep("1", ANN, "other", {"turns": ["a", "b"]})
    first, second = shelf.mine(ANN)
    assert (first.id, first.name, first.content) == ("1", "first words", {"turns": ["a", "b"]})
    assert second.name == "second" and not first.shared


def test_nobody_else_sees_or_changes_it_until_it_is_shared(shelf: Shelf) -> None:
    shelf.keep("1", ANN, "mine", {"said": "secret"})
    assert shelf.mine(BOB) == [] and shelf.mine(None) == []
    for other in (BOB, None, ""):
        with pytest.raises(UsageError, match="no conversation at this address"):
            shelf.open("1", other)
        for change in (
            lambda who: shelf.rename("1", who, "x"),
            lambda who: shelf.share("1", who, True),
            lambda who: shelf.delete("1", who),
        ):
            with pytest.raises(UsageError, match="not yours"):
                change(other)
    assert not shelf.keep("1", BOB, "x", {"said": "overwritten"})
    assert shelf.open("1", ANN).content == {"said": "secret"}
    shelf.share("1", ANN, True)
    assert shelf.open("1", BOB).content == {"said": "secret"} and shelf.open("1", None)
    with pytest.raises(UsageError, match="not yours"):
        shelf.rename("1", BOB, "x")
    shelf.share("1", ANN, False)
    with pytest.raises(UsageError):
        shelf.open("1", BOB)


def test_it_is_named_and_deleted(shelf: Shelf) -> None:
    shelf.keep("1", ANN, "a", {})
    shelf.rename("1", ANN, "b " * 200)
    assert shelf.open("1", ANN).name.startswith("b b") and len(shelf.open("1", ANN).name) <= 120
    shelf.rename("1", ANN, "  ")
    assert shelf.open("1", ANN).name == "without a name"
    shelf.delete("1", ANN)
    assert shelf.mine(ANN) == []
    with pytest.raises(UsageError, match="no conversation"):
        shelf.open("1", ANN)


def test_kinds_stand_apart_and_old_ones_go(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 3)
    Shelf(shelf.store, "comparison").keep("c", ANN, "c", {})
    for number in range(5):
        shelf.keep(str(number), ANN, "n", {})
    assert [one.id for one in shelf.mine(ANN)] == ["4", "3", "2"]
    with pytest.raises(UsageError):
        shelf.open("c", ANN)
    assert Shelf(shelf.store, "comparison").mine(ANN)


def test_what_is_too_long_is_not_kept(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "LARGEST", 10)
    assert not shelf.keep("1", ANN, "a", {"text": "x" * 20}) and shelf.mine(ANN) == []


def test_an_owner_is_a_login_or_a_browsers_secret() -> None:
    secret = "0123456789abcdef" * 2
    found = owner_of(None, secret)
    assert found is not None and secret not in found and found == owner_of(None, secret)
    ann = SimpleNamespace(username="ann", session_hash="s")
    assert owner_of(ann, secret) == "login ann"
    for odd in ("", None, "ann", secret.upper(), secret + "\n", secret[:-1]):
        assert owner_of(None, odd) is None
