"""The first stage of a run: the task's state, the checks before training, and stored data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError
from toolkit.preparation import preflight, seen
from toolkit.preparation.classes import require_several
from toolkit.preparation.prepare import Prepared, save
from toolkit.runs.files import write_json
from toolkit.runs.run import Run
from toolkit.system import device, distributed
from toolkit.system.console import Console
from toolkit.task import Row, Task

if TYPE_CHECKING:
    import numpy as np

    from toolkit.kinds.base import TaskModel


def look(
    run: Run,
    task: Task,
    kind: TaskModel,
    prepared: Prepared,
    console: Console,
    state: Mapping[str, Any] | None = None,
) -> None:
    """Fit the task's state, check the data, print and store what the checks find; once a run.

    Args:
        run: gets the rows, ``preflight.json``, and in its ``info`` what later stages need.
        task: its state is fitted to the training rows.
        kind: its tokenizer counts tokens; no weights are loaded.
        prepared: the splits.
        console: prints notes and warnings.
        state: of the task, where it is not fitted here: what is judged was trained elsewhere, and
            nothing is trained in this run.

    Raises:
        PreflightError: targets would be cut, or the run does not fit into memory.
    """
    options, train = run.info["options"], prepared.splits["train"]
    if state is None:
        require_several(task, train)
        task.load_state({**prepared.found, **task.fit(train)})
    else:
        task.load_state({**prepared.found, **state})
    shown = train if len(train) else prepared.splits["test"]
    if further := kind.fit_state(shown):
        task.load_state({**task.state, **further})
    stored = bool(options.get("store_data", True))
    copies = seen.look(task, prepared, judged=state is not None, quoted=stored)
    found = preflight.check(
        task, prepared, kind, allow_truncation=bool(options.get("allow_truncation"))
    )
    for line in found.sentences():
        console.note(line)
    for warning in found.warnings():
        console.warn(warning)
    rows = preflight.sample(prepared.splits)
    more = kind.most_learned(rows, found.token_lengths)
    takes = _fits(run, task, kind, found.token_lengths, more, console) if state is None else {}
    save(prepared, run, store_rows=stored)
    document = found.document()
    if state is None:
        document |= prompt(kind, shown[0])
    document["memory"] = takes
    if copies is not None:
        document["contamination"] = copies
    write_json(run.data / "preflight.json", document)
    run.info |= {
        "data": {
            "fingerprint": prepared.fingerprint,
            "sizes": prepared.sizes,
            "synthetic": prepared.synthetic,
            "stored": stored,
            "chosen": prepared.chosen,
        },
        "task_state": task.state,
        "task_options": task.options,
        "auto_class": kind.auto_class,
        "head": kind.head_arguments(),
    }


def prompt(kind: TaskModel, row: Row) -> dict[str, Any]:
    """The part of ``preflight.json`` that shows a row as the model reads it."""
    shown = kind.keepable(row)
    return {"prompt_tokens": kind.explain(shown), "prompt_target": kind.target_of(shown)}


def _fits(
    run: Run,
    task: Task,
    kind: TaskModel,
    lengths: Mapping[str, np.ndarray],
    learned: int,
    console: Console,
) -> dict[str, Any]:
    """The estimate of memory, before weights are loaded.

    Args:
        run: the run.
        task: its task.
        kind: its model.
        lengths: part of an example → tokens of each row.
        learned: tokens of a row that have a loss, where they are more than its answer.
        console: gets the estimate as a sentence.

    Raises:
        PreflightError: the run does not fit into memory.
    """
    from toolkit.preparation import memory
    from toolkit.preparation.memory import full_training

    if distributed.sharded_by_accelerate():
        return {}  # FSDP and DeepSpeed decide how much each process holds
    gpu = device.is_gpu()
    recipe = kind.recipe
    shape = memory.Shape.of(
        lengths,
        kind.max_length,
        kind.written,
        own_limits=kind.own_limits,
        filled=kind.shares_sequences,
    )
    shape = dataclasses.replace(shape, answer=max(shape.answer, min(learned, shape.length)))
    try:
        found = memory.fit(
            task,
            recipe,
            shape,
            gpu=gpu,
            room=memory.available(gpu=gpu) // (1 if gpu else distributed.here()),
            tokenizer=kind.tokenizer,
            head=kind.head_arguments(),
            trust_remote_code=kind.trust_remote_code,
        )
    except (ToolkitError, MemoryError):
        raise
    except Exception as error:  # an architecture may do what tensors without content cannot
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        console.warn(
            "the memory that this run takes cannot be estimated for this model, so it goes on "
            f"without knowing whether it fits ({reason})"
        )
        return {}
    memory.require(found)
    console.note(found.sentence())
    return found.estimate.document() | {
        "free_mb": round(found.room / 2**20, 1),
        "full": full_training.document(recipe, found.estimate),
    }
