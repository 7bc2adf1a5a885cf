"""A whole run on tiny random models: what it leaves behind, and what the commands make of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cli_runner import (
    ROOT,
    Answer,
    CommandLine,
    command,
    environment,
    goods,
    quick,
    write_csv,
)

FILES = (
    "run.json", "metrics.json", "history.json", "report.html", "report.md", "README.md",
    "badge.svg",
    "data/splits.parquet", "data/heldout.jsonl", "data/preflight.json",
    "adapter/adapter_model.safetensors", "adapter/adapter_config.json", "adapter/toolkit.json",
    "predictions/systems.json", "predictions/adapter.jsonl", "predictions/base.jsonl",
)  # fmt: skip


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path) -> Path:
    """A finished run's folder, made by the command in a process of its own."""
    folder = tmp_path_factory.mktemp("finished")
    data = write_csv(folder / "goods.csv", goods())
    command(folder, "run", "price-regression", "--data", str(data), *quick(tiny_llama))
    (run,) = (folder / "runs" / "price-regression").iterdir()
    return run


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """The finished run, to be spoilt."""
    target = tmp_path / "runs" / "price-regression" / finished.name
    shutil.copytree(finished, target)
    return target


def test_the_run_directory_is_complete(finished: Path) -> None:
    missing = [name for name in FILES if not (finished / name).is_file()]
    assert not missing
    assert not (finished / "checkpoints").exists()
    assert not list(finished.rglob("*.tmp"))
    state = json.loads((finished / "run.json").read_text())
    assert {s["state"] for s in state["stages"].values()} == {"done"}


def test_metrics_follow_the_published_schema(finished: Path) -> None:
    schema = json.loads((ROOT / "toolkit/evaluation/metrics.schema.json").read_text())
    metrics = json.loads((finished / "metrics.json").read_text())
    jsonschema.validate(metrics, schema)
    assert {"adapter", "base", "few-shot", "constant-median"} <= set(metrics["systems"])
    assert metrics["verdict"]["worth_it"] in (True, False, None)


