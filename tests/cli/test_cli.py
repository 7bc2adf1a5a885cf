"""The command line: what it imports, what it says about bad input, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from rich.text import Text
from typer.core import TyperGroup

from cli_runner import CommandLine, goods, quick, write_csv
from toolkit.cli import app

HEAVY = ("torch", "transformers", "gradio", "trl", "peft", "datasets", "numpy", "pandas", "sklearn")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["tasks"], ["run", "--help"], ["plugins"], ["recipes"], ["runs"]]
)
def test_quick_commands_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    code = (
        "import sys, atexit\n"
        f"sys.argv = ['toolkit', *{arguments!r}]\n"
        f"atexit.register(lambda: print('LOADED', [m for m in {HEAVY!r} if m in sys.modules]))\n"
        "from toolkit.cli import main\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "LOADED []" in done.stdout


def test_tasks_and_plugins_are_listed(cli: CommandLine) -> None:
    (task,) = [t for t in json.loads(cli("tasks", "--json").out) if t["name"] == "price-regression"]
    assert task["distribution"] == "adapter-toolkit" and "embedded" in task["recipes"]
    plugins = json.loads(cli("plugins", "--json").out)
    ours = [p["problem"] for p in plugins if p["distribution"] == "adapter-toolkit"]
    assert len(ours) >= 4 and set(ours) == {None}
    assert "Predict a price" in cli("tasks").out


def test_help_texts_are_shown_as_they_are_written(cli: CommandLine) -> None:
    """What stands in square brackets would be markup, and not be shown."""
    answer = cli("tasks")  # adds the commands of the plugins
    assert answer.code == 0
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup) and {"playground", "augment"} <= group.commands.keys()
    for name, command in group.commands.items():
        for parameter in command.params:
            text = getattr(parameter, "help", None) or ""
            assert Text.from_markup(text).plain == text, f"{name} {parameter.name}: {text}"


def test_the_help_names_defaults_that_depend_on_the_call(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = cli("run", "--help").out
    assert "[default: (TOOLKIT_RUNS or runs)]" in text
    assert "[default: (the task's own data)]" in text
    assert "[default: (the newest unfinished)]" in cli("resume", "--help").out


def test_the_error_on_an_unknown_name_suggests_the_nearest(cli: CommandLine) -> None:
    answer = cli("run", "price-regresion")
    assert answer.code == 2 and "did you mean 'price-regression'" in answer.err
    answer = cli("run", "price-regression", "--recipe", "embeded")
    assert answer.code == 2 and "did you mean 'embedded'" in answer.err
    answer = cli("run", "price-regression", "--set", "lora.rank=3")
    assert answer.code == 2 and "LoraConfig has no such field" in answer.err
    answer = cli("run", "price-regression", "--set", "training.learning_rte=3")
    assert answer.code == 2 and "did you mean 'learning_rate'" in answer.err
    assert cli("rum").code == 2


# -- bad input -------------------------------------------------------------------------------------

BAD = (
    "missing file", "folder", "unknown column", "unknown text", "empty file", "header only",
    "no price", "zero", "nan", "blank texts", "ragged", "encoding", "too few", "bad json",
    "unknown model", "flag of another task", "unknown option", "runs below a file",
)  # fmt: skip
GOOD = "title,price\nred oak thing,$12\n"


def bad_files(folder: Path) -> dict[str, tuple[list[str], str]]:
    """Name → (options, what the message has to say)."""
    folder.joinpath("empty.csv").write_text("")
    folder.joinpath("header.csv").write_text("title,price\n")
    folder.joinpath("words.csv").write_text("title,price\n" + "red oak,cheap\n" * 90)
    folder.joinpath("zero.csv").write_text(
        "title,price\n" + "".join(f"thing {i},0\n" for i in range(90))
    )
    folder.joinpath("nan.csv").write_text(
        "title,price\n" + "".join(f"thing {i},nan\n" for i in range(90))
    )
    folder.joinpath("blank.csv").write_text("title,price\n" + " ,5\n" * 90)
    folder.joinpath("ragged.csv").write_text(GOOD + "one,2,3,4\n" + "red,$3\n" * 90)
    folder.joinpath("latin.csv").write_bytes("title,price\ncafé,3\n".encode("latin-1") * 90)
    folder.joinpath("few.csv").write_text(GOOD * 3)
    folder.joinpath("bad.jsonl").write_text('{"title": "a", "price": 3}\n{"title": \n')
    folder.joinpath("folder.csv").mkdir()
    file = folder / "file"
    file.write_text("")
    data = write_csv(folder / "goods.csv", goods(80))
    return {
        "missing file": (["--data", "nowhere.csv"], "nowhere.csv"),
        "folder": (["--data", "folder.csv"], "folder"),
        "unknown column": (["--data", str(data), "--target", "prise"], "did you mean 'price'"),
        "unknown text": (["--data", str(data), "--text", "titel"], "did you mean 'title'"),
        "empty file": (["--data", "empty.csv"], "empty"),
        "header only": (["--data", "header.csv"], "header.csv"),
        "no price": (["--data", "words.csv"], "price"),
        "zero": (["--data", "zero.csv"], "zero"),
        "nan": (["--data", "nan.csv"], "price"),
        "blank texts": (["--data", "blank.csv"], "text"),
        "ragged": (["--data", "ragged.csv"], "row 2"),
        "encoding": (["--data", "latin.csv"], "--encoding"),
        "too few": (["--data", "few.csv"], "rows"),
        "bad json": (["--data", "bad.jsonl"], "line 2"),
        "unknown model": (["--data", str(data), "--model", "./no-such-model"], "no-such-model"),
        "flag of another task": (["--mend"], "task.repair, which the task 'price-regression' does"),
        "labels of a task without": (
            ["--data", str(data), "--labels", "-1=a,1=b"],
            "reads no labels",
        ),
        "labels that say nothing": (["--data", str(data), "--labels", "-1..1"], "reads no labels"),
        "unknown option": (["--set", "task.repair=true"], "task.repair: the task's options has no"),
        "runs below a file": (["--data", str(data), "--runs", str(file / "runs")], "cannot make"),
    }


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence_and_code_2(
    name: str, cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options, wanted = bad_files(tmp_path)[name]
    answer = cli("run", "price-regression", *options)
    assert answer.code == 2, answer.err
    assert "Traceback" not in answer.err
    message = answer.err.partition("Error: ")[2]
    assert wanted in message, message
    assert len(message.strip().splitlines()) == 1, message
    assert not list(tmp_path.glob("runs/*/*")), "a refused try is no run"


def test_a_full_disk_is_reported_and_the_run_resumes_later(
    cli: CommandLine, tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit.models import adapters

    data = write_csv(tmp_path / "goods.csv", goods(rows=80))
    runs = tmp_path / "runs"

    def full(*arguments: object, **keywords: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapters, "settle_config", full)
        answer = cli("run", "price-regression", "--data", data, "--runs", runs, *quick(tiny_llama))
    assert answer.code == 2, answer.err
    assert "make room" in answer.err and "toolkit resume" in answer.err
    assert not list(runs.glob("*/*/adapter"))
    assert cli("resume", "--runs", runs).code == 0


def test_json_errors_can_be_read_by_a_program(cli: CommandLine) -> None:
    answer = cli("run", "price-regression", "--data", "nowhere.csv", "--json")
    assert answer.code == 2
    assert "nowhere.csv" in json.loads(answer.out)["error"]


def test_no_runs_yet(cli: CommandLine, tmp_path: Path) -> None:
    assert "no runs" in cli("runs", "--runs", tmp_path).out
    assert cli("resume", "--runs", tmp_path).code == 2
    assert cli("report", "--runs", tmp_path).code == 2


def test_debug_shows_the_traceback(cli: CommandLine) -> None:
    answer = cli("--debug", "run", "no-such-task")
    assert answer.code == 2 and "Traceback" in answer.err
