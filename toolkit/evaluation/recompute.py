"""The values of stored predictions computed again, from raw outputs where these are stored.

A prediction line keeps a model's text as ``raw``. Where the decoders of a task for language models
read that text alone, it is decoded again; decoders that read token probabilities, and the outputs
of encoders, of which ``raw`` is a summary, cannot be: their stored predictions are kept. Metrics,
intervals, slices and references are computed again in every case.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.decoding import or_fallback, withheld
from toolkit.evaluation.outputs import best_decoder
from toolkit.evaluation.prediction_files import line, prepare_metrics, scores
from toolkit.kinds.language.outputs import Generated
from toolkit.kinds.language.task import LanguageTask
from toolkit.metrics.statistics import conformal_width
from toolkit.runs import record
from toolkit.runs.files import jsonl, read_jsonl
from toolkit.runs.predictions import check_shapes, grouping, same, tuned_values
from toolkit.runs.run import Run
from toolkit.task import Row, Task

Lines = Sequence[Mapping[str, Any]]
Rows = Mapping[tuple[str, Any], Row]
"""Held-out rows by split and row number."""


@dataclass
class Recomputed:
    """What was computed again, and what could not be.

    Args:
        lines: how many prediction lines there are.
        changed: how many of them have other values now.
        decoded: system → its decoders whose predictions were decoded again from raw outputs.
        kept: system → its decoders whose predictions were kept.
        stored: systems without raw outputs; their predictions were kept.
        decoders: system → the decoder that is best on validation now, where it is another.
    """

    lines: int = 0
    changed: int = 0
    decoded: dict[str, list[str]] = field(default_factory=dict)
    kept: dict[str, list[str]] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)
    decoders: dict[str, str] = field(default_factory=dict)

    def sentence(self) -> str:
        """All of it in one line."""
        parts = [
            f"the values of {self.lines:,} prediction lines were computed again, {self.changed:,} "
            "of them are others now"
        ]
        if self.decoded:
            parts.append(f"decoded again from raw outputs: {_listed(self.decoded)}")
        if self.decoders:
            now = (f"{name} {decoder}" for name, decoder in self.decoders.items())
            parts.append(f"another decoder is best on validation: {', '.join(now)}")
        if self.kept:
            parts.append(f"kept, as their outputs are not stored: {_listed(self.kept)}")
        if self.stored:
            parts.append(f"predictions kept: {', '.join(self.stored)}")
        return "; ".join(parts)


def _listed(found: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(f"{name} ({', '.join(decoders)})" for name, decoders in found.items())


def recompute(
    run: Run, task: Task, rows: Rows, wanted: str | None
) -> tuple[dict[str, bytes], Recomputed]:
    """The prediction files of a run with all values computed again.

    Args:
        run: the run; nothing in it is written.
        task: its task, with the ``options`` and ``state`` of the run.
        rows: its held-out rows; of those that are missing, only the metrics are computed again.
        wanted: the decoder that the recipe names; ``None`` or ``"auto"``: the best on validation.

    Returns:
        the files that change → their new content; and what was done.
    """
    done, contents = Recomputed(), {}
    entries = record.entries(run)
    for at, entry in enumerate(entries):
        if not entry.get("file") or entry.get("incomplete"):
            continue
        old = read_jsonl(run.predictions / entry["file"])
        new, entries[at] = _system(task, entry, old, rows, wanted, done)
        check_shapes({entry["name"]: new})
        done.lines += len(new)
        done.changed += sum(not a.items() <= b.items() for a, b in zip(old, new, strict=True))
        if old != new:
            contents[f"predictions/{entry['file']}"] = jsonl(new)
    if entries != record.entries(run):
        listed = json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
        contents[record.SYSTEMS] = listed.encode("utf-8", "backslashreplace")
    return contents, done


def _system(
    task: Task,
    entry: Mapping[str, Any],
    old: Lines,
    rows: Rows,
    wanted: str | None,
    done: Recomputed,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A system's lines with all values computed again, and its entry."""
    known = [rows.get((row["split"], row["row_id"])) for row in old]
    references = [
        row["reference"] if source is None else task.reference(source)
        for row, source in zip(old, known, strict=True)
    ]
    again = decode_again(task, entry, old, known)
    tables = _tables(task, old, again)
    decoder = entry.get("decoder")
    if any(tables):
        decoder = _decoder(task, old, tables, references, decoder, wanted)
    _note(done, entry, tables, again, decoder)
    answers = [
        table.get(str(decoder), row["prediction"]) for table, row in zip(tables, old, strict=True)
    ]
    prepare_metrics(task, answers, references)
    judged = [
        {**row, "prediction": answer, "reference": reference}
        for row, answer, reference in zip(old, answers, references, strict=True)
    ]
    width = None if entry.get("interval_width") is None else interval_width(task, judged)
    if decoder in again:
        parsed = [value is not None for value in again[decoder]]
    elif decoder == entry.get("decoder"):
        parsed = [bool(row.get("parsed", True)) for row in old]
    else:  # only what its predictions became is stored of another decoder
        parsed = [not same(answer, task.fallback()) for answer in answers]
    new = [
        _line(task, *of_row, width) for of_row in zip(judged, known, tables, parsed, strict=True)
    ]
    kept = {key: value for key, value in entry.items() if key != "unscored"}
    return new, {**kept, "decoder": decoder, "interval_width": width}


