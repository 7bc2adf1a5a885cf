"""A run's predictions: ``predictions/systems.json`` and the files it names, checked when read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from toolkit.errors import PluginError, RunError
from toolkit.formatting import is_number
from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import Comparison, Estimate
from toolkit.runs.earlier_names import SPLITS
from toolkit.runs.files import read_json, read_jsonl
from toolkit.runs.run import Run

TRAINED = ("adapter", "full")
"""Roles of systems that a run has trained."""

PARTIAL_ROLES = ("human", "api")
"""Roles of systems that may predict only some of the test rows; all others predict all of them."""


NEEDED = ("split", "row_id", "reference", "prediction", "metrics")
"""What every prediction line has."""
_FORM: Mapping[str, type] = {"split": str, "row_id": int, "metrics": dict}


@dataclass(frozen=True)
class System:
    """One way of doing the task, with its predictions.

    Args:
        name: its name in every table.
        role: ``baseline``, ``base``, ``few-shot``, ``adapter``, ``full``, ``ensemble``, ``human``,
            ``api``, ``other`` for a model that no adapter has to beat, or ``control`` for a system
            that only shows how to read the figures.
        entry: its object of ``systems.json``.
        splits: split → its prediction lines by row number, in the order of the row numbers.
    """

    name: str
    role: str
    entry: Mapping[str, Any]
    splits: Mapping[str, Mapping[int, Mapping[str, Any]]]

    def rows(self, split: str = "test") -> list[Mapping[str, Any]]:
        return list(self.splits.get(split, {}).values())

    def lines(self) -> list[Mapping[str, Any]]:
        """The prediction lines of all splits."""
        return [line for rows in self.splits.values() for line in rows.values()]

    def values(self, metric: str, split: str = "test") -> list[Any]:
        """A metric's stored per-example values."""
        return [row["metrics"][metric] for row in self.rows(split)]

    def failed(self, metric: str, split: str = "test") -> int:
        """Rows that are left out of all systems, as the metric failed for some of them."""
        return sum(metric in row.get("left_out", ()) for row in self.rows(split))

    def groups(self, split: str = "test") -> list[str] | None:
        """The group of each row; ``None`` where no two rows share one."""
        return grouping(self.rows(split))


def grouping(lines: Sequence[Mapping[str, Any]]) -> list[str] | None:
    """The group of each prediction line; ``None`` where no two lines share one.

    A line that names no group is a group of its own.
    """
    found = [line.get("group") or f"line {number}" for number, line in enumerate(lines)]
    return found if len(set(found)) < len(found) else None


def load(run: Run, *, being_made: bool = False) -> list[System]:
    """All systems of a run, in the order of ``systems.json``.

    Args:
        run: the run.
        being_made: leave out the systems whose predictions are to be made again, because they
            were found not to be whole.

    Raises:
        RunError: a file is missing, has other rows than its split, or the systems did not answer
            the same rows.
    """
    place = run.predictions / "systems.json"
    entries = read_json(place)
    if not isinstance(entries, list) or not entries:
        raise RunError(f"{place} names no system; go on with: toolkit resume")
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or not {"name", "role"} <= entry.keys():
            raise RunError(f"{place}: entry {number} has no name or no role; was it edited?")
    entries = [e for e in entries if not (being_made and e.get("incomplete"))]
    systems = _without_failed([_system(run, entry) for entry in entries if entry.get("file")])
    if not systems:
        raise RunError(f"{place} names no predictions; go on with: toolkit resume")
    _check_rows(run, systems)
    _check_same_rows(systems)
    check_shapes({system.name: system.lines() for system in systems})
    _check_applies(systems)
    return systems


def _without_failed(systems: Sequence[System]) -> list[System]:
    """The systems with no value, of any of them, where a metric failed on a row of one.

    So all systems are compared on the same rows; how many are missing is :meth:`System.failed`.
    """
    failed: dict[tuple[str, int], set[str]] = {}
    for system in systems:
        for split, rows in system.splits.items():
            for row_id, line in rows.items():
                if line.get("failed"):
                    failed.setdefault((split, row_id), set()).update(line["failed"])
    if not failed:
        return list(systems)

    def without(split: str, row_id: int, line: Mapping[str, Any]) -> Mapping[str, Any]:
        names = failed.get((split, row_id))
        if names is None:
            return line
        gone = dict.fromkeys(names & line["metrics"].keys())
        return {**line, "metrics": {**line["metrics"], **gone}, "left_out": sorted(gone)}

    return [
        replace(
            system,
            splits={
                split: {row_id: without(split, row_id, line) for row_id, line in rows.items()}
                for split, rows in system.splits.items()
            },
        )
        for system in systems
    ]


