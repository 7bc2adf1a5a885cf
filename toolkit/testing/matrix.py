"""The matrix of a kind: a task of it on each layout of model that transformers has a head for.

What works on one tiny BERT may fail on a model without a pooler, with another padding side or with
tokens that hold their blank. So the author of a kind tries all of them:

    @pytest.mark.parametrize("layout", toolkit.testing.layouts_for(MyTask))
    def test_my_kind(layout, tmp_path):
        toolkit.testing.through(MyTask, layout, tmp_path)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.testing.finished import FinishedRun
from toolkit.testing.finished import run as run_quickly
from toolkit.testing.layouts import LAYOUTS, build_layout

if TYPE_CHECKING:
    from toolkit.task import Task

AGAIN = 8
"""Test rows that are predicted again with the adapter as it was saved."""


def layouts_for(task: type[Task]) -> list[str]:
    """The names of :data:`LAYOUTS` that transformers has a class for, for the task's kind."""
    import transformers

    from toolkit.kinds.registry import model_class
    from toolkit.plugins import discovery

    discovery.load()  # a plugin may bring the task's kind
    mapping: Any = getattr(transformers, model_class(task).auto_class)._model_mapping
    known = set(mapping._model_mapping)  # their names; the mapping itself would import them all
    return [name for name, layout in LAYOUTS.items() if layout.model_type in known]


def through(task: type[Task], layout: str, folder: Path, *, rows: int = 80) -> FinishedRun:
    """Take a task through a run on one layout, then load what was trained and predict again.

    Args:
        task: the task's class; it need not be installed.
        layout: one of :data:`LAYOUTS`.
        folder: for the model and the run.
        rows: rows that are used.

    Raises:
        AssertionError: the run's figures are missing, or the saved adapter answers otherwise than
            it did in the run.
    """
    from toolkit.pipeline.predict import open_run, read
    from toolkit.plugins import discovery
    from toolkit.runs.predictions import same
    from toolkit.runs.run import Run

    model = build_layout(layout, folder / "model")
    finished = run_quickly(task, folder, model=model, limit=rows)
    systems = finished.metrics["systems"]
    trained = next((s for s in ("adapter", "full") if s in systems), None)
    if trained is None or "base" not in systems:
        raise AssertionError(f"{layout}: the run has only {', '.join(systems)}")
    origin = discovery.Plugin(task.name, "under test", "0", task.__module__, [task.name])
    with discovery.load().provided(task, origin):
        run = Run.open(finished.path)
        loaded, kind = open_run(run)
        stored = {
            line["row_id"]: line
            for line in finished.predictions(trained)
            if line["split"] == "test"
        }
        heldout = [row for row in _rows(run) if row["row_id"] in stored][:AGAIN]
        outputs = kind.predict(heldout, adapter=True)
        answers = read(run, loaded, trained, outputs, heldout)
    for row, answer in zip(heldout, answers, strict=True):
        before = stored[row["row_id"]]["prediction"]
        if not same(answer["prediction"], before, 1e-3):
            raise AssertionError(
                f"{layout}: row {row['row_id']} was answered {before!r:.80}, and is answered "
                f"{answer['prediction']!r:.80} by the adapter as it was saved"
            )
    return finished


def _rows(run: Any) -> list[dict[str, Any]]:
    """The run's test rows."""
    from toolkit.runs.files import read_jsonl

    found = read_jsonl(run.data / "heldout.jsonl")
    return [
        {k: v for k, v in row.items() if k != "split"} for row in found if row["split"] == "test"
    ]
