"""The start of ``toolkit run``: check what can be checked at once, then make the run directory."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from toolkit.data.source import Source
from toolkit.kinds.registry import model_class
from toolkit.models import backend_choice, base_digest
from toolkit.models.paths import is_local
from toolkit.pipeline import inputs
from toolkit.pipeline.ladder import named
from toolkit.plugins import discovery, file_options, fingerprint, recipes
from toolkit.recipe import Recipe
from toolkit.runs import trust
from toolkit.runs.run import Run, runs_folder
from toolkit.system import distributed, environment, secrets
from toolkit.task import Task


def start(
    task: type[Task],
    recipe: Recipe,
    source: Source,
    *,
    runs: Path,
    options: Mapping[str, Any],
    command: Sequence[str] = (),
    further: Mapping[str, Any] = MappingProxyType({}),
) -> Run:
    """Check what can be checked at once, and make the run directory.

    Args:
        task: the class of the task.
        recipe: the resolved recipe.
        source: where the rows come from.
        runs: the folder of all runs.
        options: ``seed``, ``seeds``, ``store_data``, ``allow_truncation``, ``trust_remote_code``,
            ``backend``.
        command: the command line, for the report.
        further: what else ``run.json`` holds from the beginning.

    Returns:
        the run, with no stage done; in several processes the same for all.
    """
    environment.prepare(offline=offline(recipe, source, further))
    # Before anything below imports transformers or TRL: Unsloth, if chosen, rewrites them.
    model = model_class(task)
    backend = backend_choice.choose(str(options.get("backend") or "auto"), recipe, model.backends)
    backend_choice.get(backend.name)
    recipes.check(recipe, model.training_arguments(), task.options, _decoders(task, recipe))
    secrets.refuse({"source": source.as_dict(), "options": options})
    trust.consent(remote_code=bool(options.get("trust_remote_code")))
    trust.has_set(recipes.as_dict(recipe))
    trust.has_named(further)
    origin = discovery.load().origin(task)
    source, recipe = inputs.absolute_source(source), inputs.absolute_recipe(recipe)
    weights = base_digest.of(recipe.model)
    distributed.begin()
    info = {
        "task": task.name,
        "plugin": {
            "distribution": origin.distribution if origin else None,
            "version": origin.version if origin else None,
            "file": origin.file if origin else None,
        },
        "code": fingerprint.of_task(task),
        "command": " ".join(command),
        "source": source.as_dict(),
        "recipe": recipes.as_dict(recipe),
        "backend": {"name": backend.name, "reason": backend.reason},
        "seed": int(options.get("seed", 0)),
        "options": dict(options),
        **({"base_weights": weights} if weights else {}),
        **further,
    }

    def created() -> str:
        found = inputs.identified(source, recipe, origin.file if origin else None)
        return str(Run.create(runs, info | {"inputs": found}).path)

    return Run.open(Path(distributed.agreed(created)))


def requested(
    task: type[Task],
    given: Mapping[str, Any],
    *,
    recipe: str | None,
    model: str | None,
    sets: recipes.Settings,
    flags: Mapping[str, bool],
    runs: Path | None,
    options: Mapping[str, Any],
    command: Sequence[str],
    further: Mapping[str, Any] = MappingProxyType({}),
) -> Run:
    """:func:`start` for what a person asks for, on the command line or in a program.

    Args:
        task: the class of the task.
        given: fields of :class:`Source`; ``None``: not given.
        recipe: a recipe of the task, or a TOML file.
        model: instead of the recipe's.
        sets: settings of the recipe.
        flags: those of :data:`toolkit.plugins.recipes.OPTION_FLAGS` → whether they are given.
        runs: the folder of the runs, as it was given.
        options: as for :func:`start`.
        command: what was typed or called.
        further: as for :func:`start`.
    """
    source = file_options.merged(task, given)
    flagged = recipes.options_of_flags(task, [name for name, on in flags.items() if on])
    chosen = recipes.resolve(task, recipe, sets=sets, model=model)
    return start(
        task, recipes.changed(chosen, flagged), source, runs=runs_folder(runs), options=options,
        command=command, further=further,
    )  # fmt: skip


def _decoders(task: type[Task], recipe: Recipe) -> list[str] | None:
    """The names of the task's decoders; ``None`` where only the data tell."""
    try:
        made = task()
        made.options |= recipe.task
        return list(made.decoders())
    except Exception:  # such as a state that is not fitted yet
        return None


def offline(recipe: Recipe, source: Source, info: Mapping[str, Any]) -> bool:
    """Whether a run needs nothing from the Hugging Face Hub.

    Args:
        recipe: its recipe.
        source: its data.
        info: ``run.json``, or what it will hold of further systems.
    """
    return is_local(recipe.model) and not on_hub(source) and not named.on_hub(info)


def on_hub(source: Source) -> bool:
    """Whether any of the data comes from the Hugging Face Hub."""
    from toolkit.data.readers.read import is_hub_id

    paths = (source.data, source.train, source.validation, source.test)
    return any(path is not None and is_hub_id(path) for path in paths)


def command_line() -> list[str]:
    """The command line as it was typed, for the report; what is written holds no secrets."""
    return ["toolkit", *sys.argv[1:]]
