"""Recipes: built in, from a TOML file, changed by ``--set section.field=value``.

A recipe names the upstream libraries' own fields. They are checked against the installed versions'
classes, so that a misspelt field is refused and never ignored.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from toolkit.errors import RecipeError, UsageError, did_you_mean
from toolkit.formatting import is_number
from toolkit.kinds.causal_lm import smollm2
from toolkit.kinds.causal_lm.task import EMBEDDED, CausalLMTask
from toolkit.kinds.registry import kind_name
from toolkit.models import packaged
from toolkit.plugins import recipe_values, setting_types
from toolkit.recipe import COST_FIELDS, CURATION_FIELDS, NOT_CURATED, Recipe
from toolkit.system import secrets
from toolkit.task import Task

SECTIONS = (
    "training", "lora", "quantization", "generation", "early_stopping", "task", "cost", "rows",
    "curation",
)  # fmt: skip
OURS = {
    "output_dir": "the run directory decides it (--runs)",
    "seed": "use --seed",
    "data_seed": "use --seed",
    "use_cpu": "the machine decides it",
    "resume_from_checkpoint": "use toolkit resume",
    "metric_for_best_model": "the task's primary metric decides it",
    "greater_is_better": "the task's primary metric decides it",
    "load_best_model_at_end": "the best checkpoint on the validation split is always taken",
    "dataset_kwargs": "rows are tokenized by the toolkit's own renderer",
    "disable_tqdm": "the toolkit shows the progress",
}

OPTION_FLAGS: Mapping[str, str] = {"--mask-target": "mask_target", "--mend": "repair"}
"""Flags of the command line that stand for an option of the task."""

Settings = Iterable[str] | Mapping[str, Any]
"""What is set: texts ``section.field=value`` as ``--set`` has them, or the same as a mapping with
Python's values, ``{"section.field": value}`` or ``{"section": {"field": value}}``."""

