"""Tasks whose methods fail: where it is said, when it is found, and what a run keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaign import some
from cli_runner import Answer, CommandLine, quick
from toolkit.runs.files import read_json, read_jsonl

TASK = """
from pathlib import Path

from toolkit import CausalLMTask, Metric, RowTransform, Target

GOODS = ("cup", "lamp", "chair", "desk")
COLOURS = ("red", "blue", "green", "white")
RUNS = Path(__file__).parent / "runs"


def trained():
    return any(RUNS.glob("*/*/adapter"))


def found(prediction, reference):
    return float(prediction == reference)


def mean(values, axis):
    return values.mean(axis=axis)


def most_common(train):
    return lambda rows: ["red"] * len(rows)


class Colours(CausalLMTask):
    api_version = 2
    name = "colours"
    summary = "Colours of made-up offers"
    columns = {"text": "the offer", "colour": "its colour"}
    metrics = (Metric("found", found, mean, label="Found"),)
    primary_metric = "found"

    def load_rows(self, source):
        import datasets

        return datasets.Dataset.from_list([
            {"text": f"{colour} {good}, {n} pieces", "colour": colour}
            for n in range(5) for good in GOODS for colour in COLOURS
        ])

    def group(self, row):
        return row["text"]

    def fit(self, train):
        return {"rows": len(train)}

    def format_example(self, row):
        return {"prompt": f"{row['text']}: ", "completion": row.get("colour", "")}

    def postprocess(self, output, row):
        return output.text.strip() or None

    def fallback(self):
        return "none"

    def reference(self, row):
        return row["colour"]

    def baselines(self):
        return {"red": most_common, "first": lambda train: lambda rows: ["blue"] * len(rows)}

    def controls(self):
        return {}

    def slices(self):
        return {"good": lambda row: row["text"].split()[1]}

    def targets(self):
        return [Target.metric("Found", 0.5, "found")]

    def row_transforms(self):
        return {}
"""
BOOM = 'raise ValueError("boom")'


def added(signature: str) -> tuple[str, str]:
    """A further method of the task, which raises."""
    method = f"    def {signature}:\n        {BOOM}\n\n"
    return "    def group(self, row)", f"{method}    def group(self, row)"


AT_START = {
    "load_rows": ("        import datasets\n", f"        {BOOM}\n"),
    "group": ('        return row["text"]\n', f"        {BOOM}\n"),
    "fit": ('        return {"rows": len(train)}\n', f"        {BOOM}\n"),
    "format_example": ('        return {"prompt"', f'        {BOOM}\n        return {{"prompt"'),
    "reference": ('        return row["colour"]\n', f"        {BOOM}\n"),
    "fallback": ('        return "none"\n', f"        {BOOM}\n"),
    "baselines": ('        return {"red"', f'        {BOOM}\n        return {{"red"'),
    "controls": ("        return {}\n\n    def slices", f"        {BOOM}\n\n    def slices"),
    "slices": ('        return {"good"', f'        {BOOM}\n        return {{"good"'),
    "slice 'good'": ('row["text"].split()[1]', 'row["text"].split()[7]'),
    "targets": ("        return [Target", f"        {BOOM}\n        return [Target"),
    "row_transforms": (
        "    def row_transforms(self):\n        return {}",
        f"    def row_transforms(self):\n        {BOOM}",
    ),
    "metric 'found'": (
        "    return float(prediction == reference)", "    return float(prediction.nope)",
    ),
    "metric 'found' (aggregate)": ("    return values.mean(axis=axis)", f"    {BOOM}"),
    "__init__": added("__init__(self)"),
    "load_state": added("load_state(self, state)"),
    "stratum": added("stratum(self, row)"),
    "categories": added("categories(self)"),
    "groupings": added("groupings(self)"),
    "decoders": added("decoders(self)"),
    "postprocess": (
        "        return output.text.strip()", f"        {BOOM}\n        return output.text.strip()",
    ),
    "tune": added("tune(self, outputs, rows)"),
    "residual": added("residual(self, prediction, reference)"),
    "answer_tokens": added("answer_tokens(self, row)"),
}  # fmt: skip
"""What is called → the code of the task that is replaced, and by what."""
LATE = ("decoders", "postprocess", "tune", "answer_tokens", "residual")
"""What only the base model's answers call."""

