"""Rules on what a task declares: its names, metrics, recipes, options and panel."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from toolkit.errors import RecipeError, did_you_mean
from toolkit.formatting import is_number
from toolkit.plugins.contract.checked_task import Subject
from toolkit.plugins.contract.rule import Broken, Rule, json_problem
from toolkit.plugins.registration import check_registration
from toolkit.recipe import Recipe

METRIC_NAME = re.compile(r"[a-z][a-zA-Z0-9_]*")
RECIPE_NAME = re.compile(r"[a-z][a-z0-9.]*(-[a-z0-9.]+)*")
"""Kebab-case; dots are for version numbers (``llama-3.1-8b``)."""


def registration(subject: Subject) -> None:
    """The class can be registered."""
    check_registration(type(subject.task))


def metric_names(subject: Subject) -> None:
    """Metrics have different names of small letters, and formats that print a figure.

    A capital may stand within a name that is known by it, such as ``rougeL``.
    """
    metrics = subject.task.metrics
    if repeated := _repeated(metric.name for metric in metrics):
        raise Broken(f"two metrics are called {repeated!r}; rename one")
    for metric in metrics:
        if not METRIC_NAME.fullmatch(metric.name):
            raise Broken(
                f"the metric name {metric.name!r} is not of small letters; write it like 'mae'"
            )
        try:
            format(1.5, metric.format)
        except ValueError as error:
            raise Broken(
                f"metric {metric.name}: format {metric.format!r} prints no figure ({error}); "
                "write it like '.2f'"
            ) from error


def recipe_names(subject: Subject) -> None:
    """Recipes have different kebab-case names, and a summary of one line."""
    recipes = subject.task.recipes
    if repeated := _repeated(recipe.name for recipe in recipes):
        raise Broken(f"two recipes are called {repeated!r}; rename one")
    for recipe in recipes:
        if not RECIPE_NAME.fullmatch(recipe.name) or recipe.name.endswith(".toml"):
            raise Broken(
                f"the recipe name {recipe.name!r} is not kebab-case; write it like 'small'"
            )
        if not recipe.summary.strip() or "\n" in recipe.summary:
            raise Broken(f"recipe {recipe.name} needs a summary of one line")


def recipe_models(subject: Subject) -> None:
    """Each recipe names a model; if it is an embedded one, it exists."""
    from toolkit.models.embedded import HUB_IDS, NAMES
    from toolkit.models.paths import EMBEDDED

    known = (*NAMES, *HUB_IDS)
    for recipe in subject.task.recipes:
        if not recipe.model.strip():
            raise Broken(f"recipe {recipe.name} names no model; give a Hub id or embedded:NAME")
        name = recipe.model.removeprefix(EMBEDDED)
        if recipe.model.startswith(EMBEDDED) and name not in known:
            raise Broken(
                f"recipe {recipe.name}: no model {name!r} is embedded"
                f"{did_you_mean(name, known)}; there is {', '.join(known)}"
            )


def options(subject: Subject) -> None:
    """Options are JSON values, and recipes set only existing ones, to values of the same type."""
    known = subject.task.options
    for name, default in known.items():
        if problem := json_problem(default):
            raise Broken(f"option {name}: {problem}; options are stored in run.json")
    for recipe in subject.task.recipes:
        for name, value in recipe.task.items():
            _check_option(recipe, name, value, known)
    # As pipeline.restore.load_task does: what the task has in a run with the default recipe.
    subject.task.options = {**known, **subject.task.recipes[0].task}


def _check_option(recipe: Recipe, name: str, value: Any, known: Mapping[str, Any]) -> None:
    if name not in known:
        raise Broken(
            f"recipe {recipe.name} sets task.{name}, which the task has no option for"
            f"{did_you_mean(name, known)}; add it to options or take it out"
        )
    default = known[name]
    alike = (is_number(default) and is_number(value)) or type(default) is type(value)
    if default is not None and value is not None and not alike:
        raise Broken(
            f"recipe {recipe.name} sets task.{name} to {value!r}, and the default is "
            f"{default!r}: make both of one type"
        )


def recipe_fields(subject: Subject) -> None:
    """Recipes name only fields that the installed libraries have."""
    from toolkit.kinds.registry import model_class
    from toolkit.plugins import recipes

    arguments = model_class(subject.task).training_arguments()
    for recipe in subject.task.recipes:
        try:
            recipes.check(dataclasses.replace(recipe, task={}), arguments, {})
        except RecipeError as error:
            raise Broken(f"recipe {recipe.name}: {error}") from error


def panel(subject: Subject) -> str | None:
    """The panel's inputs are columns of the task, and its examples fill them."""
    shown = subject.task.panel
    if shown is None:
        return "the task has no panel, so the playground shows all columns as inputs"
    columns = subject.task.columns
    if not shown.inputs:
        raise Broken("the panel has no inputs; name the columns a prediction needs")
    for name in shown.inputs:
        if name not in columns:
            raise Broken(
                f"the panel's input {name!r} is no column{did_you_mean(name, columns)}; "
                f"the columns are {', '.join(columns)}"
            )
    for number, example in enumerate(shown.examples, 1):
        if sorted(example) != sorted(shown.inputs):
            raise Broken(
                f"example {number} of the panel fills {', '.join(example) or 'nothing'}; it must "
                f"fill {', '.join(shown.inputs)}"
            )
    return None


def _repeated(names: Iterable[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)


RULES = (
    Rule("registration", registration),
    Rule("metric-names", metric_names, ("registration",)),
    Rule("recipe-names", recipe_names, ("registration",)),
    Rule("recipe-models", recipe_models, ("registration",)),
    Rule("options", options, ("registration",)),
    Rule("recipe-fields", recipe_fields, ("registration",)),
    Rule("panel", panel, ("registration",)),
)
