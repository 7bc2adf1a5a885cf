"""The tasks and the kinds of runs that the fault campaign disturbs."""

from __future__ import annotations

from dataclasses import dataclass

TASKS = """
from typing import Any, ClassVar

from toolkit import (
    CausalLMTask, Generated, Metric, Recipe, Row, Seq2SeqLMTask, SequenceClassificationTask,
    Source, classification_metrics,
)

TRAINING = {"num_train_epochs": 1, "eval_strategy": "steps", "eval_steps": 2, "save_steps": 2,
            "per_device_train_batch_size": 16, "logging_steps": 1, "bf16": False,
            "report_to": "none", "learning_rate": 0.02}
LORA = {"r": 2, "lora_dropout": 0.1, "target_modules": "all-linear"}
RECIPES = (Recipe("small", "for the campaign", "none", {**TRAINING, "max_length": 64}, LORA),)


def exact(prediction: str, reference: str) -> float:
    return float(prediction == reference)


def shared(prediction: str, reference: str) -> float:
    return len(set(prediction) & set(reference)) / max(1, len(set(prediction) | set(reference)))


class Written:
    columns: ClassVar = {"text": "an offer", "note": "a note on it"}
    answer = "note"
    metrics = (Metric("shared", shared), Metric("exact", exact))
    primary_metric = "shared"
    recipes = RECIPES

    def fallback(self) -> str:
        return "nothing"

    def reference(self, row: Row) -> str:
        return str(row["note"])

    def postprocess(self, output: Generated, row: Row) -> str | None:
        return output.text.strip() or None

    def baselines(self) -> Any:
        return {"same": lambda train: lambda rows: ["one cup"] * len(rows),
                "first": lambda train: lambda rows: [str(row["text"])[:4] for row in rows]}


class Notes(Written, CausalLMTask):
    api_version = 2
    name = "fault-notes"
    summary = "Notes on offers, by a language model"
    options: ClassVar = {**CausalLMTask.options, "ensemble": 2}

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"prompt": str(row["text"]), "completion": row.get("note") or ""}


class Short(Written, Seq2SeqLMTask):
    api_version = 2
    name = "fault-short"
    summary = "Notes on offers, by an encoder and decoder"
    options: ClassVar = {**Seq2SeqLMTask.options, "ensemble": 2}
    recipes = (
        Recipe("small", "for the campaign", "none", {**TRAINING, "max_target_length": 16}, LORA),
    )

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": row["text"], "text_target": row.get("note") or ""}


class Goods(SequenceClassificationTask):
    api_version = 2
    name = "fault-goods"
    summary = "What is offered, by an encoder"
    columns: ClassVar = {"text": "an offer", "good": "what it is"}
    truncate: ClassVar = "text"
    answer = "good"
    classes = ("cup", "lamp", "chair")
    metrics = classification_metrics(classes)
    primary_metric = "accuracy"
    recipes = (
        Recipe("small", "for the campaign", "none", {**TRAINING, "max_length": 32}, LORA),
        Recipe("full", "for the campaign", "none", {**TRAINING, "max_length": 32}, None),
    )

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": row["text"], "label": row.get("good")}

    def reference(self, row: Row) -> str:
        return str(row["good"])

    def baselines(self) -> Any:
        return {"cups": lambda train: lambda rows: ["cup"] * len(rows)}
"""
"""The module of tasks, as a task file."""


@dataclass(frozen=True)
class Kind:
    """One kind of run that the campaign disturbs.

    Args:
        task: the class of its task, in :data:`TASKS`.
        model: the tiny random model of :mod:`toolkit.testing.models`.
        options: further arguments of ``toolkit run``.
        processes: how many processes the run has.
    """

    task: str
    model: str
    options: tuple[str, ...] = ()
    processes: int = 1


BRIEF = ("--set", "generation.max_new_tokens=4")
KINDS = {
    "causal": Kind("Notes", "llama", (*BRIEF, "--seeds", "2")),
    "seq2seq": Kind("Short", "t5", (*BRIEF, "--seeds", "2")),
    "encoder": Kind("Goods", "bert", ("--seeds", "2", "--recipe", "full")),
    "encoder-lora": Kind("Goods", "bert", ("--recipe", "small")),
    "two": Kind("Notes", "llama", (*BRIEF, "--set", "training.per_device_train_batch_size=8"), 2),
}