_BARE_FLOAT = re.compile(r"[-+]?(\d+\.|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
"""Numbers that people write but TOML does not allow: ``.5`` and ``5.``"""


def resolve(
    task: type[Task],
    recipe: str | None = None,
    *,
    sets: Settings = (),
    model: str | None = None,
) -> Recipe:
    """The recipe a run will use; fields are checked by :func:`check`.

    Args:
        task: the task class with its recipes; the first one is the default.
        recipe: a name, or a TOML file with ``model`` and the sections.
        sets: ``section.field=value``, values in TOML's notation (bare words are strings), or what
            :data:`Settings` says.
        model: overrides the recipe's model. Where no recipe is named, and the default is the one
            for the embedded model, a recipe of the model's name is taken instead.

    Raises:
        RecipeError: there is no such recipe or section, or a file cannot be read.
        UsageError: an item of ``sets`` is not of that form.
    """
    if recipe is None and model in packaged.NAMES and task.recipes[0].name == EMBEDDED.name:
        recipe = next((one.name for one in of(task) if one.name == model), None)
    found = _named(task, recipe)
    if model:
        found = dataclasses.replace(found, model=model)
    return changed(found, sets)


def of(task: type[Task]) -> tuple[Recipe, ...]:
    """The recipes of a task, and those that every task of its kind has.

    A causal-LM task that names no recipe for SmolLM2 gets the kind's, with the prompts and answers
    of its own first one.
    """
    named = {one.name for one in task.recipes}
    if kind_name(task) != CausalLMTask.kind or smollm2.SMOLLM2.name in named:
        return tuple(task.recipes)
    first = task.recipes[0]
    own = smollm2.smollm2_recipe(
        generation=first.generation, task=first.task,
        training={n: first.training[n] for n in ("max_length",) if n in first.training},
    )  # fmt: skip
    return (*task.recipes, own)


def changed(recipe: Recipe, sets: Settings) -> Recipe:
    """A recipe with some fields set, see :func:`resolve`."""
    for key, value, said in assignments(sets):
        recipe = _with(recipe, key, value, said)
    return recipe


def assignments(sets: Settings) -> list[tuple[str, Any, str]]:
    """What is set: ``section.field``, its value, and how errors call the assignment.

    Raises:
        UsageError: a text has no ``=``, or a key is not of that form.
    """
    if not isinstance(sets, Mapping):
        return [_typed(item) for item in sets]
    found = []
    for name, value in sets.items():
        if not isinstance(name, str) or (("." not in name) and not isinstance(value, Mapping)):
            raise UsageError(
                f"settings[{name!r}] = {value!r:.80}: name section.field, such as "
                "{'lora.r': 32} or {'lora': {'r': 32}}"
            )
        fields = {name: value} if "." in name else {f"{name}.{f}": v for f, v in value.items()}
        found += [(key, _plain(each), f"settings {key!r}") for key, each in fields.items()]
    return found


def _typed(item: str) -> tuple[str, Any, str]:
    """An assignment of the command line."""
    key, equals, raw = item.partition("=")
    if not equals:
        raise UsageError(f"--set {item!r}: write section.field=value, such as lora.r=32")
    return key.strip(), _value(raw.strip()), f"--set {item!r}"


def _plain(value: Any) -> Any:
    """A value of a program as a run stores it: numpy's numbers, tuples and paths have no JSON."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Path):
        return str(value)
    return value.item() if hasattr(value, "item") and hasattr(value, "dtype") else value


def options_of_flags(task: type[Task], flags: Iterable[str]) -> list[str]:
    """What :func:`resolve` takes as ``sets`` for flags that stand for an option of the task.

    Args:
        task: the task that is run.
        flags: those of :data:`OPTION_FLAGS` that were given.

    Raises:
        UsageError: the task does not have the option of a flag.
    """
    sets = []
    for flag in flags:
        option = OPTION_FLAGS[flag]
        if option not in task.options:
            raise UsageError(
                f"{flag} sets the option task.{option}, which the task {task.name!r} does not have"
            )
        sets.append(f"task.{option}=true")
    return sets


def _named(task: type[Task], recipe: str | None, within: tuple[Path, ...] = ()) -> Recipe:
    """A recipe by name or file; ``within`` are the files whose ``base`` led here."""
    if recipe is None:
        return task.recipes[0]
    names = {r.name: r for r in of(task)}
    if recipe in names:
        return names[recipe]
    if recipe.endswith(".toml") or Path(recipe).is_file():
        return _from_file(task, Path(recipe), within)
    raise RecipeError(
        f"{task.name} has no recipe {recipe!r}{did_you_mean(recipe, names)}; it has "
        f"{', '.join(names)}, or give a TOML file"
    )


def _from_file(task: type[Task], path: Path, within: tuple[Path, ...]) -> Recipe:
    if path.resolve() in within:
        raise RecipeError(f"{path} is its own base; name a recipe of {task.name} as the base")
    within = (*within, path.resolve())
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise RecipeError(f"no recipe file {path}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{path} is not a readable TOML file: {error}") from error
    content.setdefault("name", path.stem)
    return from_content(task, content, str(path), within)


def from_content(
    task: type[Task], content: dict[str, Any], path: str, within: tuple[Path, ...] = ()
) -> Recipe:
    """A recipe from the content of a TOML file.

    Args:
        task: its recipes can be the base.
        content: ``name``, ``base`` or ``model``, ``summary`` and the sections.
        path: names the file, or the place in it, in error messages.
        within: files whose ``base`` led here.

    Raises:
        RecipeError: a key, a type, the base or the model is missing or wrong.
    """
    known = ("base", "name", "summary", "model", *SECTIONS)
    for key in content:
        if key not in known:
            raise RecipeError(f"{path}: unknown key {key!r}{did_you_mean(key, known)}")
    for key in ("base", "name", "summary", "model"):
        if not isinstance(content.get(key, ""), str):
            raise RecipeError(f"{path}: {key} must be a text in quotes, not {content[key]!r}")
    start = _named(task, content.pop("base"), within) if "base" in content else None
    if start is None and "model" not in content:
        raise RecipeError(f"{path} names neither a model nor a base recipe")
    found = start or Recipe(name=content["name"], summary="", model="")
    merged: dict[str, Any] = {}
    for section in SECTIONS:
        if section in content:
            value = content.pop(section)
            if not isinstance(value, dict):
                raise RecipeError(f"{path}: [{section}] must be a table")
            merged[section] = {**(getattr(found, section) or {}), **value}
    return dataclasses.replace(found, **content, **merged)


def _with(recipe: Recipe, key: str, value: Any, said: str) -> Recipe:
    """A recipe with one ``section.field`` set to a value; ``said`` is how errors call it."""
    section, dot, field = key.partition(".")
    if not dot or not field:
        raise UsageError(f"{said}: write section.field=value, such as lora.r=32")
    if section not in SECTIONS:
        raise RecipeError(
            f"{said}: no section {section!r}{did_you_mean(section, SECTIONS)}; there are "
            f"{', '.join(SECTIONS)}"
        )
    values = dict(getattr(recipe, section) or {})
    target = values
    *parents, last = field.split(".")
    for parent in parents:
        held = target.get(parent)
        if held is not None and not isinstance(held, Mapping):
            raise RecipeError(f"{said}: {parent} is {held!r} and has no fields")
        inner = dict(held or {})
        target[parent] = inner
        target = inner
    target[last] = value
    changed: dict[str, Any] = {section: values}
    return dataclasses.replace(recipe, **changed)


def _value(raw: str) -> Any:
    if raw.lower() in ("none", "null"):
        return None
    try:
        return tomllib.loads(f"v = {raw}")["v"]
    except tomllib.TOMLDecodeError:
        if _BARE_FLOAT.fullmatch(raw):
            return float(raw)
        return {"True": True, "False": False}.get(raw, raw)


def check(
    recipe: Recipe,
    arguments: type,
    options: Mapping[str, Any],
    decoders: Iterable[str] | None = None,
) -> None:
    """Refuse fields and values the installed libraries do not take; imports peft and transformers.

    Args:
        recipe: what to check.
        arguments: the kind's training-arguments dataclass.
        options: the task's own options with their defaults.
        decoders: the names of the task's decoders; ``None``: they are not known yet.

    Raises:
        RecipeError: naming the field, and the nearest one that exists, or what its values are.
        UsageError: a field holds a secret.
    """
    for section in SECTIONS:
        setting_types.check_plain(section, getattr(recipe, section) or {})
    _check_names(recipe, arguments, options)
    if recipe.training.get("eval_strategy") == "no":
        raise RecipeError(
            "training.eval_strategy cannot be 'no': the checkpoint that is kept is the one with "
            "the best score; take steps or epoch"
        )
    _check_values(recipe, arguments, options, decoders)
    strategy = recipe.training.get("packing_strategy", "bfd")
    if recipe.training.get("packing") and strategy != "bfd":
        raise RecipeError(
            f"training.packing_strategy is {strategy!r}, which cuts rows or mixes them; take 'bfd'"
        )


def _check_values(
    recipe: Recipe, arguments: type, options: Mapping[str, Any], decoders: Iterable[str] | None
) -> None:
    """Refuse values of other types or ranges, and those that a library's configuration refuses."""
    recipe_values.check_training(arguments, recipe.training)
    recipe_values.check_lora(recipe.lora or {})
    recipe_values.check_quantization(recipe.quantization or {})
    recipe_values.check_generation(recipe.generation)
    recipe_values.check_stopping(recipe.early_stopping or {})
    recipe_values.check_costs(recipe.cost)
    recipe_values.check_rows(recipe.rows)
    recipe_values.check_curation(recipe.curation)
    recipe_values.check_options(recipe.task, options, decoders)


def _check_names(recipe: Recipe, arguments: type, options: Mapping[str, Any]) -> None:
    """Refuse fields that a section does not have."""
    from peft import LoraConfig
    from transformers import BitsAndBytesConfig, EarlyStoppingCallback

    from toolkit.data.splits import CHALLENGE, SPLITS

    secrets.refuse({name: getattr(recipe, name) for name in ("model", *SECTIONS)})
    training = {f.name for f in dataclasses.fields(arguments)}
    for name in recipe.training:
        if name in OURS:
            raise RecipeError(f"training.{name} cannot be set: {OURS[name]}")
    _refuse("training", recipe.training, training, arguments.__name__)
    lora = {f.name for f in dataclasses.fields(LoraConfig)}
    _refuse("lora", recipe.lora or {}, lora, "LoraConfig")
    _refuse(
        "quantization", recipe.quantization or {}, _parameters(BitsAndBytesConfig),
        "BitsAndBytesConfig",
    )  # fmt: skip
    _refuse(
        "early_stopping", recipe.early_stopping or {},
        {*_parameters(EarlyStoppingCallback), "minutes"}, "EarlyStoppingCallback",
    )  # fmt: skip
    minutes = (recipe.early_stopping or {}).get("minutes")
    if minutes is not None and not (is_number(minutes) and 0 < minutes < math.inf):
        raise RecipeError(f"early_stopping.minutes is {minutes!r:.50}: give a number above 0")
    _refuse("generation", recipe.generation, _generation_fields(), "GenerationConfig")
    _refuse("task", recipe.task, options, "the task's options")
    _refuse("cost", recipe.cost, COST_FIELDS, "the table of costs")
    _refuse("rows", recipe.rows, (*SPLITS, CHALLENGE), "the table of splits")
    _refuse("curation", recipe.curation, CURATION_FIELDS, "the table of what is left out")


def _generation_fields() -> set[str]:
    from transformers import GenerationConfig

    # ``max_length`` counts the prompt too, so that nothing would be written after a long prompt.
    known = GenerationConfig().to_dict()
    return set(known) - {"max_length"} | {"max_new_tokens"}


def _parameters(cls: type) -> set[str]:
    return set(inspect.signature(cls).parameters) - {"kwargs"}


def _refuse(section: str, given: Mapping[str, Any], known: Iterable[str], owner: str) -> None:
    known = list(known)
    for name in given:
        if name not in known:
            raise RecipeError(
                f"{section}.{name}: {owner} has no such field{did_you_mean(name, known)}"
            )


def unnamed(task: type[Task]) -> Mapping[str, Mapping[str, Any]]:
    """Section → the values of its fields where a recipe does not name them, as far as we decide."""
    return {"task": task.options, "curation": NOT_CURATED}


def as_dict(recipe: Recipe) -> dict[str, Any]:
    """A recipe as JSON values, for ``run.json``."""
    return dataclasses.asdict(recipe)


def from_dict(values: Mapping[str, Any]) -> Recipe:
    """The inverse of :func:`as_dict`."""
    return Recipe(**values)
