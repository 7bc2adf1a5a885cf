"""The card of a pushed model: metadata that the Hub reads, the verdict, the ladder, how to load it.

Unlike the run's own card it names no file and no command of the machine that it was made on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit import Metric, Task, formatting
from toolkit.models import hub_id
from toolkit_export.metadata import CLASSES, LIBRARIES, PIPELINES, shown

LEVEL = 0.95
"""Of the intervals in ``metrics.json``."""


def write(
    info: Mapping[str, Any], doc: Mapping[str, Any], task: Task, form: str,
    repository: str, gate: str = "", step: int | None = None, *, whole: bool = False,
) -> str:  # fmt: skip
    """The card as Markdown.

    Args:
        info: the content of ``run.json``.
        doc: the content of ``metrics.json``; empty where nothing has been measured yet.
        task: the run's task.
        form: what is pushed: ``adapter`` or a form of export.
        repository: where it is pushed to.
        gate: what the gate has found of an export, as sentences.
        step: the step of the training, of a checkpoint.
        whole: the weights are those of a whole model.
    """
    from huggingface_hub import ModelCardData

    model = str(info["recipe"]["model"])
    measured = step is None and bool(doc)
    named: dict[str, Any] = {}
    if measured and (results := eval_results(doc, task)):
        named = {"model_name": f"{task.name} {info['id']}", "eval_results": results}
    data = ModelCardData(
        library_name="transformers" if whole else LIBRARIES[form],
        pipeline_tag=PIPELINES.get(task.kind), base_model=hub_id(model),
        tags=["adapter-toolkit", task.name], **named,
    )  # fmt: skip
    what = "A model" if whole or form != "adapter" else "A PEFT adapter"
    parts = [
        f"---\n{data.to_yaml()}\n---\n",
        f"# {task.name}\n",
        f"{formatting.sentence(task.summary)} {what} for `{shown(model)}`, trained by "
        f"adapter-toolkit, run {info['id']}.\n",
    ]
    if step is not None:
        parts.append(f"These are the weights after step {step:,} of the training, not measured.\n")
    if gate:
        parts.append(f"{gate}\n")
    if measured:
        parts += _measured(doc, task)
    if form in ("adapter", "merged") and task.kind in CLASSES:
        parts += ["## How to load it\n", _loading(task, hub_id(model), repository, whole)]
    return "\n".join(parts)


def _loading(task: Task, base: str | None, repository: str, whole: bool) -> str:
    """A few lines of Python in a fence."""
    cls, here = CLASSES[task.kind], json.dumps(repository)
    if whole:
        lines = [
            f"from transformers import {cls}, AutoTokenizer",
            f"model = {cls}.from_pretrained({here})",
        ]
    else:
        lines = [
            "from peft import PeftModel",
            f"from transformers import {cls}, AutoTokenizer",
            f"base = {cls}.from_pretrained({json.dumps(base or 'PATH OF THE BASE')})",
            f"model = PeftModel.from_pretrained(base, {here})",
        ]
    lines.append(f"tokenizer = AutoTokenizer.from_pretrained({here})")
    return "\n".join(["```python", *lines, "```\n"])


def eval_results(doc: Mapping[str, Any], task: Task) -> list[Any]:
    """The figures of the trained model as the Hub's ``model-index`` has them, with intervals.

    Args:
        doc: the content of ``metrics.json``.
        task: the run's task.
    """
    from huggingface_hub import EvalResult

    ours = next((s for s in doc["systems"].values() if s["role"] in ("adapter", "full")), None)
    found = []
    for metric in doc["metrics"]:
        value = (ours or {"metrics": {}})["metrics"].get(metric["name"])
        if not value or not _known(value.get("value")):
            continue
        interval = {"level": LEVEL, "low": value.get("low"), "high": value.get("high")}
        found.append(
            EvalResult(
                task_type=PIPELINES.get(task.kind) or task.kind,
                task_name=task.name,
                dataset_type=task.name,
                dataset_name=f"held-out rows of {task.name}"
                + (" (synthetic)" if doc["synthetic"] else ""),
                dataset_split="test",
                metric_type=metric["name"],
                metric_name=metric.get("label") or metric["name"],
                metric_value=value["value"],
                metric_args={**interval, "rows": doc["n"], "groups": doc.get("groups")},
            )
        )
    return found


def _known(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _measured(doc: Mapping[str, Any], task: Task) -> list[str]:
    """The verdict and the ladder."""
    metric = task.metric()
    sign = -1 if metric.greater_is_better else 1
    rows: list[tuple[float, str]] = []
    for name, system in doc["systems"].items():
        value = system["metrics"].get(metric.name)
        if value and _known(value.get("value")):
            rows.append((sign * value["value"], _line(name, value, metric)))
    lines = [line for _, line in sorted(rows)]
    caveats: Sequence[str] = doc["verdict"]["caveats"]
    return [
        "## Was it worth it?\n",
        f"{doc['verdict']['sentence']}\n",
        *(f"- {caveat}" for caveat in caveats),
        f"\n| system | {metric.label or metric.name} |",
        "|---|---:|",
        *lines,
        f"\nMeasured on {formatting.count(doc['n'], 'held-out row')} that were used neither for "
        "training nor for any choice; in parentheses 95 % bootstrap intervals.\n",
    ]


def _line(name: str, value: Mapping[str, Any], metric: Metric) -> str:
    figure = formatting.figure(value["value"], metric.format, metric.unit)
    spread = formatting.span(value.get("low"), value.get("high"), metric.format)
    return f"| {name} | {figure} ({spread}) |"
