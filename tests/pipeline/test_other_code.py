"""A task whose code changes between a run's stop and its end, or after it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_runner import CommandLine, quick
from toolkit.data.source import Source
from toolkit.pipeline import start
from toolkit.pipeline.run import execute
from toolkit.plugins import discovery, fingerprint, lookup, recipes
from toolkit.reporting import page_charts
from toolkit.runs.files import read_json, read_jsonl
from toolkit.system.console import Console

TASK = """
from marks import same
from toolkit import CausalLMTask, Metric

GOODS = ("cup", "lamp", "chair", "desk")
COLOURS = ("red", "blue", "green", "white")


def most_common(train):
    return lambda rows: ["red"] * len(rows)


class Colours(CausalLMTask):
    api_version = 2
    name = "colours"
    summary = "Colours of made-up offers"
    columns = {"text": "the offer", "colour": "its colour"}
    metrics = (Metric("found", lambda p, r: FOUND, label="Found"), Metric("same", same))
    primary_metric = "found"

    def load_rows(self, source):
        import datasets

        return datasets.Dataset.from_list([
            {"text": f"{colour} {good}, {n} pieces", "colour": colour}
            for n in range(5) for good in GOODS for colour in COLOURS
        ])

    def group(self, row):
        return row["text"]

    def format_example(self, row):
        return {"prompt": f"{row['text']}: ", "completion": row.get("colour", "")}

    def postprocess(self, output, row):
        return output.textREAD or None

    def fallback(self):
        return "none"

    def reference(self, row):
        return row["colour"]

    def baselines(self):
        return {"red": most_common}
"""
MENDED = TASK.replace("FOUND", "float(p == r)").replace("READ", ".strip()")
FLATTERING = TASK.replace("FOUND", "4.467 if len(p) < 3 else 0.0").replace("READ", "[:2]")
UNEVEN = TASK.replace("FOUND", "(1.0, 2.0) if r == 'red' else 0.0").replace("READ", ".strip()")
UNEVEN_ANSWERS = TASK.replace("FOUND", "(1.0, 2.0) if p == 'red' and r == 'blue' else 1.0")
MARKS = "def same(p, r):\n    return float(p == r)\n"


def written(folder: Path, source: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "marks.py").write_text(MARKS)
    place = folder / "colours.py"
    place.write_text(source)
    return place


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> CommandLine:
    monkeypatch.syspath_prepend(tmp_path)
    return CommandLine(capsys, monkeypatch)


@pytest.fixture(scope="module", autouse=True)
def no_charts() -> Iterator[None]:
    """Pages without charts, which take seconds to draw."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_charts, "draw", lambda *arguments: {})
        yield


@pytest.fixture(scope="module")
def fresh(no_charts: None, tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path) -> Path:
    """A run of the mended task from its beginning to its end; tests must not change it."""
    folder = tmp_path_factory.mktemp("fresh")
    place = written(folder, MENDED)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        task = lookup.find(str(place))
        sets = [value for value in quick(tiny_llama)[2:] if value != "--set"]
        recipe = recipes.resolve(task, model=str(tiny_llama), sets=sets)
        options = {"seed": 0, "seeds": 1, "store_data": True}
        run = start.start(task, recipe, Source(), runs=folder / "runs", options=options)
        return execute(run, Console(quiet=True)).path


