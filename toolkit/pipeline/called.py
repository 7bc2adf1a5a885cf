"""What a program calls: its objects as files and names, and the process given back as it was.

A run takes files and names of tasks, so that it can go on in another process. What a program has
as objects is therefore stored, or made known for as long as the call lasts.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import UsageError
from toolkit.runs import trust
from toolkit.runs.files import write_jsonl
from toolkit.system import distributed, environment, secrets
from toolkit.system.console import silent

if TYPE_CHECKING:
    from toolkit.runs.run import Run
    from toolkit.task import Task

GIVEN = ".given"
"""The folder below that of the runs with rows and models that came as objects."""


@contextlib.contextmanager
def call(*, quiet: bool, task_file: bool = False, remote_code: bool = False) -> Iterator[None]:
    """Within the context, a command's work is done for a program; afterwards all is as before.

    Args:
        quiet: print nothing, no warnings and log records of libraries either.
        task_file, remote_code: what the program consents to, see :mod:`toolkit.runs.trust`.
    """
    secrets.read_environment()
    consent = trust.of_one_call(task_file=task_file, remote_code=remote_code)
    logged = logging.root.manager.disable
    with environment.given_back(), consent, silent(quiet or not distributed.first()):
        environment.quiet()
        if quiet:
            warnings.simplefilter("ignore")
            logging.disable(logging.CRITICAL)
            environment.hide_bars()
        try:
            yield
        finally:
            logging.disable(logged)
            distributed.end()


@contextlib.contextmanager
def resumable(run: Run) -> Iterator[None]:
    """Within the context a run is worked at: whoever stops it is told how to go on."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        stopped.add_note(f"go on with: toolkit.load_run({str(run.path)!r}).resume()")
        raise


def as_text(function: str, given: Mapping[str, Any]) -> str:
    """A call as it could be typed, for the report; values without a short text are left out.

    Args:
        function: its name.
        given: argument → value, without those that have their defaults.
    """
    arguments = []
    for name, value in given.items():
        value = str(value) if isinstance(value, Path) else value
        value = value.__name__ if isinstance(value, type) else value
        plain = isinstance(value, str | int | float | dict | list | tuple)
        text = repr(value) if plain else "…"
        arguments.append(f"{name}={text if len(text) <= 200 else '…'}")
    return f"{function}({', '.join(arguments)})"


def rows_file(rows: Any, runs: Path) -> str | None:
    """The file with some rows; those that come as objects are written beside the runs.

    Args:
        rows: a file, a Hub data set's id, a list of dicts, a ``Dataset``, a table of pandas or
            ``None``.
        runs: the folder of the runs.

    Raises:
        UsageError: it is none of these, or holds no row.
    """
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
        raise UsageError("there are no rows in what was given")
    made = [{str(name): _cell(value) for name, value in row.items()} for row in made]
    text = json.dumps(made, default=str, ensure_ascii=False)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    place = runs / GIVEN / f"rows-{digest}.jsonl"
    place.parent.mkdir(parents=True, exist_ok=True)
    write_jsonl(place, made)
    return str(place)


def _cell(value: Any) -> Any:
    """A value of a table as JSON has it: numpy's numbers are numbers, what is missing is null."""
    if hasattr(value, "isoformat"):  # dates; the missing one says "NaT"
        return None if value != value else value.isoformat()
    if type(value).__name__ == "NAType":
        return None
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return value.tolist()
    return value


@contextlib.contextmanager
def task_class(task: str | Path | type[Task]) -> Iterator[type[Task]]:
    """The class of a task; one that is given as a class is known within the context."""
    from toolkit.plugins import discovery, lookup, registration

    if not isinstance(task, type):
        yield lookup.find(str(task))
        return
    registration.check_registration(task)
    origin = discovery.Plugin(task.name, "in memory", "0", task.__module__, [task.name])
    with discovery.load().provided(task, origin):
        yield task
