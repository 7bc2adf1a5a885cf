"""``toolkit gate``: exit codes, shared rows, Markdown, JUnit XML, and the workflow in a runner."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from junitparser import JUnitXml

import quick_runs
from cli_runner import CommandLine, environment, goods, write_csv
from toolkit.errors import RunError, UsageError
from toolkit.runs.run import Run
from toolkit_gate import pages
from toolkit_gate.judging import Result, judge, opened

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "examples" / "gate" / "gate.yml"
ROWS = 1000


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Run:
    """A finished run of a classifier; tests must not change it."""
    folder = tmp_path_factory.mktemp("gate")
    data = write_csv(folder / "goods.csv", goods(rows=60))
    return Run.open(quick_runs.run_task(folder, "classes", quick_runs.CLASSES, data, tiny_bert))


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


def answered(
    run: Run, folder: Path, change: Callable[[int], dict[str, Any]], *, rows: int = ROWS
) -> Run:
    """A copy of a run with that many test rows, whose adapter answers as ``change`` says.

    Args:
        run: the run.
        folder: where the copy goes.
        change: the number of a row → keys of its prediction line.
        rows: test rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    shutil.copytree(run.path, folder)
    copy = Run.open(folder)
    (folder / "data" / "heldout.jsonl").unlink()
    entries = json.loads((copy.predictions / "systems.json").read_text())
    entries = [entry for entry in entries if entry["role"] == "adapter"]
    (copy.predictions / "systems.json").write_text(json.dumps(entries))
    line = json.loads((copy.predictions / entries[0]["file"]).read_text().splitlines()[0])
    lines = [
        {**line, "split": "test", "row_id": number, "group": f"{number}", **change(number)}
        for number in range(rows)
    ]
    (copy.predictions / entries[0]["file"]).write_text(
        "".join(json.dumps(each) + "\n" for each in lines)
    )
    table = {
        "row_id": list(range(rows)), "split": ["test"] * rows,
        "sha": [f"{number:064x}" for number in range(rows)],
    }  # fmt: skip
    pq.write_table(pa.table(table), folder / "data" / "splits.parquet")
    return copy


def accuracy(run: Run, folder: Path, share: float, **keywords: Any) -> Run:
    """A copy of a run with such an accuracy as its primary and only metric."""
    return answered(run, folder, lambda n: {"metrics": values(share, n)}, **keywords)


def values(share: float, number: int) -> dict[str, Any]:
    """The metrics of a row that is right in so many of a hundred rows."""
    hit = float(number % 100 < round(100 * share))
    return {"accuracy": hit, "macro_f1": [0.0, 0.0 if hit else 1.0]}


def test_the_same_model_passes(first: Run, tmp_path: Path) -> None:
    old, new = (accuracy(first, tmp_path / name, 0.9) for name in ("old", "new"))
    found = judge(new, old, 0.02)
    assert (found.outcome, found.code, found.rows) == ("no worse", 0, ROWS)
    assert found.sentence.startswith("No worse: ")


def test_a_worse_one_fails(first: Run, tmp_path: Path) -> None:
    old, new = accuracy(first, tmp_path / "old", 0.9), accuracy(first, tmp_path / "new", 0.8)
    found = judge(new, old, 0.02)
    assert (found.outcome, found.code) == ("worse", 1)
    assert found.figures[0].compared["difference"] == pytest.approx(-0.1)
    assert judge(new, old, 0.2).code == 0


def test_few_rows_show_nothing_and_so_fail(first: Run, tmp_path: Path) -> None:
    old, new = (accuracy(first, tmp_path / name, 0.9, rows=40) for name in ("old", "new"))
    found = judge(new, old, 0.02)
    assert (found.outcome, found.code) == ("open", 1)
    assert "more rows, or a larger margin" in found.sentence


