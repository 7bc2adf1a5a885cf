"""Preparing data: from a source to the rows of a task, in four splits with a fingerprint.

:func:`prepare` does all of it; :func:`save` and :func:`heldout` write and read the data of a run.
The architecture page describes what passes between the stages.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.data import splits as splitting
from toolkit.data import tables
from toolkit.data.grouping import ROW_GROUP
from toolkit.data.load import read
from toolkit.data.row_mapping import nothing_left
from toolkit.data.source import Source
from toolkit.data.splits import CAPS, CHALLENGE, FRACTIONS, HELD_OUT, SPLITS, present
from toolkit.data.stratification import NO_CLASS
from toolkit.errors import DataError, PluginError, UsageError
from toolkit.preparation import curation as curating
from toolkit.preparation import fewer_rows
from toolkit.preparation.assignment import ONE_WAY, Part, assigned
from toolkit.preparation.joining import with_near_duplicates
from toolkit.preparation.row_digests import DIGEST, digest, fingerprint, hexadecimal
from toolkit.runs.files import read_jsonl, write_bytes, write_jsonl
from toolkit.task import classes_of, group_of

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.runs.run import Run
    from toolkit.task import Row, Task

__all__ = ["Prepared", "Source", "heldout", "prepare", "read", "save"]

Unusable = Callable[["Dataset"], Mapping[str, Sequence[int]]]
"""Rows → reason → the numbers of the rows that are left out for it."""

OWN_SPLITS = ("train", "validation", "test", CHALLENGE)
FORMER_SPLITS = {"stress": CHALLENGE}
"""Names of a task's own splits in version 1 of the contract → present names."""


@dataclass(frozen=True)
class Prepared:
    """The rows of a run.

    Args:
        splits: ``train``, ``validation``, ``calibration``, ``test``: the task's columns and
            ``row_id``; ``challenge`` too where the task brings rows that are hard on purpose.
        fingerprint: SHA-256 over the rows and their splits; equal ones make runs comparable.
        left_out: reason → numbers of the rows that are not used.
        notes: what was decided for the user, as sentences.
        synthetic: whether the rows are generated.
        chosen: what the task decided about the columns, to be used again for predictions.
        found: what the files tell and the rows do not hold; part of the task's state.
        digests: split → SHA-256 of each row's task columns, 32 bytes each.
        groups: split → a hash of each row's group.
        cautions: what the user should know of the splits, as sentences.
        rows_read: the beginning of a reason above (``test: ``) → rows of the file.
        grouped_by: the column of the file that decides on the groups; empty: the task does.
        given: the usable rows of each file or own split, before any was left out or drawn.
    """

    splits: DatasetDict
    fingerprint: str
    left_out: dict[str, list[int]]
    notes: list[str]
    synthetic: bool
    chosen: dict[str, Any] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    digests: Mapping[str, np.ndarray] = field(repr=False, compare=False, default_factory=dict)
    groups: Mapping[str, np.ndarray] = field(repr=False, compare=False, default_factory=dict)
    cautions: list[str] = field(default_factory=list)
    rows_read: Mapping[str, int] = field(default_factory=dict)
    grouped_by: str = ""
    given: Mapping[str, Dataset] = field(repr=False, compare=False, default_factory=dict)

    @property
    def sizes(self) -> dict[str, int]:
        """Rows of each split."""
        return {name: len(self.splits[name]) for name in present(self.splits)}

    def restrict(self, rows: int, seed: int = 0) -> Prepared:
        """The same held-out rows with fewer training rows (for a curve over the amount of data)."""
        import datasets

        chosen = splitting.sample(len(self.splits["train"]), rows, seed)
        if chosen is None:
            return self
        digests = {**self.digests, "train": self.digests["train"][chosen]}
        groups = {**self.groups}
        if groups:
            groups["train"] = groups["train"][chosen]
        splits = datasets.DatasetDict({**self.splits, "train": self.splits["train"].select(chosen)})
        return dataclasses.replace(
            self,
            splits=splits,
            digests=digests,
            groups=groups,
            fingerprint=fingerprint(splits, digests),
        )


