"""Store estimates of memory beside the code, so that ``toolkit recipes`` answers at once.

    python -m toolkit.cli.store_estimates

writes ``kept.json`` for the recipes of real models that the installed tasks have. Maintainers of
this project run it after a change to a recipe or to the estimate.
"""

from __future__ import annotations

import json

from toolkit.models.paths import EMBEDDED
from toolkit.preparation.memory.stored import PLACE, compute, key


def main() -> None:
    """Write ``kept.json`` for the recipes of real models of the installed tasks."""
    from toolkit.plugins import discovery, recipes
    from toolkit.runs.files import write_text
    from toolkit.system import environment

    environment.prepare(offline=True)
    found = {
        key(task, recipe, gpu=gpu): compute(task, recipe, gpu=gpu)
        for _, task in sorted(discovery.load().tasks.items())
        for recipe in recipes.of(task)
        if not recipe.model.startswith(EMBEDDED)
        for gpu in (False, True)
    }
    write_text(PLACE, json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
