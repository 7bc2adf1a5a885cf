"""The people's guesses as a system of their run: written there, or taken out, in the background."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence

from toolkit.evaluation import human_guesses
from toolkit.pipeline import load_task, refresh
from toolkit.runs import Run
from toolkit_playground.state.chart_lock import CHART_LOCK
from toolkit_playground.state.library import Library
from toolkit_playground.state.store import Guess


class HumanSystem:
    """Writes the guesses into the run as its system ``human``, in the background.

    Scoring takes a second or two, which nobody should wait for.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        self.problems: dict[str, Exception] = {}
        """Run's ID → why its last writing failed; the guess itself is kept."""

    def update(self, library: Library, run: Run) -> None:
        """Score the run again with all guesses there are; at most one more update waits."""
        if run.id in self._waiting:  # the update that waits will find this guess too
            return
        self._waiting.add(run.id)
        threading.Thread(
            target=self._work, args=(library, run), name="playground-human-system"
        ).start()

    def _work(self, library: Library, run: Run) -> None:
        with self._lock:
            self._waiting.discard(run.id)
            try:
                self._write(library, run)
            except Exception as error:  # it is shown with the next guess
                self.problems[run.id] = error
            else:
                self.problems.pop(run.id, None)

    @staticmethod
    def _write(library: Library, run: Run) -> None:
        """Guesses into the run, the run into its report."""
        drawn, task = one_each(run, library.store(run).guesses()), load_task(run)
        if len(drawn) >= human_guesses.ENOUGH:
            given = {row_id: guess.guess for row_id, guess in drawn.items()}
            human_guesses.add(run, task, given, sum(guess.seconds for guess in drawn.values()))
        elif not human_guesses.remove(run):  # after a name was removed, too few may be left
            return
        with CHART_LOCK:
            refresh(run, task)


def one_each(run: Run, guesses: Sequence[Guess]) -> dict[int, Guess]:
    """One guess for each row, of somebody drawn among the people who guessed it.

    A system has one answer to a row. Drawn so, its figure estimates that of the people's mean,
    where the mean of their guesses would be a crowd that is better than its members.
    """
    rows: dict[int, list[Guess]] = {}
    for guess in guesses:
        rows.setdefault(guess.row_id, []).append(guess)
    return {
        row_id: random.Random(f"{run.info['seed']} {row_id}").choice(
            sorted(found, key=lambda guess: guess.voter)
        )
        for row_id, found in rows.items()
    }  # fmt: skip