def test_every_system_answers_the_same_rows(finished: Path) -> None:
    rows = {}
    for path in (finished / "predictions").glob("*.jsonl"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        rows[path.stem] = [(line["split"], line["row_id"], line["reference"]) for line in lines]
    first = rows.pop("adapter")
    assert rows and all(other == first for other in rows.values())


def test_splits_never_share_a_text(finished: Path) -> None:
    held = [json.loads(x) for x in (finished / "data" / "heldout.jsonl").read_text().splitlines()]
    seen: dict[str, str] = {}
    for row in held:
        assert seen.setdefault(row["text"], row["split"]) == row["split"]


def test_verify_accepts_the_run_and_finds_what_was_changed(cli: CommandLine, copy: Path) -> None:
    answer = cli("report", copy, "--verify", "--all")
    assert answer.code == 0, answer.err
    rows = [len(x.read_text().splitlines()) for x in (copy / "predictions").glob("*a*e*.jsonl")]
    assert f"{2 * rows[0]} rows predicted again" in " ".join(answer.out.split())
    path = next(p for p in (copy / "predictions").glob("*ridge*.jsonl"))
    lines = path.read_text().splitlines()
    changed = json.loads(lines[-1])
    changed["prediction"] *= 2
    path.write_text("\n".join([*lines[:-1], json.dumps(changed)]) + "\n")
    answer = cli("report", copy, "--verify")
    assert answer.code == 1 and f"predictions/{path.name} (line {len(lines)} changed)" in answer.err


def test_verify_finds_another_adapter(cli: CommandLine, copy: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = copy / "adapter" / "adapter_model.safetensors"
    save_file({k: v * -50 for k, v in load_file(weights).items()}, weights)
    answer = cli("report", copy, "--verify")
    assert answer.code == 1 and "the adapter now gives" in answer.err


def test_predict_answers_new_texts_with_intervals(cli: CommandLine, finished: Path) -> None:
    answer = cli("predict", finished, "red oak thing", "silk thing", "--json")
    assert answer.code == 0
    for row in json.loads(answer.out):
        assert row["low"] <= row["prediction"] <= row["high"]


def test_predict_a_file_without_prices(cli: CommandLine, finished: Path, tmp_path: Path) -> None:
    rows = [{"title": "red oak thing", "kind": "oak"}, {"title": "old steel", "kind": "steel"}]
    data = write_csv(tmp_path / "new.csv", rows)
    out = tmp_path / "out.jsonl"
    assert cli("predict", finished, "--data", data, "--out", out).code == 0
    assert [json.loads(x)["row_id"] for x in out.read_text().splitlines()] == [1, 2]


def test_runs_and_compare_and_report(cli: CommandLine, finished: Path, copy: Path) -> None:
    listed = json.loads(cli("runs", "--runs", finished.parent.parent, "--json").out)
    assert [r["id"] for r in listed] == [finished.name] and listed[0]["finished"]
    compared = cli("compare", finished, copy, "--json")
    assert compared.code == 0 and json.loads(compared.out)
    (copy / "report.html").unlink()
    assert cli("report", copy).code == 0
    assert (copy / "report.html").is_file()


def run_quickly(cli: CommandLine, folder: Path, model: Path, *options: str) -> Answer:
    """A short run on small data below a folder; must succeed."""
    data = write_csv(folder / "goods.csv", goods(rows=80))
    answer = cli(
        "run", "price-regression", "--data", data, "--runs", folder / "runs", "--json", *options,
        *quick(model),
    )  # fmt: skip
    assert answer.code == 0, answer.err
    return answer


@pytest.mark.usefixtures("no_charts")
def test_a_digit_splitting_qwen_goes_through_the_same_command(
    cli: CommandLine, tiny_qwen: Path, tmp_path: Path
) -> None:
    answer = run_quickly(cli, tmp_path, tiny_qwen)
    metrics = json.loads(answer.out)
    assert metrics["systems"]["adapter"]["metrics"]["mae"]["value"] > 0
    assert len(metrics["decoders"]["adapter"]) == 4


@pytest.mark.usefixtures("no_charts")
def test_several_seeds_report_their_spread(
    cli: CommandLine, tiny_llama: Path, tmp_path: Path
) -> None:
    answer = run_quickly(cli, tmp_path, tiny_llama, "--seeds", "2")
    metrics = json.loads(answer.out)
    assert metrics["seeds"]["n"] == 2
    assert "adapter-seed-1" in metrics["systems"]


@pytest.mark.usefixtures("no_charts")
def test_no_store_data_keeps_no_texts(cli: CommandLine, tiny_llama: Path, tmp_path: Path) -> None:
    run_quickly(cli, tmp_path, tiny_llama, "--no-store-data")
    (run,) = (tmp_path / "runs" / "price-regression").iterdir()
    kept = "".join(p.read_text(errors="ignore") for p in run.rglob("*") if p.is_file())
    assert "oak thing" not in kept


# -- stopping and going on -------------------------------------------------------------------------


@pytest.mark.usefixtures("no_charts")
def test_resume_refuses_other_data(cli: CommandLine, tiny_llama: Path, tmp_path: Path) -> None:
    data = write_csv(tmp_path / "goods.csv", goods(rows=80))
    runs = tmp_path / "runs"
    from toolkit.pipeline import train

    def die(*arguments: Any, **keywords: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "train", die)
        answer = cli("run", "price-regression", "--data", data, "--runs", runs, *quick(tiny_llama))
    assert answer.code == 130 and "toolkit resume" in answer.err
    write_csv(data, goods(rows=80, seed=5))
    answer = cli("resume", "--runs", runs)
    assert answer.code == 2 and "the data of run" in answer.err
    write_csv(data, goods(rows=80))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolkit.system.monitor.versions", lambda: {"torch": "1.0"})
        answer = cli("resume", "--runs", runs)
    assert answer.code == 2 and "torch" in answer.err
    assert cli("resume", "--runs", runs).code == 0
    assert cli("resume", "--runs", runs).code == 2  # nothing left to resume


@pytest.mark.slow
def test_kill_at_any_moment_and_resume_gives_the_same_adapter(
    finished: Path, tiny_llama: Path, tmp_path: Path
) -> None:
    """``kill -9`` at three moments of one run; the adapter is that of the uninterrupted one."""
    data = write_csv(tmp_path / "goods.csv", goods())
    arguments = ["run", "price-regression", "--data", str(data), *quick(tiny_llama)]
    for moment in ("data", "baselines", "checkpoint-3"):
        process = subprocess.Popen(
            [sys.executable, "-m", "toolkit.cli", *arguments], cwd=tmp_path, env=environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _kill_when(process, tmp_path, moment)
        arguments = ["resume"]
    command(tmp_path, "resume")
    (run,) = (tmp_path / "runs" / "price-regression").iterdir()
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (run / "adapter" / name).read_bytes() == (finished / "adapter" / name).read_bytes()
    ours, theirs = (json.loads((r / "metrics.json").read_text()) for r in (run, finished))
    assert ours["systems"]["adapter"]["metrics"] == theirs["systems"]["adapter"]["metrics"]


def _kill_when(process: subprocess.Popen[bytes], folder: Path, moment: str) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        for run in (folder / "runs").glob("*/*/run.json"):
            try:
                stages = json.loads(run.read_text())["stages"]
            except ValueError:
                raise AssertionError("run.json was half-written") from None
            if moment in stages or list(run.parent.glob(f"checkpoints/*/{moment}")):
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                return
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.005)
    raise AssertionError(f"never came to {moment}")