ODD = {
    "baseline 'red' returned None": ('lambda rows: ["red"] * len(rows)', "lambda rows: None"),
    "baseline 'red' gave None for row": ('["red"] * len(rows)', "[None] * len(rows)"),
    "baseline 'red' gave 1 predictions for 8 rows": ('["red"] * len(rows)', '["red"]'),
    "baseline 'red' returned 5 when it was fitted": (
        'return lambda rows: ["red"] * len(rows)', "return 5",
    ),
    "baseline 'red' of the task 'colours' (colours.py) is 'red' and no function": (
        '"red": most_common', '"red": "red"',
    ),
    "baselines of the task 'colours' (colours.py) returned ['red']": (
        'return {"red": most_common, "first": lambda train: lambda rows: ["blue"] * len(rows)}',
        'return ["red"]',
    ),
    "metric 'found' gives": ("return float(prediction == reference)",
                             "return (1.0, 2.0) if reference == 'red' else 0.0"),
    "targets of the task 'colours' (colours.py) returned None": ("return [Target", "[Target"),
    "slice 'good' returned 3": ('row["text"].split()[1]', "3"),
}  # fmt: skip
"""What is said → the code of the task that is replaced, and by what."""


def written(folder: Path, old: str = "", new: str = "") -> Path:
    assert old in TASK
    place = folder / "colours.py"
    place.write_text(TASK.replace(old, new) if old else TASK)
    return place


def line_of(place: Path, text: str) -> int:
    """The number of the line of a task's file in which a text stands."""
    lines = place.read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return CommandLine(capsys, monkeypatch)


def said(answer: Answer) -> str:
    message = answer.err.rpartition("\nError: ")[2].removeprefix("Error: ").strip()
    assert answer.code == 2, (answer.code, answer.err[-1500:])
    assert "does not expect" not in message and len(message.splitlines()) == 1, message
    return message


@pytest.mark.parametrize("what", some([what for what in AT_START if what not in LATE], 9))
def test_a_method_that_fails_is_named_with_its_place_before_anything_is_predicted(
    what: str, cli: CommandLine, tmp_path: Path, tiny_llama: Path
) -> None:
    place = written(tmp_path, *AT_START[what])
    message = said(cli("run", place, *quick(tiny_llama)))
    fault = {"slice 'good'": "[7]", "metric 'found'": ".nope"}.get(what, "boom")
    assert message.startswith(f"{what} of the task 'colours' (colours.py) raised "), message
    assert f"(colours.py, line {line_of(place, fault)}, in " in message
    assert not list(tmp_path.glob("runs/*/*/adapter"))
    assert not list(tmp_path.glob("runs/*/*/predictions/base.jsonl"))


@pytest.mark.parametrize("what", some(LATE, 2))
def test_a_method_that_fails_on_the_base_models_answers_is_named_with_its_place(
    what: str, cli: CommandLine, tmp_path: Path, tiny_llama: Path
) -> None:
    place = written(tmp_path, *AT_START[what])
    message = said(cli("run", place, *quick(tiny_llama)))
    assert f"{what} of the task 'colours' (colours.py) raised ValueError: boom" in message
    assert f"line {line_of(place, 'boom')}" in message
    assert not list(tmp_path.glob("runs/*/*/adapter"))


TRIED = [(command, sentence) for sentence in ODD for command in ("run", "check")]


@pytest.mark.parametrize(("command", "sentence"), some(TRIED, 9))
def test_what_a_method_may_not_return_is_found_before_anything_is_predicted(
    command: str, sentence: str, cli: CommandLine, tmp_path: Path, tiny_llama: Path
) -> None:
    place = written(tmp_path, *ODD[sentence])
    if command == "check":
        answer = cli("check", place)
        assert answer.code == 1, answer.err
        return
    message = said(cli("run", place, *quick(tiny_llama)))
    assert message.startswith(sentence), message
    assert not list(tmp_path.glob("runs/*/*/predictions/*"))


