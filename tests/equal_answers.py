"""One answer and one winner for a row, whoever is asked: the ways to ask, and how they differ.

Compare and Prediction (as programs ask a served playground, and Compare as its page draws it), the
run's own predictions, which the report shows, and ``toolkit predict``. ``.ci/campaign/equality.py``
asks each in a process of its own, the suite a few rows.

    python tests/equal_answers.py RUN OUT

draws Compare for the held-out rows of a run, without a browser, and writes what stands in it.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from cli_runner import command
from toolkit import Metric, Row, Task
from toolkit.runs import Run, read_json, read_jsonl

SIDES = ("base", "adapter")
EQUAL, UNTOLD = "equal", ""
"""Winners: both are as good; nobody can tell."""
ASKED = ("validation", "test")
"""Splits whose rows are asked: the first by their numbers, the others by what their inputs are."""
_FIGURE = re.compile(r"-?\d+\.(\d+)")
CLIENTS, PATIENCE = 4, 300
"""Programs that ask a playground at once, and seconds that they wait on a busy machine."""
CLOSE, OF_A_HEAD = 1e-6, 2e-5
"""Difference of two numbers that are the same, read from texts (of the number) and given by a head
(of the typical size of the data's numbers, in which a head counts).

The arithmetic of a batch differs with its padding: after the six layers of MiniLM in float32 by up
to 7e-6 of that size, as measured on 210 rows.
"""


@dataclass(frozen=True)
class Side:
    """What one side answers to a row.

    Args:
        prediction: what counts; ``None`` where the way shows a text alone.
        raw: the text that it was read from; ``None`` where there is none.
        shown: the prediction as people read it; ``None``: this way does not say.
    """

    prediction: Any = None
    raw: str | None = None
    shown: str | None = None


@dataclass(frozen=True)
class Answered:
    """What both sides answer to a row, and which of them is nearer its reference."""

    sides: Mapping[str, Side]
    winner: str


Answers = Mapping[str, Answered]
"""The row's name → what was answered."""


@dataclass(frozen=True)
class Asked:
    """A run and the rows of it that are asked.

    Args:
        run: the run.
        task: its task.
        rows: held-out rows.
        metric: by which the report ranks single rows; ``None``: by none.
        writes: whether the model writes texts, which must be equal to the letter.
    """

    run: Run
    task: Task
    rows: Sequence[Row]
    metric: Metric | None
    writes: bool

    def near(self, one: Any, other: Any) -> bool:
        """Whether two predictions of a head are the same number but for :data:`OF_A_HEAD`."""
        numbers = [self.task.reference(row) for row in self.rows]
        if not all(isinstance(value, int | float) for value in (one, other, *numbers)):
            return False
        return bool(abs(one - other) <= OF_A_HEAD * median(map(abs, numbers)))

    def winner(self, row: Row, predictions: Mapping[str, Any]) -> str:
        """The side whose prediction is nearer to a row's reference."""
        if self.metric is None:
            return UNTOLD
        truth = self.task.reference(row)
        return better(self.metric, [self.metric.of_row(predictions[one], truth) for one in SIDES])


def asked(folder: Path, most: int | None = None) -> Asked:
    """The held-out rows of a run, evenly so many of each split; all of them without a number."""
    from toolkit.kinds import TextModel, model_class
    from toolkit.pipeline import load_task
    from toolkit.reporting import examples
    from toolkit.runs import predictions

    run = Run.open(folder)
    task = load_task(run)
    rows: list[Row] = []
    for split in ASKED:
        of = [row for row in read_jsonl(run.data / "heldout.jsonl") if row["split"] == split]
        rows += of if most is None else of[:: max(1, len(of) // most)][:most]
    systems = {one.name: one for one in predictions.load(run)}
    ranked = examples.ranking(read_json(run.path / "metrics.json"), systems["adapter"].rows())
    metric = None if ranked is None else task.metric(ranked["name"])
    return Asked(run, task, rows, metric, issubclass(model_class(task), TextModel))


def better(metric: Metric, values: Sequence[Any]) -> str:
    """The side whose value is better: the values are in the order of :data:`SIDES`."""
    if any(not isinstance(value, int | float) for value in values):
        return UNTOLD
    if values[0] == values[1]:
        return EQUAL
    return SIDES[(values[0] > values[1]) != metric.greater_is_better]


def name_of(row: Row) -> str:
    """A row's name."""
    return f"{row['split']} {row['row_id']}"


# -- the ways to ask -------------------------------------------------------------------------------
def stored(of: Asked) -> dict[str, Answered]:
    """What the run has predicted and scored, as its report has it."""
    from toolkit.runs import predictions

    systems = {one.name: one for one in predictions.load(of.run)}
    found = {}
    for row in of.rows:
        lines = [systems[side].splits[row["split"]][row["row_id"]] for side in SIDES]
        winner = UNTOLD
        if of.metric is not None:
            winner = better(of.metric, [line["metrics"][of.metric.name] for line in lines])
        sides = [Side(line["prediction"], line["raw"]) for line in lines]
        found[name_of(row)] = Answered(dict(zip(SIDES, sides, strict=True)), winner)
    return found


def told(of: Asked, url: str, endpoint: str) -> dict[str, Answered]:
    """What a served playground tells programs: ``/compare`` or ``/prediction``."""
    from gradio_client import Client

    from toolkit_playground.state.inputs import inputs_of

    own = threading.local()

    def ask(row: Row) -> Answered:
        if not hasattr(own, "client"):
            own.client = Client(url, verbose=False, httpx_kwargs={"timeout": PATIENCE})
        which: dict[str, Any] = {"row_id": row["row_id"]}
        if row["split"] != ASKED[0]:
            which = {"inputs": {name: row[name] for name in inputs_of(of.task)}}
        answer = own.client.predict(run=of.run.id, sides=list(SIDES), api_name=endpoint, **which)
        given = {one["side"]: one for one in answer["answers"]}
        winner = of.winner(row, {side: given[side]["prediction"] for side in SIDES})
        sides = {side: Side(given[side]["prediction"], given[side]["raw"]) for side in SIDES}
        return Answered(sides, winner)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return dict(zip(map(name_of, of.rows), pool.map(ask, of.rows), strict=True))


def seen(of: Asked) -> dict[str, Answered]:
    """What stands in Compare, with the words by which it judges the sides."""
    from types import SimpleNamespace

    from toolkit_playground.state.inputs import box_texts
    from toolkit_playground.state.library import Library
    from toolkit_playground.views import compare
    from toolkit_playground.views.page import Page

    nothing: Any = SimpleNamespace()
    page = Page(Library(of.run.path.parent.parent, [of.run]), nothing, nothing)
    visitor = SimpleNamespace(session_hash="equal")
    writes = page.engine(of.run.id).writes and page.engine(of.run.id).follows
    found = {}
    for row in of.rows:
        pieces = compare.answers(
            page, of.run.id, SIDES, row, box_texts(of.task, row), False, (), visitor
        )
        made: Any = list(pieces)[-1]
        sides = {
            one.label: Side(raw=one.text) if writes else Side(shown=one.text) for one in made.sides
        }
        found[name_of(row)] = Answered(sides, _judged({s.label: s.verdict for s in made.sides}))
    return found


def _judged(verdicts: Mapping[str, str]) -> str:
    """The winner by the first word that Compare says of each side."""
    words = [verdicts[side].partition(";")[0] for side in SIDES]
    if "nearer" in words:
        return SIDES[words.index("nearer")]
    right = [word == "correct" for word in words]
    if words[0] == words[1]:
        return EQUAL if words[0] in ("equal", "correct", "not correct") else UNTOLD
    return SIDES[right.index(True)] if any(right) else UNTOLD


def predicted(
    of: Asked, folder: Path, toolkit: Callable[..., Any] = command
) -> dict[str, Answered]:
    """What ``toolkit predict`` predicts, once with the adapter and once with ``--base``.

    Args:
        of: whom to ask, and what.
        folder: for the files.
        toolkit: calls the command in a folder.
    """
    names = of.task.input_columns()
    # A task that makes its text of several columns is given the text, as the run keeps it.
    text = ["--text", "text"] if names == ["text"] else []
    data = folder / "rows.jsonl"
    lines = (json.dumps({name: row[name] for name in names}) + "\n" for row in of.rows)
    data.write_text("".join(lines), encoding="utf-8")
    given = {}
    for side in SIDES:
        out = folder / f"{side}.jsonl"
        options = ["--base"] if side == "base" else []
        toolkit(
            folder, "predict", str(of.run.path), "--data", str(data), "--out", str(out), *text,
            *options,
        )  # fmt: skip
        given[side] = read_jsonl(out)
    found = {}
    for number, row in enumerate(of.rows):
        line = {side: given[side][number] for side in SIDES}
        winner = of.winner(row, {side: line[side]["prediction"] for side in SIDES})
        sides = {side: Side(line[side]["prediction"], line[side]["raw"]) for side in SIDES}
        found[name_of(row)] = Answered(sides, winner)
    return found


# -- what differs ----------------------------------------------------------------------------------
def differences(of: Asked, ways: Mapping[str, Answers]) -> list[str]:
    """Where a way differs from the first, one sentence each."""
    (first, wanted), *others = ways.items()
    found = []
    for way, answers in others:
        for row in map(name_of, of.rows):
            for side in SIDES:
                mine, theirs = wanted[row].sides[side], answers[row].sides[side]
                if problem := _apart(of, mine, theirs):
                    found.append(f"{row}, {side}: {problem} ({first}, {way})")
            if wanted[row].winner != answers[row].winner:
                told = f"{wanted[row].winner or 'nobody'} and {answers[row].winner or 'nobody'}"
                found.append(f"{row}: the winners are {told} ({first}, {way})")
    return found


def _apart(of: Asked, mine: Side, theirs: Side) -> str:
    from toolkit.runs.predictions import same
    from toolkit_playground.state.answers import answer_text

    if theirs.shown is not None:
        wanted = answer_text(mine.prediction, of.task.metric().unit)
        alike = theirs.shown == wanted if of.writes else _as_said(wanted, theirs.shown)
        return "" if alike else f"shown {wanted!r}, {theirs.shown!r}"
    if not (mine.raw == theirs.raw if of.writes else _as_said(mine.raw, theirs.raw)):
        return f"raw text {mine.raw!r}, {theirs.raw!r}"
    if theirs.prediction is None or same(mine.prediction, theirs.prediction, CLOSE):
        return ""
    if not of.writes and of.near(mine.prediction, theirs.prediction):
        return ""
    return f"answers {mine.prediction!r}, {theirs.prediction!r}"


def _as_said(mine: str | None, theirs: str | None) -> bool:
    """Whether two texts about a head's figures say the same but for one in their last digits.

    No model has written them. The arithmetic of a batch moves a probability by a millionth, and
    0.165 then becomes 0.16 or 0.17.
    """
    texts = [mine or "", theirs or ""]
    words = [_FIGURE.sub("#", text) for text in texts]
    return words[0] == words[1] and all(
        abs(float(one[0]) - float(other[0])) < max(OF_A_HEAD, 1.01 * 10.0 ** -min(map(len, digits)))
        for one, other in zip(*(_FIGURE.finditer(text) for text in texts), strict=True)
        for digits in [(one[1], other[1])]
    )


# -- to and from files, for processes of their own -------------------------------------------------
def written(answers: Answers) -> str:
    """Answers as JSON."""
    return json.dumps({row: asdict(one) for row, one in answers.items()}, ensure_ascii=False)


def read(text: str) -> dict[str, Answered]:
    """The inverse of :func:`written`."""
    return {
        row: Answered({side: Side(**of) for side, of in one["sides"].items()}, one["winner"])
        for row, one in json.loads(text).items()
    }


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(written(seen(asked(Path(sys.argv[1])))), encoding="utf-8")
