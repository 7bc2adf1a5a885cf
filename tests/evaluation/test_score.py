"""The metrics document, the verdict each way, and what verification finds."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from judging_fixtures import METRICS, NOISES, FakePrices, finish, make_history, make_run
from toolkit.errors import PluginError, RunError
from toolkit.evaluation import learning_curve, slices, verdict
from toolkit.evaluation.score import score
from toolkit.pipeline.verify import recompute
from toolkit.runs.files import read_json, read_jsonl, write_json, write_jsonl
from toolkit.runs.run import Run

SCHEMA = Path(verdict.__file__).with_name("metrics.schema.json")
MAE = METRICS[0]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, FakePrices, dict[str, Any]]:
    run, task = make_run(tmp_path_factory.mktemp("runs"))
    finish(run)
    doc = score(run, task)
    write_json(run.path / "metrics.json", doc)
    return run, task, doc


def worth(folder: Path, **changes: Any) -> dict[str, Any]:
    run, task = make_run(folder, **changes)
    return dict(score(run, task)["verdict"])


# -- the document --------------------------------------------------------------------------------
def test_the_document_fits_its_schema(judged: tuple[Run, FakePrices, dict[str, Any]]) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(judged[2])
    json.dumps(judged[2], allow_nan=False)


def test_scoring_twice_gives_the_same(judged: tuple[Run, FakePrices, dict[str, Any]]) -> None:
    run, task, doc = judged
    assert score(run, task) == doc


def test_figures_are_those_of_the_predictions(
    judged: tuple[Run, FakePrices, dict[str, Any]],
) -> None:
    run, _, doc = judged
    rows = [r for r in read_jsonl(run.predictions / "adapter.jsonl") if r["split"] == "test"]
    mae = sum(abs(r["prediction"] - r["reference"]) for r in rows) / len(rows)
    found = doc["systems"]["adapter"]
    assert found["metrics"]["mae"]["value"] == pytest.approx(mae)
    assert found["n"] == len(rows) == doc["n"] == 300
    inside = sum(r["low"] <= r["reference"] <= r["high"] for r in rows) / len(rows)
    assert found["interval"]["coverage"] == pytest.approx(inside)
    assert found["interval"]["low"] < inside < found["interval"]["high"]


def test_comparisons_are_with_all_systems_on_the_primary_metric_and_with_rivals_on_all(
    judged: tuple[Run, FakePrices, dict[str, Any]],
) -> None:
    pairs = {(c["b"], c["metric"]) for c in judged[2]["comparisons"]}
    assert {b for b, metric in pairs if metric == "mae"} == set(NOISES) - {"adapter"}
    assert {b for b, metric in pairs if metric == "r2"} == {"ridge-log", "base"}


def test_a_metric_may_be_compared_with_all_systems(tmp_path: Path) -> None:
    run, task = make_run(tmp_path)
    metrics = [dataclasses.replace(m, against_all=m.name == "r2") for m in task.metrics]
    task.metrics = tuple(metrics)  # type: ignore[misc]
    pairs = {(c["b"], c["metric"]) for c in score(run, task)["comparisons"]}
    assert {b for b, metric in pairs if metric == "r2"} == set(NOISES) - {"adapter"}


def test_decoders_have_figures_on_validation_and_test(
    judged: tuple[Run, FakePrices, dict[str, Any]],
) -> None:
    doc = judged[2]
    greedy, top = doc["decoders"]["adapter"]
    assert (greedy["name"], greedy["chosen"], top["chosen"]) == ("greedy", False, True)
    assert top["test"] == pytest.approx(doc["systems"]["adapter"]["metrics"]["mae"]["value"])
    (compared,) = [c for c in doc["decoder_comparisons"] if c["system"] == "adapter"]
    assert (compared["a"], compared["b"]) == ("top-k", "greedy")
    assert compared["high"] < 0
    assert compared["difference"] == pytest.approx(top["test"] - greedy["test"])


def test_decoders_of_a_distribution_say_what_it_covers(tmp_path: Path) -> None:
    run, task = make_run(tmp_path)
    task.distribution_decoders = frozenset({"top-k"})  # type: ignore[attr-defined]
    place = run.predictions / "adapter.jsonl"
    lines = read_jsonl(place)
    for number, row in enumerate(lines):
        row["covered"] = (0.5, 0.9, 1.0)[number % 3] if row["split"] == "validation" else 0.1
    write_jsonl(place, lines)
    greedy, top = score(run, task)["decoders"]["adapter"]
    assert "covered" not in greedy and top["covered"] == 0.9
    assert all("covered" not in row for row in score(run, task)["decoders"]["base"])


def test_slices_are_in_order_and_small_parts_have_no_figures(
    judged: tuple[Run, FakePrices, dict[str, Any]],
) -> None:
    found = judged[2]["slices"]
    assert list(found["price"]) == ["under 30", "30–100", "100 and more"]
    assert found["category"]["rare"]["n"] < slices.SMALLEST_PART
    assert found["category"]["rare"]["systems"] == {}
    part = found["price"]["under 30"]["systems"]["adapter"]
    assert part["low"] <= part["value"] <= part["high"]


def test_parts_without_numbers_are_ordered_by_size() -> None:
    assert slices.in_order({"b": [1], "a": [1], "c": [1, 2]}) == ["c", "a", "b"]
    assert slices.in_order({"over 1,000": [1], "50–1,000": [1], "under 50": [1]}) == [
        "under 50",
        "50–1,000",
        "over 1,000",
    ]


def test_seeds_give_a_spread(tmp_path: Path) -> None:
    noises = {**NOISES, "adapter-seed-1": ("adapter", 0.16), "adapter-seed-2": ("adapter", 0.14)}
    run, task = make_run(tmp_path, noises=noises)
    doc = score(run, task)
    assert doc["seeds"]["n"] == 3
    assert min(doc["seeds"]["values"]) < doc["seeds"]["mean"] < max(doc["seeds"]["values"])
    assert "Over 3 training seeds" in doc["verdict"]["caveats"][0]
    assert all(c["a"] == "adapter" for c in doc["comparisons"])


# -- the verdict ---------------------------------------------------------------------------------
def test_worth_it(judged: tuple[Run, FakePrices, dict[str, Any]]) -> None:
    found = judged[2]["verdict"]
    assert found["worth_it"] is True
    assert found["best_baseline"] == "ridge-log"
    assert found["sentence"].startswith("Worth it, on SYNTHETIC data: the adapter's mean absolute")
    assert found["against"] == "ridge-log"
    assert "lower than that of the strongest of 3 baselines, ridge-log, and" in found["sentence"]
    assert "not of training seeds" in found["caveats"][0]


def test_a_baseline_as_good_is_named_though_validation_ranked_it_lower(tmp_path: Path) -> None:
    run, task = make_run(tmp_path)
    places = {name: run.predictions / f"{name}.jsonl" for name in ("adapter", "random-forest")}
    ours = {row["row_id"]: row for row in read_jsonl(places["adapter"]) if row["split"] == "test"}
    theirs = read_jsonl(places["random-forest"])
    rows = [ours[row["row_id"]] if row["split"] == "test" else row for row in theirs]
    write_jsonl(places["random-forest"], rows)
    found = score(run, task)["verdict"]
    assert found["worth_it"] is False
    assert (found["best_baseline"], found["against"]) == ("ridge-log", "random-forest")
    assert "equal to that of the strongest of 3 baselines, random-forest" in found["sentence"]


def test_beaten(tmp_path: Path) -> None:
    found = worth(tmp_path, noises={**NOISES, "adapter": ("adapter", 0.5)}, synthetic=False)
    assert found["worth_it"] is False
    assert found["sentence"].startswith("Not worth it: the adapter's")
    assert "higher than that of the strongest of 3 baselines, ridge-log, " in found["sentence"]
    assert "SYNTHETIC" not in json.dumps(found)


def test_equal_within_the_margin_even_where_significant(tmp_path: Path) -> None:
    found = worth(tmp_path, copy_of={"adapter": ("ridge-log", 0.001)})
    assert found["worth_it"] is False
    assert (
        "equal to that of the strongest of 3 baselines, ridge-log, within the task's margin of 2 %"
        in (found["sentence"])
    )


def test_cannot_tell(tmp_path: Path) -> None:
    found = worth(tmp_path, noises={**NOISES, "adapter": ("adapter", 0.24)})
    assert found["worth_it"] is None
    assert found["rows_needed"] is None
    assert found["sentence"].startswith("Cannot tell with 300 test rows")
    assert "would tell" not in found["sentence"]


def test_a_baseline_that_is_best_on_test_only_must_be_beaten_too(tmp_path: Path) -> None:
    run, task = make_run(tmp_path)
    place = run.predictions / "random-forest.jsonl"
    rows = read_jsonl(place)
    for row in rows:
        if row["split"] == "test":
            row["prediction"] = row["reference"]
            row["metrics"] = {m.name: m.per_example(*[row["reference"]] * 2) for m in METRICS}
    write_jsonl(place, rows)
    found = score(run, task)["verdict"]
    assert (found["best_baseline"], found["against"]) == ("ridge-log", "random-forest")
    assert found["worth_it"] is False
    assert "higher than that of the strongest of 3 baselines, random-forest" in found["sentence"]


def test_few_shot_competes_with_the_baselines(tmp_path: Path) -> None:
    found = worth(tmp_path, noises={**NOISES, "few-shot": ("few-shot", 0.05)})
    assert found["best_baseline"] == "few-shot"
    assert found["worth_it"] is False


def test_unreadable_outputs_are_a_caveat(tmp_path: Path) -> None:
    run, task = make_run(tmp_path)
    place = run.predictions / "adapter.jsonl"
    rows = read_jsonl(place)
    for row in rows[-3:]:
        row["parsed"] = False
    write_jsonl(place, rows)
    doc = score(run, task)
    assert doc["systems"]["adapter"]["parse_failures"]["value"] == pytest.approx(0.01)
    assert any("3 unreadable outputs of the adapter" in c for c in doc["verdict"]["caveats"])


def test_many_repeated_texts_are_a_caveat_where_groups_are_not_known(tmp_path: Path) -> None:
    run, task = make_run(tmp_path)
    preflight = read_json(run.data / "preflight.json")
    write_json(run.data / "preflight.json", preflight | {"duplicates": {"share": 0.25}})

    def told() -> bool:
        caveats = score(run, task)["verdict"]["caveats"]
        return any(caveat.startswith("25% of the rows share") for caveat in caveats)

    assert not told()  # the groups are computed from the stored rows, and the figures use them
    (run.data / "heldout.jsonl").unlink()
    assert told()


def test_a_run_without_training_has_no_verdict(tmp_path: Path) -> None:
    noises = {name: noise for name, noise in NOISES.items() if name != "adapter"}
    found = worth(tmp_path, noises=noises)
    assert found["worth_it"] is None
    assert found["sentence"].startswith("Nothing was trained")


# -- what is refused -----------------------------------------------------------------------------
def test_systems_must_have_answered_the_same_rows(tmp_path: Path) -> None:
    run, task = make_run(tmp_path)
    place = run.predictions / "base.jsonl"
    write_jsonl(place, read_jsonl(place)[:-1])
    with pytest.raises(RunError, match="did not predict the same test rows"):
        score(run, task)


def test_a_person_may_answer_some_of_the_rows(tmp_path: Path) -> None:
    run, task = make_run(tmp_path, noises={**NOISES, "me": ("human", 0.5)})
    place = run.predictions / "me.jsonl"
    write_jsonl(place, read_jsonl(place)[-50:])
    doc = score(run, task)
    assert doc["systems"]["me"]["n"] == 50
    assert doc["n"] == 300
    assert next(c for c in doc["comparisons"] if c["b"] == "me")["high"] < 0


def test_a_metric_that_is_not_a_number_is_the_plugins_mistake(tmp_path: Path) -> None:
    run, task = make_run(tmp_path)
    place = run.predictions / "base.jsonl"
    rows = read_jsonl(place)
    rows[5]["metrics"]["mae"] = float("nan")
    write_jsonl(place, rows)
    with pytest.raises(PluginError, match=r"'mae' gives (nan|None) for row 6 of 'base'"):
        score(run, task)


# -- verification --------------------------------------------------------------------------------
def test_an_unchanged_run_verifies(judged: tuple[Run, FakePrices, dict[str, Any]]) -> None:
    run, task, _ = judged
    assert recompute(run, task) == []


def test_a_changed_prediction_is_found(tmp_path: Path) -> None:
    run, task = make_run(tmp_path)
    write_json(run.path / "metrics.json", score(run, task))
    place = run.predictions / "adapter.jsonl"
    rows = read_jsonl(place)
    rows[-1]["prediction"] = rows[-1]["reference"]
    write_jsonl(place, rows)
    found = recompute(run, task)
    assert any("adapter.jsonl line 600, row 600 (test): mae is" in line for line in found)
    assert any("its decoder gave" in line for line in found)


def test_a_changed_row_is_found_even_where_it_is_consistent(tmp_path: Path) -> None:
    run, task = make_run(tmp_path)
    write_json(run.path / "metrics.json", score(run, task))
    place = run.predictions / "adapter.jsonl"
    rows = read_jsonl(place)
    row = rows[-1]
    row["reference"] = row["prediction"]
    row["metrics"] = {m.name: m.per_example(row["prediction"], row["reference"]) for m in METRICS}
    write_jsonl(place, rows)
    found = recompute(run, task)
    assert any("row 600 (test): reference is" in line for line in found)
    assert any(line.startswith("metrics.json: systems.adapter.metrics.mae.value") for line in found)


@pytest.mark.parametrize(
    "path",
    [
        ("systems", "adapter", "metrics", "mae", "value"),
        ("systems", "base", "interval", "coverage"),
        ("comparisons", 0, "p"),
        ("slices", "price", "under 30", "systems", "adapter", "high"),
        ("decoders", "adapter", 0, "test"),
        ("verdict", "worth_it"),
        ("history", 3, "loss"),
    ],
    ids=str,
)
def test_a_changed_figure_is_found(
    judged: tuple[Run, FakePrices, dict[str, Any]], path: tuple[Any, ...]
) -> None:
    run, task, doc = judged
    changed = json.loads(json.dumps(doc))
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = False if path[-1] == "worth_it" else place[path[-1]] * 1.001 + 1e-4
    write_json(run.path / "metrics.json", changed)
    try:
        found = recompute(run, task)
    finally:
        write_json(run.path / "metrics.json", doc)
    assert len(found) == 1
    assert str(path[-1]) in found[0]


def test_a_changed_interval_width_is_found(tmp_path: Path) -> None:
    run, task = make_run(tmp_path)
    write_json(run.path / "metrics.json", score(run, task))
    entries = read_json(run.predictions / "systems.json")
    entries[-1]["interval_width"] *= 2
    write_json(run.predictions / "systems.json", entries)
    found = recompute(run, task)
    assert any("the calibration rows give" in line for line in found)
    assert any("interval is" in line for line in found)


# -- overfitting ---------------------------------------------------------------------------------
def test_a_good_curve_has_no_signs() -> None:
    found = learning_curve.assess(make_history(60), MAE, {"best_step": 600, "stopped_early": False})
    assert found == {"signs": [], "notes": ["The checkpoint of step 600 was kept."]}


def test_losses_that_diverge_are_a_sign() -> None:
    history = make_history(60)
    for point in history:
        if "eval_loss" in point and point["step"] > 200:
            point["eval_loss"] += (point["step"] - 200) / 200
    (sign,) = learning_curve.assess(history, MAE, {})["signs"]
    assert sign.startswith("The validation loss was lowest at step 200")


def test_drops_where_epochs_begin_are_a_sign() -> None:
    history = make_history(60)
    for point in history:
        point["loss"] -= 0.5 * (point["epoch"] > 1.0) + 0.5 * (point["epoch"] > 2.0)
    (sign,) = learning_curve.assess(history, MAE, {})["signs"]
    assert "step 210, 410" in sign


def test_a_metric_that_worsens_is_a_sign() -> None:
    history = make_history(60)
    for point in history:
        if "eval_mae" in point and point["step"] > 300:
            point["eval_mae"] += 10
    (sign,) = learning_curve.assess(history, MAE, {"best_step": 300, "stopped_early": True})[
        "signs"
    ]
    assert "was best at step 300" in sign


def test_a_curve_that_still_falls_suggests_longer_training() -> None:
    history = [{"step": i, "epoch": i / 30, "eval_mae": 100.0 - i} for i in range(10, 40, 5)]
    (note,) = learning_curve.assess(history, MAE, {})["notes"]
    assert "still improving" in note
    assert learning_curve.assess([], MAE, {}) == {"signs": [], "notes": []}
