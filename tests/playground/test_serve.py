"""Who may look, and where: refused before anything heavy is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_runner import CommandLine
from toolkit.errors import UsageError
from toolkit_playground.serve import credentials, tunnel


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.mark.parametrize("options", [["--share"], ["--host", "0.0.0.0"], ["--host", "::"]])
def test_an_open_door_without_a_password_is_refused(cli: CommandLine, options: list[str]) -> None:
    answer = cli("playground", *options)
    assert answer.code == 2 and "--auth" in answer.err


def test_an_unknown_run_is_refused(cli: CommandLine, tmp_path: Path) -> None:
    answer = cli("playground", "nothing", "--runs", tmp_path)
    assert answer.code == 2 and "no run 'nothing'" in answer.err


def test_credentials_from_the_line_and_from_a_file(tmp_path: Path) -> None:
    assert credentials(None) is None
    assert credentials("ann:s:ecret") == [("ann", "s:ecret")]
    place = tmp_path / "who"
    place.write_text("ann:one\nbob:two\n")
    assert credentials(f"@{place}") == [("ann", "one"), ("bob", "two")]
    place.write_text("\ufeffann:one two  three\r\n\nbob b:four\n", encoding="utf-8", newline="")
    assert credentials(f"@{place}") == [("ann", "one two  three"), ("bob b", "four")]
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00a:b")
    for wrong in (f"@{tmp_path / 'binary'}", "ann", "ann:", ":x", f"@{tmp_path / 'none'}"):
        with pytest.raises(UsageError):
            credentials(wrong)


def test_the_tunnel_names_both_ends() -> None:
    assert tunnel(7861).startswith("ssh -N -L 7861:127.0.0.1:7861 ")


def test_the_tunnel_names_an_address_of_ipv6_in_brackets() -> None:
    assert "-L 7860:[::1]:7860 " in tunnel(7860, "::1")
    assert "-L 7860:127.0.0.1:7860 " in tunnel(7860, "localhost")
