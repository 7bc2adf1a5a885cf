"""Chooses the backend of a run, before anything heavy is imported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.errors import MissingExtra, UsageError, did_you_mean
from toolkit.models import unsloth
from toolkit.models.paths import model_path
from toolkit.recipe import Recipe

AUTO, TRANSFORMERS, UNSLOTH = "auto", "transformers", "unsloth"
NAMES = (AUTO, TRANSFORMERS, UNSLOTH)


@dataclass(frozen=True)
class Choice:
    """A backend, and why it was chosen.

    Args:
        name: ``transformers`` or ``unsloth``.
        reason: a clause, such as "it is installed and knows llama models".
    """

    name: str
    reason: str


def choose(requested: str, recipe: Recipe, able: Sequence[str]) -> Choice:
    """The backend for a recipe.

    Args:
        requested: ``auto`` or a backend's name. ``auto`` takes Unsloth if it is installed and
            can do what the recipe needs.
        recipe: the resolved recipe.
        able: the backends that the task's kind can be trained with.

    Raises:
        MissingExtra: Unsloth is requested and not installed.
        UsageError: there is no such backend, or it cannot train the recipe.
    """
    if requested not in NAMES:
        raise UsageError(
            f"there is no backend {requested!r}{did_you_mean(requested, NAMES)}; there are "
            f"{', '.join(NAMES)}"
        )
    if requested == TRANSFORMERS:
        return Choice(TRANSFORMERS, "as requested")
    if not unsloth.installed():
        if requested == UNSLOTH:
            raise MissingExtra("the Unsloth backend", "unsloth")
        return Choice(TRANSFORMERS, "Unsloth is not installed")
    refused = _refusal(recipe, able)
    if refused is None:
        if requested == UNSLOTH:
            return Choice(UNSLOTH, "as requested")
        if early := unsloth.too_late():
            return Choice(
                TRANSFORMERS, f"Unsloth is installed, but {early[0]} was imported before it"
            )
        known = architecture(recipe.model)
        return Choice(UNSLOTH, f"it is installed and knows {known} models")
    if requested == UNSLOTH:
        raise UsageError(f"--backend unsloth: {refused}; take --backend transformers")
    return Choice(TRANSFORMERS, f"Unsloth is installed, but {refused}")


def _refusal(recipe: Recipe, able: Sequence[str]) -> str | None:
    """Why Unsloth cannot train a recipe, or ``None``."""
    if UNSLOTH not in able:
        return "it trains causal language models only"
    if recipe.lora is None:
        return "it is used for LoRA only"
    kind = architecture(recipe.model)
    if kind is None:
        return f"the architecture of {recipe.model!r} cannot be read from here"
    if kind not in unsloth.ARCHITECTURES:
        return f"it has no kernels for {kind} models"
    return unsloth.refusal(recipe.quantization, recipe.training)


def architecture(model: str) -> str | None:
    """The ``model_type`` of a model from its ``config.json``; ``None`` if that cannot be read.

    The file comes from a folder, else from the Hub or its cache; it is read without transformers,
    which Unsloth has to be imported before.
    """
    folder = Path(model_path(model))
    if folder.is_dir():
        return _model_type(folder / "config.json")
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return _model_type(Path(hf_hub_download(model, "config.json")))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError):
        return None


def _model_type(file: Path) -> str | None:
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError):
        return None
    return None if found is None else str(found)


def get(name: str) -> Any:
    """A backend by name, see :class:`Backend`; imports Unsloth if that is the one."""
    if name == UNSLOTH:
        unsloth.activate()
        return unsloth.Unsloth()
    from toolkit.models.backend import Transformers

    return Transformers()
