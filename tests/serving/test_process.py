"""A server as a process of its own: it finishes what runs, and stands before another server."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from cli_runner import CommandLine
from serving_fixtures import Site, running, server
from toolkit.errors import ToolkitError, UsageError
from toolkit.runs.run import Run
from toolkit_serving import remote, serve
from toolkit_serving.keys import Keys

pytestmark = pytest.mark.slow

ROWS = [f"red oak thing {number}" for number in range(6)]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


def test_a_signal_lets_it_finish_what_runs(served_runs: dict[str, Path], tmp_path: Path) -> None:
    log = tmp_path / "log"
    with server(f"first={served_runs['kinds']}", log=log) as (url, process):
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            assert [one.id for one in client.models.list()] == ["base", "first"]
            events = client.completions.create(
                model="base", prompt="red", max_tokens=400, stream=True
            )
            first = next(events)
            assert first.choices[0].finish_reason is None
            process.send_signal(signal.SIGTERM)
            *_, last = events
            assert last.choices[0].finish_reason in ("length", "stop")
        assert process.wait(60) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health")
    text = log.read_text(encoding="utf-8")
    assert "stopped" in text and "Traceback" not in text
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert [line["status"] for line in lines] == [200, 200]


def predict(url: str, rows: Any, **options: Any) -> Any:
    body = {"rows": rows, **options}
    return httpx.post(f"{url}/tasks/kinds/predict", json=body, timeout=60)


def test_before_another_server_it_predicts_the_same(
    site: Site, served_runs: dict[str, Path]
) -> None:
    fleet = remote.load([("kinds", Run.open(served_runs["kinds"]))])
    assert fleet.members["kinds"].kind.model is None  # the weights are the other server's
    for url in (site.url, f"{site.url}/v1/"):
        with running(fleet, engine_url=url) as front:
            for base in (False, True):
                direct, through = (predict(u, ROWS, base=base) for u in (site.url, front.url))
                assert through.json() == direct.json()
            assert httpx.get(f"{front.url}/ready").status_code == 200
            assert httpx.get(f"{front.url}/v1/models").status_code == 404
            refused = predict(front.url, ["red " * 600])
            assert refused.status_code == 400


def test_an_engine_that_is_not_there(served_runs: dict[str, Path], site: Site) -> None:
    fleet = remote.load([("kinds", Run.open(served_runs["kinds"]))])
    options = serve.Options(engine_url="http://127.0.0.1:9")
    with pytest.raises(ToolkitError, match="does not answer"):
        serve.application(fleet, Keys(), options)
    other = remote.load([("unknown", Run.open(served_runs["kinds"]))])
    with pytest.raises(UsageError, match="no model 'unknown', only base, kinds, prices"):
        serve.application(other, Keys(), serve.Options(engine_url=site.url))
    with running(fleet, engine_url=site.url) as front:
        engine: Any = front.service.engine
        engine._client.base_url = "http://127.0.0.1:9/v1/"
        answer = predict(front.url, ["red"])
        assert answer.status_code == 502
        assert answer.json()["error"]["type"] == "upstream_error"
        assert httpx.get(f"{front.url}/ready").status_code == 503


def test_what_no_other_server_can_answer(cli: CommandLine, served_runs: dict[str, Path]) -> None:
    answer = cli("serve", served_runs["classes"], "--engine-url", "http://127.0.0.1:9")
    assert answer.code == 2 and "an encoder, which writes no text" in answer.err


def test_names_and_bases_are_checked_before_anything_is_loaded(
    cli: CommandLine, served_runs: dict[str, Path]
) -> None:
    run = served_runs["kinds"]
    for given, sentence in [
        ([run, run], "two runs are called 'kinds'"),
        ([f"Odd Name={run}"], "cannot name a run"),
        ([f"base={run}"], "cannot name a run"),
    ]:
        answer = cli("serve", *given)
        assert answer.code == 2 and sentence in answer.err


def test_the_command_of_vllm(
    cli: CommandLine, served_runs: dict[str, Path], tiny_qwen: Path
) -> None:
    answer = cli("serve", served_runs["kinds"], served_runs["prices"], "--engine", "vllm",
                 "--runs", served_runs["kinds"].parents[1])  # fmt: skip
    assert answer.code == 0, answer.err
    words = answer.out.split()
    assert words[:2] == ["vllm", "serve"] and words[words.index("--max-lora-rank") + 1] == "16"
    modules = words[words.index("--lora-modules") + 1 :]
    assert [one.split("=")[0] for one in modules] == ["kinds", "prices"]
    assert all((Path(one.split("=")[1]) / "adapter_config.json").is_file() for one in modules)
    template = Path(words[words.index("--chat-template") + 1])
    kept = served_runs["kinds"] / "adapter" / "chat_template.jinja"
    assert template.read_text() == kept.read_text()
    settings = Path(words[words.index("--generation-config") + 1]) / "generation_config.json"
    stops = json.loads(settings.read_text())["eos_token_id"]
    assert stops and all(isinstance(one, int) for one in stops)
    refused = cli("serve", served_runs["classes"], "--engine", "vllm")
    assert refused.code == 2 and "vLLM" in refused.err
