"""Rules on prompts and outputs: what the model gets as input, and how its output is read."""

from __future__ import annotations

import contextlib
import inspect
import math
from typing import Any

from toolkit.errors import did_you_mean
from toolkit.formatting import is_number
from toolkit.kinds.causal_lm.task import NumericLMTask
from toolkit.plugins.contract.checked_task import Subject
from toolkit.plugins.contract.rule import Broken, Rule, json_problem
from toolkit.task import Decoder, Row, untuned

DISTINCT = 0.9
"""The share of different inputs that must give different prompts."""
TOLERANCE = 1e-6
"""Relative rounding error allowed between a score and the perfect one."""


def example(subject: Subject) -> None:
    """``format_example`` gives the kind's columns, and the same values in each call."""
    for row in subject.rows:
        made = subject.task.format_example(row)
        subject.probe.check_example(made)
        if subject.task.format_example(dict(row)) != made:
            raise Broken(
                f"format_example gave two different examples of row {row['row_id']}; it must "
                "depend on the row, settings and facts alone"
            )


def completion(subject: Subject) -> None:
    """The completion is not empty."""
    for row in subject.rows:
        if not subject.probe.answer(row).strip():
            raise Broken(
                f"the completion of row {row['row_id']} is empty: the model would learn to "
                "write nothing; leave such rows out in load_rows"
            )


def reference(subject: Subject) -> None:
    """A reference is a JSON value, and depends on the row."""
    for row in subject.rows:
        value = subject.task.reference(row)
        if value is None:
            raise Broken(f"reference returned None for row {row['row_id']}")
        if problem := json_problem(value):
            raise Broken(f"reference: {problem}; predictions are stored as JSON with it")
        if subject.task.reference(dict(row)) != value:
            raise Broken(f"reference gave two different values for row {row['row_id']}")


def prompt_hides_answer(subject: Subject) -> str | None:
    """The prompt does not change when only the answer of the row changes."""
    hidden = subject.hidden
    if subject.answer_columns and not hidden:
        raise Broken(
            f"the panel's inputs include {', '.join(subject.answer_columns)}, on which the "
            "reference depends; leave the answer out of them"
        )
    compared = 0
    for row, changed in subject.swapped(hidden):
        with contextlib.suppress(Exception):  # the other row's answer may not fit this row
            other = subject.probe.prompt(changed)
            compared += 1
            if other != subject.probe.prompt(row):
                break
    else:
        return None if compared else "no row could be given another row's answer"
    raise Broken(
        f"the prompt of row {row['row_id']} changes with {', '.join(hidden)}: it shows the answer; "
        "make the prompt of the other columns only"
    )


def inputs(subject: Subject) -> None:
    """The prompt can be made of the input columns alone, as for ``toolkit predict``."""
    names = subject.task.input_columns()
    # Without a panel all columns count as inputs, but a row to be predicted has no answer.
    known = [name for name in names if name not in subject.hidden]
    for row in subject.rows:
        bare = {"row_id": row["row_id"], **{name: row[name] for name in known}}
        try:
            made = subject.task.format_example(bare)
        except KeyError as error:
            raise Broken(
                f"format_example looks up {error} in a row to be predicted, which holds only "
                f"row_id, {', '.join(known)}; give an empty answer where its column is absent"
            ) from error
        subject.probe.check_example(made)
        if subject.probe.prompt(bare) != subject.probe.prompt(row):
            raise Broken(
                f"the prompt of row {row['row_id']} changes without the columns that are no "
                f"inputs; make it of {', '.join(known)} only, or add inputs to the panel"
            )


def distinct_prompts(subject: Subject) -> None:
    """Different rows give different prompts."""
    names = [name for name in subject.task.input_columns() if name not in subject.hidden]
    different = {repr([row[name] for name in names]) for row in subject.rows}
    prompts = {repr(subject.probe.prompt(row)) for row in subject.rows}
    if len(prompts) < DISTINCT * len(different):
        raise Broken(
            f"{len(different)} rows with different inputs give only {len(prompts)} different "
            f"prompts; put {', '.join(names)} into the prompt"
        )


def truncate(subject: Subject) -> str | None:
    """The column that may be shortened is a text in the prompt, which gets shorter with it."""
    task, column = subject.task, subject.task.truncate
    if column is None:
        return "no column may be shortened, so rows that are too long are refused"
    if column not in task.columns:
        raise Broken(
            f"truncate names {column!r}, which is no column{did_you_mean(column, task.columns)}"
        )
    for row in subject.rows:
        if not isinstance(row[column], str):
            raise Broken(f"truncate names {column!r}, which holds no text")
        whole, cut = (str(subject.probe.prompt({**row, column: t})) for t in (row[column], ""))
        if row[column] and len(cut) >= len(whole):
            raise Broken(
                f"the prompt of row {row['row_id']} does not get shorter without {column!r}, which "
                "truncate names; name the column whose end may be left out"
            )
    return None


def number_scale(subject: Subject) -> None:
    """A row's completion states its number, which equals the reference within one step."""
    task = subject.task
    assert isinstance(task, NumericLMTask)
    for row in subject.rows:
        _check_number(task, row, subject.probe.answer(row))
    largest = task.largest_number
    for row in subject.train_rows:
        if task.number(row) > largest:
            raise Broken(
                f"row {row['row_id']} of the training split has the number {task.number(row)}, and "
                f"largest_number is {largest}; let fit find the largest"
            )


