"""Keys: read hashed, compared whole, and asked for wherever others could listen in."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import openai
import pytest

from cli_runner import CommandLine
from serving_fixtures import running
from toolkit.errors import UsageError
from toolkit_serving.keys import SHORTEST, VARIABLE, Keys, read
from toolkit_serving.served import Fleet

KEY, OTHER = "k" * 31 + "1", "k" * 31 + "2"


def line(key: str) -> str:
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


def test_keys_of_the_environment_and_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert not read(None)
    place = tmp_path / "keys"
    place.write_text(f"# of the web shop\n{line(KEY)}\n\n")
    found = read(place)
    assert found.knows(KEY) and not found.knows(OTHER) and not found.knows("")
    monkeypatch.setenv(VARIABLE, f"{OTHER}, {'x' * SHORTEST}")
    both = read(place)
    assert all(map(both.knows, (KEY, OTHER, "x" * SHORTEST)))
    assert not both.knows(line(KEY)) and not both.knows(line(KEY).removeprefix("sha256:"))
    assert KEY not in repr(vars(both)) and OTHER not in repr(vars(both))


def test_what_is_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    place = tmp_path / "keys"
    for text, sentence in [(KEY, "stored hashed"), ("sha256:12", "stored hashed"), ("#", "no key")]:
        place.write_text(text)
        with pytest.raises(UsageError, match=sentence) as caught:
            read(place)
        assert KEY not in str(caught.value)
    with pytest.raises(UsageError, match="cannot read"):
        read(tmp_path / "none")
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(UsageError, match="random"):
        read(None)


def test_other_hosts_need_a_key(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        answer = cli("serve", "nothing", "--host", host)
        assert answer.code == 2 and "--keys" in answer.err


def test_an_unknown_run_is_refused(cli: CommandLine, tmp_path: Path) -> None:
    answer = cli("serve", "nothing", "--runs", tmp_path)
    assert answer.code == 2 and "no run 'nothing'" in answer.err


@pytest.mark.slow
def test_without_a_key_only_the_status_is_told(fleet: Fleet) -> None:
    with running(fleet, Keys([hashlib.sha256(KEY.encode()).digest()])) as site:
        for path in ("/health", "/ready"):
            assert httpx.get(site.url + path).status_code == 200
        for wrong in (None, f"Bearer {OTHER}", KEY, f"Basic {KEY}", "Bearer \xff"):
            header = {} if wrong is None else {"Authorization": wrong.encode("latin-1")}
            for path in ("/v1/models", "/metrics", "/tasks", "/openapi.json", "/nothing"):
                answer = httpx.get(site.url + path, headers=header)
                assert answer.status_code == 401, path
                assert answer.json()["error"]["code"] == "invalid_api_key"
        with openai.OpenAI(base_url=f"{site.url}/v1", api_key=KEY) as client:
            assert len(list(client.models.list())) == 3
        with (
            openai.OpenAI(base_url=f"{site.url}/v1", api_key=OTHER) as client,
            pytest.raises(openai.AuthenticationError),
        ):
            client.models.list()
        assert KEY not in site.log.getvalue() and OTHER not in site.log.getvalue()