def prepare(
    task: Task,
    source: Source,
    seed: int | None = None,
    *,
    fractions: Mapping[str, float] = FRACTIONS,
    caps: Mapping[str, int] = CAPS,
    unusable: Unusable | None = None,
    most: Mapping[str, int] = MappingProxyType({}),
    curation: Mapping[str, Any] = MappingProxyType({}),
    untrained: bool = False,
) -> Prepared:
    """Load a task's rows and split them.

    Where the source has no splits of its own, 5 % validation, 5 % calibration (600 rows each at
    most) and 10 % test (2,000 at most) are drawn by group. Where it has, a validation file is
    halved into validation and calibration; splits that are missing are drawn from the training
    rows; training rows whose text is in a held-out file are left out, and so are validation rows
    whose text is in test. Of a task's several :meth:`~toolkit.Task.groupings` the coarsest that
    leaves 20 groups in test is taken; rows are left out by the finest. Where a column of the file
    decides on the groups (``source.grouped_by``), that is the only one.

    Args:
        task: the task, which loads its rows.
        source: the data options; it receives notes and the rows that are left out.
        seed: the random seed of the draw; ``source.seed`` by default.
        fractions: split → its share of the rows.
        caps: split → the most rows.
        unusable: finds rows that the model has no way to read, as
            :meth:`toolkit.kinds.base.TaskModel.unusable` does; they are left out.
        most: split → the most rows of it that are used (a recipe's ``rows``).
        curation: which training rows are left out (a recipe's ``curation``).
        untrained: whether there are no training rows, because what was trained elsewhere is judged.
            All rows of the source are then test rows, or, where it names test rows, validation
            rows; of a Hub data set its own test rows are taken. Splits without rows are empty.

    Raises:
        DataError: there are too few rows, or no training rows.
        PluginError: the task does not return rows with its columns.
    """
    seed = source.seed if seed is None else seed
    loaded = _loaded(task, source)
    if untrained:
        loaded = _held_out(loaded, source)
    given = {
        name: _usable(_checked(task, rows), source, name if len(loaded) > 1 else "", unusable)
        for name, rows in loaded.items()
    }
    parts = {name: _part(task, rows, source, name, seed) for name, rows in given.items()}
    if source.near_duplicates:
        parts = with_near_duplicates(task, parts, source)
    cautions: list[str] = []
    owners, grouping = assigned(parts, source, seed, fractions, caps, cautions)
    found = dict(source.found)
    if grouping in task.groupings():
        found["group_by"] = grouping
        task.state = {**task.state, "group_by": grouping}  # task.group follows it from here on
    curating.curate(task, parts, owners, curation, seed, source)
    fewer_rows.thin(parts, owners, grouping, most, seed, source)
    splits, digests, groups = _gather(parts, owners, grouping)
    return Prepared(
        splits=splits,
        fingerprint=fingerprint(splits, digests),
        left_out=dict(source.left_out),
        notes=list(source.notes),
        synthetic=source.synthetic,
        chosen=dict(source.chosen),
        found=found,
        digests=digests,
        groups=groups,
        cautions=cautions,
        rows_read=dict(source.rows_read),
        grouped_by=source.grouped_by,
        given=given,
    )


def _loaded(task: Task, source: Source) -> dict[str, Dataset]:
    """The task's rows by the name of their part; a single part is called ``train``."""
    import datasets

    datasets.disable_progress_bars()
    loaded = task.load_rows(source)
    if source.labels_unused:
        raise UsageError(
            f"--labels {source.labels}: the task {task.name!r} reads no labels from this data"
        )
    if task.synthetic and source.data is not None and source.data == str(task.data):
        source.synthetic = True  # the data that a task file names are its own
    if isinstance(loaded, datasets.Dataset):
        return {"train": loaded}
    if not isinstance(loaded, datasets.DatasetDict):
        raise PluginError(
            f"task {task.name!r}: load_rows returned {type(loaded).__name__}, "
            "not a datasets.Dataset or DatasetDict"
        )
    if "train" not in loaded:
        raise DataError(f"the data has no train split, only {', '.join(map(str, loaded))}")
    loaded = datasets.DatasetDict({FORMER_SPLITS.get(n, n): rows for n, rows in loaded.items()})
    ignored = [str(name) for name in loaded if name not in OWN_SPLITS]
    if ignored:
        source.note(f"splits that are not used: {', '.join(ignored)}")
    return {name: loaded[name] for name in OWN_SPLITS if name in loaded}


def _held_out(loaded: Mapping[str, Dataset], source: Source) -> dict[str, Dataset]:
    """The parts of a source of which no row is trained on, see :func:`prepare`."""
    if set(loaded) == {"train"}:
        return {"test": loaded["train"]}
    if source.test:
        return {"validation": loaded["train"], "test": loaded["test"]}
    name = next(n for n in ("test", "validation", "train") if n in loaded)
    source.note(f"of {source.data} the {name} rows are judged; it has {', '.join(loaded)}")
    return {"test": loaded[name]}


def _part(task: Task, rows: Dataset, source: Source, name: str, seed: int) -> Part:
    chosen = splitting.sample(len(rows), source.limit, seed)
    if chosen is not None:
        where = "" if name == "train" else f" {name}"
        source.note(f"{len(chosen):,} of {len(rows):,}{where} rows are used (--limit)")
        rows = rows.select(chosen)
    ways = _ways(task, rows, source)
    by_column = ROW_GROUP in rows.column_names
    groups = {way: np.empty(len(rows), dtype=np.uint64) for way in ways}
    texts = np.empty(len(rows), dtype=np.uint64) if by_column else groups[list(ways)[-1]]
    digests = np.empty(len(rows), dtype=DIGEST)
    found: list[list[int]] = []
    names = sorted(task.columns)
    kinds: dict[int, str] = {}
    for at, row in enumerate(tables.rows(rows)):
        for way, group in ways.items():
            groups[way][at] = splitting.group_hash(group(row))
        if by_column:
            texts[at] = splitting.group_hash(task.group(row))
        digests[at] = digest(row, names).digest()
        found.append([])
        for name in classes_of(task, row):
            kind = splitting.group_hash(repr(name))
            kinds[kind] = str(name)
            found[-1].append(kind)
    width = max(map(len, found), default=0)
    classes = np.full((len(rows), width), NO_CLASS, dtype=np.uint64)
    for at, several in enumerate(found):
        classes[at, : len(several)] = several
    return Part(rows, groups, texts, digests, classes, kinds)


