"""Task endpoints give the predictions of ``toolkit predict``, row for row."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli_runner import environment, goods
from serving_fixtures import Site

pytestmark = pytest.mark.slow

ROWS = [{"title": one["title"], "kind": "", "price": ""} for one in goods(rows=12, seed=5)]


def predict(site: Site, name: str, rows: Any, **options: Any) -> httpx.Response:
    body = {"rows": rows, **options}
    return httpx.post(f"{site.url}/tasks/{name}/predict", json=body, timeout=60)


def equal(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    """All that ``toolkit predict`` prints is there; numbers may differ by their rounding."""
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        for key, value in other.items():
            close = pytest.approx(value, rel=1e-4) if isinstance(value, float) else value
            assert one[key] == close, (key, one)


PREDICT = """
import json, sys
from pathlib import Path
from toolkit.data.source import Source
from toolkit.pipeline.predict import predict
from toolkit.runs.run import Run
found = {}
for name, run, base in json.loads(sys.argv[2]):
    found[name] = predict(Run.open(Path(run)), [], Source(data=sys.argv[1]), adapter=not base)
print(json.dumps(found))
"""
"""What ``toolkit predict --data FILE --json`` does, for several runs in one process."""
ASKED = [("kinds", False), ("prices", True), ("classes", False)]


@pytest.fixture(scope="module")
def predicted(served_runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The predictions of a process of its own, by run."""
    data = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    asked = json.dumps([(name, str(served_runs[name]), base) for name, base in ASKED])
    printed = subprocess.run(
        [sys.executable, "-c", PREDICT, str(data), asked], env=environment(), check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(printed.stdout)


@pytest.mark.parametrize(("name", "base"), ASKED)
def test_as_a_process_of_its_own_predicts(
    site: Site, served_runs: dict[str, Path], predicted: Any, name: str, base: bool
) -> None:
    wanted = predicted[name]
    found = predict(site, name, ROWS, base=base).json()
    equal(found["predictions"], wanted)
    assert found["system"] == ("base" if base else "adapter") and found["decoder"]
    assert found["run"] == served_runs[name].name
    with ThreadPoolExecutor(len(ROWS)) as pool:  # a row a request, gathered into batches
        parts = list(pool.map(lambda row: predict(site, name, [row], base=base).json(), ROWS))
    numbered = [
        {**part["predictions"][0], "row_id": number} for number, part in enumerate(parts, 1)
    ]
    equal(numbered, wanted)


def test_texts_and_rows_are_two_ways_to_ask(site: Site) -> None:
    titles = [row["title"] for row in ROWS]
    by_text, by_row = predict(site, "kinds", titles), predict(site, "kinds", ROWS)
    assert by_text.json()["predictions"] == by_row.json()["predictions"]


def test_classes_come_with_their_probabilities(site: Site) -> None:
    (one,) = predict(site, "classes", ["red oak thing"]).json()["predictions"]
    shares = one["probabilities"]
    assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
    assert max(shares, key=shares.__getitem__) == one["prediction"]


def test_a_wrong_request_is_one_sentence_and_spoils_no_other(site: Site) -> None:
    long = "red " * 600
    with ThreadPoolExecutor(2) as pool:
        bad = pool.submit(predict, site, "kinds", [long])
        good = pool.submit(predict, site, "kinds", ["red oak thing"])
    assert good.result().status_code == 200
    assert bad.result().status_code == 400
    assert "leaves no room" in bad.result().json()["error"]["message"]
    for rows, sentence in [
        (["red", {"title": "red"}], "either all texts or all objects"),
        ([{"name": "red"}], "no column 'title'"),
        ([], "rows: "),
        ([1], "rows"),
    ]:
        answer = predict(site, "kinds", rows)
        assert answer.status_code == 400 and sentence in answer.json()["error"]["message"]
        assert "/tmp" not in answer.text
    assert predict(site, "nothing", ["red"]).status_code == 404


def test_the_tasks_are_listed_and_described(site: Site) -> None:
    listed = httpx.get(f"{site.url}/tasks").json()["tasks"]
    assert [one["name"] for one in listed] == ["kinds", "prices", "classes"]
    assert [one["writes"] for one in listed] == [True, True, False]
    assert list(listed[0]["inputs"]) == ["title"]
    schema = httpx.get(f"{site.url}/openapi.json").json()
    for name in ("kinds", "prices", "classes"):
        assert "post" in schema["paths"][f"/tasks/{name}/predict"]
    example = schema["components"]["schemas"]["KindsPredictRequest"]["examples"][0]
    assert predict(site, "kinds", example["rows"]).status_code == 200


def test_an_encoder_has_no_openai_endpoint(site: Site) -> None:
    body = {"model": "classes", "prompt": "red"}
    answer = httpx.post(f"{site.url}/v1/completions", json=body)
    assert answer.status_code == 404 and answer.json()["error"]["code"] == "model_not_found"
