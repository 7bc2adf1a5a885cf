"""Finding the newest checkpoint that is complete.

An interruption while saving leaves a folder that transformers would accept: without
``trainer_state.json`` it fails, without optimizer, scheduler or random state it goes on **silently
with other weights**. So a checkpoint counts only when every part is there and readable.

transformers reads optimizer, scheduler and random state with ``weights_only=True``, so that a
pickle from somebody else runs nothing, and never reads ``training_args.bin``.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

ARCHIVES = ("optimizer.pt", "scheduler.pt")
WEIGHTS = ("adapter_model.safetensors", "model.safetensors")


def step_of(folder: Path) -> int | None:
    """The step in a checkpoint folder's name, or ``None``."""
    found = re.fullmatch(r"checkpoint-(\d+)", folder.name)
    return int(found.group(1)) if found else None


def problem(folder: Path) -> str | None:
    """Why a checkpoint cannot be resumed from, or ``None`` if it can."""
    try:
        state = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
        if state["global_step"] != step_of(folder):
            return "trainer_state.json is of another step"
        if not all(isinstance(state[key], int) for key in ("max_steps", "train_batch_size")):
            return "trainer_state.json is not whole"
    except (OSError, ValueError, KeyError, TypeError):
        return "trainer_state.json is missing or cut"
    randoms = sorted(folder.glob("rng_state*.pth"))
    if not randoms:
        return "the random state is missing"
    for archive in [*(folder / name for name in ARCHIVES), *randoms]:
        if not _whole_archive(archive):
            return f"{archive.name} is missing or cut"
    if not any(_whole_safetensors(folder / name) for name in WEIGHTS):
        return "the weights are missing or cut"
    return None


def newest_valid(folder: Path) -> Path | None:
    """The newest complete checkpoint; ``None``: there is none. Newer, broken ones are removed."""
    found = sorted((s, p) for p in folder.glob("checkpoint-*") if (s := step_of(p)) is not None)
    for _, path in reversed(found):
        if problem(path) is None:
            _settle_best(path)
            return path
        shutil.rmtree(path, ignore_errors=True)
    return None


def _settle_best(checkpoint: Path) -> None:
    """Let a checkpoint's state name the best one beside itself: the trainer ends with its weights.

    The state names it by the path of the run that wrote it, which may have been moved, or come from
    somebody else and name weights elsewhere.
    """
    place = checkpoint / "trainer_state.json"
    state = json.loads(place.read_text(encoding="utf-8"))
    named = state.get("best_model_checkpoint")
    if named is None:
        return
    beside = checkpoint.parent / Path(str(named)).name
    if step_of(beside) is None or not beside.is_dir():
        beside = checkpoint
    if str(named) != str(beside):
        place.write_text(json.dumps({**state, "best_model_checkpoint": str(beside)}, indent=2))


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
