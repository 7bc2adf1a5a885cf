"""Any model without a run: it is put where a run's model is, with a task that is text alone."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from toolkit import CausalLMTask, Generated, Metric, Panel, Recipe, Row, Seq2SeqLMTask, Task
from toolkit.errors import ModelError, UsageError
from toolkit.kinds import TextModel
from toolkit.models import foreign, model_path
from toolkit.models.foreign import Foreign
from toolkit.pipeline import load_task, make_kind, open_run
from toolkit.plugins import recipes
from toolkit.runs import Run, write_json

TASK = "any-text"
CANARIES = (
    {"row_id": 1, "text": "The"}, {"row_id": 2, "text": "One, two, three,"},
    {"row_id": 3, "text": "What is the capital of France?"}, {"row_id": 4, "text": "def main():"},
)  # fmt: skip
"""Texts on which an adapter must change what its base says."""
COPIED = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")
"""What is copied of an adapter: weights, configuration and tokenizer, never code."""


class _AnyText(Task):
    """A text in, a text out; nothing is measured."""

    name = TASK
    summary = "Any model, without a run"
    columns: ClassVar[Mapping[str, str]] = {"text": "Text", "answer": "Answer"}
    metrics = (
        Metric("same", per_example=lambda found, true: float(found == true),
               greater_is_better=True, label="same text"),
    )  # fmt: skip
    primary_metric = "same"
    recipes: ClassVar[tuple[Recipe, ...]] = (Recipe(name=TASK, summary="", model=""),)
    panel = Panel(inputs={"text": "Text"}, view="text")

    def load_rows(self, source: Any) -> Any:
        raise UsageError("a model without a run has no rows")

    def postprocess(self, output: Any, row: Row) -> Any:
        return output.text if isinstance(output, Generated) else None

    def reference(self, row: Row) -> Any:
        return row.get("answer", "")


class AnyText(_AnyText, CausalLMTask):
    """For causal language models."""

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"prompt": str(row["text"]), "completion": str(row.get("answer", ""))}


class AnyTextPair(_AnyText, Seq2SeqLMTask):
    """For encoder–decoders."""

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": str(row["text"]), "text_target": str(row.get("answer", ""))}


def is_free(run: Run) -> bool:
    """Whether it is a model without a run."""
    return bool(run.info["task"] == TASK)


def task_for(run: Run) -> Task:
    """The run's task; of a model without a run the one that is text alone."""
    if not is_free(run):
        return load_task(run)
    return AnyTextPair() if run.info.get("pair") else AnyText()


def opened(run: Run) -> tuple[Task, Any]:
    """The task and the loaded model of a run, or of a model without one."""
    if not is_free(run):
        return open_run(run)
    task = task_for(run)
    kind = make_kind(run, task)
    kind.load()
    if run.adapter.is_dir():
        kind.load_adapter(run.adapter)
    return task, kind


def place(
    folder: Path, base: str, adapters: Sequence[Foreign], *, remote_code: bool = False
) -> Run:
    """Put a model, and adapters of it, where the page looks for a run's.

    Args:
        folder: a temporary folder of the server.
        base: a folder, an embedded model or a Hub ID.
        adapters: what was trained on it.
        remote_code: whether code that comes with the model may run.

    Raises:
        ModelError: an adapter does not fit the base, or changes nothing.
    """
    config = foreign.read_object(Path(model_path(base)) / "config.json")
    recipe = Recipe(
        name=TASK, summary="", model=base, training={"model_init_kwargs": {"dtype": "auto"}}
    )
    run = Run.create(
        folder,
        {
            "task": TASK, "plugin": {}, "source": {}, "seed": 0, "recipe": recipes.as_dict(recipe),
            "pair": bool(config.get("is_encoder_decoder")),
            "options": {"trust_remote_code": remote_code}, "names": [a.name for a in adapters],
        },
    )  # fmt: skip
    run.info["stages"]["train"] = {"state": "done"}
    run.save()
    run.predictions.mkdir()
    write_json(run.predictions / "systems.json", [])
    task = task_for(run)
    kind: Any = make_kind(run, task)
    if adapters and not isinstance(kind, TextModel):
        raise ModelError(f"{base} writes no text")
    for number, found in enumerate(adapters):
        _copy(kind, task, base, found, folder_of(run, number))
    return run


def folder_of(run: Run, number: int) -> Path:
    """Where the adapter of that number is."""
    return run.adapter if number == 0 else run.path / f"adapter-{number}"


def labels(run: Run) -> list[str]:
    """What the adapters of a model without a run are called, each name once."""
    found: list[str] = []
    for name in run.info.get("names") or []:
        plain = Path(str(name)).name or "adapter"
        found.append(plain if plain not in (*found, "base") else f"{plain} {len(found) + 1}")
    return found


def _copy(kind: Any, task: Task, base: str, found: Foreign, target: Path) -> None:
    """Copy an adapter, and describe it as the toolkit describes its own."""
    if found.whole:
        raise ModelError(f"{found.name} is a whole model and no adapter; show it by --model")
    target.mkdir()
    for pattern in COPIED:
        for file in found.folder.glob(pattern):
            if file.is_file():
                shutil.copyfile(file, target / file.name)
    weights = found.ours.get("base_weights")  # of another base it is refused when it is loaded
    stored: dict[str, Any] = {
        "task": task.name, "model": base, "foreign": True, "task_state": {}, "task_options": {},
        "chat_template": getattr(kind.tokenizer, "chat_template", None),
        "canaries": [dict(row) for row in CANARIES],
        **({"base_weights": weights} if weights else {}),
    }  # fmt: skip
    stored["prompt_sha"] = str(kind.digest(stored["canaries"]))
    write_json(target / foreign.OURS, stored)
