"""``toolkit run`` and ``toolkit resume``: the stages of a run, in order.

    data → baselines → base → train → predict → score → report

Everything that a stage needs is in the run directory or follows from it. A resumed run therefore
goes through the same list: it uses the results of the stages that are done, and does the others.
Within a stage, what is done follows from what was written: each file appears whole with what is
known of it (a trained model with its ``training.json``, predictions with their entry of
``systems.json``). A run that is killed loses at most the work since the last checkpoint.
"""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from toolkit.errors import BusyError, ToolkitError, WriteError
from toolkit.models import backend_choice
from toolkit.pipeline import inputs
from toolkit.pipeline.context import RunContext
from toolkit.pipeline.ladder import named
from toolkit.pipeline.stages import STAGES, Stage
from toolkit.pipeline.start import offline
from toolkit.runs import lock, record
from toolkit.runs.files import sweep
from toolkit.runs.run import Run
from toolkit.system import distributed, environment
from toolkit.system.console import Console

if TYPE_CHECKING:
    from toolkit.models.backend import Backend


def execute(run: Run, console: Console, loaded_by: Backend | None = None) -> Run:
    """Do all stages of a run that are not done yet.

    Args:
        run: the run directory.
        console: where progress is shown.
        loaded_by: what has the run's model, where it is in memory already.

    Raises:
        BusyError: another process works at it.
    """
    context = RunContext.of(run, console, loaded_by)
    named.of_run(run)  # refused at once where it is not usable
    environment.prepare(offline=offline(context.recipe, context.source, run.info))
    backend_choice.get(context.backend["name"])  # before transformers and TRL, see start()
    distributed.begin()
    with lock.held(run.path, console.warn):
        # What another process has done since the run was opened counts.
        run.info = distributed.agreed(run.reread)
        inputs.check_source(run)
        if distributed.first():
            sweep(run.path)
        for stage in STAGES:
            if stage.shared or distributed.first():
                _do(stage, context)
            if stage.shared:
                distributed.wait()
        if distributed.first():
            shutil.rmtree(run.checkpoints, ignore_errors=True)  # only a resume needs them
    return run


def carry_out(run: Run, console: Console, loaded_by: Backend | None = None) -> Run:
    """:func:`execute` for a new run: one that is refused before its data is ready is removed."""
    try:
        return execute(run, console, loaded_by)
    except (BusyError, WriteError):  # the run is somebody else's, or goes on once there is room
        raise
    except ToolkitError:
        # What is refused before its data is ready has nothing to go on with.
        if distributed.first():
            run.forget()
        raise


def _do(stage: Stage, context: RunContext) -> None:
    """Do a stage; of one that is done, only restore what later stages need in memory."""
    run = context.run
    done = run.done(stage.name)
    work = stage.restore if done else stage.work
    if work is None:
        return
    context.console.heading(stage.heading(context))
    with contextlib.nullcontext() if done else run.stage(stage.name):
        work(context)
        if not done and distributed.first():
            record.stage_ended(run, stage.writes)
