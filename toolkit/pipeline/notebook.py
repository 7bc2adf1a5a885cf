"""``toolkit.evaluate(model, tokenizer, …)``: judge what a notebook has just trained.

What is trained is saved as its own tool would save it, and judged like any folder
(:mod:`toolkit.pipeline.evaluate`), so that the figures are those of the folder. Of a language model
with an adapter the base in memory is used, instead of a second one beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import BusyError, ToolkitError, UsageError, WriteError
from toolkit.runs.files import read_json, write_jsonl
from toolkit.runs.run import Run, runs_folder

if TYPE_CHECKING:
    from toolkit.task import Task

GIVEN = ".given"
"""The folder below that of the runs with rows and models that came as objects."""


@dataclass(frozen=True)
class Evaluation:
    """The result of :func:`evaluate`; a notebook shows it as a table with the verdict.

    Args:
        path: the run directory, which every command takes.
    """

    path: Path

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The content of ``metrics.json``: every figure, with its interval."""
        return dict(read_json(self.path / "metrics.json"))

    @property
    def verdict(self) -> dict[str, Any]:
        """``worth_it``, ``sentence``, ``caveats`` and more."""
        return dict(self.metrics["verdict"])

    @property
    def worth_it(self) -> bool | None:
        """The answer; ``None``: the test rows cannot tell."""
        return None if self.verdict["worth_it"] is None else bool(self.verdict["worth_it"])

    @property
    def report(self) -> Path:
        """The page with everything."""
        return self.path / "report.html"

    def __str__(self) -> str:
        return str(self.verdict["sentence"])

    def _repr_html_(self) -> str:
        from toolkit.reporting import context
        from toolkit.reporting.render import render

        content = context.content(self.metrics, {})
        return render("notebook.html.j2", {**content, "doc": self.metrics, "report": self.report})


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
    labels: str | None = None,
    limit: int | None = None,
    recipe: str | None = None,
    sets: Sequence[str] = (),
    seed: int = 0,
    runs: str | Path | None = None,
    quiet: bool = True,
) -> Evaluation:
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
        seed: of all draws.
        runs: the folder of the runs.
        quiet: print nothing.

    Raises:
        ToolkitError: something cannot be judged.
    """
    from toolkit.models import in_memory

    place = runs_folder(None if runs is None else Path(runs))
    rows = {
        name: _file(value, place)
        for name, value in (("data", data), ("train", train), ("validation", validation))
    }
    asked = _Asked(task, rows, base, prompt, text, target, labels, limit, recipe, sets, seed, place)
    with _environment(), in_memory.given_back(model), _saved(model, tokenizer, place) as folder:
        return _judged(asked, model, folder, quiet)


@dataclass(frozen=True)
class _Asked:
    """The arguments of :func:`evaluate` that say what to do."""

    task: str | Path | type[Task]
    rows: Mapping[str, str | None]
    base: str | None
    prompt: str | None
    text: str | Sequence[str] | None
    target: str | None
    labels: str | None
    limit: int | None
    recipe: str | None
    sets: Sequence[str]
    seed: int
    runs: Path


def _judged(asked: _Asked, model: Any, folder: Path, quiet: bool) -> Evaluation:
    from toolkit.data.columns import split_option
    from toolkit.pipeline import evaluate as evaluation
    from toolkit.pipeline.run import execute
    from toolkit.plugins import file_options
    from toolkit.system.console import Console

    if asked.rows["data"] is None:
        raise UsageError("evaluate() needs rows to judge on: data")
    text = split_option(asked.text) if isinstance(asked.text, str) else asked.text
    with _provided(asked.task) as found:
        given = file_options.merged(
            found,
            {"data": asked.rows["data"], "text": tuple(text) if text else None,
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
        try:
            execute(run, Console(quiet=quiet), _loaded(model, run))
        except (BusyError, WriteError):
            raise
        except ToolkitError:
            run.forget()
            raise
    return Evaluation(run.path)


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

    (runs / GIVEN).mkdir(parents=True, exist_ok=True)
    top = Path(tempfile.mkdtemp(prefix="model-", dir=runs / GIVEN))
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


def _file(rows: Any, runs: Path) -> str | None:
    """The file with some rows; those that come as objects are written beside the runs."""
    if rows is None or isinstance(rows, str | Path):
        return None if rows is None else str(rows)
    listed = rows.to_dict("records") if hasattr(rows, "to_dict") and hasattr(rows, "iloc") else rows
    try:
        made = [dict(row) for row in listed]
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"rows must be a file, a list of dicts, a Dataset or a table, not {type(rows).__name__}"
        ) from error
    if not made:
        raise UsageError("there are no rows to judge on")
    text = json.dumps(made, default=str, ensure_ascii=False)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    place = runs / GIVEN / f"rows-{digest}.jsonl"
    place.parent.mkdir(parents=True, exist_ok=True)
    write_jsonl(place, made)
    return str(place)


@contextlib.contextmanager
def _provided(task: str | Path | type[Task]) -> Iterator[type[Task]]:
    """The class of a task; one that is given as a class is known within the context."""
    from toolkit.plugins import discovery, lookup, registration

    if not isinstance(task, type):
        yield lookup.find(str(task))
        return
    registration.check_registration(task)
    origin = discovery.Plugin(task.name, "in memory", "0", task.__module__, [task.name])
    with discovery.load().provided(task, origin):
        yield task


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """Within the context, the environment may be set for a run; afterwards it is as before."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
