"""Steps that a training has saved: ``--keep-steps``, and ``compare --checkpoints``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import quick_runs
from cli_runner import CommandLine, goods, quick, write_csv
from in_process import command
from toolkit.kinds import checkpoints
from toolkit.pipeline import steps
from toolkit.runs.files import read_json, write_json
from toolkit.runs.run import Run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_qwen: Path) -> Path:
    """A run that has kept its steps 2, 4 and 6."""
    folder = tmp_path_factory.mktemp("steps")
    write_csv(folder / "goods.csv", goods(rows=80))
    (folder / "kinds.toml").write_text(quick_runs.SUBJECTS)
    sets = [
        "training.max_steps=6", "training.eval_strategy=steps", "training.eval_steps=2",
        "training.save_strategy=steps", "training.save_steps=2", "training.save_total_limit=5",
        "training.learning_rate=0.02",
    ]  # fmt: skip
    command(
        folder, "run", "kinds.toml", "--data", "goods.csv", "--runs", "runs", "--keep-steps",
        *quick(tiny_qwen), *(part for one in sets for part in ("--set", one)),
    )  # fmt: skip
    (place,) = (folder / "runs" / "kinds").iterdir()
    return place


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


def test_the_steps_are_kept_as_adapters_and_compared_with_the_adapter(
    cli: CommandLine, made: Path
) -> None:
    assert [step for step, _ in steps.saved(Run.open(made))] == [2, 4, 6]
    assert not (made / "checkpoints").exists()
    assert not list((made / "steps").glob("*/t*ing.json")) + list(
        (made / "steps").glob("*/test_results.json")
    )
    answer = cli("compare", made, "--checkpoints", "--json")
    assert answer.code == 0, answer.err
    doc = json.loads(answer.out)
    metrics = read_json(made / "metrics.json")
    ours = metrics["systems"]["adapter"]["metrics"][doc["metric"]["name"]]
    assert doc["adapter"]["value"] == pytest.approx(ours["value"])
    assert (doc["adapter"]["low"], doc["adapter"]["high"]) == (ours["low"], ours["high"])
    best = doc["adapter"]["step"]
    (same,) = [line for line in doc["steps"] if line["step"] == best]
    assert same["value"] == doc["adapter"]["value"] and same["difference"]["difference"] == 0
    assert [line["step"] for line in doc["steps"]] == [2, 4, 6]
    assert all(line["low"] <= line["value"] <= line["high"] for line in doc["steps"])
    weights = {(made / "steps" / f"step-{n}" / steps.TAKEN[0]).read_bytes() for n in (2, 4, 6)}
    assert len(weights) == 3 and (made / "adapter" / steps.TAKEN[0]).read_bytes() in weights


def test_the_table_names_the_adapters_step_and_warns_of_choosing(
    cli: CommandLine, made: Path
) -> None:
    answer = cli("compare", made, "--checkpoints")
    assert answer.code == 0, answer.err
    told = " ".join((answer.out + answer.err).split())
    assert "Beside the adapter" in told and "no test rows any more" in told
    best = (Run.open(made).info["training"])["best_step"]
    assert f"adapter ({best})" in told


def test_a_step_whose_weights_are_cut_is_named_and_the_others_answer(
    cli: CommandLine, made: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "runs" / "kinds" / made.name
    shutil.copytree(made, copy)
    weights = copy / "steps" / "step-4" / steps.TAKEN[0]
    weights.write_bytes(weights.read_bytes()[:200])
    answer = cli("compare", copy, "--checkpoints", "--json")
    assert answer.code == 0, answer.err
    lines = json.loads(answer.out)["steps"]
    assert ["why" in line for line in lines] == [False, True, False]


def test_what_cannot_be_compared_is_refused(cli: CommandLine, made: Path, tmp_path: Path) -> None:
    answer = cli("compare", made, made, "--checkpoints")
    assert answer.code == 2 and "takes one run" in answer.err
    copy = tmp_path / "runs" / "kinds" / made.name
    shutil.copytree(made, copy)
    (copy / "data" / "heldout.jsonl").unlink()
    assert cli("compare", copy, "--checkpoints").code == 2
    shutil.rmtree(copy / "steps")
    answer = cli("compare", copy, "--checkpoints")
    assert answer.code == 2 and "--keep-steps" in answer.err


def test_cut_checkpoints_and_the_untrained_start_are_not_kept(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / made.name
    shutil.copytree(made, copy)
    shutil.rmtree(copy / "steps")
    run, told = Run.open(copy), []
    for number in (0, 3):
        place = run.checkpoints / "adapter" / f"checkpoint-{number}"
        shutil.copytree(made / "steps" / "step-2", place)
        write_json(place / checkpoints.STATE, {"global_step": number})
    assert steps.keep(run, told.append) == 0 and told
    assert steps.saved(run) == []
