"""Checkpoints: an incomplete one is never resumed from."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from toolkit.kinds.checkpoints import newest_valid, problem, step_of


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


def test_the_best_checkpoint_is_one_beside_it(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    checkpoint(tmp_path, 5)
    checkpoint(tmp_path / "runs", 5)
    path = checkpoint(tmp_path / "runs", 10)
    state = json.loads((path / "trainer_state.json").read_text())

    def settled(named: Path) -> Path:
        content = {**state, "best_model_checkpoint": str(named)}
        (path / "trainer_state.json").write_text(json.dumps(content))
        assert newest_valid(tmp_path / "runs") == path
        found = json.loads((path / "trainer_state.json").read_text())
        return Path(found["best_model_checkpoint"])

    # A run that was moved, or one from somebody else that names weights elsewhere.
    assert settled(tmp_path / "checkpoint-5") == tmp_path / "runs" / "checkpoint-5"
    assert settled(tmp_path) == path
    assert settled(tmp_path / "runs" / "checkpoint-5") == tmp_path / "runs" / "checkpoint-5"
