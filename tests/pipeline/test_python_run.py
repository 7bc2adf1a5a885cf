"""``toolkit.run`` in a program: the command line's figures, and the process is given back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import evaluations as judging
import toolkit
from cli_runner import command, environment, quick
from toolkit.errors import RunError, UsageError
from toolkit.pipeline import called, python_run
from toolkit.plugins import recipes
from toolkit.runs import lock
from toolkit.runs.run import Run

TASK = """kind = "sequence-classification"
text = "text"
target = "label"
"""

SCRIPT = """
# No "if __name__": what starts processes would run all of this again in each.
import asyncio, json, logging, multiprocessing, os, signal, sys, warnings

multiprocessing.set_start_method("spawn")
import datasets, huggingface_hub, torch, transformers

torch.manual_seed(99)
torch.rand(5)
import toolkit

data, model = sys.argv[1:3]
settings = json.loads(sys.argv[3])


def state():
    return [
        dict(os.environ), transformers.logging.get_verbosity(),
        transformers.logging.is_progress_bar_enabled(), datasets.are_progress_bars_disabled(),
        huggingface_hub.constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE,
        len(warnings.filters), logging.root.manager.disable,
    ]


async def in_a_loop():
    return toolkit.run("sorts.toml", data, model=model, settings=settings, quiet=True)


before = state()
first = asyncio.run(in_a_loop())
assert state() == before, (state(), before)


save = transformers.Trainer._save_checkpoint


def stop(*arguments, **keywords):
    save(*arguments, **keywords)
    transformers.Trainer._save_checkpoint = save
    os.kill(os.getpid(), signal.SIGINT)


transformers.Trainer._save_checkpoint = stop
try:
    toolkit.run("sorts.toml", data, model=model, settings=settings, runs="again", quiet=True)
    raise SystemExit("it was not stopped")
except KeyboardInterrupt as stopped:
    note = " ".join(stopped.__notes__)
assert state() == before, (state(), before)
second = toolkit.load_run(runs="again")
left = {"note": note, "finished": second.finished, "words": str(second), "path": str(second.path),
        "running": (second.path / "running.json").exists(), "html": second._repr_html_()}
second.resume(quiet=True)
assert state() == before, (state(), before)
print(json.dumps({"first": str(first.path), "second": str(second.path), "left": left}))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("python")
    (folder / "sorts.toml").write_text(TASK)
    judging.sorts(folder / "rows.csv", 90, 1)
    return folder


@pytest.fixture(scope="module")
def ran(place: Path, tiny_bert: Path) -> dict[str, Any]:
    """What a script without a guard has run, after other libraries, and stopped in between."""
    settings = {name: recipes._value(value) for name, value in settings_of(quick(None))}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "rows.csv", str(tiny_bert), json.dumps(settings)],
        cwd=place, env=environment(), capture_output=True, text=True, check=False, timeout=550,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == "" and done.stdout.count("\n") == 1, (done.stdout, done.stderr)
    return dict(json.loads(done.stdout))


def settings_of(options: list[str]) -> list[tuple[str, str]]:
    """The settings in options of the command line."""
    pairs = [option.partition("=") for option in options if "=" in option]
    return [(name, value) for name, _, value in pairs]


def figures(run: Path) -> dict[str, Any]:
    """What must be equal in two runs: figures, comparisons and the verdict."""
    found = json.loads((run / "metrics.json").read_text())
    systems = {name: system["metrics"] for name, system in found["systems"].items()}
    return {"systems": systems, **{n: found[n] for n in ("verdict", "comparisons", "n")}}


@pytest.mark.slow
def test_the_figures_are_those_of_the_command_line(
    place: Path, ran: dict[str, Any], tiny_bert: Path
) -> None:
    options = [*quick(tiny_bert), "--runs", "typed"]
    command(place, "run", "sorts.toml", "--data", "rows.csv", *options)
    (typed,) = (place / "typed" / "sorts").iterdir()
    first = place / ran["first"]
    assert figures(first) == figures(typed)
    mine, theirs = (json.loads((run / "run.json").read_text()) for run in (first, typed))
    for name in ("recipe", "source", "options", "data", "seed", "backend"):
        assert mine[name] == theirs[name], name
    assert mine["command"].startswith("toolkit.run(task='sorts.toml', data='rows.csv', model=")
    assert (first / "predictions" / "adapter.jsonl").read_text().count("\n") == (
        (typed / "predictions" / "adapter.jsonl").read_text().count("\n")
    )


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on(place: Path, ran: dict[str, Any]) -> None:
    left = ran["left"]
    assert not left["finished"] and not left["running"]
    assert left["note"] == f"go on with: toolkit.load_run({left['path']!r}).resume()"
    assert "was stopped in train" in left["words"] and "resume()" in left["html"]
    second = place / ran["second"]
    assert lock.running(second) is None and Run.open(second).finished
    assert figures(second) == figures(place / ran["first"])


