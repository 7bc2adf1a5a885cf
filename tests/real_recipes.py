"""The recipes of real models that the installed tasks bring."""

from __future__ import annotations

from toolkit import Recipe, Task
from toolkit.models.paths import EMBEDDED
from toolkit.plugins import discovery


def real() -> list[tuple[type[Task], Recipe]]:
    return [
        (task, recipe)
        for _, task in sorted(discovery.load().tasks.items())
        for recipe in task.recipes
        if not recipe.model.startswith(EMBEDDED)
    ]


REAL = real()
NAMES = [f"{task.name}-{recipe.name}" for task, recipe in REAL]