def _tables(
    task: Task, old: Lines, again: Mapping[str, Sequence[Any | None]]
) -> list[dict[str, Any]]:
    """The predictions of all decoders for each line: decoded again where possible, else stored."""
    tables = [dict(row.get("decoders") or {}) for row in old]
    for name, values in again.items():
        for table, value in zip(tables, or_fallback(task, values), strict=True):
            table[name] = value
    return tables


def _note(
    done: Recomputed,
    entry: Mapping[str, Any],
    tables: Sequence[Mapping[str, Any]],
    again: Mapping[str, Any],
    decoder: str | None,
) -> None:
    """Note of a system what was decoded again and what was kept."""
    name = entry["name"]
    if not any(tables):
        done.stored.append(name)
        return
    if again:
        done.decoded[name] = list(again)
    if left := [each for each in tables[0] if each not in again]:
        done.kept[name] = left
    if decoder != entry.get("decoder"):
        done.decoders[name] = str(decoder)


def _line(
    task: Task,
    old: Mapping[str, Any],
    row: Row | None,
    decoders: Mapping[str, Any],
    parsed: bool,
    width: float | None,
) -> dict[str, Any]:
    """A line with the values that its prediction and its row give; without a row its metrics."""
    prediction = old["prediction"]
    if row is None:
        low, high = (None, None) if width is None else task.interval(prediction, width)
        scored, failed = scores(task, prediction, old["reference"], old, parsed)
        new = {
            "parsed": parsed,
            "low": low,
            "high": high,
            "metrics": scored,
            **({"failed": failed} if failed else {}),
            **({"decoders": dict(decoders)} if decoders else {}),
        }
    else:
        new = line(
            task, old["split"], row, prediction, width,
            seconds=old["seconds"], raw=old.get("raw"), parsed=parsed,
            decoders=decoders or None, tokens=old.get("tokens"), hit_limit=old.get("hit_limit"),
            detail=old.get("detail"),
        )  # fmt: skip
    if "group" not in old:  # of an earlier version; then groups are found when lines are read
        new.pop("group", None)
    kept = {name: value for name, value in old.items() if name != "failed"}
    # As it is read back: a tuple has become a list.
    return dict(json.loads(jsonl([{**kept, **new}])))


def _decoder(
    task: Task,
    lines: Lines,
    tables: Sequence[Mapping[str, Any]],
    references: Sequence[Any],
    before: str | None,
    wanted: str | None,
) -> str | None:
    """The decoder that counts: the wanted one, or the best on the validation rows."""
    there = [name for name in task.decoders() if all(name in table for table in tables)]
    validation = [i for i, row in enumerate(lines) if row["split"] == "validation"]
    if wanted not in (None, "auto") or len(there) < 2 or not validation:
        return before
    shares = [lines[i]["covered"] for i in validation if "covered" in lines[i]]
    left_out = withheld(task, shares)
    metric = task.metric()
    values = {
        name: metric.value([metric.of_row(tables[i][name], references[i]) for i in validation])
        for name in there
        if name not in left_out
    }
    return best_decoder(task, values)


def interval_width(task: Task, lines: Lines) -> float | None:
    """The width of a system's prediction intervals, from its calibration lines and their groups."""
    used = [row for row in lines if row["split"] == "calibration"]
    residuals = [task.residual(row["prediction"], row["reference"]) for row in used]
    known = [residual for residual in residuals if residual is not None]
    if not known or len(known) < len(residuals):
        return None
    return conformal_width(known, groups=grouping(used))


# -- raw outputs -----------------------------------------------------------------------------------
class _NotStored(BaseException):
    """A decoder reads a part of the output that is not stored.

    No ``Exception``, so that a decoder which takes every exception for unreadable text does not
    catch it.
    """


class _StoredText(Generated):
    """An output of which only the text is known; reading another part raises an exception."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("numbers", "logprobs"):
            raise _NotStored(name)
        return super().__getattribute__(name)


def decode_again(
    task: Task, entry: Mapping[str, Any], lines: Lines, rows: Sequence[Row | None]
) -> dict[str, list[Any | None]]:
    """The predictions of a system's decoders from its raw outputs, ``None`` where unreadable.

    Args:
        task: the task, whose decoders are used.
        entry: the system's entry in ``systems.json``.
        lines: its prediction lines.
        rows: the row of each line.

    Returns:
        decoder → predictions, for those decoders that read the text alone; none for kinds whose
        outputs are not texts, and where a row is not there.
    """
    if not isinstance(task, LanguageTask) or any(row is None for row in rows):
        return {}
    if not lines or not all(isinstance(row.get("raw"), str) for row in lines):
        return {}
    outputs = [
        _StoredText(row["raw"], row.get("tokens") or 0, bool(row.get("hit_limit"))) for row in lines
    ]
    tuned, found = tuned_values(entry), {}
    for name, decoder in task.decoders().items():
        try:
            decoded = [decoder(o, r, tuned) for o, r in zip(outputs, rows, strict=True) if r]
        except _NotStored:
            continue
        # As it is read back from a file: a tuple has become a list.
        found[name] = json.loads(json.dumps(decoded))
    return found
