"""Two processes for one run: the losses of one process, one run directory, shared prediction."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli_runner import ROOT, environment, goods, write_csv
from in_process import command
from toolkit.errors import UsageError
from toolkit.runs.files import read_jsonl
from toolkit.system import distributed


def run(folder: Path, model: Path, *, count: int, batch: int) -> tuple[Path, str]:
    """A finished run by ``count`` processes, each with batches of ``batch`` rows."""
    data = folder / "goods.csv"
    if not data.is_file():
        write_csv(data, goods(rows=160))
    options = {
        "training.max_steps": 6, "training.eval_steps": 3, "training.save_steps": 3,
        "training.logging_steps": 1, "training.bf16": "false", "training.max_length": 128,
        "training.per_device_train_batch_size": batch, "training.learning_rate": 0.01,
        "lora.lora_dropout": 0.0,
    }  # fmt: skip
    arguments = [
        "run", "price-regression", "--data", str(data), "--model", str(model),
        "--runs", str(folder / f"by-{count}"),
        *(f"--set={name}={value}" for name, value in options.items()),
    ]  # fmt: skip
    if count == 1:
        done = command(folder, *arguments)
    else:
        done = subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", f"--nproc_per_node={count}",
             "--master_port=0", "--rdzv_backend=c10d", "--rdzv_endpoint=localhost:0",
             "-m", "toolkit", *arguments],
            cwd=folder, env=environment(), capture_output=True, text=True, timeout=500,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    (made,) = (folder / f"by-{count}" / "price-regression").iterdir()
    return made, done.stdout


def read(run: Path, name: str) -> Any:
    return json.loads((run / name).read_text())


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("processes")
    one, _ = run(folder, tiny_llama, count=1, batch=8)
    two, output = run(folder, tiny_llama, count=2, batch=4)
    assert output.count("Report:") == 1  # only one of the two prints
    return one, two


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(both: tuple[Path, Path]) -> None:
    one, two = (read(run, "history.json") for run in both)
    assert [e["step"] for e in one] == [e["step"] for e in two]
    for key in ("loss", "eval_loss", "eval_mae"):
        losses = [[e[key] for e in curve if key in e] for curve in (one, two)]
        assert len(losses[0]) >= 2
        assert losses[1] == pytest.approx(losses[0], rel=2e-4)
        # Six steps may leave a median of whole dollars where it was, but no loss.
        assert key == "eval_mae" or losses[0][0] != losses[0][-1]


@pytest.mark.slow
def test_two_processes_leave_one_run_as_one_does(both: tuple[Path, Path]) -> None:
    _, two = both
    files = [{p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file()} for run in both]
    assert files[0] == files[1]
    assert not list(two.rglob("*.tmp"))
    systems = [read(run, "predictions/systems.json") for run in both]
    assert [s["name"] for s in systems[0]] == [s["name"] for s in systems[1]]
    for name in ("base", "adapter"):
        lines = [read_jsonl(run / f"predictions/{name}.jsonl") for run in both]
        assert [r["row_id"] for r in lines[0]] == [r["row_id"] for r in lines[1]]
        raws = [[r["raw"] for r in side] for side in lines]
        alike = sum(a == b for a, b in zip(*raws, strict=True))
        assert alike >= 0.95 * len(raws[0])
    assert read(two, "run.json")["stages"]["report"]["state"] == "done"


class Recorder:
    """Makes this process look like the one of a rank among several."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, rank: int, count: int) -> None:
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", str(count))


def test_each_row_is_predicted_once_and_results_are_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = list(range(11))
    received: list[list[int]] = []
    parts: dict[int, list[int]] = {}

    def answer(part: Any) -> list[int]:
        received.append(list(part))
        return [10 * row for row in part]

    for rank in (0, 1, 2):
        Recorder(monkeypatch, rank, 3)

        def everywhere(given: list[int], rank: int = rank) -> list[list[int]]:
            parts[rank] = given
            return [[]] * 3

        monkeypatch.setattr(distributed, "everywhere", everywhere)
        with pytest.raises(ValueError, match="zip"):
            distributed.shared(rows, answer)
    assert sorted(row for part in received for row in part) == rows
    assert max(map(len, received)) - min(map(len, received)) <= 1
    monkeypatch.setattr(distributed, "everywhere", lambda given: [parts[r] for r in (0, 1, 2)])
    assert distributed.shared(rows, answer) == [10 * row for row in rows]


def test_alone_nothing_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert distributed.shared([1, 2], lambda part: part) == [1, 2]
    assert distributed.agreed(lambda: "so") == "so"
    assert distributed.everywhere(3) == [3]
    distributed.begin()
    distributed.end()


def test_only_the_first_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from toolkit.runs.files import write_text

    monkeypatch.setenv("RANK", "1")
    write_text(tmp_path / "file", "x")
    assert not (tmp_path / "file").exists()
    monkeypatch.setenv("RANK", "0")
    write_text(tmp_path / "file", "x")
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ACCELERATE_USE_FSDP", "FSDP needs GPUs"),
        ("ACCELERATE_USE_DEEPSPEED", "DeepSpeed needs GPUs"),
    ],
)
def test_what_accelerate_would_ignore_on_a_cpu_is_refused(
    name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv(name, "true")
    with pytest.raises(UsageError, match=message):
        distributed.begin()


@pytest.mark.parametrize("name", ["fsdp", "deepspeed"])
def test_the_accelerate_configs_of_the_docs_are_read_by_accelerate(name: str) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(ROOT / "docs" / "how-to" / f"{name}.yaml"))
    wanted = {"fsdp": "FSDP", "deepspeed": "DEEPSPEED"}[name]
    assert config.distributed_type.value == wanted
    assert config.num_processes == 2


def test_states_are_read_onto_the_processor_of_any_process(tmp_path: Path) -> None:
    """It is ``cpu:1`` in the second process, by accelerate; torch by itself cannot read that."""
    import torch

    place = tmp_path / "states.pt"
    torch.save({"step": torch.ones(2)}, place)
    distributed._know_numbered_processors()
    found = torch.load(place, map_location=torch.device("cpu", 1), weights_only=True)
    assert found["step"].tolist() == [1, 1]
