"""Whole runs of both tasks on tiny random models: systems, report, sheet, results, templates."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import jsonschema
import pytest

from in_process import command
from toolkit.runs.files import read_json, read_jsonl, write_json
from toolkit_summarization import articles, claims

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow
QUICK = (
    "--set", "training.max_steps=4", "--set", "training.eval_strategy=steps", "--set",
    "training.eval_steps=2", "--set", "training.save_strategy=steps", "--set",
    "training.save_steps=2", "--set", "training.bf16=false", "--set",
    "training.per_device_train_batch_size=4", "--set", "training.learning_rate=0.05",
)  # fmt: skip


def rows(split: str, number: int) -> list[dict[str, object]]:
    return [
        {"article": one.text, "summary": [one.summary, one.summary.lower()]}
        for one in articles.generate(split, number)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("summaries")
    for split, number in (("train", 40), ("validation", 24), ("test", 12)):
        lines = [json.dumps(row) for row in rows(split, number)]
        (place / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (place / "claims.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["mr", "ref"])
        for claim in claims.generate("train", 120):
            table.writerows([[claim.text, claim.report], [claim.text, claim.report.lower()]])
    return place


@pytest.fixture(scope="module")
def summaries(folder: Path, tiny_llama: Path) -> Path:
    command(
        folder, "run", "summarization", "--train", "train.jsonl", "--validation",
        "validation.jsonl", "--test", "test.jsonl", "--model", str(tiny_llama), *QUICK,
        "--set", "task.ensemble=2", "--set", "task.two_stage=true", "--set",
        "generation.max_new_tokens=12",
    )  # fmt: skip
    (run,) = (folder / "runs" / "summarization").iterdir()
    return run


def texts(run: Path, system: str) -> list[str]:
    return [line["raw"] for line in read_jsonl(run / "predictions" / f"{system}.jsonl")]


def test_further_systems_are_no_copies_and_are_compared(summaries: Path) -> None:
    metrics = read_json(summaries / "metrics.json")
    jsonschema.validate(metrics, read_json(ROOT / "toolkit/evaluation/metrics.schema.json"))
    assert {"lead-1", "lead-3", "textrank", "base", "adapter", "two-stage",
            "ensemble"} <= set(metrics["systems"])  # fmt: skip
    # Two articles and the one in question are longer than the tiny model's positions.
    assert "positions for 512 tokens" in metrics["absent"]["few-shot"]
    compared = {(c["a"], c["b"]) for c in metrics["comparisons"] if c["metric"] == "rougeL"}
    report = (summaries / "report.md").read_text(encoding="utf-8")
    for name in ("two-stage", "ensemble"):
        assert ("adapter", name) in compared
        assert f"| adapter against {name} |" in report
    # A random model writes the same whatever it reads and whichever checkpoints it is made of; that
    # a stage changes the output is tested in tests/kinds/language/test_variants.py.
    members = [p.read_bytes() for p in (summaries / "adapter" / "members").rglob("*.safetensors")]
    assert len(set(members)) == 2
    assert "two-stage: 3 sentences are extracted" in report


def test_a_run_that_stopped_after_the_adapter_has_its_ensemble_when_resumed(
    folder: Path, summaries: Path, tmp_path: Path
) -> None:
    run = tmp_path / "runs" / "summarization" / summaries.name
    shutil.copytree(summaries, run)
    info = read_json(run / "run.json")
    for stage in ("predict", "score", "report"):
        del info["stages"][stage]
    write_json(run / "run.json", info)
    systems = run / "predictions" / "systems.json"
    write_json(systems, [one for one in read_json(systems) if one["name"] != "ensemble"])
    (run / "predictions" / "ensemble.jsonl").unlink()
    command(folder, "resume", str(run))
    for system in ("adapter", "ensemble"):
        assert texts(run, system) == texts(summaries, system)
    assert "ensemble" in read_json(run / "metrics.json")["systems"]


def test_the_report_has_gains_with_perplexity(summaries: Path) -> None:
    metrics = read_json(summaries / "metrics.json")
    gain = metrics["perplexity_gain"]
    assert (gain["a"], gain["b"]) == ("adapter", "base") and gain["low"] <= gain["high"]
    report = (summaries / "report.md").read_text(encoding="utf-8")
    assert "## What training gained" in report and "Perplexity per token" in report
    html = (summaries / "report.html").read_text(encoding="utf-8")
    assert 'id="gains"' in html
    assert "ended at the token limit" in report  # a random model does not stop


def test_the_figures_can_be_computed_again(folder: Path, summaries: Path) -> None:
    done = command(folder, "report", str(summaries), "--verify", "--sample", "8")
    assert "no difference" in done.stdout.lower() + done.stderr.lower()


def test_the_results_lie_beside_the_adapter(summaries: Path) -> None:
    found = read_json(summaries / "adapter" / "test_results.json")
    assert {"test_rouge1", "test_rouge2", "test_rougeL", "test_loss", "test_samples"} <= set(found)
    metrics = read_json(summaries / "metrics.json")["systems"]["adapter"]["metrics"]
    assert found["test_rougeL"] == metrics["rougeL"]["value"]


def test_a_sheet_goes_out_and_comes_back_into_the_report(folder: Path, summaries: Path) -> None:
    command(folder, "sheet", str(summaries), "--out", "sheet.csv")
    with (folder / "sheet.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    outputs = {line["raw"] for line in read_jsonl(summaries / "predictions" / "adapter.jsonl")}
    assert lines and all((line["A"] in outputs) != (line["B"] in outputs) for line in lines)
    assert not any("adapter" in value for line in lines for value in line.values())
    for name, prefers in (("ann", lambda line: "A" if line["A"] in outputs else "B"),
                          ("bob", lambda line: "tie")):  # fmt: skip
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, lines[0].keys())
            table.writeheader()
            table.writerows([{**line, "choice": prefers(line)} for line in lines])
    done = command(folder, "sheet", str(summaries), "ann.csv", "bob.csv")
    printed = " ".join((done.stdout + done.stderr).split())
    assert f"adapter {len(lines)}, base 0, tie {len(lines)}" in printed
    assert "preference for adapter +0.50" in printed
    report = (summaries / "report.md").read_text(encoding="utf-8")
    assert "Human evaluation, 2 readers" in report


def test_templates_are_compared_and_one_wins(folder: Path, tiny_llama: Path) -> None:
    done = command(
        folder, "templates", "summarization", "--train", "train.jsonl", "--validation",
        "validation.jsonl", "--test", "test.jsonl", "--model", str(tiny_llama), "--rows", "6",
        "--template", "direct", "--template", "chat", "--template", "Short: {article}\\nSo:",
        "--two-stage", "--json",
    )  # fmt: skip
    found = json.loads(done.stdout)
    names = [line["name"] for line in found["lines"]]
    assert names[:2] == ["direct", "direct, two-stage"] and "own template 3" in names
    assert found["winner"] in names and found["rows"] == 6
    plain = [line for line in found["lines"] if "two-stage" not in line["name"]]
    assert all(line["perplexity"]["low"] > 1 for line in plain)
    assert len({line["perplexity"]["value"] for line in plain}) == 3
    assert len(found["comparisons"]) == len(names) - 1


def test_templates_can_be_compared_after_training(folder: Path, tiny_llama: Path) -> None:
    done = command(
        folder, "templates", "summarization", "--train", "train.jsonl", "--validation",
        "validation.jsonl", "--test", "test.jsonl", "--model", str(tiny_llama), "--rows", "4",
        "--template", "direct", "--steps", "4", "--ensemble", "2", "--json",
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert [line["name"] for line in found["lines"]] == ["direct", "direct, ensemble"]


def test_a_run_of_claim_report_on_records_with_several_reports(folder: Path, tiny_t5: Path) -> None:
    command(
        folder, "run", "claim-report", "--data", "claims.csv", "--text", "mr", "--target", "ref",
        "--model", str(tiny_t5), *QUICK, "--set", "generation.max_new_tokens=12",
        "--set", "training.max_length=512", "--set", "training.max_target_length=400",
    )  # fmt: skip
    (run,) = (folder / "runs" / "claim-report").iterdir()
    metrics = read_json(run / "metrics.json")
    jsonschema.validate(metrics, read_json(ROOT / "toolkit/evaluation/metrics.schema.json"))
    assert metrics["systems"]["reference"]["metrics"]["faithfulness"]["value"] == 1.0
    assert metrics["systems"]["template"]["metrics"]["faithfulness"]["value"] > 0.9
    assert metrics["systems"]["base"]["metrics"]["faithfulness"]["value"] < 0.5
    assert {t["label"] for t in metrics["targets"]} == {
        "ROUGE-1", "ROUGE-2", "ROUGE-L", "Faithfulness",
    }  # fmt: skip
    assert set(metrics["slices"]) == {"fields", "values", "length"}
    test = [x for x in read_jsonl(run / "predictions" / "base.jsonl") if x["split"] == "test"]
    assert all(len(line["reference"]["texts"]) == 2 for line in test)
