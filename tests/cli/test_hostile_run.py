"""Folders from somebody else, under every command: nothing runs, nothing is written outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli_runner import CommandLine
from hostile_run import ATTACKS, RUN_ID, Hostile, copied, pickled_checkpoint, snapshot, task_file
from toolkit.plugins import discovery

pytestmark = pytest.mark.slow

COMMANDS = (
    ("resume", "RUN"),
    ("report", "RUN"),
    ("report", "RUN", "--badge"),
    ("report", "RUN", "--verify", "--sample", "1"),
    ("predict", "RUN", "red oak thing"),
    ("compare", "RUN", "FINISHED"),
    ("sheet", "RUN", "--out", "sheet.csv"),
    ("forgetting", "RUN", "--rows", "2"),
    ("together", "RUN", "FINISHED"),
    ("runs",),
)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user who has run nothing yet."""
    folder = tmp_path / "state"
    monkeypatch.setenv("TOOLKIT_STATE", str(folder))
    yield folder
    discovery.load.cache_clear()  # what was consented to hides an installed task


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_nothing_runs_and_nothing_is_written_outside(
    attack: Callable[[Hostile], None],
    played: Path,
    tmp_path: Path,
    cli: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = copied(played, tmp_path / "victim")
    attack(made)
    monkeypatch.chdir(made.place)
    monkeypatch.syspath_prepend(str(made.place))  # as a person's PYTHONPATH may have it
    before = snapshot(made)
    refused = []
    for command in COMMANDS:
        words = {"RUN": str(made.path), "FINISHED": str(played)}
        done = cli(*(words.get(word, word) for word in command), "--runs", str(made.place / "runs"))
        assert not made.mark.exists(), command
        after = snapshot(made)
        after.pop("sheet.csv", None)
        assert after == before, command
        assert done.code in (0, 1, 2), (command, done.err)
        assert "does not expect" not in done.err and "did not foresee" not in done.err, done.err
        if done.code == 2:
            refused.append(command[0])
            *_, last = done.err.splitlines()
            assert last.startswith("Error: ") and done.err.count("Error: ") == 1, done.err
    assert refused, "no command minded"


def test_the_refusal_names_the_file_and_the_flag(
    played: Path, tmp_path: Path, cli: CommandLine, state: Path
) -> None:
    made = copied(played, tmp_path / "victim")
    task_file(made)
    refusal = cli("report", made.path)
    assert refusal.code == 2 and str(made.evil) in refusal.err
    assert "--trust-task-file" in refusal.err
    # What today's command line consents to is done, and stays known while the file is as it is.
    assert cli("report", made.path, "--trust-task-file").code == 0
    assert made.mark.exists() and (state / "trusted.jsonl").stat().st_mode & 0o777 == 0o600
    assert cli("report", made.path).code == 0
    made.evil.write_text(made.evil.read_text() + "\n# other code\n")
    assert cli("report", made.path).code == 2


def test_a_file_that_the_user_names_is_known_from_then_on(
    played: Path, tmp_path: Path, cli: CommandLine
) -> None:
    made = copied(played, tmp_path / "victim")
    task_file(made)
    assert cli("check", made.evil, "--limit", "60").code in (0, 1)
    assert made.mark.exists()
    assert cli("report", made.path).code == 0


def test_pickles_of_a_checkpoint_are_refused_in_words(
    played: Path, tmp_path: Path, cli: CommandLine
) -> None:
    made = copied(played, tmp_path / "victim")
    pickled_checkpoint(made)
    done = cli("resume", made.path)
    assert done.code == 2 and "pickled objects" in done.err and not made.mark.exists()


def test_the_list_still_shows_the_other_runs(
    played: Path, tmp_path: Path, cli: CommandLine
) -> None:
    made = copied(played, tmp_path / "victim")
    task_file(made)
    listed = cli("runs", "--runs", made.place / "runs")
    assert listed.code == 0 and RUN_ID in listed.out and not made.mark.exists()


def test_the_playground_lists_such_a_run_with_its_reason(played: Path, tmp_path: Path) -> None:
    pytest.importorskip("gradio")
    from toolkit.runs import Run
    from toolkit.runs.trust import withdraw
    from toolkit_playground import app
    from toolkit_playground.rendering import runs as rendering
    from toolkit_playground.rendering.run_picker import picker
    from toolkit_playground.state.library import Library
    from toolkit_playground.state.run_list import RunList

    withdraw()
    made = copied(played, tmp_path / "victim")
    task_file(made)
    library = Library(made.place / "runs")
    (listed,) = RunList(library).choices()
    assert listed.run == RUN_ID
    picker([listed], None)
    shown = app.head(library, RUN_ID)
    assert "--trust-task-file" in shown and 'role="alert"' in shown
    rendering.one(Run.open(made.path))
    assert not made.mark.exists()