def _check_number(task: NumericLMTask, row: Row, answer: str) -> None:
    number, where = task.number(row), f"row {row['row_id']}"
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise Broken(f"{where}: number returned {number!r}; it must be an int from 1")
    if task.completion(number) != answer:
        raise Broken(
            f"{where}: the completion is {answer!r}, and completion({number}) is "
            f"{task.completion(number)!r}; format_example must use completion and number"
        )
    if task.writable(number) != number:
        raise Broken(
            f"{where}: number is {number}, which writable changes to {task.writable(number)}; "
            "number must return numbers that can be written"
        )
    expected, stands_for = task.reference(row), task.from_number(number)
    step = _step(task, number)
    if is_number(expected) and not abs(stands_for - expected) <= step * (1 + TOLERANCE):
        raise Broken(
            f"{where}: the reference is {expected}, its number {number} stands for {stands_for}, "
            f"and one step of the scale is {step:g}; make number and from_number inverse"
        )


def _step(task: NumericLMTask, number: int) -> float:
    """How far the next number that can be written is, as predictions: the most rounding costs."""
    by = 1
    while task.writable(number + by) == number and by <= number:
        by *= 2
    return abs(float(task.from_number(task.writable(number + by)) - task.from_number(number)))


def gold(subject: Subject) -> str | None:
    """A row's own completion is read by ``postprocess`` and scores perfectly."""
    compared = _check_reads(subject, "postprocess", untuned(subject.task.postprocess))
    if not compared:
        return "a reference is no prediction here, so gold is only compared with wrong answers"
    if isinstance(subject.task, NumericLMTask):
        return "compared with what the row's number stands for; number-scale judges the rounding"
    return None


def decoders(subject: Subject) -> None:
    """Every decoder reads a perfect output, and recipes name decoders that exist."""
    task = subject.task
    known = task.decoders()
    for name, decoder in known.items():
        _check_arguments(name, decoder)
        _check_reads(subject, f"decoder {name}", decoder)
    for recipe in task.recipes:
        wanted = recipe.task.get("decoder", task.options.get("decoder", "auto"))
        if wanted not in ("auto", *known):
            raise Broken(
                f"recipe {recipe.name} names the decoder {wanted!r}"
                f"{did_you_mean(str(wanted), known)}; there are {', '.join(known)} and auto"
            )


def _check_arguments(name: str, decoder: Decoder) -> None:
    """Raise unless a decoder can be called with output, row and tuned values."""
    try:
        inspect.signature(decoder).bind(None, None, {})
    except TypeError as error:
        raise Broken(
            f"decoder {name} must take output, row and tuned values ({error}); "
            "toolkit.task.untuned makes a decoder of a function of output and row"
        ) from error


def _check_reads(subject: Subject, what: str, decoder: Decoder) -> int:
    """The number of rows compared; raises unless a decoder reads each row's answer perfectly."""
    metric, compared = subject.task.metric(), 0
    for row in subject.rows:
        answer, where = subject.probe.answer(row), f"row {row['row_id']}"
        prediction = decoder(subject.probe.perfect(row), row, {})
        if prediction is None:
            raise Broken(f"{where}: {what} cannot read the row's own completion {answer[:60]!r}")
        if problem := json_problem(prediction):
            raise Broken(f"{what}: the prediction {problem}; return plain Python values")
        ideal = subject.probe.ideal(row, prediction)
        if ideal is None:
            continue
        best, target = ideal
        got, wanted = (metric.per_example(p, target) for p in (prediction, best))
        if not _same(got, wanted):
            raise Broken(
                f"{where}: {what} reads the completion {answer[:60]!r} as {prediction!r}, with "
                f"{metric.name} {got}; {best!r} has {wanted}"
            )
        compared += 1
    return compared


def _same(got: Any, wanted: Any) -> bool:
    """Whether two results of ``per_example`` are equal, apart from rounding."""
    if isinstance(got, tuple) and isinstance(wanted, tuple):
        return len(got) == len(wanted) and all(map(_same, got, wanted))
    if is_number(got) and is_number(wanted):
        return math.isclose(got, wanted, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(got == wanted)


def unreadable(subject: Subject) -> None:
    """A decoder returns ``None`` for an output that cannot be read, and never raises."""
    row, expected = subject.rows[0], subject.task.reference(subject.rows[0])
    for name, decoder in {
        "postprocess": untuned(subject.task.postprocess),
        **subject.task.decoders(),
    }.items():
        for called, output in (*subject.probe.unreadable(), *subject.probe.odd()):
            try:
                prediction = decoder(output, row, {})
                for metric in subject.task.metrics if prediction is not None else ():
                    metric.per_example(prediction, expected)
            except Exception as error:
                raise Broken(
                    f"{name} raised {type(error).__name__} on {called} ({error}); return None for "
                    "what cannot be read"
                ) from error
        for called, output in subject.probe.unreadable():
            if (prediction := decoder(output, row, {})) is not None:
                raise Broken(f"{name} reads {called} as {prediction!r}; return None for it")


RULES = (
    Rule("example", example, ("state",)),
    Rule("completion", completion, ("example",)),
    Rule("reference", reference, ("state",)),
    Rule("prompt-hides-answer", prompt_hides_answer, ("example", "reference", "panel")),
    Rule("inputs", inputs, ("prompt-hides-answer",)),
    Rule("distinct-prompts", distinct_prompts, ("example", "reference", "panel")),
    Rule("truncate", truncate, ("example",)),
    Rule("number-scale", number_scale, ("completion", "reference"), of=NumericLMTask),
    Rule("gold", gold, ("completion", "reference", "number-scale")),
    Rule("decoders", decoders, ("gold",)),
    Rule("unreadable", unreadable, ("gold", "decoders")),
)
