"""Whole runs of an encoder kind on a tiny random BERT, and what the commands make of them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cli_runner import ROOT, CommandLine, goods, quick, write_csv
from in_process import command

ENCODER = "price-regression-encoder"

SCHEMA = json.loads((ROOT / "toolkit/evaluation/metrics.schema.json").read_text())


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    """Finished runs with LoRA and of the whole model, below ``lora`` and ``full``."""
    made = tmp_path_factory.mktemp("encoders")
    data = write_csv(made / "goods.csv", goods())
    for name in ("lora", "full"):
        command(
            made, "run", ENCODER, "--recipe", f"minilm-{name}", "--data", str(data),
            "--runs", str(made / name), *_quick(tiny_bert),
        )  # fmt: skip
    return made


def _quick(model: Path) -> list[str]:
    return [*quick(model), "--set", "training.eval_strategy=steps"]


def run_of(folder: Path, name: str, task: str = ENCODER) -> Path:
    (run,) = (folder / name / task).iterdir()
    return run


@pytest.fixture(params=["lora", "full"])
def finished(request: pytest.FixtureRequest, folder: Path) -> Path:
    return run_of(folder, request.param)


def read(run: Path, name: str) -> Any:
    return json.loads((run / name).read_text())


def test_the_run_is_whole_and_follows_the_schema(finished: Path) -> None:
    metrics = read(finished, "metrics.json")
    jsonschema.validate(metrics, SCHEMA)
    ours = "full" if read(finished, "run.json")["recipe"]["lora"] is None else "adapter"
    assert {ours, "base", "mean-probe", "constant-median"} <= set(metrics["systems"])
    assert "few-shot" not in metrics["systems"]
    assert metrics["systems"]["base"]["note"] == "a linear probe on the frozen encoder"
    info = read(finished, "run.json")
    assert info["auto_class"] == "AutoModelForSequenceClassification"
    trained, total = (info["training"][f"parameters_{which}"] for which in ("trained", "total"))
    assert (trained == total) == (ours == "full")
    assert metrics["training"]["best_step"] in (0, 3, 6)


def test_the_report_speaks_of_this_kind(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    full = read(finished, "run.json")["recipe"]["lora"] is None
    assert "the loss is computed on the answer alone, the number" in page
    assert "few-shot" not in page
    assert f"Use the {'model' if full else 'adapter'}" in page
    assert ("num_labels=1" in page) == (not full)
    assert not re.search(r"\{\{|\{%", page)


def test_the_lines_in_the_report_load_what_was_trained(finished: Path, tiny_bert: Path) -> None:
    from toolkit.reporting.run_details import load_snippet

    code = load_snippet(read(finished, "run.json"))
    assert len(code.splitlines()) <= 5
    import os

    before, names = Path.cwd(), {}
    os.chdir(finished)
    try:
        exec(code, names)
    finally:
        os.chdir(before)
    text = "red oak thing"
    inputs = names["tokenizer"](text, return_tensors="pt")
    import torch

    with torch.no_grad():
        output = float(names["model"].eval()(**inputs).logits[0, 0])
    from toolkit.pipeline.predict import open_run
    from toolkit.runs.run import Run

    _, kind = open_run(Run.open(finished))
    (ours,) = kind.predict([{"row_id": 1, "text": text}], adapter=True)
    assert float(ours.logits[0]) == pytest.approx(output, abs=1e-5)


def test_predict_verify_and_the_base(cli: CommandLine, finished: Path) -> None:
    answer = cli("predict", finished, "red oak thing", "silk thing", "--json")
    assert answer.code == 0, answer.err
    tuned = json.loads(answer.out)
    for row in tuned:
        assert row["low"] <= row["prediction"] <= row["high"] and row["prediction"] > 0
    # Of the same rows: beside others a row has other padding, and other last digits.
    asked = ("red oak thing", "silk thing")
    base = json.loads(cli("predict", finished, *asked, "--base", "--json").out)
    # Where no step was better than the probe, the training keeps it: that is the base.
    kept_start = read(finished, "run.json")["training"]["best_step"] == 0
    assert (base[0]["prediction"] == tuned[0]["prediction"]) == kept_start
    assert cli("report", finished, "--verify", "--all").code == 0


def test_verify_finds_another_model(cli: CommandLine, finished: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copy = tmp_path / ENCODER / finished.name
    shutil.copytree(finished, copy)
    (weights,) = (copy / "adapter").glob("*model.safetensors")
    changed = {k: v * (-3 if "classifier" in k else 1) for k, v in load_file(weights).items()}
    save_file(changed, weights, metadata={"format": "pt"})
    answer = cli("report", copy, "--verify")
    assert answer.code == 1 and "the adapter now gives" in answer.err


@pytest.mark.usefixtures("no_charts")
def test_runs_of_two_kinds_stand_on_one_ladder(
    cli: CommandLine, folder: Path, tiny_llama: Path, tmp_path: Path
) -> None:
    command(
        folder, "run", "price-regression", "--data", str(folder / "goods.csv"),
        "--runs", str(tmp_path), *quick(tiny_llama),
    )  # fmt: skip
    (causal,) = (tmp_path / "price-regression").iterdir()
    encoder = run_of(folder, "lora")
    assert read(causal, "run.json")["data"] == read(encoder, "run.json")["data"]
    answer = cli("compare", causal, encoder, run_of(folder, "full"), "--json")
    assert answer.code == 0, answer.err
    doc = json.loads(answer.out)
    assert all(pair["row_by_row"] for pair in doc["pairs"])
    ladder = {system["name"]: system for system in doc["ladder"]}
    # The baselines of the three runs gave the same answers, and stand there once.
    assert len(ladder["constant-median"]["runs"]) == 3
    models = [system for system in doc["ladder"] if system["role"] in ("adapter", "full")]
    assert len(models) == 3
    against = next(r for r in models if r["runs"] == [encoder.name])["compared"]
    assert against["difference"] == pytest.approx(doc["pairs"][0]["difference"] * -1)
    page = tmp_path / "both.html"
    assert cli("compare", causal, encoder, "--out", page).code == 0
    assert "One ladder" in page.read_text()


def test_a_run_of_classes_has_figures_by_class_and_a_confusion_matrix(
    cli: CommandLine, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tiny_tasks import TinyGoods, TinyPieces
    from toolkit.plugins import discovery

    for task in (TinyGoods, TinyPieces):
        monkeypatch.setitem(discovery.load().tasks, task.name, task)
        answer = cli(
            "run", task.name, "--runs", tmp_path, "--json", "--model", tiny_bert,
            "--set", "training.max_steps=4", "--set", "training.eval_strategy=steps",
            "--set", "training.eval_steps=2", "--set", "training.report_to=none",
        )  # fmt: skip
        assert answer.code == 0, answer.err
        metrics = json.loads(answer.out)
        (run,) = (tmp_path / task.name).iterdir()
        stored = read(run, "metrics.json")
        jsonschema.validate(stored, SCHEMA)
        page, text = ((run / name).read_text() for name in ("report.html", "report.md"))
        assert "Which classes are mixed up" in page and "## Classes mixed up by adapter" in text
        counts = metrics["confusion"]["systems"]["adapter"]
        assert sum(map(sum, counts)) == metrics["n"]
        if task is TinyGoods:
            assert metrics["confusion"]["labels"] == list(TinyGoods.classes)
            right = sum(counts[i][i] for i in range(len(counts)))
            accuracy = metrics["systems"]["adapter"]["metrics"]["accuracy"]["value"]
            assert right / metrics["n"] == pytest.approx(accuracy)
            assert "Further figures" in page and "F1 of lamp" in page
            lines = text.splitlines()
            header = next(line for line in lines if line.startswith("| system"))
            assert "F1 of lamp" not in header and any("F1 of lamp" in line for line in lines)
            assert f"(of {len(TinyGoods.classes)})" in page
        else:
            assert {d["name"] for d in metrics["decoders"]["adapter"]} == {
                "likeliest", "mean", "median",
            }  # fmt: skip
        assert cli("report", run, "--verify").code == 0
        assert cli("predict", run, "red cup, pack of 2").code == 0


@pytest.mark.usefixtures("no_charts")
def test_a_stopped_run_goes_on_to_the_same_adapter(
    cli: CommandLine, folder: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    from toolkit.kinds.trainer import Watcher

    def die(self: Any, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == 4:
            raise KeyboardInterrupt

    options = [
        "run", ENCODER, "--recipe", "minilm-full", "--data", folder / "goods.csv",
        "--runs", tmp_path, *_quick(tiny_bert),
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Watcher, "on_step_end", die)
        assert cli(*options).code == 130
    assert cli("resume", "--runs", tmp_path).code == 0
    (run,) = (tmp_path / ENCODER).iterdir()
    assert read(run, "run.json")["training"]["resumed_from_step"] == 3
    theirs = run_of(folder, "full")
    for name in ("constant-median", "full"):
        ours, others = (
            [json.loads(x)["prediction"] for x in
             (r / "predictions" / f"{name}.jsonl").read_text().splitlines()]
            for r in (run, theirs)
        )  # fmt: skip
        assert ours == pytest.approx(others, rel=1e-4)
