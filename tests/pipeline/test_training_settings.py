"""A training that diverged goes on with other settings, on what the run has done before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli_runner import CommandLine
from toolkit.runs.run import Run


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture
def diverged(
    cli: CommandLine, tiny_qwen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The folder of a run whose training ended in numbers that are none."""
    monkeypatch.chdir(tmp_path)
    rows = [
        {"messages": [{"role": "user", "content": f"Say {i} twice."},
                      {"role": "assistant", "content": f"{i} {i}"}]}
        for i in range(60)
    ]  # fmt: skip
    Path("chat.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("chat.toml").write_text('kind = "causal-lm"\ndata = "chat.jsonl"\n')
    answer = cli(
        "run", "./chat.toml", "--model", tiny_qwen, "--runs", "runs",
        "--set", "training.learning_rate=1e30", "--set", "training.max_grad_norm=0",
        "--set", "training.max_steps=8", "--set", "training.eval_strategy=steps",
        "--set", "training.eval_steps=1", "--set", "generation.max_new_tokens=4",
        "--set", "training.per_device_train_batch_size=4",
        "--set", "training.report_to=none",
    )  # fmt: skip
    assert answer.code == 2
    assert "training stopped at step" in answer.err and " on rows " in answer.err
    assert "a learning rate of 1e+30 without gradient clipping" in answer.err
    (folder,) = (tmp_path / "runs" / "chat").iterdir()
    return folder


def test_a_diverged_training_begins_anew_with_other_settings(
    cli: CommandLine, diverged: Path
) -> None:
    assert Run.open(diverged).done("base")
    written = (diverged / "predictions" / "base.jsonl").read_bytes()
    for other in ("training.max_length=64", "lora.r=2", "generation.max_new_tokens=8"):
        answer = cli("resume", diverged, "--set", other)
        assert answer.code == 2 and "for this one start a new run" in answer.err
    answer = cli("resume", diverged, "--set", "training.learning_rate=high")
    assert answer.code == 2 and "learning_rate" in answer.err
    sets = ("--set", "training.learning_rate=1e-3", "--set", "training.max_grad_norm=1")
    assert cli("resume", diverged, *sets).code == 0
    run = Run.open(diverged)
    assert run.finished and run.info["recipe"]["training"]["learning_rate"] == 1e-3
    assert run.info["training"]["resumed_from_step"] is None
    assert (diverged / "predictions" / "base.jsonl").read_bytes() == written
    answer = cli("resume", diverged, *sets)
    assert answer.code == 2 and "has been trained" in answer.err
