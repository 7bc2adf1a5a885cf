"""What the stages of a run share: the run directory, the task, the recipe, the model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from toolkit.data.source import Source
from toolkit.formatting import duration
from toolkit.models import backend_choice
from toolkit.pipeline.restore import load_task, make_kind
from toolkit.plugins import recipes
from toolkit.recipe import Recipe
from toolkit.runs import evaluated, trust
from toolkit.runs.evaluated import Evaluated, TrainedModel, of_seed
from toolkit.runs.run import Run
from toolkit.system.console import Console
from toolkit.task import Task

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel
    from toolkit.models.backend import Backend
    from toolkit.preparation.prepare import Prepared


@dataclass
class RunContext:
    """A run whose stages are being done.

    Args:
        run: the run directory.
        task: its task, with the options of the recipe and, once it is fitted, its state.
        source: where the rows come from.
        recipe: the resolved recipe.
        console: where progress is shown.
        loaded_by: what has the model, where it is in memory already; ``None``: the run's backend.
        prepared: the rows in their splits; set by the first stage.
    """

    run: Run
    task: Task
    source: Source
    recipe: Recipe
    console: Console
    loaded_by: Backend | None = None
    prepared: Prepared = field(init=False)

    @classmethod
    def of(cls, run: Run, console: Console, loaded_by: Backend | None = None) -> RunContext:
        """The context of a run directory."""
        trust.check_settings(run.info)
        return cls(
            run=run,
            task=load_task(run),
            source=Source.from_dict(run.info["source"]),
            recipe=recipes.from_dict(run.info["recipe"]),
            console=console,
            loaded_by=loaded_by,
        )

    @cached_property
    def model(self) -> TaskModel:
        """The run's model, created when a stage first needs it; its weights are loaded later."""
        return make_kind(
            self.run, self.task, self.loaded_by or backend_choice.get(self.backend["name"])
        )

    @property
    def backend(self) -> dict[str, str]:
        """``name`` and ``reason`` of the run's backend; transformers if an older run has none."""
        default = {"name": backend_choice.TRANSFORMERS, "reason": "the run names none"}
        return dict(self.run.info.get("backend") or default)

    @property
    def seed(self) -> int:
        """The random seed of splits, initial weights and the order of rows."""
        return int(self.run.info["seed"])

    @property
    def seeds(self) -> int:
        """How many times the model is trained, each time with another random seed."""
        return int(self.run.info.get("options", {}).get("seeds", 1))

    @property
    def evaluated(self) -> Evaluated | None:
        """What was trained elsewhere and is judged in this run; ``None``: the run trains itself."""
        return evaluated.of(self.run)

    @property
    def trained(self) -> list[TrainedModel]:
        """The trained models of the run: one for each seed, or those that are judged."""
        return evaluated.trained_models(self.run)

    @property
    def decoder(self) -> str | None:
        """The decoder that the recipe names; ``None`` or ``auto``: the best on validation."""
        return self.task.options.get("decoder")

    def note_result(self, entry: Mapping[str, Any], label: str, seconds: float) -> None:
        """Print a system's primary metric on the validation rows, and how long it took."""
        metric = self.task.metric()
        if math.isnan(entry["validation"]) and not len(self.prepared.splits["validation"]):
            self.console.note(f"{label}: {duration(seconds)}")
            return
        figure = format(entry["validation"], metric.format)
        self.console.note(
            f"{label}: {metric.name} {figure}{metric.unit} on validation, {duration(seconds)}"
        )


def adapter_name(index: int) -> str:
    """The folder of the model trained with a seed: ``adapter``, or ``adapter-seed-1`` and so on."""
    return of_seed("adapter", index)
