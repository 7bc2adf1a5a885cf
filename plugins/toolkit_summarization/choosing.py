"""Which prompt template is best: each on the validation rows, by loss and by ROUGE.

Nothing here looks at a test row. The winner is the template with the best ROUGE-L; where the
interval of its lead over another holds zero, the one of them with the lower loss.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import UsageError
from toolkit.evaluation.perplexity import PERPLEXITY
from toolkit.kinds import TaskModel, TrainingWatch, model_class
from toolkit.metrics.statistics import Comparison, as_json, interval, paired
from toolkit_summarization.task import TWO_STAGE, Summarization
from toolkit_summarization.templates import TEMPLATES, text_of

if TYPE_CHECKING:
    from toolkit import Recipe, Row
    from toolkit.preparation import Prepared
    from toolkit.system import Console

FIGURES = ("rouge1", "rouge2", "rougeL")


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is compared, and how.

    Args:
        templates: names, or texts with ``{article}`` in them.
        rows: validation rows at most.
        steps: training steps of an adapter for each template; 0 asks the untouched model.
        two_stage: also let sentences be extracted first.
        ensemble: also let so many checkpoints answer together; 0: no.
        seed: of the training.
    """

    templates: Sequence[str] = tuple(TEMPLATES)
    rows: int = 100
    steps: int = 0
    two_stage: bool = False
    ensemble: int = 0
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Line:
    """A template's figures: per-row values, and what is told of them."""

    name: str
    template: str
    losses: Sequence[tuple[float, int]] | None
    values: Mapping[str, Sequence[float]]

    def document(self) -> dict[str, Any]:
        """JSON values: each figure with its interval."""
        metrics = {m.name: m for m in Summarization.metrics}
        found = {name: as_json(interval(metrics[name], self.values[name])) for name in FIGURES}
        if self.losses is not None:
            found["perplexity"] = as_json(interval(PERPLEXITY, self.losses))
        return {"name": self.name, "template": text_of(self.template), **found}


def compare(prepared: Prepared, recipe: Recipe, asked: Asked, console: Console) -> dict[str, Any]:
    """All templates on the same validation rows, the winner by name.

    Raises:
        UsageError: an ensemble is wanted of a model that is not trained.
    """
    if asked.ensemble and not asked.steps:
        raise UsageError("--ensemble needs trained adapters: say --steps too")
    for template in asked.templates:
        text_of(template)  # a wrong name is said before a model is loaded
    rows = [dict(row) for row in prepared.splits["validation"].select(
        range(min(asked.rows, len(prepared.splits["validation"])))
    )]  # fmt: skip
    lines: list[Line] = []
    model = None
    with tempfile.TemporaryDirectory(prefix="toolkit-templates-") as scratch:
        for number, template in enumerate(asked.templates, start=1):
            name = template if template in TEMPLATES else f"own template {number}"
            kind = _kind(recipe, template, asked)
            kind.model = model
            kind.load()
            if asked.steps:
                console.note(f"{name}: {asked.steps} training steps")
                _train(kind, prepared, asked, Path(scratch) / str(number))
            lines += _lines(kind, name, template, rows, asked)
            if asked.steps:
                kind.drop_adapter()
            model = kind.model
            console.note(f"{name}: done")
    return _document(lines, asked, len(rows))


def _kind(recipe: Recipe, template: str, asked: Asked) -> TaskModel:
    task = Summarization()
    task.options |= {
        **recipe.task, "template": template, "two_stage": asked.two_stage,
        "ensemble": asked.ensemble,
    }  # fmt: skip
    return model_class(task)(task, recipe, seed=asked.seed)