def test_a_method_that_ends_the_program_is_an_error_like_others(
    cli: CommandLine, tmp_path: Path, tiny_llama: Path
) -> None:
    place = written(tmp_path, '        return row["text"]\n', "        raise SystemExit(0)\n")
    message = said(cli("run", place, *quick(tiny_llama)))
    assert "group of the task" in message and "would end the program" in message
    assert "row " in message


def test_a_baseline_that_fails_is_missing_in_the_ladder_with_its_reason(
    cli: CommandLine, tmp_path: Path, tiny_llama: Path
) -> None:
    """It fails on all training rows, not on the few that are tried."""
    place = written(
        tmp_path, 'lambda train: lambda rows: ["blue"] * len(rows)',
        'lambda train: lambda rows: ["blue"] * len(rows) if len(rows) < 9 else [1 / 0]',
    )  # fmt: skip
    answer = cli("run", place, *quick(tiny_llama))
    assert answer.code == 0, answer.err
    (run,) = (tmp_path / "runs" / "colours").iterdir()
    metrics = read_json(run / "metrics.json")
    reason = metrics["absent"]["first"]
    assert "baseline 'first' of the task 'colours'" in reason and "ZeroDivisionError" in reason
    assert f"line {line_of(place, '[1 / 0]')}" in reason
    assert "red" in metrics["systems"] and "first" not in metrics["systems"]
    assert any("Missing" in c and "first" in c for c in metrics["verdict"]["caveats"])
    for page in ("report.html", "report.md"):
        assert "ZeroDivisionError" in (run / page).read_text()
    assert cli("report", run, "--verify", "--sample", "2").code == 0


@pytest.mark.parametrize(
    ("what", "old", "new"),
    some([
        ("metric 'found'", "    return float(prediction == reference)",
         "    if trained():\n        raise ValueError('boom')\n"
         "    return float(prediction == reference)"),
        ("metric 'found' (aggregate)", "    return values.mean(axis=axis)",
         "    if any(RUNS.glob('*/*/predictions/adapter.jsonl')):\n"
         "        raise ValueError('boom')\n    return values.mean(axis=axis)"),
        ("target 'Found'", 'Target.metric("Found", 0.5, "found")',
         "Target('Found', 0.5, lambda document, system: document['boom'])"),
    ], 2),
)  # fmt: skip
def test_what_fails_after_training_leaves_a_run_that_report_finishes(
    what: str, old: str, new: str, cli: CommandLine, tmp_path: Path, tiny_llama: Path
) -> None:
    place = written(tmp_path, old, new)
    message = said(cli("run", place, *quick(tiny_llama)))
    assert message.startswith(f"{what} of the task 'colours' (colours.py) raised "), message
    (run,) = (tmp_path / "runs" / "colours").iterdir()
    assert message.endswith(f"toolkit report {run.relative_to(tmp_path)} --trust-task-file")
    before = (run / "adapter" / "adapter_model.safetensors").read_bytes()
    answers = [row["raw"] for row in read_jsonl(run / "predictions/adapter.jsonl")]
    assert what in said(cli("report", run))  # not mended yet
    written(tmp_path)
    assert "--trust-task-file" in said(cli("report", run))  # an edited file is another one
    answer = cli("report", run, "--trust-task-file")
    assert answer.code == 0, answer.err
    metrics = read_json(run / "metrics.json")
    lines = read_jsonl(run / "predictions/adapter.jsonl")
    assert [row["raw"] for row in lines] == answers
    assert all(
        row["metrics"]["found"] == float(row["prediction"] == row["reference"]) for row in lines
    )
    assert metrics["systems"]["adapter"]["metrics"]["found"]["value"] is not None
    assert (run / "adapter" / "adapter_model.safetensors").read_bytes() == before
    assert (run / "report.html").is_file()
    assert cli("report", run, "--verify", "--sample", "2").code == 0
    assert "finished" in cli("runs").out or cli("resume", run).code == 0
