"""The list of stages, and the one loop that goes through it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import RunError
from toolkit.pipeline import run as pipeline
from toolkit.pipeline import stages
from toolkit.pipeline.context import RunContext, adapter_name
from toolkit.pipeline.stages import Stage
from toolkit.runs import record
from toolkit.runs.files import write_json
from toolkit.runs.run import STAGES, Run
from toolkit.system.console import Console

INFO = {"task": "t", "recipe": {}, "source": {}, "seed": 3, "options": {"seeds": 2}}


class Kept(Console):
    """A console that keeps its headings."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.headings: list[str] = []

    def heading(self, message: str) -> None:
        self.headings.append(message)


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    task: Any = type("Fake", (), {"options": {"decoder": "median"}})()
    source: Any = None
    recipe: Any = None
    return RunContext(Run.create(tmp_path, INFO), task, source, recipe, Kept())


def stage(name: str, done: list[str], **fields: Any) -> Stage:
    return Stage(name, lambda context: f"heading of {name}", lambda c: done.append(name), **fields)


def headings(context: RunContext) -> list[str]:
    assert isinstance(context.console, Kept)
    return context.console.headings


def test_the_stages_are_those_that_a_run_counts_as_finished() -> None:
    assert tuple(each.name for each in stages.STAGES) == STAGES
    assert [each.name for each in stages.STAGES if not each.shared] == ["score", "report"]
    assert [each.name for each in stages.STAGES if each.restore] == ["data", "base"]


def test_a_stage_records_the_files_that_it_writes(context: RunContext) -> None:
    def write(context: RunContext) -> None:
        write_json(context.run.data / "kept.json", [1, 2])
        write_json(context.run.path / "other.json", [3])

    pipeline._do(Stage("data", lambda context: "data", write, ("data/*",)), context)
    run = Run.open(context.run.path)
    assert set(run.info["record"]["files"]) == {"data/kept.json", "lines.json"}
    assert record.changed(run) == {}
    write_json(run.data / "kept.json", [1, 3])
    assert "data/kept.json (line 3 changed)" in record.changed(run)["data/kept.json"]


def test_a_stage_is_done_once(context: RunContext) -> None:
    done: list[str] = []
    for _ in range(2):
        pipeline._do(stage("base", done), context)
    assert done == ["base"] and headings(context) == ["heading of base"]
    assert Run.open(context.run.path).done("base")


def test_what_a_later_stage_needs_in_memory_is_restored(context: RunContext) -> None:
    done: list[str] = []
    first = stage("data", done, restore=lambda context: done.append("read again"))
    pipeline._do(first, context)
    seconds = context.run.info["stages"]["data"]["seconds"]
    pipeline._do(first, context)
    assert done == ["data", "read again"] and headings(context) == ["heading of data"] * 2
    assert context.run.info["stages"]["data"] == {"state": "done", "seconds": seconds}


def test_a_stage_that_fails_is_done_again(context: RunContext) -> None:
    done: list[str] = []

    def fail(context: RunContext) -> None:
        raise RunError("it failed")

    with pytest.raises(RunError, match="it failed"):
        pipeline._do(Stage("base", lambda context: "base", fail), context)
    assert context.run.info["stages"]["base"]["state"] == "stopped"
    pipeline._do(stage("base", done), context)
    assert done == ["base"]


@pytest.mark.parametrize(("first", "does"), [(True, ["a", "b"]), (False, ["a"])])
def test_stages_that_are_not_shared_are_the_first_processes(
    context: RunContext, monkeypatch: pytest.MonkeyPatch, first: bool, does: list[str]
) -> None:
    done: list[str] = []
    waited: list[None] = []
    monkeypatch.setattr(pipeline, "STAGES", (stage("a", done), stage("b", done, shared=False)))
    monkeypatch.setattr(pipeline.RunContext, "of", lambda run, console, loaded_by: context)
    monkeypatch.setattr(pipeline.environment, "prepare", lambda offline: None)
    monkeypatch.setattr(pipeline, "offline", lambda recipe, source, info: True)
    monkeypatch.setattr(pipeline.distributed, "first", lambda: first)
    monkeypatch.setattr(pipeline.distributed, "wait", lambda: waited.append(None))
    context.recipe = type("Fake", (), {"model": "m"})()
    context.run.checkpoints.mkdir()
    pipeline.execute(context.run, context.console)
    assert done == does and len(waited) == 1
    assert context.run.checkpoints.exists() is not first


def test_what_the_context_reads_from_the_run(context: RunContext) -> None:
    assert (context.seed, context.seeds, context.decoder) == (3, 2, "median")
    assert context.backend == {"name": "transformers", "reason": "the run names none"}
    assert [adapter_name(0), adapter_name(1)] == ["adapter", "adapter-seed-1"]
    trained = [(model.system, model.folder) for model in context.trained]
    assert trained == [("full", "adapter"), ("full-seed-1", "adapter-seed-1")]
