"""Checkpoints: an incomplete one is never resumed from."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from toolkit.errors import RunError
from toolkit.kinds.checkpoints import newest_valid, order_by_step, problem, resumable, step_of


def checkpoint(folder: Path, step: int) -> Path:
    """A whole checkpoint, as transformers leaves it (its archives are zip files)."""
    path = folder / f"checkpoint-{step}"
    path.mkdir()
    state = {"global_step": step, "max_steps": 20, "train_batch_size": 4}
    (path / "trainer_state.json").write_text(json.dumps(state))
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth"):
        with zipfile.ZipFile(path / name, "w") as archive:
            archive.writestr("data", bytes(range(256)) * 8)
    save_file({"w": np.arange(64, dtype=np.float32)}, path / "adapter_model.safetensors")
    return path


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


PARTS = [
    ("trainer_state.json", "trainer_state.json"),
    ("optimizer.pt", "optimizer.pt"),
    ("scheduler.pt", "scheduler.pt"),
    ("rng_state.pth", "random state|rng_state.pth"),
    ("adapter_model.safetensors", "weights"),
]


def test_a_whole_one_has_no_problem(tmp_path: Path) -> None:
    assert problem(checkpoint(tmp_path, 10)) is None


@pytest.mark.parametrize(("part", "said"), PARTS)
@pytest.mark.parametrize("how", ["missing", "cut", "empty"])
def test_each_part_that_is_missing_or_cut_is_named(
    tmp_path: Path, part: str, said: str, how: str
) -> None:
    path = checkpoint(tmp_path, 10)
    if how == "missing":
        (path / part).unlink()
    elif how == "cut":
        cut(path / part)
    else:
        (path / part).write_bytes(b"")
    found = problem(path)
    assert found is not None
    assert any(name in found for name in said.split("|"))


def test_bytes_that_changed_within_an_archive_are_noticed(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, 10)
    content = bytearray((path / "optimizer.pt").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (path / "optimizer.pt").write_bytes(content)
    assert problem(path) == "optimizer.pt is missing or cut"


@pytest.mark.parametrize("content", ['{"global_step": 20}', "[]", "{}", "null"])
def test_a_state_of_another_step_does_not_count(tmp_path: Path, content: str) -> None:
    path = checkpoint(tmp_path, 10)
    (path / "trainer_state.json").write_text(content)
    assert "trainer_state.json" in (problem(path) or "")


def test_full_weights_count_as_well(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, 10)
    (path / "adapter_model.safetensors").rename(path / "model.safetensors")
    assert problem(path) is None


def test_the_newest_complete_one_is_taken_and_broken_ones_are_removed(tmp_path: Path) -> None:
    checkpoint(tmp_path, 5)
    whole = checkpoint(tmp_path, 90)
    broken = checkpoint(tmp_path, 100)
    (broken / "scheduler.pt").unlink()
    (tmp_path / "checkpoint-tmp").mkdir()
    assert newest_valid(tmp_path) == whole
    assert not broken.exists()
    assert (tmp_path / "checkpoint-5").exists()
    assert (tmp_path / "checkpoint-tmp").exists()


def test_none_at_all(tmp_path: Path) -> None:
    assert newest_valid(tmp_path) is None
    assert newest_valid(tmp_path / "absent") is None


def test_the_step_is_in_the_name() -> None:
    assert step_of(Path("x/checkpoint-120")) == 120
    assert step_of(Path("x/checkpoint-tmp")) is None


def note_best(path: Path, best: str) -> None:
    place = path / "trainer_state.json"
    state = {**json.loads(place.read_text()), "best_model_checkpoint": best}
    place.write_text(json.dumps(state))


def test_the_best_checkpoint_is_found_where_the_folder_lies_now(tmp_path: Path) -> None:
    """The trainer would silently take the last weights where the noted path is not there."""
    best, newest = checkpoint(tmp_path, 5), checkpoint(tmp_path, 10)
    note_best(newest, "runs/elsewhere/checkpoint-5")
    assert resumable(tmp_path, 1, 2) == newest
    state = json.loads((newest / "trainer_state.json").read_text())
    assert (state["global_step"], state["best_model_checkpoint"]) == (10, str(best))


def test_a_checkpoint_whose_best_is_cut_does_not_count(tmp_path: Path) -> None:
    best, newest = checkpoint(tmp_path, 5), checkpoint(tmp_path, 10)
    note_best(newest, str(best))
    cut(best / "adapter_model.safetensors")
    assert problem(newest) == "checkpoint-5, the best so far, is missing or cut"
    assert newest_valid(tmp_path) is None


def test_older_ones_that_are_broken_or_too_many_are_removed(tmp_path: Path) -> None:
    """A process may be killed while it removes one, or before."""
    made = [checkpoint(tmp_path, step) for step in (2, 4, 6, 8)]
    (made[2] / "optimizer.pt").unlink()
    note_best(made[3], str(made[0]))
    assert resumable(tmp_path, 1, 2) == made[3]
    assert [path.exists() for path in made] == [True, False, False, True]


def test_each_process_needs_its_random_state(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, 10)
    (path / "rng_state.pth").rename(path / "rng_state_0.pth")
    assert problem(path, 2) == "the random state is missing"
    (path / "rng_state_1.pth").write_bytes((path / "rng_state_0.pth").read_bytes())
    assert problem(path, 2) is None and resumable(tmp_path, 2, 2) == path


@pytest.mark.parametrize("processes", [1, 2])
def test_checkpoints_of_another_number_of_processes_are_refused(
    tmp_path: Path, processes: int
) -> None:
    path = checkpoint(tmp_path, 10)
    if processes == 1:
        (path / "rng_state.pth").rename(path / "rng_state_0.pth")
    with pytest.raises(RunError, match="resume with as many as before"):
        resumable(tmp_path, processes, 2)


def test_times_follow_the_steps_whatever_the_clock_says(tmp_path: Path) -> None:
    from transformers.trainer_utils import rotate_checkpoints

    made = [checkpoint(tmp_path, step) for step in (100, 20, 3)]  # as if the clock went backwards
    order_by_step(tmp_path)
    rotate_checkpoints(str(tmp_path), 2, use_mtime=True)
    assert [path.exists() for path in made] == [True, True, False]


def test_the_best_checkpoint_is_one_beside_it(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    checkpoint(tmp_path, 5)
    checkpoint(tmp_path / "runs", 5)
    path = checkpoint(tmp_path / "runs", 10)
    state = json.loads((path / "trainer_state.json").read_text())

    def settled(named: Path) -> Path:
        content = {**state, "best_model_checkpoint": str(named)}
        (path / "trainer_state.json").write_text(json.dumps(content))
        assert resumable(tmp_path / "runs", 1, None) == path
        found = json.loads((path / "trainer_state.json").read_text())
        return Path(found["best_model_checkpoint"])

    # A run that was moved, or one from somebody else that names weights elsewhere.
    assert settled(tmp_path / "checkpoint-5") == tmp_path / "runs" / "checkpoint-5"
    assert settled(tmp_path) == path
    assert settled(tmp_path / "runs" / "checkpoint-5") == tmp_path / "runs" / "checkpoint-5"