@pytest.mark.slow
def test_the_result_has_tables(place: Path, ran: dict[str, Any]) -> None:
    result = toolkit.load_run(place / ran["first"])
    assert result == toolkit.load_run(result.id, runs=place / "runs") == toolkit.load_run(result)
    assert result.finished and result.task == "sorts" and result.worth_it in (True, False, None)
    assert result.adapter is not None and (result.adapter / "adapter_config.json").is_file()
    ladder = result.ladder
    primary = result.metrics["primary_metric"]
    assert ladder.index.name == "system" and {"adapter", "base"} <= set(ladder.index)
    competing = ladder[ladder["role"] != "control"][primary]
    assert list(competing) == sorted(competing, reverse=True)
    row = ladder.loc["adapter"]
    assert row[f"{primary}_low"] <= row[primary] <= row[f"{primary}_high"]
    told = result.predictions("adapter")
    assert list(told.columns[:3]) == ["system", "split", "row_id"] and "text" in told
    assert len(told) == result.metrics["n"]
    assert (told["prediction"] == told["reference"]).mean() == pytest.approx(
        ladder.loc["adapter", "accuracy"]
    )
    everything = result.predictions()
    assert set(everything["system"]) == set(ladder.index)
    assert "<table>" in result._repr_html_() and str(result) == result.verdict["sentence"]
    with pytest.raises(UsageError, match="did you mean 'adapter'"):
        result.predictions("adaptor")


# -- what is given ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"limit": 0}, "limit must be a whole number of at least 1: 0"),
        ({"limit": 2.5}, "limit must be a whole number"),
        ({"seed": -1}, "seed must be a whole number of at least 0 and at most 2,147,483,647: -1"),
        ({"seeds": True}, "seeds must be"),
        ({"data": 7}, "rows must be a file, a list of dicts, a Dataset or a table, not int"),
        ({"data": []}, "there are no rows"),
        ({"recipe": "minilmm"}, "did you mean 'minilm'"),
        ({"settings": {"lora": 3}}, r"settings\['lora'\] = 3: name section.field"),
        ({"settings": {"lorra.r": 3}}, "settings 'lorra.r': no section 'lorra'"),
        ({"settings": {"lora.r": "many"}}, "lora.r must be"),
        ({"settings": ["lora.r"]}, "--set 'lora.r': write section.field=value"),
        ({"labels": {"": "nothing"}}, "is no label with its meaning"),
        ({"backend": "keras"}, "no backend 'keras'"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    place: Path, tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    given = {"data": place / "rows.csv", **arguments}
    with pytest.raises(UsageError, match=message):
        toolkit.run(place / "sorts.toml", runs=tmp_path / "runs", **given)
    assert not list(tmp_path.glob("runs/sorts/*"))


def test_settings_are_what_set_says() -> None:
    task = toolkit.plugins.lookup.find("review-sentiment")
    sets = ["lora.r=4", "training.learning_rate=1e-3", "training.bf16=false"]
    typed = recipes.resolve(task, sets=sets)
    given = {"lora": {"r": 4}, "training.learning_rate": 1e-3, "training": {"bf16": False}}
    assert recipes.resolve(task, sets=given) == typed != recipes.resolve(task)
    import numpy as np

    assert recipes.resolve(task, sets={"lora.r": np.int64(4)}).lora["r"].__class__ is int
    assert recipes.resolve(task, sets={"lora.target_modules": ("a", "b")}).lora[
        "target_modules"
    ] == ["a", "b"]


def test_rows_of_a_table_are_stored_as_json_has_them(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "text": ["a", "b"],
            "n": [1, 2],
            "x": [0.5, None],
            "day": pd.to_datetime(["2026-01-02", None]),
        }
    )
    name = called.rows_file(table, tmp_path)
    assert name is not None and name == called.rows_file(table, tmp_path)
    lines = [json.loads(line) for line in Path(name).read_text().splitlines()]
    assert lines == [
        {"text": "a", "n": 1, "x": 0.5, "day": "2026-01-02T00:00:00"},
        {"text": "b", "n": 2, "x": None, "day": None},
    ]


def test_the_report_names_the_call() -> None:
    given = {**python_run._DEFAULTS, "task": Path("a.toml"), "data": [{"q": "x" * 300}], "limit": 5}
    said = python_run._said(given)
    assert called.as_text("toolkit.run", said) == "toolkit.run(task='a.toml', data=…, limit=5)"


def test_a_run_without_figures_says_so(tmp_path: Path) -> None:
    made = Run.create(tmp_path, {"task": "t", "recipe": {}, "source": {}, "seed": 0})
    result = toolkit.load_run(made.path)
    assert not result.finished and result.adapter is None
    for ask in (lambda: result.ladder, lambda: result.verdict, result.predictions):
        with pytest.raises(RunError, match=r"was stopped in its beginning \(go on with resume"):
            ask()
    assert "go on with resume()" in result._repr_html_()
    with pytest.raises(UsageError, match="no run 'nothing'"):
        toolkit.load_run("nothing", runs=tmp_path)


def test_a_run_is_begun_before_what_reads_the_environment_is_imported() -> None:
    code = (
        "import sys, toolkit.pipeline.run, toolkit.pipeline.start, toolkit.pipeline.result;"
        "print({'torch', 'transformers', 'peft', 'datasets', 'bitsandbytes'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert (done.stdout.strip(), done.stderr) == ("set()", "")
