"""A process of a sweep whose trainings are a formula: ``python sweep_process.py FOLDER URL N``."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from toolkit import Recipe
from toolkit.system import Console
from toolkit_search import searching, study
from toolkit_search.space import Values


@dataclass(frozen=True)
class Tried:
    """As that of :mod:`toolkit.pipeline.tuning`, which imports model libraries."""

    value: float
    seconds: float
    steps: int
    planned: int


SPACE = {
    "training.learning_rate": Values(low=1e-5, high=1e-1, log=True),
    "lora.r": Values(choices=(4, 8, 16)),
}
RECIPE = Recipe(
    "r", "", "m", training={"learning_rate": 1e-5}, lora={"r": 8}
)  # a hundredth of the best rate


def error(recipe: Recipe) -> float:
    """An error that is least at a learning rate of 1e-3 and a rank of 16."""
    rate, rank = float(recipe.training["learning_rate"]), int((recipe.lora or {})["r"])
    return 10 + 5 * (math.log10(rate) + 3) ** 2 + 8 / rank


class Formula(searching.Search):
    """A search that trains nothing."""

    seconds = 0.0

    def _trained(self, trial: Any, recipe: Recipe) -> Any:
        value = error(recipe)
        pruned = study.optuna_module().TrialPruned
        for number in (1, 2, 3):
            trial.report(value * (1 + 1 / number), number)
            time.sleep(self.seconds / 3)
            if trial.should_prune():
                raise pruned
        return Tried(value, 1.0, 3, 3)


def search(folder: Path, url: str | None, trials: int, seconds: float = 0.0) -> Formula:
    """A search in a folder, or in a database."""
    opened = study.opened(folder, url, "formula", maximize=False, seed=0)
    plan: Any = SimpleNamespace(task=SimpleNamespace(options={}))  # nothing is run
    made = Formula(
        plan, RECIPE, SPACE, opened, searching.Limits(trials), Console(quiet=True), folder / "x"
    )
    made.seconds = seconds
    return made


if __name__ == "__main__":
    place, address, number, each = sys.argv[1:]
    print("begun", flush=True)
    print(search(Path(place), address or None, int(number), float(each)).run(), flush=True)
