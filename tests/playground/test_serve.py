"""Who may look, and where: refused before anything heavy is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_runner import CommandLine
from toolkit.errors import UsageError
from toolkit.system import Console, redacted
from toolkit.system.doors import Names
from toolkit_playground import serve
from toolkit_playground.serve import (
    Options,
    announce,
    credentials,
    opened,
    outer_name,
    tunnel,
)
from toolkit_playground.state.classroom import Classroom


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.mark.parametrize("options", [["--share"], ["--host", "0.0.0.0"], ["--host", "::"]])
def test_an_open_door_without_a_password_is_refused(cli: CommandLine, options: list[str]) -> None:
    answer = cli("playground", *options)
    assert answer.code == 2 and "--auth" in answer.err


@pytest.mark.parametrize("options", [["--class", "--share"], ["--class", "--host", "0.0.0.0"]])
def test_a_class_needs_its_code_alone_and_a_public_link_a_password(
    cli: CommandLine, options: list[str], tmp_path: Path
) -> None:
    answer = cli("playground", "nothing", *options, "--runs", tmp_path, "--allow-host", "10.0.0.2")
    assert answer.code == 2 and ("--auth" in answer.err) is ("--share" in options)


@pytest.mark.parametrize(
    ("host", "allowed", "base"),
    [
        ("0.0.0.0", (), "http://192.168.1.20:7860"),
        ("::", (), "http://[fd00::20]:7860"),
        ("0.0.0.0", ("10.0.0.9", "school"), "http://10.0.0.9:7860"),
        ("192.168.1.4", (), "http://192.168.1.4:7860"),
        ("127.0.0.1", ("school:8080",), "http://school:8080"),
        ("127.0.0.1", (), "http://127.0.0.1:7860"),
    ],
)
def test_the_class_is_given_an_address_that_is_served(
    host: str, allowed: tuple[str, ...], base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("segno", reason="the extra 'playground' brings segno")
    monkeypatch.setattr(
        serve, "lan_address", lambda six=False: "fd00::20" if six else "192.168.1.20"
    )
    room = opened(Options(host=host, allow_hosts=allowed), host, 7860)
    assert room.base == base and not room.logins
    names = Names(outer_name(host) or "", allowed)
    assert names.knows(base.removeprefix("http://")) and not names.knows("203.0.113.7")


def test_a_machine_without_a_network_has_no_address_for_a_class(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("segno", reason="the extra 'playground' brings segno")
    monkeypatch.setattr(serve, "lan_address", lambda six=False: None)
    with pytest.raises(UsageError, match="--allow-host"):
        opened(Options(host="0.0.0.0"), "0.0.0.0", 7860)


def test_the_teachers_address_is_said_once_and_hidden_from_then_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    room = Classroom("http://192.168.1.20:7860", 7860, run="r")
    announce(room, "0.0.0.0", Console(quiet=False), open_browser=False)
    said = capsys.readouterr().err
    assert room.link() in said and f"http://127.0.0.1:7860/?teacher={room.secret}" in said
    assert room.secret not in redacted(f"an error with {room.secret}")


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
