"""Stored predictions with their values computed again: what is decoded again, and what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from judging_fixtures import FakePrices, make_run
from tiny_tasks import TinyColours, TinyGoods, TinyPrices
from toolkit.errors import PluginError
from toolkit.evaluation.prediction_files import figures, line, write_system
from toolkit.evaluation.recompute import decode_again, recompute
from toolkit.metrics.metric import Metric
from toolkit.runs.files import read_json, read_jsonl
from toolkit.runs.predictions import check_shapes
from toolkit.runs.run import Run

INFO = {"task": "t", "recipe": {}, "source": {}, "seed": 0}


def rows(task: Any, n: int = 6) -> list[dict[str, Any]]:
    from toolkit.data.source import Source

    found = task.load_rows(Source()).select(range(n))
    return [{"row_id": i, **row} for i, row in enumerate(found, 1)]


def lines(task: Any, given: list[dict[str, Any]], raw: list[str], **kept: Any) -> list[Any]:
    """Lines as a model's, with the stored decoders of ``kept``."""
    return [
        line(
            task, "validation" if at < 3 else "test", row, text, None, seconds=0.0, raw=text,
            decoders={name: values[at] for name, values in kept.items()}, tokens=1,
            hit_limit=False,
        )
        for at, (row, text) in enumerate(zip(given, raw, strict=True))
    ]  # fmt: skip


def test_a_text_is_decoded_again() -> None:
    task = TinyColours()
    given = rows(task)
    stored = lines(task, given, [" red "] * 5 + [" "], default=["?"] * 6)
    assert decode_again(task, {}, stored, given) == {"default": ["red"] * 5 + [None]}
    assert decode_again(task, {}, stored, [None, *given[1:]]) == {}


def test_decoders_that_read_probabilities_are_left_out() -> None:
    task = TinyPrices()
    task.load_state({"median": 9.0, "largest": 99})
    stored = [{"raw": "12", "tokens": 1, "hit_limit": False} for _ in range(6)]
    found = decode_again(task, {}, stored, rows(task))
    assert found == {"greedy": [12.0] * 6}


def test_a_decoder_that_takes_any_exception_for_unreadable_is_left_out_too() -> None:
    class Careful(TinyColours):
        def postprocess(self, output: Any, row: Any) -> Any:
            try:
                return str(output.logprobs)
            except Exception:
                return None

    task = Careful()
    given = rows(task)
    assert decode_again(task, {}, lines(task, given, ["x"] * 6), given) == {}


def test_outputs_of_encoders_are_not_texts() -> None:
    stored = [{"raw": "cup 0.91, bed 0.05"}] * 6
    assert decode_again(TinyGoods(), {}, stored, rows(TinyGoods())) == {}


def test_values_follow_the_code_and_the_best_decoder_is_chosen_again(tmp_path: Path) -> None:
    class Longest(TinyColours):
        """Its second decoder is right where the first is not, by the mended metric."""

        def decoders(self) -> Any:
            return {
                "first": lambda output, row, tuned: output.text.split()[0],
                "last": lambda output, row, tuned: output.text.split()[-1],
                "likeliest": lambda output, row, tuned: str(output.numbers),
            }

    task, run = Longest(), Run.create(tmp_path, INFO)
    given = rows(task)
    raw = [f"none {row['colour']}" for row in given]
    stored = lines(task, given, raw, first=["none"] * 6, likeliest=["none"] * 6)
    write_system(
        run, "adapter", "adapter", stored, None, fit_seconds=None, predict_seconds=1.0,
        decoder="first",
    )  # fmt: skip
    before = {p.name: p.read_bytes() for p in run.predictions.iterdir()}
    known = {
        ("validation" if at < 3 else "test", row["row_id"]): row for at, row in enumerate(given)
    }
    contents, done = recompute(run, task, known, "auto")
    assert {p.name: p.read_bytes() for p in run.predictions.iterdir()} == before
    assert done.decoded == {"adapter": ["first", "last"]} and done.kept == {
        "adapter": ["likeliest"]
    }
    assert done.decoders == {"adapter": "last"} and (done.lines, done.changed) == (6, 6)
    assert "another decoder is best on validation: adapter last" in done.sentence()
    for name, content in contents.items():
        (run.path / name).write_bytes(content)
    new = read_jsonl(run.predictions / "adapter.jsonl")
    assert [row["prediction"] for row in new] == [row["colour"] for row in given]
    assert {row["metrics"]["accuracy"] for row in new} == {1.0}
    assert read_json(run.predictions / "systems.json")[0]["decoder"] == "last"
    assert recompute(run, task, known, "auto")[0] == {}
    assert not recompute(run, task, known, "first")[1].decoders


