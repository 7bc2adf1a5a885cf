"""``toolkit predict --data FILE --out FILE``: rows of any number, predicted in chunks.

Each chunk is predicted, read and appended to a journal beside the output, ``OUT.part``, whose first
line says of which run and which file its lines are. What is stopped goes on with the next chunk;
when all rows are there, the output is made from the journal, as JSON lines, CSV or Parquet. No more
than a chunk is in memory, however many rows there are.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from toolkit.errors import UsageError
from toolkit.pipeline.predict import answered, open_run
from toolkit.pipeline.prediction_formats import check_name, write
from toolkit.runs.files import jsonl
from toolkit.runs.run import Run

if TYPE_CHECKING:
    from toolkit.data.source import Source

CHUNK = 1_000
"""Rows that are predicted and written at a time."""


def predict_file(
    run: Run,
    source: Source,
    out: Path,
    *,
    adapter: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
    say: Callable[[str], None] = lambda sentence: None,
) -> int:
    """Predict the rows of a file, and write the predictions to another.

    Args:
        run: a finished run.
        source: names the file of rows.
        out: where the predictions go; its ending chooses the format.
        adapter: predict with the adapter, or else with the untouched base.
        progress: is called with the rows done and all of them.
        say: receives a sentence where an earlier try is gone on with.

    Returns:
        The number of rows.

    Raises:
        UsageError: the name of the output has another ending, or its folder cannot be written to.
        RunError: the run has no adapter yet.
        DataError: a row cannot be read.
    """
    check_name(out)
    journal = out.with_name(f"{out.name}.part")
    heading = _heading(run, source, adapter=adapter)
    try:
        with _alone(journal) as file:
            done = _done(file, heading)
            if done:
                say(f"{done:,} rows were predicted before; going on with row {done + 1:,}")
            number = _predicted(run, source, file, done, adapter=adapter, progress=progress)
            write(lambda: _answers(journal), out)
            journal.unlink()
    except OSError as error:
        raise UsageError(
            f"cannot write the predictions: {error.filename or out}: {error.strerror or error}; "
            "the same command goes on where it ended"
        ) from error
    return number


@contextlib.contextmanager
def _alone(journal: Path) -> Iterator[IO[bytes]]:
    """A journal, open for reading and writing, which no other process writes."""
    import filelock

    lock = filelock.FileLock(journal.with_name(f"{journal.name}.lock"), blocking=False)
    try:
        with lock, journal.open("a+b") as file:
            yield file
    except filelock.Timeout as error:
        raise UsageError(f"another process is writing {journal}") from error
    Path(lock.lock_file).unlink(missing_ok=True)


def _heading(run: Run, source: Source, *, adapter: bool) -> dict[str, Any]:
    """What predictions of one journal have in common: the run, and the rows as they are read."""
    found: dict[str, Any] = {"run": run.id, "adapter": adapter, "source": source.as_dict()}
    path = Path(str(source.data))
    if path.exists():
        state = path.stat()
        found |= {"path": str(path.resolve()), "size": state.st_size, "changed": state.st_mtime_ns}
    return json.loads(json.dumps({"predictions of": found}))  # type: ignore[no-any-return]


def _done(file: IO[bytes], heading: Mapping[str, Any]) -> int:
    """How many rows a journal holds, cut after its last whole line; a new one gets its heading."""
    file.seek(0)
    end = number = 0
    for at, line in enumerate(file):
        whole = _read(line)
        if whole is None or (at == 0 and whole != heading) or (at and whole.get("row") != at):
            break
        end, number = end + len(line), at
    file.truncate(end)
    file.seek(end)
    if not end:
        _append(file, [heading])
    return number


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _append(file: IO[bytes], lines: list[Mapping[str, Any]]) -> None:
    file.write(jsonl(lines))
    file.flush()
    os.fsync(file.fileno())


def _predicted(
    run: Run,
    source: Source,
    file: IO[bytes],
    done: int,
    *,
    adapter: bool,
    progress: Callable[[int, int], None],
) -> int:
    """Predict the rows that are missing, chunk by chunk; the number of all rows."""
    from toolkit.data import tables

    task, kind = open_run(run, adapter=adapter)
    source.chosen = dict(run.info["data"].get("chosen") or {})
    inputs = task.load_inputs(source)
    total = len(inputs)
    progress(done, total)
    for start in range(done, total, CHUNK):
        rows = list(tables.rows(inputs.select(range(start, min(start + CHUNK, total)))))
        answers = answered(run, task, kind, rows, adapter=adapter)
        _append(file, [{"row": at, **one} for at, one in enumerate(answers, start + 1)])
        progress(start + len(rows), total)
    return total


def _answers(journal: Path) -> Iterator[dict[str, Any]]:
    """The predictions of a journal, one after the other."""
    with journal.open("rb") as file:
        next(file)  # the heading
        for line in file:
            answer = json.loads(line)
            del answer["row"]
            yield answer
