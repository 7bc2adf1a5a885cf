"""``toolkit evaluate``: judge models that were trained elsewhere, without training.

The run directory is that of any other run. Its train stage is replaced: what was trained elsewhere
is taken over in the data stage (:mod:`toolkit.pipeline.adopt`), before anything is predicted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from toolkit.data.source import Source
from toolkit.errors import UsageError
from toolkit.kinds.registry import kind_name, model_class
from toolkit.models import base_digest, foreign
from toolkit.models.foreign import Foreign
from toolkit.models.paths import is_local
from toolkit.pipeline import start as starting
from toolkit.pipeline.ladder import named
from toolkit.plugins import recipes
from toolkit.recipe import Recipe
from toolkit.runs import evaluated, trust
from toolkit.runs.evaluated import Evaluated, EvaluatedModel
from toolkit.runs.run import Run
from toolkit.system import environment
from toolkit.task import Task

NAME = "evaluate"
"""The name of the recipe of a run that trains nothing."""


def source_of(given: Source, *, data: str, train: str | None, validation: str | None) -> Source:
    """The source of an evaluation: ``data`` are the test rows.

    Without training rows the first file stands where those would, and
    :func:`toolkit.preparation.prepare.prepare` takes it for what it is.
    """
    files: dict[str, Any] = {"data": data, "train": None, "validation": None, "test": None}
    if train:
        files = {"data": None, "train": train, "validation": validation, "test": data}
    elif validation:
        files = {"data": None, "train": validation, "validation": None, "test": data}
    return dataclasses.replace(given, **files)


def start(
    task: type[Task],
    names: Sequence[str],
    source: Source,
    *,
    base: str | None,
    untrained: bool,
    runs: Path,
    options: Mapping[str, Any],
    recipe: str | None = None,
    sets: recipes.Settings = (),
    prompt: str | None = None,
    command: Sequence[str] = (),
    further: Mapping[str, Any] = MappingProxyType({}),
) -> Run:
    """Check what can be checked at once, and make the run directory.

    Args:
        task: the class of the task.
        names: folders or Hub ids of what is judged.
        source: where the rows come from, see :func:`source_of`.
        base: the untouched model; ``None``: what the adapters name.
        untrained: whether the source has no training rows.
        runs: the folder of all runs.
        options: as for :func:`toolkit.pipeline.start.start`.
        recipe: a recipe of the task, or a TOML file, for everything but training.
        sets: ``section.field=value``, see :data:`toolkit.plugins.recipes.Settings`.
        prompt: ``task`` or ``adapter``; ``None``: not chosen.
        command: the command line, for the report.
        further: what else ``run.json`` holds from the beginning.

    Raises:
        ModelError: something cannot be judged.
    """
    # The first one is what the run is about; adapters go before whole models there.
    found = sorted((foreign.find(name) for name in names), key=lambda one: one.whole)
    if len({one.folder for one in found}) < len(found):
        raise UsageError("a folder is named twice; name each model once")
    model = foreign.base_of(found, base)
    environment.prepare(
        offline=is_local(model) and not starting.on_hub(source) and not named.on_hub(further)
    )
    kind = model_class(task)
    for one in found:
        foreign.check(one, kind.auto_class, kind.task_type, kind_name(task))
    foreign.require_base(model, found, base)
    for one in found:
        base_digest.check(one.ours, model, one.folder)
    chosen = _recipe(task, found, model, recipe, sets, untrained)
    judged = Evaluated(_models(found), untrained, prompt)
    return starting.start(
        task, chosen, source, runs=runs, command=command,
        options={**options, "backend": "transformers"},
        further={**further, evaluated.KEY: judged.as_dict()},
    )  # fmt: skip


def _models(found: Sequence[Foreign]) -> tuple[EvaluatedModel, ...]:
    """The models with the names of their systems: one by its role, several by their folders."""
    names = foreign.distinct_names(found)
    made = []
    for index, (one, name) in enumerate(zip(found, names, strict=True)):
        role = "full" if one.whole else "adapter"
        made.append(
            EvaluatedModel(
                name=one.name,
                path=str(one.folder),
                system=name if len(found) > 1 else role,
                folder="adapter" if index == 0 else f"adapter-{name}",
                role=role,
            )
        )
    return tuple(made)


def _recipe(
    task: type[Task],
    found: Sequence[Foreign],
    model: str,
    name: str | None,
    sets: recipes.Settings,
    untrained: bool,
) -> Recipe:
    """How the models are loaded and asked: a recipe without what only training needs.

    Of what the toolkit trained itself it is the recipe of its run, where that is beside it.
    """
    own = None if name else _own_recipe(task, found)
    start = own or recipes.resolve(task, name or _fitting(task, model))
    if not own and not name and start.model != model:
        training = {k: v for k, v in start.training.items() if k != "model_init_kwargs"}
        start = dataclasses.replace(start, training=training, quantization=None)
    fields = None if all(one.whole for one in found) else _lora(found)
    start = dataclasses.replace(
        start, name=NAME, summary="judges what was trained elsewhere", model=model, lora=fields,
        early_stopping=None, rows={}, task={**start.task, **_options(task, found, untrained)},
    )  # fmt: skip
    return recipes.changed(start, sets)


def _fitting(task: type[Task], model: str) -> str | None:
    """The task's recipe for a base, if it has one."""
    return next((one.name for one in recipes.of(task) if one.model == model), None)


def _own_recipe(task: type[Task], found: Sequence[Foreign]) -> Recipe | None:
    """The recipe of the run that an adapter lies in, of the same task."""
    for one in found:
        place = one.folder.parent / "run.json"
        if place.is_file() and one.ours.get("task") == task.name:
            run = Run.open(place.parent)
            trust.check_settings(run.info)
            return recipes.from_dict(run.info["recipe"])
    return None


def _lora(found: Sequence[Foreign]) -> dict[str, Any]:
    """The fields of the first adapter's configuration that describe it."""
    config = next(one.config for one in found if not one.whole)
    names = ("r", "lora_alpha", "target_modules")
    return {name: config[name] for name in names if config.get(name) is not None}


def _options(task: type[Task], found: Sequence[Foreign], untrained: bool) -> dict[str, Any]:
    """Options of the task that follow from what is judged."""
    made: dict[str, Any] = {}
    for one in found:
        stored = one.ours.get("task_options")
        if one.ours.get("task") == task.name and isinstance(stored, Mapping):
            made |= {name: value for name, value in stored.items() if name in task.options}
    if untrained and "class_weights" in task.options:
        made["class_weights"] = None  # of training rows, which there are none of
    return made