def absent(run: Run) -> dict[str, str]:
    """Systems that are not available → the reason, such as an extra that is not installed."""
    entries = read_json(run.predictions / "systems.json")
    return {entry["name"]: entry.get("note") or "" for entry in entries if not entry.get("file")}


def _system(run: Run, entry: Mapping[str, Any]) -> System:
    place = run.predictions / entry["file"]
    splits: dict[str, dict[int, Mapping[str, Any]]] = {"test": {}}
    for number, row in enumerate(read_jsonl(place), start=1):
        if problem := malformed(row):
            raise RunError(f"{place} line {number} {problem}")
        _check_finite(entry["name"], row)
        rows = splits.setdefault(row["split"], {})
        if row["row_id"] in rows:
            raise RunError(
                f"{place} line {number} repeats row {row['row_id']} of the {row['split']} split; "
                "have the file made again: toolkit resume"
            )
        rows[row["row_id"]] = row
    ordered = {split: dict(sorted(rows.items())) for split, rows in splits.items()}
    if not ordered["test"]:
        raise RunError(f"{place} holds no row of the test split; go on with: toolkit resume")
    return System(entry["name"], entry["role"], entry, ordered)


def malformed(row: Any, needed: Sequence[str] = NEEDED) -> str:
    """What is wrong with the form of a prediction line; empty if nothing is.

    Args:
        row: what the line holds.
        needed: the keys that it must have.
    """
    if not isinstance(row, dict):
        return "is not an object"
    if missing := sorted(set(needed) - row.keys()):
        return f"has no {', '.join(missing)}"
    for key in needed:
        if key in _FORM and (not isinstance(row[key], _FORM[key]) or row[key] is True):
            return f"has {row[key]!r:.60} as its {key}"
    return ""


def _check_finite(system: str, row: Mapping[str, Any]) -> None:
    for name, value in row["metrics"].items():
        if value is None:
            continue
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, int | float) and math.isfinite(part) for part in parts):
            raise PluginError(
                f"metric {name!r} gives {value!r} for row {row['row_id']} of {system!r}; "
                "per_example must return finite numbers"
            )


def stored_rows(run: Run) -> dict[str, set[int]] | None:
    """The numbers of the held-out rows by split; ``None`` where the run has no readable list."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(run.data / "splits.parquet", columns=["row_id", "split"])
        held = table.filter(pc.not_equal(table["split"], "train"))
    except (OSError, KeyError, pa.ArrowException):
        return None
    rows: dict[str, set[int]] = {}
    for row_id, split in zip(*(column.to_pylist() for column in held.columns), strict=True):
        rows.setdefault(SPLITS.get(split, split), set()).add(row_id)
    return rows


def unlike(rows: Iterable[tuple[str, int]], wanted: Mapping[str, AbstractSet[int]]) -> str:
    """How the rows of a predictions file differ from those it must have; empty: they do not.

    Args:
        rows: split and row number of each line.
        wanted: split → the numbers of its rows.
    """
    counted = Counter(rows)
    needed = {(split, row_id) for split, ids in wanted.items() for row_id in ids}
    missing, other = needed - counted.keys(), counted.keys() - needed
    doubled = sum(n > 1 for n in counted.values())
    parts = [
        f"{len(missing):,} of {len(needed):,} rows are missing" if missing else "",
        f"{doubled:,} rows stand there twice" if doubled else "",
        f"{len(other):,} rows are not of its splits" if other else "",
    ]
    return ", ".join(part for part in parts if part)


def _check_rows(run: Run, systems: Sequence[System]) -> None:
    """Refuse predictions of other rows than the run's splits have."""
    stored = stored_rows(run)
    if stored is None:
        return
    whole = [system for system in systems if system.role not in PARTIAL_ROLES]
    splits = {split for system in whole for split, rows in system.splits.items() if rows}
    for system in systems:
        rows = [(split, row_id) for split, rows in system.splits.items() for row_id in rows]
        wanted = {split: stored.get(split, set()) for split in splits}
        if system.role in PARTIAL_ROLES:
            there = set(rows)
            wanted = {s: {i for i in stored[s] if (s, i) in there} for s in stored}
        if difference := unlike(rows, wanted):
            raise RunError(
                f"{run.predictions / system.entry['file']} does not fit the run's splits: "
                f"{difference}; have it made again: toolkit resume {run.path}"
            )


