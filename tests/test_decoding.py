"""Decoders for numbers: what a distribution, or a text, is read as."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiny_tasks import TinyPrices
from toolkit import Generated, Numbers
from toolkit.decoding import (
    covered,
    decode_all,
    decode_as,
    first_number,
    mean,
    median,
    or_fallback,
    primary_values,
    top_k_mean,
    withheld,
)
from toolkit.evaluation.outputs import decoder_for
from toolkit.runs.predictions import tuned_values
from toolkit.task import Decoder, Row, untuned

Distribution = tuple[np.ndarray, np.ndarray]


@st.composite
def distributions(draw: st.DrawFn) -> Distribution:
    """Numbers in order, with probabilities that sum to at most 1 and are not all 0."""
    values = draw(st.lists(st.integers(1, 99_999), min_size=1, max_size=20, unique=True))
    weights = draw(
        st.lists(st.floats(0, 1), min_size=len(values), max_size=len(values)).filter(
            lambda w: sum(w) > 1e-6
        )
    )
    array = np.array(weights)
    return np.array(sorted(values), dtype=np.float64), array / max(1.0, array.sum())


def within(number: float, values: np.ndarray) -> bool:
    slack = 1e-9 * float(values.max())
    return float(values.min()) - slack <= number <= float(values.max()) + slack


# -- distributions ---------------------------------------------------------------------------------


@given(distributions(), st.integers(1, 30))
def test_the_mean_of_the_best_lies_among_them(distribution: Distribution, k: int) -> None:
    values, probabilities = distribution
    best = values[np.argsort(-probabilities, kind="stable")[:k]]
    assert within(top_k_mean(values, probabilities, k), best)


@given(distributions())
def test_the_best_one_is_the_mode_and_all_are_the_mean(distribution: Distribution) -> None:
    values, probabilities = distribution
    best = values[probabilities.argmax()]
    assert top_k_mean(values, probabilities, 1) == pytest.approx(best)
    everything = top_k_mean(values, probabilities, len(values))
    assert everything == pytest.approx(mean(values, probabilities))


@given(distributions())
def test_the_median_lies_among_numbers_that_are_possible(distribution: Distribution) -> None:
    values, probabilities = distribution
    assert within(median(values, probabilities), values[probabilities > 0])


@given(distributions(), st.floats(0.01, 1))
def test_only_shares_count(distribution: Distribution, share: float) -> None:
    values, probabilities = distribution
    for decoder in (mean, median):
        assert decoder(values, share * probabilities) == pytest.approx(
            decoder(values, probabilities)
        )


@given(st.integers(1, 99_999), st.floats(1e-6, 1))
def test_all_of_the_mass_on_one_number_gives_that_number(number: int, mass: float) -> None:
    values, probabilities = np.array([number - 0.5, number, 2.0 * number]), np.array([0, mass, 0])
    for value in (
        top_k_mean(values, probabilities, 3),
        mean(values, probabilities),
        median(values, probabilities),
    ):
        assert value == pytest.approx(number)


def test_the_median_of_two_equal_shares_is_their_middle() -> None:
    assert median(np.array([10.0, 20.0]), np.array([0.5, 0.5])) == 15.0


# -- texts -----------------------------------------------------------------------------------------


@given(st.integers(0, 10**12))
def test_whole_numbers_come_back(number: int) -> None:
    for written in (f"{number}", f"{number:,}"):
        for text in (written, f"about {written} dollars", f"${written}.", f"{written}\n7"):
            assert first_number(text) == number


@given(st.decimals(0, 10**9, places=2))
def test_numbers_with_cents_come_back(number: Any) -> None:
    assert first_number(f"$ {number:,.2f} or so") == float(number)


@pytest.mark.parametrize("text", ["", "???", "no idea", "$", ",", ".", "9" * 400])
def test_a_text_without_a_usable_number_is_unreadable(text: str) -> None:
    assert first_number(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("-5", -5), ("$ -12.50", -12.5), ("10-12", 10), ("A-7", 7), ("it is -1,250", -1250)],
)
def test_a_minus_belongs_to_the_number_where_nothing_stands_before_it(
    text: str, number: float
) -> None:
    assert first_number(text) == number


@given(st.text())
def test_any_text_is_read_or_not_and_never_raises(text: str) -> None:
    number = first_number(text)
    assert number is None or math.isfinite(number)


# -- a task's decoders -----------------------------------------------------------------------------


@pytest.fixture
def task() -> TinyPrices:
    made = TinyPrices()
    made.state = {"median": 85.0, "largest": 999}
    return made


ROW = {"row_id": 1, "text": "a cup", "price": 12.0, "good": "cup"}
SURE = Generated(text="12", numbers=Numbers(np.array([12.0, 24.0]), np.array([0.5, 0.5])))
LOST = Generated(text="well")


def test_each_decoder_reads_each_output(task: TinyPrices) -> None:
    assert decode_all(task, [SURE, LOST], [ROW, ROW], {}) == {
        "greedy": [12.0, None],
        "top-k": [18.0, None],
        "mean": [18.0, None],
        "median": [18.0, None],
    }


def test_what_is_unreadable_counts_as_the_fallback(task: TinyPrices) -> None:
    assert or_fallback(task, [12.0, None]) == [12.0, 85.0]
    values = primary_values(task, [SURE, LOST], [ROW, ROW])
    assert values["greedy"] == (0 + 73) / 2
    assert values["top-k"] == (6 + 73) / 2


@pytest.mark.parametrize("text", ["0", "0.0 dollars"])
def test_a_price_of_zero_is_unreadable(task: TinyPrices, text: str) -> None:
    assert task.postprocess(Generated(text=text), ROW) is None


def test_numbers_without_mass_are_unreadable(task: TinyPrices) -> None:
    output = Generated(text="", numbers=Numbers(np.array([1.0, 2.0]), np.array([0.0, 0.0])))
    assert all(decoder(output, ROW, {}) is None for decoder in task.decoders().values())


def test_k_is_an_option_of_the_recipe(task: TinyPrices) -> None:
    task.options["k"] = 1
    assert decode_all(task, [SURE], [ROW], {})["top-k"] == [12.0]


def test_decoders_of_a_distribution_that_is_mostly_unknown_are_not_chosen(
    task: TinyPrices,
) -> None:
    half = replace(SURE, numbers=Numbers(np.array([12.0, 24.0]), np.array([0.5, 0.4])))
    assert covered([half, SURE, LOST]) == pytest.approx([0.9, 1.0])
    assert withheld(task, []) == withheld(task, [0.9, 0.98, 1.0]) == frozenset()
    assert withheld(task, [0.9, 0.97, 1.0]) == {"top-k", "mean", "median"}
    rows = [{**ROW, "price": 18.0}] * 2  # the mean would be right
    assert primary_values(task, [half, half], rows) == {"greedy": 6.0}
    assert decoder_for(task, [half, half], rows, {}, "auto") == "greedy"
    assert decoder_for(task, [half, half], rows, {}, "mean") == "mean"
    assert decoder_for(task, [SURE, SURE], rows, {}, "auto") == "top-k"


# -- tuned values ----------------------------------------------------------------------------------


def at_most(output: Generated, row: Row, tuned: Mapping[str, Any]) -> float:
    """A decoder with a limit that is tuned."""
    return min(float(output.text), tuned.get("limit", math.inf))


class Limited(TinyPrices):
    """A task that tunes the largest number it believes."""

    def tune(self, outputs: Sequence[Any], rows: Sequence[Row]) -> dict[str, Any]:
        return {"limit": max(row["price"] for row in rows)}

    def decoders(self) -> Mapping[str, Decoder]:
        return {"greedy": untuned(self.postprocess), "limited": at_most}


class LimitedVersion1(TinyPrices):
    """The same, written for version 1 of the contract."""

    api_version = 1

    def choose(self, outputs: Sequence[Any], rows: Sequence[Row]) -> dict[str, Any]:
        return {"limit": max(row["price"] for row in rows)}

    def decoders(self) -> Mapping[str, Any]:
        limit: Any = self
        inherited = super().decoders()
        return {
            "greedy": self.postprocess,
            "limited": lambda output, row, name="limit": min(
                float(output.text), limit.chosen.get(name, math.inf)
            ),
            "mean": inherited["mean"],
        }


FAR = Generated(text="500", numbers=SURE.numbers)


@pytest.mark.parametrize("written", [Limited, LimitedVersion1])
def test_what_is_tuned_is_passed_to_the_decoders(written: type[TinyPrices]) -> None:
    task = written()
    task.state = {"median": 85.0, "largest": 999}
    assert decode_all(task, [FAR], [ROW], {})["limited"] == [500.0]
    tuned = task.tune([FAR], [ROW])
    assert tuned == {"limit": 12.0}
    decoded = decode_all(task, [FAR], [ROW], tuned)
    assert decoded["greedy"] == [500.0] and decoded["limited"] == [12.0]
    assert decoded.get("mean", [18.0]) == [18.0]
    assert primary_values(task, [FAR], [ROW])["limited"] == 0.0
    assert primary_values(task, [FAR], [ROW], {"limit": 10.0})["limited"] == 2.0
    assert primary_values(task, [FAR], [ROW], {})["limited"] == 488.0


def test_nothing_of_it_is_kept_in_the_task() -> None:
    task = Limited()
    decode_all(task, [FAR], [ROW], {"limit": 1.0})
    assert not hasattr(task, "chosen")
    assert set(vars(task)) == set(vars(TinyPrices()))


@pytest.mark.parametrize("key", ["tuned", "chosen"])
def test_outputs_are_read_as_the_system_read_them(key: str) -> None:
    """``chosen`` is how older run folders call it."""
    task = Limited()
    entry = {"decoder": "limited", key: {"limit": 40.0}}
    assert decode_as(task, entry, [FAR], [ROW]) == [40.0]
    assert decode_as(task, {}, [FAR], [ROW]) == [500.0]
    assert tuned_values({}) == {}
