"""``--system``: answers of an API, of another run's adapter and of another model in one report."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

pytest.importorskip("httpx")
pytest.importorskip("tenacity")

from cli_runner import ROOT, Answer, CommandLine, goods, quick, write_csv
from openai_server import Server, chat
from toolkit.runs import trust
from toolkit.runs.run import Run

pytestmark = pytest.mark.usefixtures("no_charts")
KEY = "the-key-of-this-test-9"
API = ("--price-in", "1", "--price-out", "gpt=10", "--parallel", "3")


def priced(number: int, body: dict[str, Any]) -> Any:
    """Right prices where examples are in the prompt; refusals and nonsense now and then."""
    text = body["messages"][-1]["content"]
    if "thing 7" in text:
        return chat(None, refusal="I cannot say that")
    if "thing 8" in text:
        return chat("No idea \ud83d")
    price = 22 + 60 * ("oak" in text) + 35 * ("silk" in text)
    return chat(f"It costs ${price}." if len(body["messages"]) > 1 else "$50")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server(priced)
    yield made
    made.close()


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, server: Server
) -> CommandLine:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return CommandLine(capsys, monkeypatch)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ladder")
    write_csv(folder / "goods.csv", goods(150))
    return folder


def started(cli: CommandLine, place: Path, model: Path, *more: str | Path) -> Answer:
    return cli(
        "run", "price-regression", "--data", place / "goods.csv", "--runs", place / "runs",
        *quick(model), *more,
    )  # fmt: skip


def newest(place: Path) -> Path:
    return max((place / "runs" / "price-regression").iterdir())


@pytest.fixture
def first(cli: CommandLine, place: Path, tiny_llama: Path, tiny_qwen: Path) -> Path:
    """A run with an API and another model on its ladder; made once."""
    if not (place / "runs").is_dir():
        answer = started(
            cli, place, tiny_llama, "--system", "openai:gpt", "--system", str(tiny_qwen), *API
        )
        assert answer.code == 0, answer.err
    return min((place / "runs" / "price-regression").iterdir())


@pytest.mark.slow
def test_an_api_answers_zero_shot_and_few_shot_with_the_tasks_prompt_and_decoder(
    first: Path, server: Server
) -> None:
    doc = json.loads((first / "metrics.json").read_text())
    schema = json.loads((ROOT / "toolkit/evaluation/metrics.schema.json").read_text())
    jsonschema.validate(doc, schema)
    zero, few = doc["systems"]["api-gpt"], doc["systems"]["api-gpt-few-shot"]
    assert zero["role"] == few["role"] == "api" and zero["decoder"] == "greedy"
    lines = [json.loads(x) for x in (first / "predictions/api-gpt.jsonl").read_text().splitlines()]
    assert {x["prediction"] for x in lines if x["parsed"]} == {50.0}
    odd = [x for x in lines if re.search(r"thing [78]", json.dumps(x)) or not x["parsed"]]
    assert odd and all(set(x["decoders"]) == {"greedy"} for x in lines)
    assert few["metrics"]["mae"]["value"] < zero["metrics"]["mae"]["value"]
    held = [json.loads(x) for x in (first / "data/heldout.jsonl").read_text().splitlines()]
    asked = {body["messages"][-1]["content"] for body in server.bodies}
    assert all(any(row["text"][:40] in text for text in asked) for row in held)
    assert {c["b"] for c in doc["comparisons"]} >= {"api-gpt", "api-gpt-few-shot"}


@pytest.mark.slow
def test_the_report_has_the_price_of_a_thousand_answers(first: Path) -> None:
    doc = json.loads((first / "metrics.json").read_text())
    told = doc["systems"]["api-gpt"]["api"]
    # 1,000 tokens read at 1 and 100 written at 10 a million: 0.002 an answer.
    assert told["price_per_1000"] == pytest.approx(2.0)
    assert doc["speed"]["api_price_per_1000"] == pytest.approx(2.0)
    page = (first / "report.md").read_text()
    assert "$2 for 1,000 answers" in page and "refused" in page


@pytest.mark.slow
def test_another_untouched_model_stands_on_the_ladder_and_is_no_rival(first: Path) -> None:
    doc = json.loads((first / "metrics.json").read_text())
    others = [name for name, system in doc["systems"].items() if system["role"] == "other"]
    assert len(others) == 2 and others[1] == f"{others[0]}-few-shot"
    base = json.loads((first / "predictions/base.jsonl").read_text().splitlines()[0])
    other = json.loads((first / f"predictions/{others[0]}.jsonl").read_text().splitlines()[0])
    assert base["decoders"] != other["decoders"]
    assert doc["verdict"]["against"] not in others


@pytest.mark.slow
def test_the_key_is_in_no_file(first: Path, place: Path) -> None:
    files = [path for path in place.rglob("*") if path.is_file()]
    assert any(path.name == ".answers.sqlite" for path in files)
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


@pytest.mark.slow
def test_a_second_run_asks_nothing_again_and_has_the_first_ones_adapter_beside_it(
    first: Path, cli: CommandLine, place: Path, tiny_llama: Path, server: Server
) -> None:
    asked = len(server.bodies)
    answer = started(
        cli, place, tiny_llama, "--system", "openai:gpt", "--system", f"run:{first.name}", *API
    )
    assert answer.code == 0, answer.err
    assert len(server.bodies) == asked
    second = newest(place)
    doc = json.loads((second / "metrics.json").read_text())
    told = doc["systems"]["api-gpt"]["api"]
    assert told["from_cache"] == told["answered"] > 0 and told["spent"] == 0
    assert told["price_per_1000"] == pytest.approx(2.0)
    mine = (second / "predictions/adapter.jsonl").read_text().splitlines()
    other = (second / f"predictions/run-{first.name}.jsonl").read_text().splitlines()
    for a, b in zip(map(json.loads, mine), map(json.loads, other), strict=True):
        assert a["prediction"] == b["prediction"]  # the same training gives the same adapter
    assert doc["systems"][f"run-{first.name}"]["role"] == "other"
    assert cli("report", second, "--verify").code == 0


@pytest.mark.slow
def test_a_cap_stops_in_time_and_a_run_that_has_learned_the_test_rows_is_left_out(
    first: Path, cli: CommandLine, place: Path, server: Server
) -> None:
    before = len(server.bodies)
    answer = cli(
        "evaluate", first / "adapter", "--task", "price-regression", "--data", place / "goods.csv",
        "--runs", place / "judged", "--system", "openai:gpt", "--system", f"run:{first}", *API,
        "--max-cost", "0.05", "--answers", place / "other.sqlite",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert 10 < len(server.bodies) - before <= 25
    (judged,) = (place / "judged" / "price-regression").iterdir()
    doc = json.loads((judged / "metrics.json").read_text())
    told = doc["systems"]["api-gpt"]["api"]
    assert told["answered"] < told["questions"] == 150 and told["spent"] <= 0.05
    assert doc["systems"]["api-gpt"]["n"] == told["answered"] < doc["n"]
    assert "training rows are needed" in doc["absent"]["api-gpt-few-shot"]
    assert "rows without an answer (the cost cap is reached)" in answer.err
    assert "test rows were among the training rows" in doc["absent"][f"run-{first.name}"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--system", "openai:"], "needs the name of a model"),
        (["--system", "run:nope"], "no run 'nope'"),
        (["--system", "./nope"], "no such folder"),
        (["--system", "openai:m", "--system", "openai:m"], "named twice"),
        (["--system", "openai:m", "--max-cost", "1"], "a budget needs prices"),
        (["--system", "openai:m", "--price-in", "m=x"], "--price-in"),
        (["--max-cost", "1"], "need one"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_run(
    cli: CommandLine, place: Path, tiny_llama: Path, options: list[str], message: str
) -> None:
    answer = started(cli, place, tiny_llama, *options)
    assert answer.code == 2 and message in " ".join(answer.err.split())


def test_an_api_without_a_key_and_a_task_that_writes_nothing_are_refused(
    cli: CommandLine, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = cli("run", "review-rating", "--system", "openai:m")
    assert answer.code == 2 and "writes no text" in answer.err
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.delenv("OPENAI_API_KEY")
    answer = cli("run", "price-regression", "--system", "openai:m")
    assert answer.code == 2 and "OPENAI_API_KEY is not set" in answer.err


@pytest.mark.slow
def test_somebody_elses_run_sends_nothing(
    first: Path, cli: CommandLine, place: Path, tmp_path: Path, server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    info = json.loads((first / "run.json").read_text())
    for stage in ("base", "train", "predict", "score", "report"):
        info["stages"][stage]["state"] = "stopped"
    entries = json.loads((first / "predictions/systems.json").read_text())
    copy = tmp_path / "runs" / "price-regression" / first.name
    shutil.copytree(first, copy)
    (copy / "run.json").write_text(json.dumps(info))
    kept = [entry for entry in entries if entry["role"] == "baseline"]
    (copy / "predictions/systems.json").write_text(json.dumps(kept))
    monkeypatch.setenv("TOOLKIT_STATE", str(tmp_path / "state"))
    trust.withdraw()
    asked = len(server.bodies)
    answer = cli("resume", copy)
    assert answer.code == 2 and "sends its rows to an API" in answer.err
    assert len(server.bodies) == asked
    assert Run.open(copy).info["stages"]["base"]["state"] != "done"
