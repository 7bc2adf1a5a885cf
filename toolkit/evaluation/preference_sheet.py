"""Human evaluation: a CSV sheet with shuffled pairs of two unnamed systems' answers.

The run's seed and the names of the two systems decide which rows are drawn and which system is
shown first. A sheet therefore does not tell which system wrote which answer, all readers get the
same one, and no key is needed to read it back: the same pairs are drawn again.

Sources:
    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
    Measurement 20 (1960) 37-46.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import formatting
from toolkit.errors import DataError, RunError
from toolkit.runs import predictions
from toolkit.runs.files import read_jsonl
from toolkit.runs.run import Run
from toolkit.system import secrets
from toolkit.task import Row, Task

ROWS = 100
CHOICES = {"A": "left", "B": "right", "tie": "tie", "both bad": "both-bad"}
"""What a reader may enter → its name in the results."""
COLUMNS = ("pair", "input", "A", "B", "choice")
UNDECIDED = ("tie", "both-bad")


@dataclass(frozen=True)
class SheetPair:
    """Two answers to one test row.

    Args:
        row_id: the number of the row.
        input: the inputs of the systems, as text.
        left: the (system, answer) that is shown as A.
        right: the (system, answer) that is shown as B.
    """

    row_id: int
    input: str
    left: tuple[str, str]
    right: tuple[str, str]

    def verdict(self, choice: str) -> str:
        """The system that ``left`` or ``right`` prefers; other choices are returned as they are."""
        return {"left": self.left[0], "right": self.right[0]}.get(choice, choice)


@dataclass(frozen=True)
class Agreement:
    """How far two readers agree on the rows that both have judged.

    Args:
        a, b: their names.
        rows: how many rows both judged.
        share: the share of these rows on which both made the same choice.
        kappa: Cohen's kappa over the systems, "tie" and "both bad"; NaN where both readers made
            one and the same choice everywhere.
    """

    a: str
    b: str
    rows: int
    share: float
    kappa: float


def draw(run: Run, task: Task, a: str, b: str, rows: int = ROWS) -> list[SheetPair]:
    """The sheet: up to ``rows`` test rows on which two systems of a run differ, shuffled.

    Raises :class:`RunError` where a system has no predictions, or the run keeps no rows.
    """
    found = {system.name: system.splits["test"] for system in predictions.load(run)}
    if unknown := [name for name in (a, b) if name not in found]:
        raise RunError(
            f"run {run.id} has no predictions of {unknown[0]}; it has those of {', '.join(found)}"
        )
    first, second = sorted((a, b))
    drawn = random.Random(f"{run.info['seed']} sheet {first} {second}")
    order = sorted(_inputs(run, task).items())
    drawn.shuffle(order)
    pairs = []
    for row_id, shown in order:
        sides = [
            (name, answer(task, found[name][row_id]))
            for name in (first, second)
            if row_id in found[name]
        ]
        if len(sides) < 2 or sides[0][1] == sides[1][1]:
            continue  # a reader could only choose "tie"
        drawn.shuffle(sides)
        pairs.append(SheetPair(row_id, shown, sides[0], sides[1]))
        if len(pairs) == rows:
            break
    if not pairs:
        raise RunError(f"{a} and {b} gave the same answer to every test row of run {run.id}")
    return pairs


def answer(task: Task, line: Mapping[str, Any]) -> str:
    """A system's answer as text: what the model wrote, else its prediction.

    Args:
        task: the task, for the unit of numbers.
        line: a line of a predictions file.
    """
    raw = line.get("raw")
    if raw:
        return str(raw)
    value = line["prediction"]
    if formatting.is_number(value):
        return formatting.with_unit(formatting.number(round(float(value), 4)), task.metric().unit)
    return str(value)


def _inputs(run: Run, task: Task) -> dict[int, str]:
    place = run.data / "heldout.jsonl"
    if not place.is_file():
        raise RunError(f"run {run.id} keeps no rows (--no-store-data), so there is no sheet")
    rows = [row for row in read_jsonl(place) if row["split"] == "test"]
    return {int(row["row_id"]): shown(task, row) for row in rows}


def shown(task: Task, row: Row) -> str:
    """A row's inputs as text."""
    names = list(task.panel.inputs) if task.panel else task.input_columns()
    return "\n".join(str(row.get(name, "")) for name in names)


# -- as a file -----------------------------------------------------------------------------------
def to_csv(pairs: Sequence[SheetPair]) -> str:
    """The sheet to be filled in: its last column is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, pair in enumerate(pairs, 1):
        cells = [_cell(text) for text in (pair.input, pair.left[1], pair.right[1])]
        writer.writerow([number, *cells, ""])
    return buffer.getvalue()


def _cell(text: str) -> str:
    """A text as a cell; a carriage return alone would end the line, as it is not put in quotes."""
    shown = formatting.spreadsheet_cell(secrets.redacted(text))
    return shown.replace("\r\n", "\n").replace("\r", "\n")


def read_csv(path: Path, pairs: Sequence[SheetPair]) -> dict[int, str]:
    """Row number → the system preferred, ``tie`` or ``both-bad``, from a sheet that was filled in.

    Rows without a choice are left out.

    Raises:
        DataError: the sheet has other pairs, or a choice that is not one of :data:`CHOICES`.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    found = {}
    names = {word.lower(): name for word, name in CHOICES.items()}
    for line in lines:
        choice = (line.get("choice") or "").strip().lower().replace("-", " ")
        if not choice:
            continue
        number = (line.get("pair") or "").strip()
        pair = pairs[int(number) - 1] if number.isdigit() and int(number) <= len(pairs) else None
        if pair is None or not _same(line, pair):
            raise DataError(f"{path.name}, pair {number or '?'}: not a pair of this run's sheet")
        if choice not in names:
            raise DataError(
                f"{path.name}, pair {number}: choice {choice!r}; write {', '.join(CHOICES)}"
            )
        found[pair.row_id] = pair.verdict(names[choice])
    return found


def _same(line: Mapping[str, Any], pair: SheetPair) -> bool:
    """Whether a line is of that pair; spreadsheets may change blanks and ends of lines."""
    ours = [_cell(text).split() for text in (pair.left[1], pair.right[1])]
    return [(line.get("A") or "").split(), (line.get("B") or "").split()] == ours


# -- agreement of readers --------------------------------------------------------------------------
def agreement(judged: Mapping[str, Mapping[int, str]]) -> list[Agreement]:
    """How far every two readers agree.

    Args:
        judged: reader → row number → the system preferred, ``tie`` or ``both-bad``.
    """
    from sklearn.metrics import cohen_kappa_score

    found = []
    for a, b in itertools.combinations(sorted(judged), 2):
        both = sorted(judged[a].keys() & judged[b].keys())
        if len(both) < 2:
            continue
        ours, theirs = [judged[a][r] for r in both], [judged[b][r] for r in both]
        share = sum(x == y for x, y in zip(ours, theirs, strict=True)) / len(both)
        same = len({*ours, *theirs}) == 1
        kappa = math.nan if same else float(cohen_kappa_score(ours, theirs))
        found.append(Agreement(a, b, len(both), share, kappa))
    return found
