"""``toolkit show``: rows as a model is trained on them, with the tokenizer alone.

The rows are loaded and split as a run does it, and rendered by the code that renders them in
training; of the model only the tokenizer is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.data.source import Source
from toolkit.data.splits import CHALLENGE, SPLITS
from toolkit.errors import ToolkitError, UsageError
from toolkit.kinds.registry import model_class
from toolkit.models.paths import is_local
from toolkit.pipeline.start import on_hub
from toolkit.plugins import guarded, recipes
from toolkit.preparation.classes import require_several
from toolkit.preparation.prepare import Prepared, prepare
from toolkit.recipe import Recipe
from toolkit.system import environment
from toolkit.task import Row, Task, group_of

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel

NOTED = 1_000
"""Training rows by which it is said what is made of them for the model."""


@dataclass(frozen=True)
class ShownRow:
    """One row.

    Args:
        split: the split that it is in.
        row_id: its number in the file.
        target: what predictions are compared with, as it was read.
        learned: the target as the model learns it, where it is not among the tokens.
        group: what its group shares: the text, or the value of ``Prepared.grouped_by``.
        group_rows: rows of the split in that group.
        passages: what the model reads, see :meth:`toolkit.kinds.TaskModel.passages`.
        tokens: tokens of the row before anything is cut.
        cut: tokens that are cut; 0: none.
        problem: why it cannot be shown; empty: it can.
    """

    split: str
    row_id: int
    target: Any
    learned: str | None
    group: str
    group_rows: int
    passages: Sequence[Mapping[str, Any]] = ()
    tokens: int = 0
    cut: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Shown:
    """What :func:`show` gives.

    Args:
        model: whose tokenizer reads the rows.
        max_length: the most tokens of a row; ``None``: no limit.
        loses: which part is cut of a row that is too long.
        windowed: whether long texts are read in windows, of which one is shown.
        sizes: split → rows.
        grouped_by: the column that decides on the groups; empty: the task does.
        notes: what was decided on the data, as sentences.
        rows: the rows.
    """

    model: str
    max_length: int | None
    loses: str
    windowed: bool
    sizes: Mapping[str, int]
    grouped_by: str
    notes: Sequence[str] = ()
    rows: Sequence[ShownRow] = field(default_factory=tuple)


def show(
    task: type[Task],
    recipe: Recipe,
    source: Source,
    *,
    rows: int,
    split: str | None = None,
    trust_remote_code: bool = False,
) -> Shown:
    """Some rows as a model is trained on them.

    Args:
        task: the task's class.
        recipe: its model's tokenizer and its limits are used.
        source: the data options.
        rows: how many rows.
        split: the only split to show; ``None``: the first rows of all of them.
        trust_remote_code: run code that comes with the model.

    Raises:
        UsageError: there is no such split.
    """
    environment.prepare(offline=is_local(recipe.model) and not on_hub(source))
    kind_class = model_class(task)
    recipes.check(recipe, kind_class.training_arguments(), task.options)
    made = guarded.instance(task)
    made.options |= recipe.task
    kind = kind_class(made, recipe, trust_remote_code=trust_remote_code)
    prepared = prepare(
        made, source, unusable=kind.unusable, most=recipe.rows, curation=recipe.curation
    )
    require_several(made, prepared.splits["train"])
    made.load_state({**prepared.found, **made.fit(prepared.splits["train"])})
    if further := kind.fit_state(prepared.splits["train"]):
        made.load_state({**made.state, **further})
    found = [_shown(made, kind, prepared, name, at) for name, at in _chosen(prepared, rows, split)]
    train = prepared.splits["train"]
    notes = [*prepared.notes, *kind.notes(train.select(range(min(NOTED, len(train)))))]
    return Shown(
        recipe.model, kind.max_length, kind.loses, kind.windowed, prepared.sizes,
        prepared.grouped_by, notes, found,
    )  # fmt: skip


def _chosen(prepared: Prepared, rows: int, split: str | None) -> list[tuple[str, int]]:
    """Split and place of the rows to show: the first of each split in turns."""
    there = [name for name in (*SPLITS, CHALLENGE) if name in prepared.splits]
    if split is not None and split not in there:
        raise UsageError(f"there is no split {split!r}; there are {', '.join(there)} (--split)")
    names = there if split is None else [split]
    sizes = {name: len(prepared.splits[name]) for name in names}
    turns = [(name, at) for at in range(rows) for name in names if at < sizes[name]]
    return sorted(turns[:rows], key=lambda place: (there.index(place[0]), place[1]))


def _shown(task: Task, kind: TaskModel, prepared: Prepared, split: str, at: int) -> ShownRow:
    row: Row = prepared.splits[split][at]
    hashes = prepared.groups[split]
    common = {
        "split": split,
        "row_id": int(row["row_id"]),
        "target": task.reference(row),
        "group": group_of(task, row),
        "group_rows": int(np.count_nonzero(hashes == hashes[at])),
    }
    try:
        passages = kind.passages(row)
        read = len(kind.explain(row))
        lengths = kind.lengths(prepared.splits[split].select([at]))
        tokens = int(sum(values[0] for values in lengths.values()))
        cut = 0 if kind.windowed else max(0, tokens - read)
        return ShownRow(
            **common, learned=kind.target_of(row), passages=passages, tokens=tokens, cut=cut
        )
    except ToolkitError as error:
        return ShownRow(**common, learned=None, problem=str(error))