def _usable(rows: Dataset, source: Source, part: str, unusable: Unusable | None) -> Dataset:
    """The rows that the model can read; the others are recorded with the reason.

    Args:
        part: the name of the rows' part; empty: there is one file.
    """
    lost = {} if unusable is None else unusable(rows)
    if not lost:
        return rows
    with source.part(part) if part else contextlib.nullcontext():
        for reason, row_ids in lost.items():
            source.leave_out(reason, row_ids)
    gone = {row_id for row_ids in lost.values() for row_id in row_ids}
    kept = [at for at, row_id in enumerate(rows["row_id"][:]) if row_id not in gone]
    if not kept:
        raise nothing_left(lost)
    return rows.select(kept)


def _ways(task: Task, rows: Dataset, source: Source) -> Mapping[str, Callable[[Row], str]]:
    """Name → a way to group the rows; a column of the file that decides is the only one."""
    if ROW_GROUP in rows.column_names:
        return {ONE_WAY: partial(group_of, task)}
    if source.group:
        raise UsageError(
            f"--group goes with a file of your own, and with tasks that read it by map_rows; the "
            f"rows of {task.name!r} have no such column"
        )
    return task.groupings() or {ONE_WAY: task.group}


def _checked(task: Task, rows: Dataset) -> Dataset:
    """Rows with exactly the task's columns, ``row_id`` and, where it is there, the group."""
    missing = [name for name in task.columns if name not in rows.column_names]
    if missing:
        raise PluginError(
            f"task {task.name!r}: load_rows gave no column {', '.join(map(repr, missing))}; it "
            f"gave {', '.join(rows.column_names)}"
        )
    if "row_id" not in rows.column_names:
        rows = rows.add_column("row_id", list(range(1, len(rows) + 1)))
    further = [ROW_GROUP] if ROW_GROUP in rows.column_names else []
    return rows.select_columns(["row_id", *task.columns, *further])


def _gather(
    parts: Mapping[str, Part], owners: Mapping[str, np.ndarray], way: str
) -> tuple[DatasetDict, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The splits, their digests and their groups, gathered from the parts."""
    import datasets

    splits, digests, groups = {}, {}, {}
    for index, split in enumerate((*SPLITS, CHALLENGE)):
        for name, part in parts.items():
            at = np.flatnonzero(owners[name] == index)
            if len(at):
                splits[split] = part.rows.select(at)
                digests[split] = part.digests[at]
                groups[split] = part.groups[way][at]
    part = next(iter(parts.values()))
    for split in SPLITS:  # where nothing is trained, some are empty
        if split not in splits:
            splits[split], digests[split] = part.rows.select([]), part.digests[:0]
            groups[split] = part.groups[way][:0]
    return datasets.DatasetDict(splits), digests, groups


# -- in the run directory ------------------------------------------------------------------------


def save(prepared: Prepared, run: Run, *, store_rows: bool = True) -> None:
    """Write ``data/splits.parquet`` and ``data/heldout.jsonl``.

    Args:
        prepared: the rows.
        run: the run that gets the files.
        store_rows: ``False`` keeps the held-out rows out of the run directory (private data).
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = present(prepared.splits)
    ids = {name: np.asarray(prepared.splits[name]["row_id"][:], dtype=np.int64) for name in names}
    table = pa.table(
        {
            "row_id": np.concatenate([ids[name] for name in names]),
            "split": [name for name in names for _ in range(len(ids[name]))],
            "sha": [one for name in names for one in hexadecimal(prepared.digests[name])],
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    write_bytes(run.data / "splits.parquet", sink.getvalue().to_pybytes())
    if store_rows:
        write_jsonl(
            run.data / "heldout.jsonl",
            (
                {"split": name, **row}
                for name in present(prepared.splits, HELD_OUT)
                for row in tables.rows(prepared.splits[name])
            ),
        )


def heldout(run: Run) -> dict[str, Dataset]:
    """The held-out rows of a run by split; ``challenge`` is there if the task has such rows.

    Raises:
        DataError: the run does not store its rows.
    """
    import datasets

    path = run.data / "heldout.jsonl"
    if not path.is_file():
        raise DataError(f"{run.path} holds no held-out rows; it was made without storing data")
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in HELD_OUT}
    for row in read_jsonl(path):
        found.setdefault(row.pop("split"), []).append(row)
    return {name: datasets.Dataset.from_list(rows) for name, rows in found.items()}
