"""Runs that go on with other code of their task: all stored values are computed again by it.

A metric that is mended while a run stands still would otherwise leave old values beside new ones.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

from toolkit.evaluation.recompute import Recomputed, Rows, recompute
from toolkit.plugins import fingerprint
from toolkit.runs import record
from toolkit.runs.run import Run
from toolkit.task import Task

Say = Callable[[str], None]


def changed(run: Run, task: Task) -> str:
    """What differs between the task's code and that which the run has values of; empty: nothing.

    Of runs of earlier versions, which keep no fingerprint, nothing is known.
    """
    then = run.info.get("code")
    return fingerprint.difference(then, fingerprint.of_task(type(task))) if then else ""


def on_resume(run: Run, task: Task, rows: Rows, say: Say) -> None:
    """Compute all stored values again where the task's code has changed since they were stored.

    Scoring and the report are done again. A training that is not finished starts anew, because its
    checkpoints were judged by the earlier code; a finished one is kept.

    Args:
        run: the run, whose data stage is done.
        task: its task, with its options and state.
        rows: its held-out rows.
        say: gets one line that says what was done.
    """
    difference = changed(run, task)
    if not difference and (run.finished or "code" in run.info):
        return
    kept = []
    if run.done("train"):
        kept.append("the trained model is kept, whose checkpoint the earlier code has chosen")
    elif run.checkpoints.is_dir():
        shutil.rmtree(run.checkpoints)
        kept.append("training starts anew")
    done = _recompute(run, task, rows)
    for stage in ("score", "report"):
        if run.done(stage):
            run.info["stages"][stage]["state"] = "stopped"
    run.save()
    if difference:
        say(_sentence(difference, done, kept))


def on_report(run: Run, task: Task, rows: Rows, say: Say) -> None:
    """Compute all stored values again where the task's code has changed since they were stored."""
    if difference := changed(run, task):
        done = _recompute(run, task, rows)
        say(_sentence(difference, done, ["the trained model is kept"]))


def score_unscored(run: Run, task: Task, rows: Callable[[], Rows]) -> None:
    """Score answers that could not be scored when they were predicted; see ``unscored``.

    Args:
        run: the run.
        task: its task, with its options and state.
        rows: gives its held-out rows.

    Raises:
        PluginError: the task's code still raises an exception.
    """
    if any(entry.get("unscored") for entry in record.entries(run)):
        _recompute(run, task, rows())


def _recompute(run: Run, task: Task, rows: Rows) -> Recomputed:
    contents, done = recompute(run, task, rows, task.options.get("decoder"))
    before = run.info.get("code")
    record.replace(run, contents)
    run.info["code"] = fingerprint.of_task(type(task))
    if before:
        run.info["code"]["earlier"] = [
            *before.get("earlier", []), {k: v for k, v in before.items() if k != "earlier"}
        ]  # fmt: skip
    run.save()
    return done


def _sentence(difference: str, done: Recomputed, kept: list[str]) -> str:
    what = [done.sentence()] if done.lines else []
    return f"the task's code has changed ({difference}); {'; '.join([*what, *kept])}".rstrip("; ")