def test_rows_are_known_by_what_they_hold(first: Run, tmp_path: Path) -> None:
    """The new run has other numbers for its rows, and some that the old one lacks."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    old = accuracy(first, tmp_path / "old", 0.9)
    new = answered(first, tmp_path / "new", lambda n: {"metrics": values(0.9, n + 37)})
    table = {
        "row_id": list(range(ROWS)), "split": ["test"] * ROWS,
        "sha": [f"{number + 37:064x}" for number in range(ROWS)],
    }  # fmt: skip
    pq.write_table(pa.table(table), new.path / "data" / "splits.parquet")
    found = judge(new, old, 0.02)
    assert found.rows == ROWS - 37 and found.unshared == (37, 37)
    assert found.figures[0].compared["difference"] == 0 and found.code == 0
    assert "37 of the new run, 37 of the old one" in pages.markdown(found)


def test_other_rows_cannot_be_compared(first: Run, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    old, new = (accuracy(first, tmp_path / name, 0.9) for name in ("old", "new"))
    table = {"row_id": [1], "split": ["test"], "sha": ["f" * 64]}
    pq.write_table(pa.table(table), old.path / "data" / "splits.parquet")
    for line in old.predictions.glob("*.jsonl"):
        line.write_text(json.dumps({**json.loads(line.read_text().splitlines()[1])}) + "\n")
    found = judge(new, old, 0.02)
    assert (found.outcome, found.code) == ("incomparable", 2)
    assert "share no test row" in found.sentence


def test_rows_of_a_group_count_as_one(first: Run, tmp_path: Path) -> None:
    def clustered(share: float) -> Callable[[int], dict[str, Any]]:
        return lambda n: {"group": f"{n // 250}", "metrics": values(share, n)}

    old = answered(first, tmp_path / "old", clustered(0.9))
    new = answered(first, tmp_path / "new", clustered(0.9))
    found = judge(new, old, 0.02)
    assert found.groups == 4 and (found.outcome, found.code) == ("incomparable", 2)
    assert "too few for an interval" in found.sentence


def test_without_a_margin_nothing_is_judged(first: Run) -> None:
    with pytest.raises(UsageError, match="names no margin"):
        judge(first, first)


def test_a_folder_of_runs_stands_for_its_newest(first: Run, tmp_path: Path) -> None:
    place = tmp_path / "runs" / "classes" / first.id
    shutil.copytree(first.path, place)
    assert opened(str(tmp_path / "runs"), tmp_path).path == place
    assert opened(first.id, tmp_path / "runs").path == place
    unfinished = shutil.copytree(first.path, tmp_path / "unfinished")
    info = json.loads((unfinished / "run.json").read_text())
    info["stages"].pop("predict")
    (unfinished / "run.json").write_text(json.dumps(info))
    with pytest.raises(RunError, match="is not finished"):
        opened(str(unfinished), tmp_path)


def test_pages_say_what_was_found(first: Run, tmp_path: Path) -> None:
    old, new = accuracy(first, tmp_path / "old", 0.9), accuracy(first, tmp_path / "new", 0.8)
    for result, kind in ((judge(old, old, 0.05), None), (judge(new, old, 0.02), "Failure")):
        pages.write_junit(tmp_path / "gate.xml", result)
        (suite,) = JUnitXml.fromfile(str(tmp_path / "gate.xml"))
        (case,) = suite
        assert [type(one).__name__ for one in case.result] == ([kind] if kind else [])
        pages.write_markdown(tmp_path / "gate.md", result)
        text = (tmp_path / "gate.md").read_text()
        assert text.startswith(f"### {pages.MARKS[result.outcome]} classes: {result.outcome}\n")
        assert "(decides) | " in text


def test_names_are_no_markdown() -> None:
    result = Result("open", "a <b> | c", "new", "old", "x[y](z)", "m", 0.1)
    assert "x\\[y\\](z)" in pages.markdown(result) and "a \\<b\\> \\| c" in pages.markdown(result)


def test_the_command_ends_with_the_code(first: Run, tmp_path: Path, cli: CommandLine) -> None:
    old, new = accuracy(first, tmp_path / "old", 0.9), accuracy(first, tmp_path / "new", 0.8)
    answer = cli("gate", new.path, "--against", old.path, "--margin", "0.02", "--json")
    assert answer.code == 1 and json.loads(answer.out)["outcome"] == "worse"
    answer = cli("gate", old.path, "--against", old.path, "--margin", "0.05")
    assert answer.code == 0 and "No worse" in answer.err
    assert cli("gate", "nope", "--against", old.path).code == 2


# -- the workflow ----------------------------------------------------------------------------------
class Runner:
    """A stand-in for GitHub's runner: it runs the ``run`` steps of a job, one shell for each.

    Conditions and steps by others' actions are the test's business; files for outputs and for the
    summary are there as on a runner, and bash stops at the first error as it does there.
    """

    def __init__(self, work: Path) -> None:
        self.work = work
        self.bin = work.parent / "bin"
        self.bin.mkdir()
        self.summary, self.output = work.parent / "summary", work.parent / "output"
        self.tool("toolkit", f'exec "{sys.executable}" -m toolkit.cli "$@"')
        self.tool("pip", 'echo "pip $*" >> ../calls')
        self.tool("gh", 'echo "gh $*" >> ../calls; [ "$2" != list ] || echo 17')
        for place in (self.summary, self.output):
            place.touch()

    def tool(self, name: str, script: str) -> None:
        place = self.bin / name
        place.write_text(f"#!/bin/sh\n{script}\n")
        place.chmod(0o755)

    def run(self, step: dict[str, Any], variables: dict[str, str]) -> int:
        script = step["run"].replace("${{ github.event.number }}", "5")
        assert "${{" not in script
        own = {name: value for name, value in (step.get("env") or {}).items() if "${{" not in value}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.work, check=False,
            env={
                **environment(), **variables, **own, "CI": "true", "GITHUB_ACTIONS": "true",
                "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
                "GITHUB_STEP_SUMMARY": str(self.summary), "GITHUB_OUTPUT": str(self.output),
            },
        )  # fmt: skip
        return done.returncode


@pytest.mark.slow
@pytest.mark.parametrize(("share", "code"), [(0.9, 0), (0.6, 1)])
def test_the_workflow_judges_a_pull_request(
    first: Run, share: float, code: int, tmp_path: Path
) -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    steps = {step.get("name", step.get("uses")): step for step in workflow["jobs"]["gate"]["steps"]}
    work = tmp_path / "work"
    work.mkdir()
    runner = Runner(work)
    accuracy(first, work / "old" / "classes" / "20260101-000000-aaaaaa", 0.9)
    accuracy(first, work / "new" / "classes" / "20260102-000000-bbbbbb", share)
    assert runner.run(steps["Install"], workflow["env"]) == 0
    assert runner.run(steps["Fetch the main branch's run"], workflow["env"]) == 0
    assert runner.run(steps["Compare"], workflow["env"]) == code
    assert runner.run(steps["Comment"], workflow["env"]) == 0
    assert runner.output.read_text() == f"code={code}\n"
    assert runner.summary.read_text() == (work / "gate.md").read_text()
    assert JUnitXml.fromfile(str(work / "gate.xml")).tests == 1
    assert (tmp_path / "calls").read_text().splitlines() == [
        "pip install adapter-toolkit[gate]",
        "gh run list --branch main --workflow gate --status success --limit 1 --json databaseId "
        "--jq .[0].databaseId",
        "gh run download 17 --name model --dir old",
        "gh pr comment 5 --body-file gate.md",
    ]


def test_the_workflow_trains_with_options_that_there_are(cli: CommandLine) -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    (train,) = (s for s in workflow["jobs"]["gate"]["steps"] if s.get("name") == "Train")
    words = train["run"].split()
    told = cli("run", "--help").out
    assert words[:2] == ["toolkit", "run"]
    assert all(word in told for word in words if word.startswith("--"))
