"""Who takes part in votes and guesses about a run, and what it changes that a name is removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.runs import Run
from toolkit_playground.state.human_system import HumanSystem
from toolkit_playground.state.library import Library
from toolkit_playground.state.roster import Person, key_of


def people_of(library: Library, run: Run) -> tuple[list[Person], Mapping[str, int]]:
    """Everybody who has said a name, and how many votes and guesses about the run they have left.

    Whoever voted before names were noted stands at the end, unverified.
    """
    people, known = library.roster(run).people(), {}
    counts: dict[str, int] = {}
    for person in people:
        known[key_of(person.name)] = person.name
    for name, (votes, guesses) in library.store(run).given().items():
        key = key_of(name)
        if key not in known:
            known[key] = name
            people.append(Person(name, verified=False, removed=False))
        counts[known[key]] = counts.get(known[key], 0) + votes + guesses
    return people, counts


def stamp(library: Library, run: Run) -> tuple[Any, ...]:
    """Something else whenever the board or the list of names is another."""
    return (run.id, library.store(run).stamp(), tuple(library.roster(run).people()))


def change(library: Library, human: HumanSystem, run: Run, name: str, *, removed: bool) -> None:
    """Remove a name or bring it back, also in the system ``human`` of every run beside this one."""
    roster, key = library.roster(run), key_of(name)
    (roster.remove if removed else roster.bring_back)(name)
    for other in library.runs():
        store = library.store(other)
        if store.path.parent == roster.path.parent and any(
            guesses and key_of(voter) == key for voter, (_, guesses) in store.given().items()
        ):
            human.update(library, other)
