"""All further systems of a run, one after the other, before the base model is in memory."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.data.no_rows import REASON
from toolkit.evaluation import prediction_files
from toolkit.models.endpoint import Budget
from toolkit.pipeline.ladder import api, models, named
from toolkit.pipeline.ladder.named import Asking, Rung
from toolkit.runs import record, trust
from toolkit.system import distributed
from toolkit.task import Row

if TYPE_CHECKING:
    from toolkit.pipeline.context import RunContext

FEW_SHOT = "-few-shot"


def predict(context: RunContext, shots: Sequence[Row]) -> None:
    """Predict the held-out rows with what ``--system`` names, where that is not done.

    Args:
        context: the run, whose rows are prepared.
        shots: solved examples for few-shot prompts.
    """
    rungs, asking = named.of_run(context.run)
    budget = _budget(context, asking) if rungs else Budget()
    for rung in rungs:
        open_ = _open(context, rung, shots)
        if not open_:
            continue
        if rung.asks:
            trust.check_systems(context.run.info)
            if distributed.first():
                for name, examples in open_.items():
                    api.predict(context, rung, asking, budget, examples, name)
            distributed.wait()
        elif rung.kind == "run":
            models.predict_run(context, rung)
        else:
            models.predict_untouched(context, rung, open_)
        gc.collect()  # the next model needs the memory


def _open(context: RunContext, rung: Rung, shots: Sequence[Row]) -> dict[str, Sequence[Row]]:
    """The systems of a rung that are not predicted yet, each with its solved examples."""
    wanted: dict[str, Sequence[Row]] = {rung.system: ()}
    if rung.kind != "run" and context.model.few_shot:
        name = f"{rung.system}{FEW_SHOT}"
        if shots:
            wanted[name] = shots
        elif distributed.first() and not prediction_files.predicted(context.run, name):
            role = "api" if rung.asks else models.FURTHER
            prediction_files.absent(context.run, name, REASON, role)
    done = distributed.agreed(
        lambda: [name for name in wanted if prediction_files.predicted(context.run, name)]
    )
    return {name: examples for name, examples in wanted.items() if name not in done}


def _budget(context: RunContext, asking: Asking) -> Budget:
    """The cap, less what a run that was stopped has spent before."""
    entries: list[Any] = record.entries(context.run)
    spent = sum(float((entry.get("api") or {}).get("spent") or 0) for entry in entries)
    return Budget(asking.max_cost, spent)
