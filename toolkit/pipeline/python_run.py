"""``toolkit.run(task, …)``: what ``toolkit run`` does, for a program or a notebook."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.data.source import Source
from toolkit.errors import UsageError
from toolkit.pipeline import called
from toolkit.pipeline.result import RunResult
from toolkit.plugins.recipes import Settings
from toolkit.runs.run import runs_folder

if TYPE_CHECKING:
    from toolkit.task import Task

NUMBERS = {"seed": (0, 2**31 - 1), "seeds": (1, 100), "limit": (1, 2**63 - 1)}
"""Arguments that are whole numbers → the least and the greatest, as on the command line."""
ROWS = ("data", "train", "validation", "test")


def run(
    task: str | Path | type[Task],
    data: Any = None,
    *,
    train: Any = None,
    validation: Any = None,
    test: Any = None,
    text: str | Sequence[str] | None = None,
    target: str | None = None,
    labels: str | Mapping[Any, Any] | None = None,
    group: str | None = None,
    near_duplicates: bool | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    sheet: str | None = None,
    limit: int | None = None,
    recipe: str | Path | None = None,
    model: str | Path | None = None,
    settings: Settings = (),
    mask_target: bool = False,
    mend: bool = False,
    seed: int = 0,
    seeds: int = 1,
    allow_truncation: bool = False,
    store_data: bool = True,
    trust_remote_code: bool = False,
    backend: str = "auto",
    keep_steps: bool = False,
    runs: str | Path | None = None,
    quiet: bool = False,
) -> RunResult:
    """Prepare data, train, and compare base model, adapter and baselines, as ``toolkit run`` does.

    The figures are those of the command line with the same arguments. In a notebook the progress
    is shown below the cell. The process is afterwards as before: its environment, and what
    libraries that were imported before say of themselves.

    Args:
        task: a task's name, a TOML or Python file, or the class of a task.
        data: rows, from which test and validation rows are drawn: a file, a Hub data set's id, a
            list of dicts, a ``Dataset`` or a table of pandas; the task's own by default.
        train, validation, test: rows of splits of one's own, in the same forms.
        text: columns, or a template with ``{column}`` in it.
        target: the column to predict.
        labels: what the labels mean, as ``--labels`` takes it or as a table.
        group: the column that rows of one split share.
        near_duplicates: keep rows with nearly the same text in one split too.
        encoding, header, sheet: how a file is read.
        limit: the most rows to use.
        recipe: a recipe of the task, or a TOML file.
        model: Hub id or local folder, instead of the recipe's model.
        settings: fields of the recipe, ``{"lora.r": 32}`` or ``{"lora": {"r": 32}}``; a list of
            texts is taken as ``--set`` takes them.
        mask_target: remove the target from texts that contain it.
        mend: repair rows.
        seed: of splits, weights and order.
        seeds: train this many times and report the spread.
        allow_truncation: leave out training rows whose answer does not fit.
        store_data: keep the held-out rows in the run.
        trust_remote_code: run code that comes with the model.
        backend: ``auto``, ``transformers`` or ``unsloth``.
        keep_steps: keep every checkpoint's adapter, for ``toolkit compare RUN --checkpoints``.
        runs: the folder of the runs; ``TOOLKIT_RUNS`` or ``runs`` by default.
        quiet: print nothing.

    Raises:
        ToolkitError: something cannot be used, or the run would fail.
        KeyboardInterrupt: it was stopped; ``toolkit.load_run(…).resume()`` goes on.
    """
    given = dict(locals())
    _check(given)
    place = runs_folder(None if runs is None else Path(runs))
    with called.call(quiet=quiet):
        rows = {name: called.rows_file(given[name], place) for name in ROWS}
        named = {name: given[name] for name in _SOURCE if name not in ROWS}
        with called.task_class(task) as found:
            return _carried_out(found, {**named, **rows}, given, place)


_DEFAULTS = {name: one.default for name, one in inspect.signature(run).parameters.items()}
_SOURCE = tuple(name for name in _DEFAULTS if name in Source.__dataclass_fields__)
"""The arguments that are fields of :class:`Source`."""
_OPTIONS = (
    "seed", "seeds", "store_data", "allow_truncation", "trust_remote_code", "backend", "keep_steps",
)  # fmt: skip


def _carried_out(
    task: type[Task], source: Mapping[str, Any], given: Mapping[str, Any], runs: Path
) -> RunResult:
    from toolkit.pipeline import start
    from toolkit.system.console import Console

    created = start.requested(
        task, source, runs=runs, recipe=_text(given["recipe"]), model=_text(given["model"]),
        sets=given["settings"], command=[called.as_text("toolkit.run", _said(given))],
        flags={"--mask-target": given["mask_target"], "--mend": given["mend"]},
        options={name: given[name] for name in _OPTIONS},
    )  # fmt: skip
    # Only now: it imports the libraries that read the environment, which is prepared by now.
    from toolkit.pipeline.run import carry_out

    console = Console()
    console.say(f"run {created.id} in {created.path}")
    with called.resumable(created):
        carry_out(created, console)
    return RunResult(created.path)


def _text(value: str | Path | None) -> str | None:
    return None if value is None else str(value)


def _said(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that have other values than their defaults."""
    plain = (str, int, tuple)  # a table of pandas is compared cell by cell
    return {
        name: value
        for name, value in given.items()
        if value is not _DEFAULTS[name]
        and not (isinstance(value, plain) and value == _DEFAULTS[name])
    }


def _check(given: Mapping[str, Any]) -> None:
    """Refuse numbers that the command line refuses; it does before its function is called."""
    for name, (least, most) in NUMBERS.items():
        value = given[name]
        if value is None and name == "limit":
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            upper = f" and at most {most:,}" if most < 2**62 else ""
            raise UsageError(f"{name} must be a whole number of at least {least}{upper}: {value!r}")
