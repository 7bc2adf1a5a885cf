"""``toolkit new``: what it makes is small and keeps the contract.

That it installs, passes its own tests and runs is tested in ``packaging/test_install.py``.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from cli_runner import CommandLine
from toolkit.data.source import Source
from toolkit.errors import UsageError
from toolkit.plugins import scaffold, task_file
from toolkit.plugins.contract import check
from toolkit.plugins.toml_kinds import KINDS

LONGEST = 40
"""Lines that a whole task may have."""

every_kind = pytest.mark.parametrize("kind", sorted(scaffold.kinds()))


PROBLEMS = {"multi-label", "vector-regression"}
"""What else an encoder with a head answers: several labels, several numbers."""
BROUGHT = {"token-classification": "toolkit_token_classification"}
"""Kinds of built-in plugins → what their authors import beside the toolkit."""
MADE = (set(KINDS) - {"sequence-regression"}) | PROBLEMS | set(BROUGHT)
"""A package on one number is one of classes whose task has another base class."""


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


def made(folder: Path, kind: str) -> Path:
    return scaffold.create("my-task", kind, folder / "my-task")


def test_a_kind_that_task_files_know_can_be_made_and_the_other_way_round() -> None:
    assert set(scaffold.kinds()) == MADE


@every_kind
def test_the_whole_task_is_short_and_complete(tmp_path: Path, kind: str) -> None:
    folder = made(tmp_path, kind)
    lines = (folder / "my_task" / "task.py").read_text().splitlines()
    assert len(lines) <= LONGEST and max(map(len, lines)) <= 100
    tree = ast.parse("\n".join(lines))
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert imported <= {
        "toolkit", "toolkit.baselines", "toolkit.metrics", "toolkit.metrics.common",
        BROUGHT.get(kind, "toolkit"),
    }  # fmt: skip
    assert not list(folder.rglob("*.j2")) and "{{" not in (folder / "README.md").read_text()


@every_kind
def test_the_package_says_its_entry_point(tmp_path: Path, kind: str) -> None:
    project = tomllib.loads((made(tmp_path, kind) / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["toolkit"] == {"my-task": "my_task.task"}
    assert project["dependencies"][0].startswith("adapter-toolkit>=")


@every_kind
def test_the_task_keeps_the_contract_and_its_data_hold_no_row_twice(
    tmp_path: Path, kind: str
) -> None:
    task = task_file.load(made(tmp_path, kind) / "my_task" / "task.py")
    results = check.check(task(), Source())
    assert [f"{r.rule}: {r.message}" for r in results if not r.passed] == []
    assert task.synthetic, "made-up rows must be called so"


def test_the_command_says_what_it_made_and_what_to_do_next(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = cli("new", "my-task")
    assert answer.code == 0
    assert "my_task/task.py" in answer.out and "toolkit run my-task" in answer.out
    assert list(tmp_path.iterdir()) == [tmp_path / "my-task"]
    answer = cli("run", "my-task")
    assert answer.code == 2
    assert "pip install -e ./my-task – or run its file: toolkit run ./my-task/my_task/task.py" in (
        answer.err
    )


@pytest.mark.parametrize(
    ("builder", "line"),
    [
        (object(), "pip install --no-build-isolation -e ./my-task"),
        (None, "pip install -e ./my-task"),
    ],
)
def test_pip_fetches_the_builder_where_it_is_not_at_hand(
    builder: object, line: str, cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("toolkit.cli.listings.find_spec", lambda name: builder)
    assert f"  {line}\n" in cli("new", "my-task").out


def test_kinds_are_listed(cli: CommandLine) -> None:
    assert {line.partition(":")[0] for line in cli("new", "--kinds").out.splitlines()} == MADE


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("My Task", "causal-lm", "is not kebab-case"),
        ("json", "causal-lm", "is a Python module already"),
        ("torch", "causal-lm", "is a Python module already"),
        ("price-regression", "causal-lm", "there is a task 'price-regression' already"),
        ("my-task", "causal-ml", "did you mean 'causal-lm'"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path: Path, name: str, kind: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        scaffold.create(name, kind, tmp_path / "new")
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "my-task").mkdir()
    (tmp_path / "my-task" / "precious").touch()
    with pytest.raises(UsageError, match="exists and is not empty"):
        made(tmp_path, "causal-lm")
    assert [p.name for p in tmp_path.rglob("*")] == ["my-task", "precious"]
