"""Finding the newest checkpoint that is complete.

An interruption while saving leaves a folder that transformers would accept: without
``trainer_state.json`` it fails, without optimizer, scheduler or random state it goes on **silently
with other weights**. So a checkpoint counts only when every part is there and readable.

transformers reads optimizer, scheduler and random state with ``weights_only=True``, so that a
pickle from somebody else runs nothing, and never reads ``training_args.bin``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.errors import RunError
from toolkit.runs.files import write_text

STATE = "trainer_state.json"
RANDOM_OF_FIRST = "rng_state_0.pth"
"""The random state of the first of several processes; that of one alone is ``rng_state.pth``."""
ARCHIVES = ("optimizer.pt", "scheduler.pt")
WEIGHTS = ("adapter_model.safetensors", "model.safetensors")


def step_of(folder: Path) -> int | None:
    """The step in a checkpoint folder's name, or ``None``."""
    found = re.fullmatch(r"checkpoint-(\d+)", folder.name)
    return int(found.group(1)) if found else None


def problem(folder: Path, processes: int = 1) -> str | None:
    """Why a checkpoint cannot be resumed from, or ``None`` if it can.

    Args:
        folder: the checkpoint's.
        processes: how many there are; each of several writes a random state of its own.
    """
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        if state["global_step"] != step_of(folder):
            return "trainer_state.json is of another step"
        if not all(isinstance(state[key], int) for key in ("max_steps", "train_batch_size")):
            return "trainer_state.json is not whole"
    except (OSError, ValueError, KeyError, TypeError):
        return "trainer_state.json is missing or cut"
    best = best_of(folder, state)
    if best is not None and best != folder and not _whole_weights(best):
        return f"{best.name}, the best so far, is missing or cut"
    randoms = sorted(folder.glob("rng_state*.pth"))
    if not randoms or (len(randoms) < processes and (folder / RANDOM_OF_FIRST).is_file()):
        return "the random state is missing"
    for archive in [*(folder / name for name in ARCHIVES), *randoms]:
        if not _whole_archive(archive):
            return f"{archive.name} is missing or cut"
    if not _whole_weights(folder):
        return "the weights are missing or cut"
    return None


def best_of(folder: Path, state: Mapping[str, Any]) -> Path | None:
    """The best checkpoint that a trainer's state names, where it lies now: beside its own."""
    named = state.get("best_model_checkpoint")
    if not named:
        return None
    # The path may be that of a run that was moved, or of one from somebody else that names weights
    # elsewhere: what counts is the name of a checkpoint.
    beside = folder.parent / Path(str(named)).name
    return folder if step_of(beside) is None else beside


def found(folder: Path) -> list[Path]:
    """The checkpoints in a folder, whole or not, by their steps."""
    steps = [(step, p) for p in folder.glob("checkpoint-*") if (step := step_of(p)) is not None]
    return [path for _, path in sorted(steps)]


def newest_valid(folder: Path, processes: int = 1) -> Path | None:
    """The newest complete checkpoint; ``None``: there is none. Broken ones are removed.

    Older ones break where a process is killed while it removes them.

    Args:
        folder: the trainer's output folder.
        processes: how many processes train.
    """
    whole = []
    for path in found(folder):
        if problem(path, processes) is None:
            whole.append(path)
        else:
            shutil.rmtree(path, ignore_errors=True)
    return whole[-1] if whole else None


def resumable(folder: Path, processes: int, limit: int | None) -> Path | None:
    """As :func:`newest_valid`, with the folder as an undisturbed training would have it by now.

    The trainer would silently take the last weights for the best where the best checkpoint is not
    at the path that it has noted, as in a run folder that was moved or that another working
    directory names; and one that was killed before it removed older checkpoints never does so.

    Args:
        folder: the trainer's output folder.
        processes: how many processes train.
        limit: the most checkpoints that are kept; ``None``: all.

    Raises:
        RunError: the checkpoint is of another number of processes.
    """
    from transformers.trainer_utils import rotate_checkpoints

    newest = newest_valid(folder, processes)
    if newest is None:
        return None
    several = (newest / RANDOM_OF_FIRST).is_file()
    if several != (processes > 1):
        made = "several processes" if several else "one process"
        raise RunError(
            f"{newest} was made by {made}, and now there {'are' if processes > 1 else 'is'} "
            f"{processes}: resume with as many as before, or remove {folder} to train anew"
        )
    place = newest / STATE
    state = json.loads(place.read_text(encoding="utf-8"))
    best = best_of(newest, state)
    if best is not None and state["best_model_checkpoint"] != str(best):
        write_text(place, json.dumps({**state, "best_model_checkpoint": str(best)}, indent=2))
    rotate_checkpoints(str(folder), limit, str(best) if best else None)
    return newest


def order_by_step(folder: Path) -> None:
    """Give checkpoints times in the order of their steps, all of them long past.

    The trainer removes the oldest by time: where the clock was set back, it would take the newest.
    """
    for path in found(folder):
        step = step_of(path) or 0
        os.utime(path, (step, step))


def _whole_weights(folder: Path) -> bool:
    return any(_whole_safetensors(folder / name) for name in WEIGHTS)


def _whole_archive(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def _whole_safetensors(path: Path) -> bool:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="np") as file:
            return bool(list(file.keys()))
    except (OSError, SafetensorError):
        return False
