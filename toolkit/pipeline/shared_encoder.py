"""``toolkit together RUN RUN…``: adapters of several tasks on one encoder, checked row by row.

On the shared encoder each task must give the predictions that its run gave with an encoder of its
own. The result is stored as ``together.json`` in every run, and the report shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.decoding import decode_as, or_fallback
from toolkit.errors import RunError, UsageError
from toolkit.kinds.base import Progress
from toolkit.models import adapters
from toolkit.pipeline.restore import load_task, make_kind
from toolkit.runs import predictions
from toolkit.runs.contents import stored_test_rows
from toolkit.runs.files import write_json
from toolkit.runs.predictions import same
from toolkit.runs.run import Run
from toolkit.system import environment
from toolkit.task import Row

if TYPE_CHECKING:
    from toolkit.kinds.encoder.model import Encoder
    from toolkit.task import Task

FILE = "together.json"
ROWS = 200
"""Test rows of each task that are predicted again."""
TOLERANCE = 1e-3
"""The relative difference up to which two numbers count as equal: a number depends, by rounding, on
the rows that share its batch."""


# -- the command -----------------------------------------------------------------------------------
def together(runs: Sequence[Run], rows: int = ROWS) -> dict[str, Any]:
    """Predict test rows with the adapters of finished runs on one encoder, and compare.

    Args:
        runs: two or more runs of the same or of different tasks, with LoRA on the same encoder.
        rows: how many test rows of each run are predicted again.

    Returns:
        what is stored in ``together.json``: ``tasks`` (rows and differences of each run),
        ``parameters``, ``parameters_apart`` (with an encoder for each task) and a ``sentence``.

    Raises:
        UsageError: fewer than two runs, or runs that cannot share an encoder.
        RunError: a run is not finished, or holds no rows or predictions to compare.
    """
    from toolkit.kinds.encoder.model import Encoder

    if len(runs) < 2:
        raise UsageError("together takes two runs or more; see: toolkit runs")
    environment.prepare(offline=True)
    members: dict[str, Any] = {}
    tasks: dict[str, tuple[Run, Task]] = {}
    for run in runs:
        if not run.done("predict"):
            raise RunError(f"run {run.id} is not finished; go on with: toolkit resume {run.path}")
        task = load_task(run)
        kind = make_kind(run, task)
        if not isinstance(kind, Encoder):
            raise UsageError(
                f"{task.name} is not a task for an encoder; only such tasks can share one"
            )
        name = _name(task.name, list(members))
        members[name], tasks[name] = (kind, run.adapter), (run, task)
    shared = SharedEncoder(members)
    found = [_compared(shared, name, *tasks[name], rows) for name in members]
    document = {
        "tasks": found,
        "parameters": shared.parameters(),
        "parameters_apart": shared.parameters_apart(),
    }
    document["sentence"] = sentence(document)
    for run in runs:
        write_json(run.path / FILE, document)
    return document


def _name(task: str, taken: Sequence[str]) -> str:
    """A name for a task's adapter that is not taken, without dots, at which PEFT splits names."""
    plain = task.replace(".", "-")
    return plain if plain not in taken else f"{plain}-{len(taken) + 1}"


def _compared(shared: SharedEncoder, name: str, run: Run, task: Task, most: int) -> dict[str, Any]:
    """How many of at most ``most`` test rows get the prediction that the run has stored."""
    rows: list[Row] = [*stored_test_rows(run, most)]
    ours = predictions.trained(predictions.load(run))
    if ours is None:
        raise RunError(f"run {run.id} has no predictions of an adapter")
    decoded = decode_as(task, ours.entry, shared.predict(name, rows), rows)
    stored = ours.splits["test"]
    differing = [
        row["row_id"]
        for row, prediction in zip(rows, or_fallback(task, decoded), strict=True)
        if not same(stored[row["row_id"]]["prediction"], prediction, TOLERANCE)
    ]
    return {
        "name": name, "task": task.name, "run": run.id, "rows": len(rows),
        "same": len(rows) - len(differing), "differing": differing[:20],
    }  # fmt: skip


