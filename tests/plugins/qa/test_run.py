"""A whole question-answering run on a tiny random model: report, verify, predict, together."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import cli_runner
from cli_runner import ROOT, environment
from in_process import command
from toolkit.runs.files import read_json, read_jsonl
from toolkit.runs.run import Run
from toolkit_qa import stories

pytestmark = pytest.mark.slow


def run_arguments(model: Path) -> list[str]:
    """A run that ends in seconds; the files lie in the working directory."""
    return [
        "run", "question-answering", "--train", "train.json", "--validation", "dev.json",
        "--test", "test.json", "--model", str(model), "--set", "training.max_steps=4",
        "--set", "training.eval_steps=2", "--set", "training.max_length=128", "--set",
        "training.bf16=false", "--set", "task.ensemble=2", "--set", "training.doc_stride=32",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    folder = tmp_path_factory.mktemp("qa")
    (folder / "train.json").write_text(json.dumps(stories.generate("train", 20)))
    (folder / "dev.json").write_text(json.dumps(stories.generate("validation", 8)))
    (folder / "test.json").write_text(json.dumps(stories.generate("test", 8)))
    # In a process of its own, as what is killed and resumed below is compared with it.
    cli_runner.command(folder, *run_arguments(tiny_bert))
    (run,) = (folder / "runs" / "question-answering").iterdir()
    return run


def test_every_system_has_answered_and_the_document_keeps_its_schema(finished: Path) -> None:
    metrics = read_json(finished / "metrics.json")
    jsonschema.validate(metrics, read_json(ROOT / "toolkit/evaluation/metrics.schema.json"))
    roles = {name: system["role"] for name, system in metrics["systems"].items()}
    assert roles["base"] == "base" and roles["adapter"] == "adapter"
    assert roles["ensemble"] == "ensemble" and roles["untrained-head"] == "baseline"
    assert {"nearest-type", "overlap-sentence", "sliding-window", "no-answer"} <= set(roles)
    assert set(metrics["slices"]) == {
        "question", "answer length", "context length", "position of the answer",
    }  # fmt: skip
    compared = {(c["b"], c["metric"]) for c in metrics["comparisons"]}
    others = set(roles) - {"adapter"}
    for metric in ("f1", "exact"):
        assert {b for b, name in compared if name == metric} == others
    none = [c for c in metrics["comparisons"] if c["difference"] is None]
    assert all(c["p"] is None for c in none)


def test_decoder_and_threshold_were_chosen_on_select_alone(finished: Path) -> None:
    from toolkit.kinds.question_answering.task import null_threshold
    from toolkit.pipeline.restore import load_task

    task = load_task(Run.open(finished))
    entry = next(s for s in read_json(finished / "predictions/systems.json")
                 if s["name"] == "adapter")  # fmt: skip
    lines = read_jsonl(finished / "predictions/adapter.jsonl")
    threshold = entry["tuned"]["null_threshold"]
    assert isinstance(threshold, float)
    metric = task.metric()
    means: dict[str, float] = {}
    for name in task.decoders():
        values = [metric.per_example(line["decoders"][name], line["reference"])
                  for line in lines if line["split"] == "validation"]  # fmt: skip
        means[name] = metric.value(values)
    assert entry["decoder"] == max(means, key=lambda name: means[name])
    assert means["null-threshold"] >= max(means.values()) - 1e-9
    assert null_threshold([]) == 0.0


def test_the_report_marks_spans_and_gives_their_probabilities(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    heads = re.findall(r'<li>\s*<p class="text">(.*?)</p>', page)
    questions = {row["question"] for row in read_jsonl(finished / "data/heldout.jsonl")}
    assert len(heads) > 20 and set(heads) <= questions
    assert '<mark class="right">' in page and "no answer <b>" in page
    assert "a linear probe on the frozen encoder" in page
    assert "checkpoints of one training" in page
    assert "fewer than full fine-tuning" in page
    assert "checkpoints of one training" in (finished / "report.md").read_text()


def test_a_line_holds_the_five_likeliest_spans(finished: Path) -> None:
    rows = {row["row_id"]: row for row in read_jsonl(finished / "data/heldout.jsonl")
            if row["split"] == "test"}  # fmt: skip
    for line in read_jsonl(finished / "predictions/adapter.jsonl"):
        if line["split"] != "test":
            continue
        spans: list[dict[str, Any]] = line["detail"]["spans"]
        context = rows[line["row_id"]]["context"]
        assert len(spans) == 5
        assert all(context[s["start"] : s["end"]] == s["text"] for s in spans)


def test_the_figures_can_be_verified(finished: Path) -> None:
    done = command(finished, "report", str(finished), "--verify", "--sample", "8")
    assert "8" in done.stdout


def test_new_questions_are_answered(finished: Path) -> None:
    content = stories.generate("test", 12)
    (finished.parent / "new.json").write_text(json.dumps(content))
    done = command(finished.parent, "predict", str(finished), "--data", "new.json", "--json")
    answers = json.loads(done.stdout)
    assert len(answers) == 48
    assert all({"text", "start", "end"} == set(answer["prediction"]) for answer in answers)
    assert "spans" in answers[0]["detail"]


@pytest.fixture(scope="module")
def sentiment(finished: Path, tiny_bert: Path) -> Path:
    """A run of another task, and another head, on the same encoder."""
    folder = finished.parents[2]
    lines = ["text,stars"]
    for n in range(240):
        words, stars = (("great and sturdy", 5), ("poor and loud", 1), ("so so", 3))[n % 3]
        lines.append(f"the lamp number {n} is {words},{stars}")
    (folder / "reviews.csv").write_text("\n".join(lines))
    command(
        folder, "run", "review-sentiment", "--data", "reviews.csv", "--model", str(tiny_bert),
        "--set", "training.max_steps=12", "--set", "training.learning_rate=0.01",
        "--set", "training.eval_strategy=steps", "--set", "training.eval_steps=6",
    )  # fmt: skip
    (run,) = (folder / "runs" / "review-sentiment").iterdir()
    return run


def test_two_tasks_on_one_encoder_predict_as_each_does_alone(
    finished: Path, sentiment: Path
) -> None:
    done = command(finished, "together", str(finished), str(sentiment), "--rows", "20", "--json")
    found = json.loads(done.stdout)
    assert [one["task"] for one in found["tasks"]] == ["question-answering", "review-sentiment"]
    assert [(one["rows"], one["same"]) for one in found["tasks"]] == [(20, 20), (20, 20)]
    assert found["parameters"] < 0.7 * found["parameters_apart"]
    for run in (finished, sentiment):
        page = (run / "report.html").read_text().replace("&#39;", "'")
        assert found["sentence"] in page


def test_an_adapter_whose_predictions_differ_from_those_of_its_run_is_found(
    finished: Path, sentiment: Path, tmp_path: Path
) -> None:
    """Predictions are made anew and not taken from the run: a changed adapter is noticed."""
    import shutil

    from safetensors.torch import load_file, save_file

    copy = tmp_path / finished.name
    shutil.copytree(finished, copy)
    weights = copy / "adapter" / "adapter_model.safetensors"
    save_file({name: -value for name, value in load_file(weights).items()}, weights)
    done = command(
        finished, "together", str(copy), str(sentiment), "--rows", "20", "--json", code=1
    )
    changed, unchanged = json.loads(done.stdout)["tasks"]
    assert changed["same"] < 20 and len(changed["differing"]) == 20 - changed["same"]
    assert unchanged["same"] == 20


def test_the_ensemble_is_not_the_adapter_again(finished: Path) -> None:
    one, several = (
        [line["detail"]["no_answer"] for line in read_jsonl(finished / f"predictions/{name}.jsonl")]
        for name in ("adapter", "ensemble")
    )
    assert len(one) == len(several) and one != several
    metrics = read_json(finished / "metrics.json")
    assert metrics["systems"]["ensemble"]["note"].startswith("2 checkpoints of one training")
    assert any("ensemble" in line and "2 checkpoints" in line
               for line in (finished / "report.md").read_text().splitlines())  # fmt: skip


@pytest.mark.parametrize("killed_at", ["checkpoint-2"])
def test_kill_and_resume_gives_the_same_bytes(
    finished: Path, tiny_bert: Path, tmp_path: Path, killed_at: str
) -> None:
    """``kill -9`` while training; what ``resume`` makes is the uninterrupted run, byte for byte."""
    import signal
    import time

    process = subprocess.Popen(
        [sys.executable, "-m", "toolkit.cli", *run_arguments(tiny_bert)], cwd=finished.parents[2],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**environment(), "TOOLKIT_RUNS": str(tmp_path)},
    )  # fmt: skip
    while not list(tmp_path.glob(f"*/*/checkpoints/*/{killed_at}")):
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    cli_runner.command(finished.parents[2], "resume", "--runs", str(tmp_path))
    (run,) = (tmp_path / "question-answering").iterdir()
    names = ["adapter_model.safetensors", "adapter_config.json"]
    members = [f"members/checkpoint-{step}/adapter_model.safetensors" for step in (2, 4)]
    for name in (*names, *members):
        assert (run / "adapter" / name).read_bytes() == (finished / "adapter" / name).read_bytes()
