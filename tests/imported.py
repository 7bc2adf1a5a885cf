"""Imports of the files of tests/pipeline/importing, and what the toolkit makes of them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.kinds import fit
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.pipeline.importing import make, read, written
from toolkit.pipeline.importing.draft import Draft
from toolkit.pipeline.importing.places import Places
from toolkit.plugins import recipes, toml_task
from toolkit.recipe import Recipe

FILES = Path(__file__).parent / "pipeline" / "importing" / "files"
LINEAR = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
"""The linear layers of the Llama that the tools' adapters were made for."""


def named(tool: str) -> list[str]:
    """The names of the files of a tool."""
    return sorted(path.stem for path in (FILES / tool).glob("*.yaml"))


def dumped(tool: str, name: str) -> dict[str, Any]:
    """What the tool itself made of a file."""
    found: dict[str, Any] = json.loads((FILES / tool / f"{name}.json").read_text())
    return found


def drafted(tool: str, name: str, output: Path = FILES) -> Draft:
    """A file, imported; nothing is written."""
    path = FILES / tool / f"{name}.yaml"
    keys, _ = read.read(str(path))
    return make.drafted(keys, tool, Places(FILES, output))


def recipe(draft: Draft) -> Recipe:
    """The recipe of an imported file, as a run would resolve it."""
    task = toml_task.of_content(FILES / "task.toml", draft.task)
    return recipes.from_content(task, {"name": "imported", **written.content(draft)}, "recipe.toml")


def arguments(draft: Draft, folder: Path, patch: pytest.MonkeyPatch) -> Any:
    """The ``SFTConfig`` that the toolkit trains with, as on a machine with bfloat16 and paging."""
    patch.setattr(fit, "UNPAGED", {})
    task = toml_task.of_content(FILES / "task.toml", draft.task)()
    kind: Any = SimpleNamespace(
        task=task, seed=draft.seed, training_arguments=CausalLM.training_arguments,
        trains_in=CausalLM.trains_in,
        computes_in=lambda recipe, gpu: CausalLM.trains_in(recipe),
    )  # fmt: skip
    return fit.arguments(kind, recipe(draft), folder, **CausalLM.fixed_arguments)


def explained(draft: Draft) -> set[str]:
    """The fields of which the import says that they may differ."""
    return {name for one in (*draft.left, *written.DECIDED) for name in one.fields}


def value(config: Any, name: str) -> Any:
    """A field of training arguments as the dumps write it, by its older name too."""
    newer = name.replace("gradient_checkpointing", "activation_checkpointing")
    known = {field.name for field in dataclasses.fields(config)}
    found = getattr(config, newer if newer in known else name)
    return getattr(found, "value", found)
