"""A whole question-answering run on a tiny random model: report, verify, predict, together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from toolkit.run import Run, read_json, read_jsonl
from toolkit_qa import stories

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = f"{ROOT}:{ROOT / 'plugins'}"
    done = subprocess.run(
        [sys.executable, "-m", "toolkit.cli", *arguments], cwd=folder, capture_output=True,
        text=True, env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    folder = tmp_path_factory.mktemp("qa")
    (folder / "train.json").write_text(json.dumps(stories.generate("train", 20)))
    (folder / "dev.json").write_text(json.dumps(stories.generate("validation", 8)))
    (folder / "test.json").write_text(json.dumps(stories.generate("test", 8)))
    command(
        folder, "run", "question-answering", "--train", "train.json", "--validation", "dev.json",
        "--test", "test.json", "--model", str(tiny_bert), "--set", "training.max_steps=4",
        "--set", "training.eval_steps=2", "--set", "training.max_length=128", "--set",
        "training.bf16=false", "--set", "task.ensemble=2", "--set", "training.doc_stride=32",
    )  # fmt: skip
    (run,) = (folder / "runs" / "question-answering").iterdir()
    return run


def test_every_system_has_answered_and_the_document_keeps_its_schema(finished: Path) -> None:
    metrics = read_json(finished / "metrics.json")
    jsonschema.validate(metrics, read_json(ROOT / "toolkit" / "metrics.schema.json"))
    roles = {name: system["role"] for name, system in metrics["systems"].items()}
    assert roles["base"] == "base" and roles["adapter"] == "adapter"
    assert roles["ensemble"] == "ensemble" and roles["untrained-head"] == "baseline"
    assert {"nearest-type", "overlap-sentence", "sliding-window", "no-answer"} <= set(roles)
    assert set(metrics["slices"]) == {
        "question", "answer length", "context length", "position of the answer",
    }  # fmt: skip
    compared = {(c["b"], c["metric"]) for c in metrics["comparisons"]}
    assert ("ensemble", "f1") in compared and ("base", "exact") in compared


def test_decoder_and_threshold_were_chosen_on_select_alone(finished: Path) -> None:
    from toolkit.flow import load_task
    from toolkit.kinds.question_answering import null_threshold

    task = load_task(Run.open(finished))
    entry = next(s for s in read_json(finished / "predictions/systems.json")
                 if s["name"] == "adapter")  # fmt: skip
    lines = read_jsonl(finished / "predictions/adapter.jsonl")
    threshold = entry["chosen"]["null_threshold"]
    assert isinstance(threshold, float)
    metric = task.metric()
    means: dict[str, float] = {}
    for name in task.decoders():
        values = [metric.per_example(line["decoders"][name], line["reference"])
                  for line in lines if line["split"] == "select"]  # fmt: skip
        means[name] = metric.value(values)
    assert entry["decoder"] == max(means, key=lambda name: means[name])
    assert means["null-threshold"] >= max(means.values()) - 1e-9
    assert null_threshold([]) == 0.0


def test_the_report_marks_spans_and_gives_their_probabilities(finished: Path) -> None:
    page = (finished / "report.html").read_text()
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


def test_two_runs_answer_on_one_encoder_and_the_report_says_so(finished: Path) -> None:
    done = command(finished, "together", str(finished), str(finished), "--rows", "10", "--json")
    found = json.loads(done.stdout)
    assert [one["same"] for one in found["tasks"]] == [10, 10]
    assert found["parameters"] < found["parameters_apart"]
    assert found["sentence"] in (finished / "report.html").read_text().replace("&#39;", "'")