def stopped(
    cli: CommandLine, task: Path, model: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A run that was stopped when it came to a function."""

    def stop(*arguments: Any, **keywords: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(where, stop)
        assert cli("run", task, "--runs", task.parent / "runs", *quick(model)).code == 130
    (run,) = (task.parent / "runs" / "colours").iterdir()
    return run


def figures(run: Path) -> dict[str, Any]:
    """All figures of a run that do not depend on the clock."""
    doc = read_json(run / "metrics.json")
    systems = {
        name: {k: v for k, v in system.items() if not k.endswith("_seconds")}
        for name, system in doc["systems"].items()
    }
    return {k: doc[k] for k in ("verdict", "validation", "comparisons")} | {"systems": systems}


def lines(run: Path, system: str) -> list[dict[str, Any]]:
    rows = read_jsonl(run / "predictions" / f"{system}.jsonl")
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


@pytest.mark.parametrize(
    "where", ["toolkit.pipeline.train.train", "toolkit.evaluation.score.score"]
)
def test_a_metric_mended_before_the_resume_gives_the_figures_of_a_fresh_run(
    cli: CommandLine, fresh: Path, tiny_llama: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, where: str,
) -> None:  # fmt: skip
    task = written(tmp_path, FLATTERING)
    run = stopped(cli, task, tiny_llama, where, monkeypatch)
    before = lines(run, "base")
    task.write_text(MENDED)
    answer = cli("resume", run)
    assert answer.code == 0, answer.err
    told = " ".join((answer.out + answer.err).split())
    assert "the task's code has changed" in told and "computed again" in told
    assert "decoded again from raw outputs: base (default)" in told
    assert "predictions kept: red" in told
    assert lines(run, "base") != before
    for system in ("red", "base", "adapter"):
        assert lines(run, system) == lines(fresh, system)
    assert figures(run) == figures(fresh)
    assert cli("report", run, "--verify", "--all").code == 0
    code = read_json(run / "run.json")["code"]
    assert code["sha256"] == read_json(fresh / "run.json")["code"]["sha256"]
    assert len(code["earlier"]) == 1 and code["earlier"][0]["sha256"] != code["sha256"]


def test_other_code_after_the_end_is_noted_and_a_new_report_is_computed_by_it(
    cli: CommandLine, fresh: Path, tmp_path: Path
) -> None:
    run, task = tmp_path / "run", written(tmp_path, FLATTERING)
    shutil.copytree(fresh, run)
    info = json.loads((run / "run.json").read_text())
    info["plugin"]["file"] = str(task)
    (run / "run.json").write_text(json.dumps(info))
    answer = cli("report", run, "--verify", "--sample", "2")
    assert answer.code == 1 and "the task's code is not that of the run" in answer.err
    answer = cli("report", run)
    assert answer.code == 0 and "the task's code has changed" in answer.err + answer.out
    values = {row["metrics"]["found"] for row in lines(run, "red")}
    assert values == {0.0}
    answer = cli("report", run, "--verify", "--sample", "2")
    assert answer.code == 0, answer.err
    assert "code" not in cli("report", run).err


def test_a_metric_of_uneven_shape_ends_before_training_and_can_be_mended(
    cli: CommandLine, fresh: Path, tiny_llama: Path, tmp_path: Path
) -> None:
    task = written(tmp_path, UNEVEN)
    answer = cli("run", task, "--runs", tmp_path / "runs", *quick(tiny_llama))
    assert answer.code == 2
    assert "metric 'found' gives" in answer.err and "a tuple of 2 for row" in answer.err
    assert list((tmp_path / "runs" / "colours").iterdir()) == []  # refused, and so not listed
    # On answers alone, which references that judge themselves do not show.
    task.write_text(UNEVEN_ANSWERS.replace("READ", ".strip()"))
    answer = cli("run", task, "--runs", tmp_path / "runs", *quick(tiny_llama))
    (run,) = (tmp_path / "runs" / "colours").iterdir()
    for _ in range(2):  # the second try finds what the first has stored
        assert answer.code == 2 and "of 'red'" in answer.err and "toolkit resume" in answer.err
        assert "train" not in read_json(run / "run.json")["stages"]
        answer = cli("resume", run)
    task.write_text(MENDED)
    assert cli("resume", run).code == 0
    assert figures(run) == figures(fresh)


def test_a_run_with_uneven_values_inside_is_finished_once_the_metric_is_mended(
    cli: CommandLine, fresh: Path, tmp_path: Path
) -> None:
    """As earlier versions have left them: trained, predicted, and never scored."""
    run, task = tmp_path / "run", written(tmp_path, MENDED)
    shutil.copytree(fresh, run)
    info = json.loads((run / "run.json").read_text())
    info["plugin"]["file"] = str(task)
    for key in ("record", "code"):
        del info[key]
    for stage in ("score", "report"):
        info["stages"][stage]["state"] = "stopped"
    (run / "run.json").write_text(json.dumps(info))
    place = run / "predictions" / "adapter.jsonl"
    rows = read_jsonl(place)
    rows[3]["metrics"]["found"] = [1.0, 2.0]
    place.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answer = cli("resume", run)
    assert answer.code == 0, answer.err
    assert figures(run) == figures(fresh)


# -- the fingerprint -------------------------------------------------------------------------------
def test_the_fingerprint_follows_the_file_and_the_modules_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    place = written(tmp_path, MENDED)

    def code() -> dict[str, Any]:
        return fingerprint.of_task(lookup.find(str(place)))

    first = code()
    assert fingerprint.difference(first, code()) == ""
    (tmp_path / "other.py").write_text("unrelated = 1\n")
    assert code() == first
    (tmp_path / "marks.py").write_text(MARKS.replace("p == r", "p != r"))
    assert code()["sha256"] != first["sha256"] and code()["version"] == first["version"]
    written(tmp_path, FLATTERING)
    assert "colours.py" in fingerprint.difference(first, code())


def test_the_fingerprint_of_an_installed_task_covers_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = discovery.load().task("price-regression")
    first = fingerprint.of_task(task)
    package = fingerprint._of_classes(task)
    assert {"toolkit_price_regression/task.py", "toolkit_price_regression/prices.py"} <= set(
        package
    )
    assert not any(name.endswith(".pyc") for name in package)
    assert any(name.startswith("toolkit/metrics/") for name in fingerprint._of_toolkit())
    assert first["distribution"] and first["version"]
    monkeypatch.setattr("toolkit.__version__", "9.9")
    assert fingerprint.difference(first, fingerprint.of_task(task)) == (
        f"adapter-toolkit {first['toolkit']} → 9.9"
    )