def sentence(document: dict[str, Any]) -> str:
    """The result in a sentence, for the report."""
    tasks = document["tasks"]
    compared = ", ".join(
        f"{one['same']:,} of {one['rows']:,} test rows of {one['task']}" for one in tasks
    )
    saved = 1 - document["parameters"] / document["parameters_apart"]
    names = ", ".join(one["name"] for one in tasks)
    return (
        f"With {len(tasks)} adapters on one encoder in memory ({names}), "
        f"predictions equal those of each run alone on {compared}. Memory holds "
        f"{document['parameters']:,} parameters instead of {document['parameters_apart']:,} "
        f"({saved:.0%} fewer)."
    )


def _trains_biases(kind: Encoder) -> bool:
    return bool((kind.recipe.lora or {}).get("bias", "none") != "none")


# -- the encoder -----------------------------------------------------------------------------------
class SharedEncoder:
    """Models of several tasks that share the weights of one encoder in memory.

    Args:
        members: name → a model that is not loaded yet, and its adapter's folder. All recipes must
            name the same base model and train LoRA.

    Raises:
        UsageError: the recipes name different base models, or one trains the whole encoder.
    """

    def __init__(self, members: Mapping[str, tuple[Encoder, Path]]) -> None:
        models = {kind.recipe.model for kind, _ in members.values()}
        if len(models) > 1:
            raise UsageError(
                f"adapters of different encoders cannot share one: {', '.join(sorted(models))}"
            )
        whole = [name for name, (kind, _) in members.items() if kind.full]
        if whole:
            raise UsageError(
                f"{whole[0]} has trained the whole encoder, which other tasks cannot share; "
                "use a run with LoRA"
            )
        biased = [name for name, (kind, _) in members.items() if _trains_biases(kind)]
        if biased:
            raise UsageError(
                f"{biased[0]} has trained the encoder's own biases (lora.bias), which other tasks "
                "cannot share; use a run without them"
            )
        self.kinds = {name: kind for name, (kind, _) in members.items()}
        for kind in self.kinds.values():
            kind.load()
        _share([kind.model for kind in self.kinds.values()])
        for name, (kind, folder) in members.items():
            beside = [other for other in members if other != name]
            kind.tuned = adapters.attach_adapter(kind.model, folder, name, beside)

    def predict(
        self, name: str, rows: Sequence[Row], progress: Progress | None = None
    ) -> list[Any]:
        """The outputs of one of the tasks for rows, with its own adapter active."""
        kind = self.kinds[name]
        kind.tuned.set_adapter(name)
        kind.tuned.eval()
        return kind.predict(rows, adapter=True, progress=progress)

    def parameters(self) -> int:
        """The number of parameters in memory; shared ones are counted once."""
        seen: dict[int, int] = {}
        for kind in self.kinds.values():
            seen |= {id(p): p.numel() for p in kind.tuned.parameters()}
        return sum(seen.values())

    def parameters_apart(self) -> int:
        """The number of parameters that the tasks would need with one encoder each."""
        total = 0
        for name, kind in self.kinds.items():
            others = [other for other in self.kinds if other != name]
            total += sum(
                parameter.numel()
                for path, parameter in kind.tuned.named_parameters()
                if not any(f".{other}." in path for other in others)
            )
        return total


def _share(models: Sequence[Any]) -> None:
    """Replace the parts of the models' encoders by those of the first one that has them.

    Parts (embeddings, layers, pooler) are replaced one by one, not the encoder as a whole: a model
    whose head reads no pooler has none, and its adapter must not find one to attach to.
    """
    encoders = [getattr(model, model.base_model_prefix) for model in models]
    parts: dict[str, Any] = {}
    for encoder in encoders:
        for name, part in list(encoder.named_children()):
            setattr(encoder, name, parts.setdefault(name, part))
        # The configuration names the implementation of attention, on which the mask's form depends.
        encoder.config = encoders[0].config
