"""Votes and guesses outlive whoever wrote them."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

from cli_runner import environment
from toolkit_playground.state.store import ADDED, Guess, Store, Vote

VOTE = Vote("me", False, 3, "in", "prompt", "base", "adapter", "a", "b", "right")
WRITER = """
import sys
from pathlib import Path
from toolkit_playground.state.store import Store, Vote
store = Store(Path(sys.argv[1]))
for i in range(10_000):
    store.vote(Vote("me", False, i, "in", "prompt", "base", "adapter", "a", "b", "right"))
    print(i, flush=True)
"""


def test_no_vote_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    place = tmp_path / "votes.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(place)], stdout=subprocess.PIPE, text=True,
        env=environment(),
    )  # fmt: skip
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(40)]
    process.send_signal(signal.SIGKILL)
    told += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    kept = [vote.row_id for vote in Store(place).votes()]
    assert kept[: len(told)] == list(range(len(told))) and len(kept) <= len(told) + 1


def test_many_sessions_write_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "votes.sqlite")

    def write() -> None:
        for _ in range(10):
            store.vote(VOTE)

    threads = [threading.Thread(target=write) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.votes() == [VOTE] * 50


def test_each_persons_first_guess_of_a_row_counts(tmp_path: Path) -> None:
    store = Store(tmp_path / "g.sqlite")
    assert store.guesses() == []
    store.guess("me", 7, 10.0, 2.0)
    store.guess("you", 7, 99.0, 50.0)
    store.guess("me", 8, 5.0, 1.5)
    store.guess("me", 7, 11.0, 1.0)
    assert store.guesses() == [
        Guess("me", 7, 10.0, 2.0), Guess("you", 7, 99.0, 50.0), Guess("me", 8, 5.0, 1.5),
    ]  # fmt: skip


def test_votes_of_an_earlier_version_are_read_and_added_to(tmp_path: Path) -> None:
    place = tmp_path / "votes.sqlite"
    Store(place).vote(VOTE)
    with sqlite3.connect(place) as connection:
        for name in ADDED:
            connection.execute(f"ALTER TABLE votes DROP COLUMN {name}")
    connection.close()
    later = replace(VOTE, split="train", example='"cup"', written=True, left_cut=True)
    Store(place).vote(later)
    assert Store(place).votes() == [VOTE, later]
