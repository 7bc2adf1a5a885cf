"""Votes and guesses outlive whoever wrote them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

from cli_runner import environment
from toolkit_playground.state.store import Store, Vote

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


def test_the_first_guess_of_a_row_counts(tmp_path: Path) -> None:
    store = Store(tmp_path / "g.sqlite")
    assert store.guesses() == ({}, 0)
    store.guess("me", 7, 10.0, 2.0)
    store.guess("you", 7, 99.0, 50.0)
    store.guess("me", 8, 5.0, 1.5)
    assert store.guesses() == ({7: 10.0, 8: 5.0}, 3.5)
