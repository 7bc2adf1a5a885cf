"""Targets, controls, challenge rows, and metrics that apply to some rows only."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import jsonschema
import pytest

from data_fixtures import Echo
from judging_fixtures import METRICS, NOISES, FakePrices, finish, make_run
from toolkit import Target
from toolkit.data.source import Source
from toolkit.errors import PluginError
from toolkit.evaluation import latency, verdict
from toolkit.evaluation.predict import predict_baseline
from toolkit.evaluation.score import score
from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import interval, paired
from toolkit.preparation.prepare import heldout, prepare, save
from toolkit.reporting import context, report
from toolkit.runs.files import read_json, read_jsonl, write_json, write_jsonl
from toolkit.runs.run import Run

SCHEMA = json.loads(Path(verdict.__file__).with_name("metrics.schema.json").read_text())
TARGETS = (
    Target.metric("Error", 1000, "mae", at_least=False, format=".1f", unit="$"),
    Target.metric("Small error", 0.1, "mae", at_least=False),
    Target.spread("Between categories", 1e6, "category"),
    Target.drop("Drop", 0.0, "category", note="of the error"),
    Target.worst("Least", 1e6, "category"),
    Target.worst("Most", 1e6, "category", at_least=False),
    Target.worst("Of no slice", 0, "nowhere"),
    Target.speed("Fast", 10, "p95_seconds", at_least=False),
)


class Wanting(FakePrices):
    """The fake task with targets."""

    def targets(self) -> Sequence[Target]:
        return TARGETS


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, FakePrices, dict[str, Any]]:
    run, _ = make_run(tmp_path_factory.mktemp("runs"))
    finish(run)
    run.info["speed"] = {"single_seconds": [0.1, 0.2, 0.3, 0.4], "peak_memory_mb": 700.0}
    run.info["recipe"]["cost"] = {"watts": 50, "price_per_kwh": 0.4, "api_price_per_query": 0.02}
    task = Wanting()
    doc = score(run, task)
    write_json(run.path / "metrics.json", doc)
    return run, task, doc


# -- targets ---------------------------------------------------------------------------------------
def test_each_target_is_compared_with_its_figure(scored: tuple[Run, Any, dict[str, Any]]) -> None:
    doc = scored[2]
    found = {t["label"]: t for t in doc["targets"]}
    error = doc["systems"]["adapter"]["metrics"]["mae"]
    assert found["Error"]["value"] == error["value"] and found["Error"]["high"] == error["high"]
    assert (found["Error"]["met"], found["Error"]["surely"]) == (True, True)
    assert (found["Small error"]["met"], found["Small error"]["surely"]) == (False, False)
    parts = [p["systems"]["adapter"]["value"] for p in doc["slices"]["category"].values()
             if p["systems"]]  # fmt: skip
    assert found["Between categories"]["value"] == pytest.approx(max(parts) - min(parts))
    assert found["Drop"]["value"] == pytest.approx(1 - min(parts) / max(parts))
    assert found["Drop"]["met"] is False and found["Drop"]["surely"] is None
    assert found["Least"]["value"] == min(parts) and found["Least"]["met"] is False
    assert found["Most"]["value"] == max(parts) and found["Most"]["met"] is True
    assert found["Of no slice"]["met"] is None
    assert found["Fast"]["met"] is True
    jsonschema.Draft202012Validator(SCHEMA).validate(doc)


def test_the_pages_show_targets_and_prices(scored: tuple[Run, Any, dict[str, Any]]) -> None:
    run, task, _ = scored
    report.write(run, task)
    page = (run.path / "report.html").read_text()
    assert "at most 1000.0\u00a0$" in page and "of the error" in page and "not measured" in page
    assert "95th percentile of their latency" in page
    assert "$0.0013" in page  # 50 W · 0.25 s · 1000 · 0.40
    text = (run.path / "report.md").read_text()
    assert "## Targets" in text and "## Cost and speed" in text and "| category | tools |" in text


def test_without_training_no_target_is_met(tmp_path: Path) -> None:
    run, _ = make_run(tmp_path, noises={k: v for k, v in NOISES.items() if k != "adapter"})
    assert {t["met"] for t in score(run, Wanting())["targets"]} == {None}


# -- cost ------------------------------------------------------------------------------------------
def test_prices_follow_from_what_the_user_sets() -> None:
    found = latency.prices(
        {"watts": 100, "price_per_kwh": 0.3, "machine_price_per_hour": 0.6,
         "api_price_per_query": 0.001},
        seconds=3.6, training_seconds=1800,
    )  # fmt: skip
    assert found["kwh_per_1000"] == pytest.approx(0.1)  # an hour of 100 W
    assert found["price_per_1000"] == pytest.approx(0.63)  # 0.03 of electricity, 0.60 of machine
    assert found["api_price_per_1000"] == pytest.approx(1.0)
    assert found["saving"] == pytest.approx(0.37)
    assert found["training_price"] == pytest.approx(0.315)


def test_without_figures_no_price_is_made_up() -> None:
    found = latency.prices({}, seconds=1.0, training_seconds=60)
    assert {v for k, v in found.items() if k != "currency"} == {None}


# -- metrics of some rows --------------------------------------------------------------------------
def mean_of_even() -> Metric:
    return Metric("even", lambda p, r: abs(p - r) if r % 2 == 0 else None)


def test_a_metric_counts_only_the_rows_it_applies_to() -> None:
    metric = mean_of_even()
    values, other = [None, 2.0, None, 4.0], [None, 1.0, None, 1.0]
    assert metric.value(values) == 3.0
    assert interval(metric, values).value == 3.0
    found = paired(metric, values, other)
    assert found.difference == 2.0 and found == paired(metric, [2.0, 4.0], [1.0, 1.0])
    assert math.isnan(metric.value([None, None]))
    assert math.isnan(paired(metric, [None], [None]).difference)
    with pytest.raises(ValueError, match="other rows"):
        paired(metric, values, [1.0, None, None, 4.0])


def test_figures_of_some_rows_go_through_the_document(tmp_path: Path) -> None:
    run, task = make_run(tmp_path)
    for entry in read_json(run.predictions / "systems.json"):
        rows = read_jsonl(run.predictions / entry["file"])
        for row in rows:
            row["metrics"]["even"] = None if row["row_id"] % 2 else row["metrics"]["mae"]
            row["metrics"]["never"] = None
        write_jsonl(run.predictions / entry["file"], rows)
    task.metrics = (*METRICS, mean_of_even(), replace(mean_of_even(), name="never"))
    doc = score(run, task)
    jsonschema.Draft202012Validator(SCHEMA).validate(doc)
    rows = [r for r in read_jsonl(run.predictions / "adapter.jsonl") if r["split"] == "test"]
    even = [r["metrics"]["mae"] for r in rows if r["row_id"] % 2 == 0]
    found = doc["systems"]["adapter"]["metrics"]
    assert found["even"]["value"] == pytest.approx(sum(even) / len(even))
    assert found["never"]["value"] is None
    assert any(c["metric"] == "even" and c["p"] is not None for c in doc["comparisons"])


# -- controls ------------------------------------------------------------------------------------
def test_a_control_is_in_the_ladder_and_is_compared_with_nothing(tmp_path: Path) -> None:
    plain = score(*make_run(tmp_path / "a"))
    run, task = make_run(tmp_path / "b", noises={**NOISES, "gold": ("control", 0.001)})
    doc = score(run, task)
    assert doc["systems"]["gold"]["role"] == "control"
    assert doc["verdict"]["worth_it"] is plain["verdict"]["worth_it"] is True
    assert doc["verdict"]["best_baseline"] == plain["verdict"]["best_baseline"]
    assert not any(c["b"] == "gold" for c in doc["comparisons"])
    assert not any("gold" in caveat for caveat in doc["verdict"]["caveats"])
    assert context.in_order(doc)[0] == "gold"
    marked = {row["name"] for row in context.ladder(doc) if row["cells"][0]["best"]}
    assert marked and "gold" not in marked
    write_json(run.path / "metrics.json", doc)
    report.write(run, task)
    assert "| gold (control) |" in (run.path / "report.md").read_text(encoding="utf-8")


def test_a_metric_has_a_note_on_how_it_is_computed(tmp_path: Path) -> None:
    run, _ = make_run(tmp_path)
    said = "the mean of the absolute differences; it does not see which way they go."

    class Told(FakePrices):
        metrics = (replace(METRICS[0], note=said), *METRICS[1:])

    task = Told()
    doc = score(run, task)
    jsonschema.Draft202012Validator(SCHEMA).validate(doc)
    write_json(run.path / "metrics.json", doc)
    report.write(run, task)
    for name in ("report.md", "report.html"):
        assert (run.path / name).read_text(encoding="utf-8").count(said) == 1


# -- challenge rows --------------------------------------------------------------------------------
class Stressed(Echo):
    """A task that brings rows that are hard on purpose."""

    metrics = (Metric("error", lambda p, r: abs(p - r), greater_is_better=False),)
    primary_metric = "error"

    def load_rows(self, source: Source) -> Any:
        def rows(first: int, number: int, word: str) -> datasets.Dataset:
            made = [{"row_id": i, "text": f"{word} {i}", "score": float(i)}
                    for i in range(first, first + number)]  # fmt: skip
            return datasets.Dataset.from_list(made)

        train = [*rows(1, 60, "plain"), {"row_id": 900, "text": "hard 203", "score": 1.0}]
        return datasets.DatasetDict(
            {
                "train": datasets.Dataset.from_list(train),
                "validation": rows(100, 40, "other"),
                "test": rows(150, 30, "test"),
                "challenge": rows(200, 15, "hard"),
            }
        )

    def slices(self) -> Mapping[str, Any]:
        return {"kind": lambda row: row["text"].split()[0]}


def test_challenge_rows_are_predicted_and_count_in_slices_only(tmp_path: Path) -> None:
    task = Stressed()
    prepared = prepare(task, Source())
    assert prepared.sizes["challenge"] == 15
    assert prepared.left_out["train: text is in challenge too"] == [900]
    run, _ = make_run(tmp_path)
    save(prepared, run)
    assert len(heldout(run)["challenge"]) == 15
    entry = predict_baseline(
        run, task, "off-by-one", lambda train: lambda rows: [s + 1 for s in rows["score"]],
        prepared.splits,
    )  # fmt: skip
    worse = predict_baseline(
        run, task, "off-by-more",
        lambda train: lambda rows: [s + (9 if s >= 200 else 1) for s in rows["score"]],
        prepared.splits, "adapter",
    )  # fmt: skip
    write_json(run.predictions / "systems.json", [entry, worse])
    doc = score(run, task)
    assert doc["n"] == 30
    told = {"off-by-one": entry["validation"], "off-by-more": worse["validation"]}
    assert told == {name: doc["validation"][name]["error"] for name in told}
    assert doc["systems"]["off-by-more"]["metrics"]["error"]["value"] == 1.0
    parts = doc["slices"]["kind"]
    assert parts["hard"]["n"] == 15
    assert parts["hard"]["systems"]["off-by-more"]["value"] == 9.0
    assert parts["test"]["systems"]["off-by-more"]["value"] == 1.0


class Ranged(Stressed):
    """The same with intervals."""

    def residual(self, prediction: Any, reference: Any) -> float:
        return abs(float(prediction) - float(reference))

    def interval(self, prediction: Any, width: float) -> tuple[float, float]:
        return prediction - width, prediction + width


@pytest.mark.parametrize(("kind", "answered"), [(Stressed, False), (Ranged, True)])
def test_calibration_rows_are_predicted_where_there_are_intervals(
    kind: type[Stressed], answered: bool, tmp_path: Path
) -> None:
    task = kind()
    run, _ = make_run(tmp_path)
    entry = predict_baseline(
        run, task, "off-by-one", lambda train: lambda rows: [s + 1 for s in rows["score"]],
        prepare(task, Source()).splits,
    )  # fmt: skip
    lines = list(read_jsonl(run.predictions / "off-by-one.jsonl"))
    assert {"validation", "test", "challenge"} <= {line["split"] for line in lines}
    assert any(line["split"] == "calibration" for line in lines) is answered
    assert entry["interval_width"] == (1.0 if answered else None)


def test_preflight_counts_no_challenge_row_as_a_copy() -> None:
    from toolkit.preparation import preflight

    found = preflight.check(Stressed(), prepare(Stressed(), Source()))
    assert found.duplicates["rows"] == 0


def test_the_fingerprint_includes_the_challenge_rows() -> None:
    class Without(Stressed):
        def load_rows(self, source: Source) -> Any:
            found = super().load_rows(source)
            del found["challenge"]
            return found

    assert prepare(Stressed(), Source()).fingerprint != prepare(Without(), Source()).fingerprint


def test_a_figure_that_is_not_finite_is_refused_when_it_is_made(tmp_path: Path) -> None:
    task = Stressed()
    task.metrics = (Metric("error", lambda p, r: math.nan),)
    run, _ = make_run(tmp_path)
    with pytest.raises(PluginError, match="'error' gives nan for row"):
        predict_baseline(
            run, task, "x", lambda train: lambda rows: list(rows["score"]),
            prepare(task, Source()).splits,
        )  # fmt: skip
