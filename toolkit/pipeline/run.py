"""``toolkit run`` and ``toolkit resume``: the stages of a run, in order.

    data → baselines → base → train → predict → score → report

Everything that a stage needs is in the run directory or follows from it. A resumed run therefore
goes through the same list: it uses the results of the stages that are done, and does the others. A
run that is killed loses at most the work since the last checkpoint.
"""

from __future__ import annotations

import contextlib
import shutil

from toolkit.models import backend_choice
from toolkit.models.paths import is_local
from toolkit.pipeline.context import RunContext
from toolkit.pipeline.stages import STAGES, Stage
from toolkit.pipeline.start import on_hub
from toolkit.runs import record
from toolkit.runs.run import Run
from toolkit.system import distributed, environment
from toolkit.system.console import Console


def execute(run: Run, console: Console) -> Run:
    """Do all stages of a run that are not done yet.

    Args:
        run: the run directory.
        console: where progress is shown.
    """
    context = RunContext.of(run, console)
    environment.prepare(offline=is_local(context.recipe.model) and not on_hub(context.source))
    backend_choice.get(context.backend["name"])  # before transformers and TRL, see start()
    distributed.begin()
    run.info = distributed.agreed(lambda: run.info)
    for stage in STAGES:
        if stage.shared or distributed.first():
            _do(stage, context)
        if stage.shared:
            distributed.wait()
    if distributed.first():
        shutil.rmtree(run.checkpoints, ignore_errors=True)  # only a resume needs them
    return run


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
