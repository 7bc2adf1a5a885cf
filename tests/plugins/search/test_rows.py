"""``toolkit rows``: nested shares, one set of test rows, the page, and going on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli_runner import CommandLine, goods, quick, write_csv
from toolkit.errors import UsageError
from toolkit.runs.run import Run
from toolkit_search import growing, rows_result
from toolkit_search.growing import Point

pytest.importorskip("matplotlib")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


def made(points: list[tuple[int, float, float]], monkeypatch: pytest.MonkeyPatch) -> dict:
    """The document of figures that were made up: rows, adapter, baseline."""
    from tiny_tasks import TinyPrices

    monkeypatch.setattr(rows_result, "nested", lambda points: True)
    metric = {
        "name": "mae",
        "label": "MAE",
        "unit": "$",
        "format": ".2f",
        "greater_is_better": False,
    }
    return rows_result.document(
        TinyPrices,
        [
            Point(n / points[-1][0], n, points[-1][0], f"runs/x/{n}", {
                "metrics": [metric], "primary_metric": "mae", "synthetic": False, "seeds": None,
                "verdict": {"best_baseline": "ridge", "sentence": "s", "unfinished": None},
                "systems": {
                    "ridge": {"role": "baseline", "metrics": {"mae": {"value": baseline}}},
                    "adapter": {"role": "adapter", "metrics": {"mae": {"value": ours}}},
                },
            })
            for n, ours, baseline in points
        ],
        [2.0, 10.0],
    )  # fmt: skip


def test_what_more_rows_would_bring_is_said_with_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = (100, 200, 400, 800, 1600)
    doc = made([(n, 10 + 900 * n**-0.6, 24 + 20 * n**-0.5) for n in sizes], monkeypatch)
    ours = {at["times"]: at for at in doc["systems"]["adapter"]["expected"]}
    assert ours[10]["rows"] == 16_000
    assert ours[10]["value"] == pytest.approx(10 + 900 * 16_000**-0.6, rel=0.1)
    assert ours[2]["low"] < ours[2]["value"] < ours[2]["high"]
    assert doc["crossing"]["ahead_at_10"] > 0.9
    text = " ".join(doc["sentences"])
    assert "2 × the rows (3,200)" in text and "cross" in text and "ridge" in text
    page = rows_result.html(doc)
    assert page.count("<svg") == 2 and "16,000" in page and "ridge" in page


@pytest.mark.parametrize("text", ["", "a", "0,1,2", "0.5,1", "nan,0.5,1", "-1,0.5,1"])
def test_shares_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--shares"):
        growing.numbers(text, "--shares", most=1.0, least=3)


@pytest.mark.slow
@pytest.mark.usefixtures("no_charts")  # in the reports of its runs; the page of shares has its own
def test_shares_are_nested_judged_on_the_same_rows_and_gone_on_with(
    cli: CommandLine, tmp_path: Path, tiny_llama: Path
) -> None:
    data = write_csv(tmp_path / "goods.csv", goods(160))
    command = [
        "rows", "price-regression", "--data", data, "--runs", tmp_path / "runs", "--out",
        tmp_path / "result", "--shares", "0.3,0.6,1", "--json", *quick(tiny_llama),
    ]  # fmt: skip
    answer = cli(*command)
    assert answer.code == 0, answer.err
    doc = json.loads(answer.out)
    assert doc["nested"] and [share["rows"] for share in doc["shares"]] == [37, 74, 124]
    runs = [Run.open(Path(share["run"])) for share in doc["shares"]]
    held = {(run.path / "data" / "heldout.jsonl").read_bytes() for run in runs}
    assert len(held) == 1
    assert (tmp_path / "result" / "report.html").is_file()
    # What is done is not done again; another setting is refused.
    again = cli(*command)
    assert again.code == 0 and json.loads(again.out) == doc
    assert len(list((tmp_path / "runs" / "price-regression").iterdir())) == 3
    other = cli(*command, "--seed", "4")
    assert other.code == 2 and "other settings" in other.err
