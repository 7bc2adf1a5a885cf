"""Consent for what a run folder names: today's command line, or the user's own record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import RunError, UsageError
from toolkit.runs import trust
from toolkit.runs.run import Run


@pytest.fixture(autouse=True)
def nothing_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TOOLKIT_STATE", str(tmp_path / "state"))
    trust.withdraw()
    yield
    trust.withdraw()


def run_of(file: Any, **info: Any) -> Run:
    return Run(Path("runs/x"), {"id": "abc", "plugin": {"file": file}, **info})


@pytest.fixture
def task(tmp_path: Path) -> Path:
    file = tmp_path / "task.py"
    file.write_text("x = 1\n")
    return file


def test_an_installed_task_needs_none() -> None:
    assert trust.task_file(run_of(None)) is None
    assert trust.task_file(Run(Path("x"), {"id": "abc"})) is None


@pytest.mark.parametrize("suffix", ["", ":Mine"])
def test_a_file_needs_consent(task: Path, suffix: str) -> None:
    run = run_of(f"{task}{suffix}")
    with pytest.raises(UsageError, match=rf"{task}.*--trust-task-file"):
        trust.task_file(run)
    trust.consent(task_file=True)
    assert trust.task_file(run) == f"{task}{suffix}"
    trust.withdraw()
    trust.has_run(task)
    assert trust.task_file(run) == f"{task}{suffix}"


def test_the_record_is_of_path_and_content(task: Path, tmp_path: Path) -> None:
    trust.has_run(task)
    trust.has_run(task)
    place = tmp_path / "state" / trust.RECORD
    (line,) = place.read_text().splitlines()
    assert json.loads(line)["file"] == str(task) and place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700
    other = tmp_path / "other.py"
    other.write_text(task.read_text())
    task.write_text("x = 2\n")
    for file in (task, other):
        with pytest.raises(UsageError, match="--trust-task-file"):
            trust.task_file(run_of(str(file)))


def test_consent_for_models_is_none_for_files(task: Path) -> None:
    trust.consent(remote_code=True)
    with pytest.raises(UsageError, match="--trust-task-file"):
        trust.task_file(run_of(str(task)))


@pytest.mark.parametrize("named", ["evil.sh", "/x", 3, ["a.py"], {"a": 1}, "a\x00.py", ""])
def test_what_is_no_task_file(named: Any) -> None:
    with pytest.raises(RunError, match="as a task file"):
        trust.task_file(run_of(named))


def test_toml_is_data_unless_it_names_python(tmp_path: Path) -> None:
    file = tmp_path / "task.toml"
    file.write_text('task = "price-regression"\ndata = "rows.csv"\n')
    assert trust.task_file(run_of(str(file))) == str(file)
    for line in ('task = "x.py"', 'metrics = ["./m.py:metric"]', '[recipe]\nx = "a.py"'):
        file.write_text(line)
        with pytest.raises(UsageError, match="--trust-task-file"):
            trust.task_file(run_of(str(file)))


def test_a_place_that_cannot_be_written_makes_flags_necessary(
    task: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TOOLKIT_STATE", str(tmp_path / "file"))
    trust.has_run(task)
    with pytest.raises(UsageError, match="--trust-task-file"):
        trust.task_file(run_of(str(task)))


# -- models and settings ---------------------------------------------------------------------------
def test_a_run_cannot_consent_to_its_model_s_code() -> None:
    info = {"id": "abc", "options": {"trust_remote_code": True}, "recipe": {"model": "evil/m"}}
    with pytest.raises(UsageError, match=r"'evil/m'.*--trust-remote-code"):
        trust.remote_code(info)
    trust.consent(remote_code=True)
    assert trust.remote_code(info) is True
    assert trust.remote_code({"id": "abc", "options": {}}) is False  # it does not ask


REACHING = [
    {"training": {"push_to_hub": True}},
    {"training": {"hub_model_id": "a/b"}},
    {"training": {"logging_dir": "/elsewhere"}},
    {"training": {"report_to": ["wandb"]}},
    {"training": {"deepspeed": "/x.json"}},
    {"training": {"model_init_kwargs": {"trust_remote_code": True}}},
    {"training": {"model_init_kwargs": {"attn_implementation": "who/kernel"}}},
    {"training": {"model_init_kwargs": "text"}},
    {"lora": {"megatron_config": {"a": 1}}},
    {"lora": {"corda_config": {"cache_file": "/x"}}},
]


@pytest.mark.parametrize("recipe", REACHING, ids=lambda recipe: str(recipe)[:60])
def test_settings_that_reach_outside(recipe: dict[str, Any]) -> None:
    info = {"id": "abc", "recipe": recipe}
    with pytest.raises(UsageError, match="--trust-remote-code"):
        trust.check_settings(info)
    trust.has_set(recipe)  # as toolkit run does for its own
    trust.check_settings(info)
    trust.check_settings({**info, "recipe": {**recipe, "name": "another"}})


@pytest.mark.parametrize(
    "recipe",
    [{}, {"training": {"report_to": "trackio", "push_to_hub": False}}, {"lora": {"r": 8}},
     {"training": {"model_init_kwargs": {"attn_implementation": "sdpa", "dtype": "float32"}}}],
)  # fmt: skip
def test_other_settings_need_none(recipe: dict[str, Any]) -> None:
    trust.check_settings({"id": "abc", "recipe": recipe})


def test_the_state_folder_is_the_platform_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOOLKIT_STATE")
    assert trust.state_folder().is_absolute() and "adapter-toolkit" in str(trust.state_folder())
