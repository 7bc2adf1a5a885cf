"""What a search tries: settings of recipes and their values."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import (
    Recipe,
    SequenceClassificationTask,
    SequenceRegressionTask,
    UsageError,
    VectorRegressionTask,
)
from toolkit.plugins import recipes

if TYPE_CHECKING:
    import optuna

    from toolkit import Task

CURATION = {
    "curation.deduplicate": (False, True),
    "curation.without_longest": (0.0, 0.05, 0.15),
}
"""Whether fewer training rows teach more; the first value leaves all rows in."""
CAPS = (None, 400, 100)
"""The most training rows of a class."""
QUANTIZATION = "quantization"
"""The whole section: none, 8-bit, 4-bit, or the recipe's own."""
BITS: tuple[Mapping[str, Any] | None, ...] = (
    None,
    {"load_in_8bit": True},
    {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": "bfloat16"},
)
MODEL = "model"
WHOLE = (MODEL, QUANTIZATION)
"""Names of the space that are no ``section.field``."""
RATE = "training.learning_rate"


@dataclass(frozen=True)
class Values:
    """The values of one setting.

    Args:
        choices: values to choose from; empty: a range.
        low, high: the ends of a range.
        log: whether ratios count, not differences.
        whole: whether its values are whole numbers.
    """

    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False

    def drawn(self, trial: optuna.trial.Trial, name: str) -> Any:
        """A value for a trial."""
        if self.choices:
            # Storages keep texts and numbers; others go there and back as JSON.
            texts = [as_text(choice) for choice in self.choices]
            return self.choices[texts.index(trial.suggest_categorical(name, texts))]
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def stored(self, value: Any) -> Any:
        """A value as a trial stores it; ``None`` where it is none of these."""
        if self.choices:
            # As the choice that it equals is written: 0 and 0.0 are other texts.
            found = [choice for choice in self.choices if choice == value]
            return as_text(found[0]) if found else None
        known = isinstance(value, int | float) and not isinstance(value, bool)
        if not known or not self.low <= value <= self.high:
            return None
        return int(value) if self.whole else float(value)


def as_text(value: Any) -> str:
    """A value as text, the same for the same value."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


Space = Mapping[str, Values]


def default(task: type[Task], recipe: Recipe, models: Sequence[str] = ()) -> dict[str, Values]:
    """The usual space around a recipe.

    Args:
        task: the task; of its options those are tried whose values it names (``searched``).
        recipe: the recipe that the search begins with.
        models: base models to choose from.
    """
    training, lora = recipe.training, recipe.lora
    epochs = float(training.get("num_train_epochs", 3))
    found = {
        RATE: Values(low=1e-5, high=2e-2, log=True),
        "training.per_device_train_batch_size": Values(choices=(4, 8, 16, 32)),
    }
    if "max_steps" not in training:
        most = max(2, math.ceil(epochs * 1.5))
        found["training.num_train_epochs"] = Values(low=1, high=most, whole=True)
    if lora is not None:
        found["lora.r"] = Values(choices=(4, 8, 16, 32, 64))
        found["lora.lora_alpha"] = Values(choices=(8, 16, 32, 64, 128))
        found["lora.lora_dropout"] = Values(low=0.0, high=0.2)
        own = lora.get("target_modules")
        if own is not None and own != "all-linear":
            own = list(own) if isinstance(own, list | tuple) else own
            found["lora.target_modules"] = Values(choices=("all-linear", own))
    if len(models) > 1:
        found[MODEL] = Values(choices=tuple(models))
    found |= {name: Values(choices=choices) for name, choices in CURATION.items()}
    if _quantizes(recipe):
        own = () if recipe.quantization in BITS else (recipe.quantization,)
        found[QUANTIZATION] = Values(choices=(*own, *BITS))
    numbers = (SequenceRegressionTask, VectorRegressionTask)
    if issubclass(task, SequenceClassificationTask) and not issubclass(task, numbers):
        found["curation.most_per_category"] = Values(choices=CAPS)
    for name, values in task.searched.items():
        own = _own(task, recipe, f"task.{name}")
        others = tuple(value for value in values if value != own)
        found[f"task.{name}"] = Values(choices=(own, *others))
    return found


def _quantizes(recipe: Recipe) -> bool:
    """Whether there is a GPU, where fewer bits let a model fit, and a library that loads them."""
    from toolkit.system import device

    there = importlib.util.find_spec("bitsandbytes") is not None
    return there and device.is_gpu() and not recipe.model.startswith("embedded:")


def read(path: Path) -> dict[str, Values]:
    """The space of a TOML file: in ``[space]``, lists of values or ``{low, high, log}``.

    Raises:
        UsageError: it cannot be read, or has no such table.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {error}") from error
    table = content.get("space")
    if not isinstance(table, dict) or not table or set(content) != {"space"}:
        raise UsageError(f'{path} needs one table, [space], such as "lora.r" = [8, 16, 32]')
    found = {}
    for name, given in _flat(table):
        if name not in WHOLE and name.partition(".")[0] not in recipes.SECTIONS:
            raise UsageError(
                f"{path}: {name!r} is no section.field; sections are {', '.join(recipes.SECTIONS)}"
            )
        found[name] = _values(path, name, given)
    return found


def _flat(table: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """``section.field`` → its values, whether or not the name is quoted in the file."""
    found: list[tuple[str, Any]] = []
    for key, value in table.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping) and not {"low", "high"} & value.keys():
            found += _flat(value, f"{name}.")
        else:
            found.append((name, value))
    return found


def _values(path: Path, name: str, given: Any) -> Values:
    if isinstance(given, list) and given:
        return Values(choices=tuple(given))
    known = isinstance(given, Mapping) and {"low", "high"} <= given.keys() <= {"low", "high", "log"}
    ends = [given[key] for key in ("low", "high")] if known else []
    numbers = all(isinstance(e, int | float) and not isinstance(e, bool) for e in ends)
    if not ends or not numbers or not all(map(math.isfinite, ends)) or ends[0] >= ends[1]:
        raise UsageError(
            f"{path}: {name} needs a list of values, or {{low = 1e-4, high = 1e-2, log = true}}"
        )
    log = bool(given.get("log", False))
    if log and ends[0] <= 0:
        raise UsageError(f"{path}: {name} is logarithmic, so that low must be above 0")
    whole = all(isinstance(end, int) for end in ends)
    return Values(low=float(ends[0]), high=float(ends[1]), log=log, whole=whole)


def applied(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """A recipe with the values of a trial.

    Raises:
        RecipeError: a section does not take a field.
    """
    if MODEL in values:
        training = {k: v for k, v in recipe.training.items() if k != "model_init_kwargs"}
        same = values[MODEL] == recipe.model
        recipe = dataclasses.replace(
            recipe, model=str(values[MODEL]), training=recipe.training if same else training
        )
    sections: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        if name in WHOLE:
            continue
        section, _, field = name.partition(".")
        held = sections.setdefault(section, dict(getattr(recipe, section) or {}))
        *parents, last = field.split(".")
        for parent in parents:
            held = held.setdefault(parent, {})
        held[last] = value
    changes: dict[str, Any] = dict(sections)
    if QUANTIZATION in values:
        changes[QUANTIZATION] = values[QUANTIZATION]
    return dataclasses.replace(recipe, **changes)


def of_recipe(task: type[Task], recipe: Recipe, space: Space) -> dict[str, Any]:
    """The values that a recipe has itself, as a trial stores them, where they are in the space."""
    found = {}
    for name, values in space.items():
        kept = values.stored(_own(task, recipe, name))
        if kept is not None:
            found[name] = kept
    return found


def _own(task: type[Task], recipe: Recipe, name: str) -> Any:
    """A recipe's own value; where it names none, that of the task's options, or all rows."""
    if name in WHOLE:
        return getattr(recipe, name)
    section, _, field = name.partition(".")
    unnamed = recipes.unnamed(task).get(section, {})
    return {**unnamed, **(getattr(recipe, section) or {})}.get(field)