def _train(kind: TaskModel, prepared: Prepared, asked: Asked, folder: Path) -> None:
    """A short training, with as many checkpoints as the ensemble takes."""
    every = max(1, asked.steps // max(1, asked.ensemble))
    fields = {
        **kind.recipe.training, "max_steps": asked.steps, "eval_strategy": "steps",
        "eval_steps": every, "save_strategy": "steps", "save_steps": every,
    }  # fmt: skip
    recipe = dataclasses.replace(kind.recipe, training=fields, early_stopping=None)
    few = {**prepared.splits, "validation": prepared.splits["validation"].select(
        range(min(32, len(prepared.splits["validation"])))
    )}  # fmt: skip
    import datasets

    # Trainers print; standard output belongs to the answer.
    with contextlib.redirect_stdout(io.StringIO()):
        kind.train(
            datasets.DatasetDict(few), recipe=recipe, checkpoints=folder / "checkpoints",
            adapter=folder / "adapter", watch=TrainingWatch(),
        )  # fmt: skip
    kind.load_adapter(folder / "adapter")


def _lines(
    kind: TaskModel, name: str, template: str, rows: Sequence[Row], asked: Asked
) -> list[Line]:
    tuned = asked.steps > 0
    losses = kind.target_losses(rows, adapter=tuned)
    lines = [Line(name, template, losses, _values(kind, rows, tuned))]
    if tuned:
        for variant in kind.variants(adapter=True):
            with kind.as_variant(variant):
                lines.append(Line(f"{name}, {variant}", template, None, _values(kind, rows, True)))
    elif asked.two_stage:
        change = kind.task.row_transforms()[TWO_STAGE].change
        staged = [{**row, **change(row)} for row in rows]
        found = _values(kind, staged, False, judged=rows)
        lines.append(Line(f"{name}, {TWO_STAGE}", template, None, found))
    return lines


def _values(
    kind: TaskModel, rows: Sequence[Row], adapter: bool, judged: Sequence[Row] | None = None
) -> dict[str, list[float]]:
    """The ROUGE of each row's output."""
    task = kind.task
    outputs = kind.predict(rows, adapter=adapter)
    found: dict[str, list[float]] = {name: [] for name in FIGURES}
    for output, row in zip(outputs, judged or rows, strict=True):
        said = task.postprocess(output, row)
        for name in FIGURES:
            value = task.metric(name).per_example(
                task.fallback() if said is None else said, task.reference(row)
            )
            found[name].append(float(value))  # type: ignore[arg-type]
    return found


def _document(lines: Sequence[Line], asked: Asked, rows: int) -> dict[str, Any]:
    winner, why = choose(lines)
    metric = next(m for m in Summarization.metrics if m.name == "rougeL")
    against = [
        {"a": winner.name, "b": other.name, "metric": "rougeL",
         **as_json(paired(metric, winner.values["rougeL"], other.values["rougeL"]))}
        for other in lines if other is not winner
    ]  # fmt: skip
    return {
        "rows": rows,
        "steps": asked.steps,
        "lines": [line.document() for line in lines],
        "winner": winner.name,
        "why": why,
        "template": text_of(winner.template),
        "comparisons": against,
    }


def choose(lines: Sequence[Line]) -> tuple[Line, str]:
    """The best line, and why in a few words (see the module)."""
    metric = next(m for m in Summarization.metrics if m.name == "rougeL")
    ranked = sorted(lines, key=lambda line: -metric.value(line.values["rougeL"]))
    best = ranked[0]
    level = [
        other for other in ranked[1:]
        if not _sure(paired(metric, best.values["rougeL"], other.values["rougeL"]))
    ]  # fmt: skip
    if not level:
        return best, "best ROUGE-L, and its lead over each other one is off zero"
    known = [line for line in (best, *level) if line.losses is not None]
    if not known:
        return best, "best ROUGE-L, though not surely"
    lowest = min(known, key=lambda line: PERPLEXITY.value(line.losses or ()))
    others = len(level)
    return lowest, (
        f"lowest loss of the {others + 1} whose ROUGE-L cannot be told apart on these rows"
    )


def _sure(lead: Comparison) -> bool:
    """Whether a lead is off zero: by its interval, or by the paired test where it has none."""
    return lead.low > 0 if math.isfinite(lead.low) else lead.difference > 0 and lead.p < 0.05
