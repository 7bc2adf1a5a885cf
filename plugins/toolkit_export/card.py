"""``README.md`` of an export: what it is, whether it may be used, and how it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit import Task, formatting
from toolkit.kinds import TaskModel
from toolkit.models import hub_id
from toolkit_export.metadata import LIBRARIES, PIPELINES


def write(task: Task, kind: TaskModel, record: Mapping[str, Any]) -> str:
    """The card as Markdown with the Hub's metadata.

    Args:
        task: the run's task.
        kind: its model.
        record: the export's record.
    """
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        library_name=LIBRARIES[record["form"]],
        pipeline_tag=PIPELINES.get(task.kind),
        base_model=hub_id(kind.recipe.model),
        tags=["adapter-toolkit"],
    )
    parts = [
        f"---\n{data.to_yaml()}\n---\n",
        f"# {task.name}\n",
        f"{formatting.sentence(task.summary)} Made by adapter-toolkit of run {record['run']} on "
        f"{record['model']}, as {record['form']}, {record['type']}.\n",
        verdict(record) + "\n",
        *(f"- {line}\n" for line in usage(task, kind)),
    ]
    return "\n".join(parts)


def verdict(record: Mapping[str, Any]) -> str:
    """What the gate has found, as sentences."""
    gate = record["gate"]
    spread = gate["logits"] or {}
    equal = f"{gate['equal_answers']:.1%}"
    largest = spread.get("largest_difference")
    far = "not comparable" if largest is None else f"{largest:.2g}"
    found = (
        f"{gate['metric']} on {gate['rows']:,} held-out rows, answered by {record['runtime']}: "
        f"{_short(gate['export'])} (the adapter's: {_short(gate['adapter'])}); equal answers: "
        f"{equal}; largest difference of logits: {far}."
    )
    if gate["accepted"]:
        return f"Checked: {found}"
    return f"**Refused by the gate, and kept anyway:** {'; '.join(gate['reasons'])}. {found}"


def _short(value: float | None) -> str:
    return "none" if value is None else f"{value:.6g}"


def usage(task: Task, kind: TaskModel) -> list[str]:
    """What a user of the weights alone has to know."""
    lines = []
    if task.kind == "causal-lm":
        lines.append(
            "Prompts must be written as the task writes them; `toolkit show` shows them. Answers "
            f"have up to {kind.written} tokens."
        )
    scale = task.state.get("scale") if getattr(task, "num_labels", 0) == 1 else None
    if scale:
        lines.append(
            f"Its output x is standardised: the number on the task's scale is {scale['mean']:.6g} "
            f"+ {scale['deviation']:.6g} · x."
        )
    if task.kind == "sequence-classification" and kind.max_length:
        lines.append(f"Texts were read up to {kind.max_length} tokens.")
    if task.kind == "question-answering":
        lines.append(f"Contexts are read in windows of {kind.max_length} tokens.")
    return lines
