"""The sides that can be compared: the base, the run's adapters, the adapters of other runs."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.errors import UsageError
from toolkit.runs import Run, present_models
from toolkit_playground.state import any_model
from toolkit_playground.state.engine import BASE_LABEL, Engine, trained_label
from toolkit_playground.state.library import Library

ADAPTER_LABEL = "adapter"
OTHER_RUN = "adapter of "
"""How the label of another run's adapter begins; the run's ID follows."""


def own_labels(run: Run | None) -> list[str]:
    """The labels of a run's own two sides: the base, and what was trained."""
    if run and any_model.is_free(run):
        return [BASE_LABEL, *any_model.labels(run)[:1]]
    return [BASE_LABEL, trained_label(run) if run else ADAPTER_LABEL]


def side_labels(library: Library, run: Run) -> list[str]:
    """The labels of all sides that can be chosen."""
    if any_model.is_free(run):
        return [BASE_LABEL, *any_model.labels(run)]
    further = [model.system for model in present_models(run)[1:]]
    others = [f"{OTHER_RUN}{other.id}" for other in library.beside(run)]
    return [*own_labels(run), *further, *others]


def first_sides(library: Library) -> list[str]:
    """The sides of the run that the page opens on; they are there before a session is."""
    key = library.first()
    if key is None:
        return own_labels(None)
    return side_labels(library, library.find(key))


def resolve_sides(library: Library, engine: Engine, labels: Sequence[str]) -> list[str]:
    """The labels in the page's order, once other runs' adapters have been put on the base.

    Raises:
        UsageError: no side is chosen, or one cannot be shown.
    """
    known = side_labels(library, engine.run)
    chosen = [label for label in known if label in set(labels)]
    if not chosen:
        raise UsageError("choose at least one side")
    for label in chosen:
        if label in engine.problems:
            raise UsageError(f"{label}: {engine.problems[label]}")
        if label.startswith(OTHER_RUN):
            engine.add_run(library.find(label.removeprefix(OTHER_RUN)))
    return chosen
