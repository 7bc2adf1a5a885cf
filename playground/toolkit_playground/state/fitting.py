"""Which views make sense for a run: nobody talks to a classifier, or guesses a summary."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit import Task
from toolkit.errors import ToolkitError
from toolkit.evaluation import human_guesses
from toolkit.kinds import TextModel, model_class
from toolkit.runs import Run
from toolkit_playground.state.any_model import is_free
from toolkit_playground.state.guesses import guessable

FREE = ("compare", "chat")
"""The views of a model without a run."""


def unfitting(run: Run, task: Task, views: Sequence[str] = ()) -> list[str]:
    """The views of which a run's task makes nothing, by their names.

    Args:
        views: all views that there are.
    """
    if is_free(run):
        return [view for view in views if view not in FREE]
    found = []
    if not issubclass(model_class(task), TextModel):
        found += ["chat", "tokens", "step"]
    elif run.info["recipe"].get("lora") is None:  # no adapter that a step could train
        found.append("step")
    try:
        rows = human_guesses.rows(run)
    except ToolkitError:
        return found  # the view says that the run keeps no rows
    if not guessable(task, rows):
        found.append("guess")
    return found
