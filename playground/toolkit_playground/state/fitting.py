"""Which views make sense for a run: nobody talks to a classifier, or guesses a summary."""

from __future__ import annotations

from toolkit import Task
from toolkit.errors import ToolkitError
from toolkit.evaluation import human_guesses
from toolkit.kinds import TextModel, model_class
from toolkit.runs import Run
from toolkit_playground.state.guesses import guessable


def unfitting(run: Run, task: Task) -> list[str]:
    """The views of which a run's task makes nothing, by their names."""
    found = []
    if not issubclass(model_class(task), TextModel):
        found.append("chat")
    try:
        rows = human_guesses.rows(run)
    except ToolkitError:
        return found  # the view says that the run keeps no rows
    if not guessable(task, rows):
        found.append("guess")
    return found