def _check_same_rows(systems: Sequence[System]) -> None:
    whole = [system for system in systems if system.role not in PARTIAL_ROLES]
    for system in whole[1:]:
        if system.splits["test"].keys() != whole[0].splits["test"].keys():
            raise RunError(
                f"{system.name!r} and {whole[0].name!r} did not predict the same test rows, so "
                "they cannot be compared; remove the older file and: toolkit resume"
            )


def check_shapes(lines: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Refuse a metric that gives a number for one row and several for another.

    Args:
        lines: system → its prediction lines.

    Raises:
        PluginError: naming the metric and two of its rows.
    """
    seen: dict[str, tuple[int | None, str]] = {}
    for system, rows in lines.items():
        for row in rows:
            for name, value in row["metrics"].items():
                if value is None:
                    continue
                shape = len(value) if is_list(value) else None
                where = f"row {row['row_id']} ({row['split']}) of {system!r}"
                first, place = seen.setdefault(name, (shape, where))
                if shape != first:
                    raise PluginError(
                        f"metric {name!r} gives {_shape(first)} for {place} and {_shape(shape)} "
                        f"for {where}; per_example must return as many numbers for every row: mend "
                        "the metric, then go on with: toolkit resume"
                    )


def _shape(length: int | None) -> str:
    return "a number" if length is None else f"a tuple of {length}"


def _check_applies(systems: Sequence[System]) -> None:
    """Refuse a metric that gives ``None`` for a row of one system and a number for another."""
    for split, rows in systems[0].splits.items():
        for row_id, first in rows.items():
            for system in systems[1:]:
                other = system.splits.get(split, {}).get(row_id)
                if other is None:
                    continue
                for name, value in first["metrics"].items():
                    theirs = other["metrics"].get(name)
                    if (value is None) != (theirs is None):
                        blamed = systems[0].name if value is None else system.name
                        raise PluginError(
                            f"metric {name!r} gives None for row {row_id} of {blamed!r} and a "
                            "number for another system; whether a metric applies to a row must "
                            "follow from its reference alone, and numbers must be finite"
                        )


def tuned_values(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The values that were tuned for a system, from its entry in ``systems.json``.

    Run folders written before version 2 of the contract call it ``chosen``.
    """
    return dict(entry.get("tuned") or entry.get("chosen") or {})


def shared_lines(a: System, b: System) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Both systems' lines of the test rows that both answered, in the same order."""
    ours, theirs = a.splits["test"], b.splits["test"]
    both = [row_id for row_id in ours if row_id in theirs]
    return [ours[row_id] for row_id in both], [theirs[row_id] for row_id in both]


def remember(metrics: Iterable[Metric], lines: Sequence[Mapping[str, Any]]) -> None:
    """Let metrics of whole sets know the pairs that stored values of prediction lines stand for."""
    for metric in metrics:
        if metric.whole and metric.prepare is not None:
            metric.prepare(
                [line["prediction"] for line in lines], [line["reference"] for line in lines]
            )


def compared(metric: Metric, a: System, b: System) -> Comparison:
    """``metric(a) - metric(b)`` on the test rows that both answered, by their groups."""
    ours, theirs = shared_lines(a, b)
    remember((metric,), [*ours, *theirs])
    return statistics.paired(
        metric,
        [line["metrics"][metric.name] for line in ours],
        [line["metrics"][metric.name] for line in theirs],
        groups=grouping(ours),
    )


def estimate(metric: Metric, system: System) -> Estimate:
    """A system's figure on the test rows with its interval, by their groups."""
    return statistics.interval(metric, system.values(metric.name), groups=system.groups())


def trained_name(roles: Mapping[str, str]) -> str | None:
    """The name of the system that a run is about: the first adapter, or the fully trained model.

    Args:
        roles: the name of each system → its role, in the order of ``systems.json``.
    """
    names = (name for wanted in TRAINED for name, role in roles.items() if role == wanted)
    return next(names, None)


def trained(systems: Sequence[System]) -> System | None:
    """The system that the run is about; ``None`` where nothing was trained."""
    name = trained_name({system.name: system.role for system in systems})
    return next((system for system in systems if system.name == name), None)


_TOLERANCE = 1e-6


def same(a: Any, b: Any, tolerance: float = _TOLERANCE) -> bool:
    """Whether JSON values are equal: tuples count as lists, numbers must agree to six digits."""
    if is_list(a) and is_list(b):
        return len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if is_number(a) and is_number(b):
        return math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-9)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[name], b[name], tolerance) for name in a)
    return bool(a == b)


def is_list(value: Any) -> bool:
    """Whether a value is a list in JSON; a tuple becomes one."""
    return isinstance(value, Sequence) and not isinstance(value, str)
