"""``toolkit.evaluate(model, tokenizer, …)``: judge what a notebook has just trained.

What is trained is saved as its own tool would save it, and judged like any folder
(:mod:`toolkit.pipeline.evaluate`), so that the figures are those of the folder. Of a language model
with an adapter the base in memory is used, instead of a second one beside it.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import UsageError
from toolkit.pipeline import called
from toolkit.pipeline.result import RunResult
from toolkit.plugins import recipes
from toolkit.plugins.recipes import Settings
from toolkit.runs.run import Run, runs_folder

if TYPE_CHECKING:
    from toolkit.task import Task

Evaluation = RunResult
"""What :func:`evaluate` returns, by its earlier name."""


def evaluate(
    model: Any,
    tokenizer: Any,
    task: str | Path | type[Task],
    data: Any,
    train: Any = None,
    *,
    validation: Any = None,
    base: str | None = None,
    prompt: str | None = None,
    text: str | Sequence[str] | None = None,
    target: str | None = None,
    labels: str | Mapping[Any, Any] | None = None,
    limit: int | None = None,
    recipe: str | None = None,
    sets: Sequence[str] = (),
    settings: Settings = (),
    seed: int = 0,
    runs: str | Path | None = None,
    quiet: bool = True,
) -> RunResult:
    """Judge a model in memory: base, adapter and baselines on the same rows, compared in pairs.

    The figures are those of ``toolkit evaluate`` on the folder that ``model.save_pretrained`` and
    ``tokenizer.save_pretrained`` write. Nothing of the model or the tokenizer is changed.

    Args:
        model: a ``PeftModel``, whose active adapter is judged, or a whole model.
        tokenizer: its tokenizer.
        task: a task's name, a TOML or Python file, or the class of a task.
        data: the test rows: a file, a Hub data set's id, a list of dicts, a ``Dataset`` or a table
            of pandas.
        train: the training rows, in the same forms; baselines are fitted to them.
        validation: rows by which decoders are chosen; by default some of the training rows.
        base: the untouched model, as ``from_pretrained`` takes it; by default what the adapter
            names. A whole model names none.
        prompt: ``task`` or ``adapter``, where the tokenizer's chat template writes rows otherwise
            than the task does.
        text, target, labels: columns and the meaning of labels, as the command line takes them.
        limit: the most rows to use.
        recipe, sets: how models are loaded and asked, as ``--recipe`` and ``--set``.
        settings: the same as ``sets``, in the form that :func:`toolkit.run` takes it too.
        seed: of all draws.
        runs: the folder of the runs.
        quiet: print nothing.

    Raises:
        ToolkitError: something cannot be judged.
    """
    from toolkit.models import in_memory

    place = runs_folder(None if runs is None else Path(runs))
    rows = {
        name: called.rows_file(value, place)
        for name, value in (("data", data), ("train", train), ("validation", validation))
    }
    changes = [*recipes.assignments(sets), *recipes.assignments(settings)]
    asked = _Asked(
        task, rows, base, prompt, text, target, labels, limit, recipe,
        {key: value for key, value, _ in changes}, seed, place,
    )  # fmt: skip
    with (
        called.call(quiet=quiet),
        in_memory.given_back(model),
        _saved(model, tokenizer, place) as folder,
    ):
        return _judged(asked, model, folder)


@dataclass(frozen=True)
class _Asked:
    """The arguments of :func:`evaluate` that say what to do."""

    task: str | Path | type[Task]
    rows: Mapping[str, str | None]
    base: str | None
    prompt: str | None
    text: str | Sequence[str] | None
    target: str | None
    labels: str | Mapping[Any, Any] | None
    limit: int | None
    recipe: str | None
    sets: Settings
    seed: int
    runs: Path


def _judged(asked: _Asked, model: Any, folder: Path) -> RunResult:
    from toolkit.pipeline import evaluate as evaluation
    from toolkit.pipeline.run import carry_out
    from toolkit.plugins import file_options
    from toolkit.system.console import Console

    if asked.rows["data"] is None:
        raise UsageError("evaluate() needs rows to judge on: data")
    with called.task_class(asked.task) as found:
        given = file_options.merged(
            found,
            {"data": asked.rows["data"], "text": asked.text,
             "target": asked.target, "labels": asked.labels, "limit": asked.limit,
             "seed": asked.seed},
        )  # fmt: skip
        source = evaluation.source_of(
            given, data=asked.rows["data"], train=asked.rows["train"],
            validation=asked.rows["validation"],
        )  # fmt: skip
        run = evaluation.start(
            found, [str(folder)], source, base=asked.base, untrained=asked.rows["train"] is None,
            runs=asked.runs, recipe=asked.recipe, sets=asked.sets, prompt=asked.prompt,
            command=["toolkit.evaluate(…)"],
            options={"seed": asked.seed, "seeds": 1, "store_data": True, "allow_truncation": True},
        )  # fmt: skip
        with called.resumable(run):
            carry_out(run, Console(), _loaded(model, run))
    return RunResult(run.path)


def _loaded(model: Any, run: Run) -> Any:
    """The backend that has the model: of a language model with an adapter the one in memory."""
    from toolkit.kinds.language.model import LanguageModel
    from toolkit.kinds.registry import model_class
    from toolkit.models import in_memory
    from toolkit.pipeline.restore import load_task

    if in_memory.has_adapter(model) and issubclass(model_class(load_task(run)), LanguageModel):
        return in_memory.InMemory(model)
    return None


# -- what is given, as files -----------------------------------------------------------------------
@contextlib.contextmanager
def _saved(model: Any, tokenizer: Any, runs: Path) -> Iterator[Path]:
    """The folder of a model, as its own tool saves it; an adapter's is removed at the end."""
    from toolkit.models import in_memory

    (runs / called.GIVEN).mkdir(parents=True, exist_ok=True)
    top = Path(tempfile.mkdtemp(prefix="model-", dir=runs / called.GIVEN))
    peft = in_memory.has_adapter(model)
    done = False
    try:
        folder = top / "adapter"
        if peft:
            name = in_memory.active(model)
            model.save_pretrained(str(folder), selected_adapters=[name])
            folder = folder if name == "default" else folder / name
        else:
            model.save_pretrained(str(folder))
        tokenizer.save_pretrained(str(folder))
        yield folder
        done = True
    finally:
        if peft or not done:  # a run may refer to the weights of a whole model
            shutil.rmtree(top, ignore_errors=True)
