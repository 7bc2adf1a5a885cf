"""A token in the environment of a run: no byte of its folder, and nothing printed, holds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_runner import PLANTED, CommandLine

FORM = "hf_" + "Planted4Ever" * 3


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.mark.slow
def test_a_finished_run_holds_no_secret_of_its_environment(played: Path) -> None:
    """The environment of every process of the tests has the token; see ``cli_runner``."""
    files = [file for file in played.rglob("*") if file.is_file()]
    assert len(files) > 12
    assert [file for file in files if PLANTED.encode() in file.read_bytes()] == []


@pytest.mark.parametrize(
    "given",
    [
        ("--set", f"training.hub_token={PLANTED}"),
        ("--set", "training.hub_token=anything"),
        ("--set", f"training.run_name={FORM}"),
        ("--set", f"training.run_name={PLANTED}"),
        ("--model", f"https://me:{PLANTED}@example.org/model"),
        ("--recipe", "secret.toml"),
        ("--data", f"https://me:{PLANTED}@example.org/rows.csv"),
    ],
    ids=lambda given: given[1][:24],
)
def test_settings_with_a_secret_are_refused(
    given: tuple[str, str],
    tmp_path: Path,
    cli: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    tiny_llama: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", PLANTED)
    recipe = f'model = "{tiny_llama}"\n[training]\nhub_token = "{FORM}"\n'
    (tmp_path / "secret.toml").write_text(recipe)
    model = () if given[0] in ("--model", "--recipe") else ("--model", str(tiny_llama))
    done = cli("run", "price-regression", *model, *given)
    assert done.code == 2 and "environment" in done.err
    assert PLANTED not in done.out + done.err and FORM not in done.out + done.err
    assert not (tmp_path / "runs").exists()
