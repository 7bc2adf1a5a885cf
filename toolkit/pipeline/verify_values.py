"""The values in prediction lines and in ``metrics.json``, and the pages, each computed again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from toolkit.decoding import or_fallback
from toolkit.evaluation.groups import group_of
from toolkit.evaluation.prediction_files import prepare_metrics
from toolkit.evaluation.recompute import decode_again, interval_width
from toolkit.evaluation.score import metrics_document
from toolkit.evaluation.verdict import MISSING
from toolkit.pipeline.verify_lines import HELDOUT, Line, Lines
from toolkit.plugins import fingerprint
from toolkit.reporting import report
from toolkit.runs import record
from toolkit.runs.contents import RunContents
from toolkit.runs.predictions import is_list, same
from toolkit.runs.run import Run
from toolkit.system import secrets
from toolkit.task import Row, Task

_CHANGING = {"timings"}
"""Parts of ``metrics.json`` that change after it is written: the report stage adds its own time."""
_MOST = 8
"""The most figures of ``metrics.json`` that are named."""


# -- prediction lines ------------------------------------------------------------------------------
def of_lines(found: Lines, task: Task) -> Iterator[str]:
    """Differences between what prediction lines hold and what their raw outputs and rows give."""
    rows = found.rows
    for entry, lines in found.systems:
        name = f"predictions/{entry['file']}"
        try:
            answers = [line.row["prediction"] for line in lines]
            prepare_metrics(task, answers, [line.row["reference"] for line in lines])
            decoded = _decoded(task, entry, lines, rows)
        except Exception as error:  # of a metric or a decoder, on content that may be anything
            yield f"{name} cannot be judged: {type(error).__name__}: {error}"
            continue
        for at, line in enumerate(lines):
            again = {decoder: values[at] for decoder, values in decoded.items()}
            where = f"{name} {line.place}"
            try:
                yield from (f"{where}: {each}" for each in _line(line, entry, task, again))
                if line.key in rows:
                    yield from (f"{where}: {each}" for each in _row(line, task, rows[line.key]))
            except Exception as error:  # as above
                yield f"{where}: cannot be judged: {type(error).__name__}: {error}"
        yield from _width(entry, lines, task)


def _decoded(
    task: Task, entry: Mapping[str, Any], lines: Sequence[Line], rows: Mapping[Any, Row]
) -> dict[str, list[Any]]:
    """Decoder → predictions from raw outputs, of decoders that read the text alone."""
    found = decode_again(
        task, entry, [line.row for line in lines], [rows.get(line.key) for line in lines]
    )
    return {name: or_fallback(task, values) for name, values in found.items()}


def _line(
    line: Line, entry: Mapping[str, Any], task: Task, decoded: Mapping[str, Any]
) -> Iterator[str]:
    """What a line holds against what its raw output and its prediction give."""
    row = line.row
    for metric in task.metrics:
        if metric.name in (row.get("failed") or {}):
            continue
        value = metric.of_row(row["prediction"], row["reference"])
        stored = row["metrics"].get(metric.name)
        if not same(stored, value, metric.tolerance):
            yield f"{metric.name} is {stored!r}, the prediction gives {value!r}"
    stored = row.get("decoders") or {}
    for name, value in decoded.items():
        if not same(stored.get(name), value):
            yield f"decoder {name} has {stored.get(name)!r}, the raw output gives {value!r}"
    chosen = stored.get(entry.get("decoder"))
    if chosen is not None and not same(row["prediction"], chosen):
        yield f"prediction is {row['prediction']!r}, its decoder gave {chosen!r}"
    width = entry.get("interval_width")
    if width is not None and row.get("low") is not None:
        ends = task.interval(row["prediction"], width)
        if not same([row["low"], row["high"]], ends):
            yield f"interval is {row['low']!r} to {row['high']!r}, should be {ends!r}"


def _row(line: Line, task: Task, source: Row) -> Iterator[str]:
    """What a line holds against its held-out row."""
    row = line.row
    if not same(row["reference"], task.reference(source)):
        right = task.reference(source)
        yield f"reference is {row['reference']!r}, {HELDOUT} has {right!r}"
    if "group" in row and row["group"] != group_of(task, source):
        yield f"group is {row['group']!r}, {HELDOUT} has {group_of(task, source)!r}"
    for name, part in task.slices().items():
        if name in (row.get("slices") or {}) and row["slices"][name] != part(source):
            yield f"slice {name} is {row['slices'][name]!r}, should be {part(source)!r}"


def _width(entry: Mapping[str, Any], lines: Sequence[Line], task: Task) -> Iterator[str]:
    """The stored width of the intervals against the one that the calibration rows give."""
    stored = entry.get("interval_width")
    if stored is None:
        return
    width = interval_width(task, [line.row for line in lines])
    if width is not None and not same(stored, width):
        yield (
            f"{record.SYSTEMS}, {entry['name']}: interval_width is {stored!r}, "
            f"the calibration rows give {width!r}"
        )


# -- metrics.json ----------------------------------------------------------------------------------
def of_metrics(contents: RunContents, task: Task, stored: Any) -> tuple[list[str], Any]:
    """Differences between ``metrics.json`` and what the predictions give, and the right document.

    The document is the stored one where it is right.
    """
    again = secrets.redacted_values(metrics_document(contents, task))  # as it is written
    found = list(differences(_lasting(stored), _lasting(again)))
    sentences = [
        f"metrics.json: {where} is {old!r}, the predictions give {new!r}"
        for where, old, new in found[:_MOST]
    ]
    if len(found) > _MOST:
        sentences.append(f"metrics.json: {len(found) - _MOST:,} more figures differ")
    return sentences, {**again, "timings": stored.get("timings")} if found else stored


def _lasting(document: Any) -> Any:
    """A metrics document without what may change, and the caveat on files that were changed."""
    if not isinstance(document, Mapping):
        return document
    kept = {k: v for k, v in document.items() if k not in _CHANGING}
    verdict = kept.get("verdict")
    if isinstance(verdict, Mapping) and is_list(verdict.get("caveats")):
        not_compared = (record.CAVEAT, MISSING)  # earlier versions do not say what is missing
        caveats = [c for c in verdict["caveats"] if not str(c).startswith(not_compared)]
        kept["verdict"] = {**verdict, "caveats": caveats}
    return kept


def differences(old: Any, new: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The places at which two JSON documents differ, numbers up to rounding."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            inside = f"{where}.{key}" if where else str(key)
            yield from differences(old.get(key), new.get(key), inside)
    elif is_list(old) and is_list(new) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from differences(a, b, f"{where}[{i}]")
    elif not same(old, new):
        yield where or "all of it", old, new


# -- pages -----------------------------------------------------------------------------------------
def of_pages(
    run: Run, contents: RunContents, task: Task, document: Any
) -> tuple[list[str], list[str]]:
    """The pages rendered again: differences, and notes on what cannot be compared."""
    then, now = record.of(run).get("pages"), fingerprint.of_pages()
    if then != now:
        made = (
            f"by adapter-toolkit {then.get('toolkit')}" if isinstance(then, Mapping) else "before"
        )
        return [], [
            f"{', '.join(record.PAGES)} were rendered {made}, with other code or another "
            "matplotlib than is installed here, so a new rendering cannot be compared with them"
        ]
    files = record.of(run).get("files", {})
    later = [name for name in contents.remarks if name not in files]
    notes = [f"{name} is newer than the report, which does not show it" for name in later]
    remarks = {k: v for k, v in contents.remarks.items() if k in files}
    found = []
    for name, text in report.pages(document, replace(contents, remarks=remarks), task).items():
        if sentence := _page(run, name, text):
            found.append(sentence)
    return found, notes


def _page(run: Run, name: str, wanted: str) -> str:
    """How a page differs from its new rendering; empty if it does not."""
    try:
        there = (run.path / name).read_bytes()
    except OSError as error:
        return f"{name} cannot be read: {error.strerror}"
    needed = wanted.encode("utf-8", "backslashreplace")
    if there == needed:
        return ""
    ours, right = there.split(b"\n"), needed.split(b"\n")
    for number, (a, b) in enumerate(zip(ours, right, strict=False), start=1):
        if a != b:
            return f"{name} line {number} is {_shown(a, b)}, its figures give {_shown(b, a)}"
    return f"{name} has {len(ours):,} lines, its figures give {len(right):,}"


def _shown(line: bytes, other: bytes) -> str:
    """The part of a line in which it differs from another, shortened."""
    at = next((i for i, (a, b) in enumerate(zip(line, other, strict=False)) if a != b), None)
    at = min(len(line), len(other)) if at is None else at
    return repr(line[max(0, at - 30) : at + 50].decode(errors="replace"))