@pytest.mark.parametrize(("share", "chosen"), [(0.979, "greedy"), (0.981, "mean")])
def test_a_distribution_that_is_mostly_unknown_is_not_chosen_again(
    tmp_path: Path, share: float, chosen: str
) -> None:
    task, run = TinyPrices(), Run.create(tmp_path, INFO)
    task.state = {"median": 85.0, "largest": 999}
    given = rows(task)
    right = [float(row["price"]) for row in given]
    stored = [
        {"covered": share} | line(
            task, "validation" if at < 3 else "test", row, 1.0, None, seconds=0.0, raw="1",
            decoders={"greedy": 1.0, "mean": right[at]}, tokens=1, hit_limit=False,
        )
        for at, row in enumerate(given)
    ]  # fmt: skip
    write_system(
        run, "adapter", "adapter", stored, None, fit_seconds=None, predict_seconds=1.0,
        decoder="greedy",
    )  # fmt: skip
    known = {
        ("validation" if at < 3 else "test", row["row_id"]): row for at, row in enumerate(given)
    }
    contents, _ = recompute(run, task, known, "auto")
    for name, content in contents.items():
        (run.path / name).write_bytes(content)
    assert read_json(run.predictions / "systems.json")[0]["decoder"] == chosen
    assert {row["covered"] for row in read_jsonl(run.predictions / "adapter.jsonl")} == {share}


@pytest.mark.parametrize("stored", [True, False], ids=["rows stored", "rows not stored"])
def test_a_run_whose_code_is_the_same_stays_as_it_is(tmp_path: Path, stored: bool) -> None:
    run, task = make_run(tmp_path, sizes={"validation": 10, "calibration": 20, "test": 20})
    held = read_jsonl(run.data / "heldout.jsonl") if stored else []
    known = {(row["split"], row["row_id"]): row for row in held}
    contents, done = recompute(run, task, known, None)
    assert done.changed == 0 and done.lines == 250
    for name, content in contents.items():  # what earlier versions did not write is added
        (run.path / name).write_bytes(content)
    assert recompute(run, task, known, None)[0] == {}
    assert done.stored == ["constant-median", "ridge-log", "random-forest"]


@pytest.mark.parametrize("stored", [True, False], ids=["rows stored", "rows not stored"])
def test_a_mended_metric_and_interval_change_all_lines(tmp_path: Path, stored: bool) -> None:
    run, _ = make_run(tmp_path, sizes={"validation": 10, "calibration": 20, "test": 20})

    class Mended(FakePrices):
        metrics = (Metric("mae", lambda p, r: 2 * abs(p - r)), *FakePrices.metrics[1:])

        def residual(self, prediction: Any, reference: Any) -> float:
            return abs(prediction - reference)

        def interval(self, prediction: Any, width: float) -> tuple[float, float]:
            return prediction - width, prediction + width

    held = read_jsonl(run.data / "heldout.jsonl") if stored else []
    known = {(row["split"], row["row_id"]): row for row in held}
    before = read_jsonl(run.predictions / "ridge-log.jsonl")
    contents, done = recompute(run, Mended(), known, None)
    assert done.changed == 250
    for name, content in contents.items():
        (run.path / name).write_bytes(content)
    width = read_json(run.predictions / "systems.json")[1]["interval_width"]
    for old, new in zip(before, read_jsonl(run.predictions / "ridge-log.jsonl"), strict=True):
        assert new["metrics"]["mae"] == 2 * old["metrics"]["mae"]
        assert new["high"] == pytest.approx(new["prediction"] + width)
        assert new["seconds"] == old["seconds"] and new["slices"] == old["slices"]


# -- metrics that cannot be stored -----------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0, [1.0, 2.0]], "a number for row 0 .* a tuple of 2 for row 1"),
        ([[1.0], 1.0], "a tuple of 1 for row 0 .* a number for row 1"),
        ([None, [1.0], [1.0, 2.0]], "a tuple of 1 for row 1 .* a tuple of 2 for row 2"),
    ],
)
def test_values_of_uneven_shape_are_refused(values: list[Any], said: str) -> None:
    found = [
        {"row_id": i, "split": "test", "metrics": {"mine": value}} for i, value in enumerate(values)
    ]
    with pytest.raises(PluginError, match=rf"metric 'mine' gives {said}"):
        check_shapes({"a": found})
    with pytest.raises(PluginError, match=r"of 'a' and .* of 'b'"):
        check_shapes({"a": found[:-1], "b": found[-1:]})
    check_shapes({"a": found[:1]})


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (lambda p, r: 1 / 0, "raised ZeroDivisionError for row 7"),
        (lambda p, r: [1.0, 2.0], "raised TypeError for row 7"),
        (lambda p, r: "good", "raised ValueError for row 7"),
        (lambda p, r: (1.0, float("nan")), "gives .* for row 7; per_example must return finite"),
    ],
)
def test_a_metric_that_fails_is_named_with_the_row(metric: Any, said: str) -> None:
    with pytest.raises(PluginError, match=rf"metric 'mine' {said}"):
        figures(Metric("mine", metric), 1.0, 1.0, {"row_id": 7})
