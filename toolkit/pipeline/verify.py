"""``toolkit report RUN --verify``: check a run against its record, its predictions and its model.

Hashes of ``run.json`` show that a file was changed. What was changed together with its hash shows
where it contradicts another file: prediction lines are checked one by one
(:mod:`~toolkit.pipeline.verify_lines`), values, figures and pages are computed again
(:mod:`~toolkit.pipeline.verify_values`), and rows are predicted again with the saved model. Who
rewrites predictions, figures, pages and hashes in agreement is found by predicting all rows again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from toolkit.decoding import decode_as, or_fallback
from toolkit.errors import RunError, ToolkitError
from toolkit.formatting import is_number
from toolkit.kinds.language.outputs import Generated
from toolkit.pipeline import other_code, verify_lines, verify_values
from toolkit.pipeline.predict import open_run
from toolkit.pipeline.restore import load_task
from toolkit.pipeline.verify_lines import Lines
from toolkit.runs import predictions, record
from toolkit.runs.contents import read_run
from toolkit.runs.files import read_json
from toolkit.runs.predictions import is_list, same
from toolkit.runs.run import Run
from toolkit.task import Task

_TOLERANCE = 1e-3
"""The relative difference up to which predictions count as equal: a prediction depends, by
rounding, on the rows that share its batch."""
LIMIT = (
    "Hashes and recomputation cannot detect predictions that were rewritten in agreement with the "
    "hashes, figures and pages; only predicting all rows again can: --all."
)
ALL_LIMIT = (
    "All rows of base and adapter were predicted again; the predictions of other systems, if "
    "rewritten in agreement with the hashes, figures and pages, can only be had again by a new run."
)
T = TypeVar("T")


@dataclass
class Verification:
    """What was compared, every difference, and what could not be checked.

    Args:
        differences: one sentence for each difference, which names the file and the line.
        notes: one sentence for each thing that could not be checked.
        figures: how many numbers of ``metrics.json`` were computed again.
        rows: how many rows were predicted again.
        files: how many files have the hash that the run recorded.
        limit: what no check of this kind detects.
    """

    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: int = 0
    rows: int = 0
    files: int = 0
    limit: str = LIMIT

    def document(self) -> dict[str, Any]:
        """The values as plain data, for ``--json``."""
        return asdict(self)

    def attempt(self, what: str, check: Callable[[], T]) -> T | None:
        """What a check gives; a check that fails is a difference, since the files may be anything.

        Args:
            what: the file that it reads, for the sentence.
            check: the check.
        """
        try:
            return check()
        except ToolkitError as error:
            self.differences.append(f"{what}: {error}")
        except Exception as error:
            self.differences.append(f"{what} cannot be used: {type(error).__name__}: {error}")
        return None


def verify(run: Run, *, sample: int = 64, every: bool = False) -> Verification:
    """Check the files of a run, recompute every figure, and predict held-out rows again.

    Args:
        run: a finished run.
        sample: how many rows the trained model predicts again; none where the run did not store
            its rows.
        every: predict all rows again, with the base model too.

    Raises:
        RunError: the run is not scored yet.
        ToolkitError: its task is not there.
    """
    if not run.done("score"):
        raise RunError(f"run {run.id} is not finished; go on with: toolkit resume {run.path}")
    found = Verification(limit=ALL_LIMIT if every else LIMIT)
    check_record(run, found)
    task = load_task_of(run, found)
    if task is None:
        return found
    if difference := other_code.changed(run, task):
        found.notes.append(
            f"the task's code is not that of the run ({difference}), so values may differ for that "
            "reason; toolkit report computes them again by the code that is here"
        )
    lines = check_figures(run, task, found)
    if lines is not None:
        again = found.attempt(
            "the adapter", lambda: predict_again(run, task, lines, sample, every, found)
        )
        found.rows = again or 0
    return found


def check_record(run: Run, found: Verification) -> None:
    """Files and systems against what ``run.json`` records of them."""
    if not record.of(run):
        if (run.path / record.LINES).is_file() or "code" in run.info:
            found.differences.append("run.json has lost its record of files and systems")
        else:
            found.notes.append(
                "run.json records no hashes and no systems (an earlier version wrote it), so "
                "changes that agree with each other and changed pages cannot be seen"
            )
        return
    changed = found.attempt("run.json", lambda: record.changed(run)) or {}
    found.differences += changed.values()
    found.files = len(record.of(run).get("files", ())) - len(changed)
    found.differences += found.attempt(record.SYSTEMS, lambda: record.other_systems(run)) or []


def load_task_of(run: Run, found: Verification) -> Task | None:
    """The run's task; an error of the toolkit's own, such as a missing plugin, passes through."""
    try:
        return load_task(run)
    except ToolkitError:
        raise
    except Exception as error:  # run.json may hold anything
        found.differences.append(f"run.json does not fit its task: {type(error).__name__}: {error}")
        return None


def recompute(run: Run, task: Task) -> list[str]:
    """Every difference between stored figures and those that the predictions give.

    Args:
        run: a run that is scored.
        task: its task, with the ``options`` and ``state`` of the run.
    """
    found = Verification()
    check_figures(run, task, found)
    return found.differences


def check_figures(run: Run, task: Task, found: Verification) -> Lines | None:
    """Check everything that needs no model: lines, values, ``metrics.json`` and the pages.

    Args:
        run: a run that is scored.
        task: its task, with the ``options`` and ``state`` of the run.
        found: gets the differences.

    Returns:
        the lines of data and predictions; ``None`` where they cannot be read at all.
    """
    lines = found.attempt("predictions/", lambda: verify_lines.read(run, task))
    if lines is None:
        return None
    found.differences += lines.problems
    found.differences += found.attempt(
        "predictions/", lambda: list(verify_values.of_lines(lines, task))
    ) or []  # fmt: skip
    contents = found.attempt("predictions/", lambda: read_run(run))
    stored = found.attempt("metrics.json", lambda: read_json(run.path / "metrics.json"))
    if contents is None or stored is None:
        return lines
    found.figures = _count(stored)
    figures = found.attempt(
        "metrics.json", lambda: verify_values.of_metrics(contents, task, stored)
    )
    if figures is None:
        return lines
    found.differences += figures[0]
    pages = found.attempt(
        "report.html", lambda: verify_values.of_pages(run, contents, task, figures[1])
    )
    if pages is not None:
        found.differences += pages[0]
        found.notes += pages[1]
    return lines


def predict_again(
    run: Run, task: Task, lines: Lines, sample: int, every: bool, found: Verification
) -> int:
    """Predict rows again with the saved model, and note the differences; the number of rows.

    Args:
        run: the run.
        task: its task.
        lines: its held-out rows and predictions.
        sample: how many test rows the trained model predicts.
        every: all rows of all splits, also by the base model.
        found: gets the differences.
    """
    roles = {entry["name"]: entry["role"] for entry, _ in lines.systems}
    ours = predictions.trained_name(roles)
    if ours is None or not lines.heldout:
        reason = "the run does not store its rows" if ours else "there is no trained system"
        found.notes.append(f"no row was predicted again: {reason}")
        return 0
    _, kind = open_run(run)
    count = 0
    bases = [name for name, role in roles.items() if role == "base"] if every else []
    for name in (ours, *bases):
        entry, stored = next(each for each in lines.systems if each[0]["name"] == name)
        label = "adapter" if name == ours else "base model"
        there = {line.key: line for line in stored}
        rows = [(key, row) for key, row in lines.rows.items() if key in there]
        tests = [key for key, _ in rows if key[0] == "test"]
        drawn = set(random.Random(0).sample(tests, min(sample, len(tests))))
        compared = set(there) if every else drawn
        if not (every or kind.reduced):
            # In bfloat16 a prediction varies with the rows of its batch: all batches are repeated.
            rows = [(key, row) for key, row in rows if key in drawn]
        inputs = [row for _, row in rows]
        outputs = kind.predict(inputs, adapter=name == ours)
        decoded = or_fallback(task, decode_as(task, entry, outputs, inputs))
        for (key, _), output, now in zip(rows, outputs, decoded, strict=True):
            if key in compared:
                count += 1
                where = f"predictions/{entry['file']} {there[key].place}"
                found.differences += [
                    f"{where}: {sentence}"
                    for sentence in _other(there[key].row, output, now, label, raw=every)
                ]
    return count


def _other(
    stored: Mapping[str, Any], output: Any, now: Any, system: str, *, raw: bool
) -> list[str]:
    """How a stored line differs from what the model gives now.

    Args:
        raw: also compare written texts, which repeat exactly where all batches are the same.
    """
    then = stored["prediction"]
    if not same(then, now, _TOLERANCE):
        return [f"prediction is {then!r}, the {system} now gives {now!r}"]
    if raw and isinstance(output, Generated) and stored.get("raw") != output.text:
        return [f"raw is {stored.get('raw')!r}, the {system} now writes {output.text!r}"]
    return []


def _count(value: Any) -> int:
    """How many numbers a document holds."""
    if isinstance(value, Mapping):
        return sum(_count(inside) for inside in value.values())
    if is_list(value):
        return sum(_count(inside) for inside in value)
    return int(is_number(value))
