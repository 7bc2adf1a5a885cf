"""What a label says, on which scales the numbers of a column may stand, and what --labels says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.data.label_scales import (
    Labels,
    Mark,
    label_key,
    labels_line,
    parse_labels,
    read_mark,
    readings,
)
from toolkit.errors import UsageError


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("4", Mark(4)), ("4.0", Mark(4)), (4, Mark(4)), (4.5, Mark(4.5)), ("-1", Mark(-1)),
        ("٤", Mark(4)), ("3,5", Mark(3.5)),
        ("4/5", Mark(4, 5)), ("8 / 10", Mark(8, 10)), ("7.5/10", Mark(7.5, 10)),
        ("4.0 out of 5 stars", Mark(4, 5)), ("Rated 3 out of 5", Mark(3, 5)),
        ("4,0 von 5 Sternen", Mark(4, 5)), ("4,0 sur 5 étoiles", Mark(4, 5)),
        ("2.0 de 5 estrellas", Mark(2, 5)), ("9 of 10 points", Mark(9, 10)),
        ("80 %", Mark(80, 100)), ("80%", Mark(80, 100)), ("62.5 percent", Mark(62.5, 100)),
        ("★★★☆☆", Mark(3, 5)), ("★★★", Mark(3, 5)), ("★★½", Mark(2.5, 5)), ("☆☆☆☆☆", Mark(0, 5)),
        ("⭐⭐⭐⭐", Mark(4, 5)), ("⭐️⭐️", Mark(2, 5)), ("★★★★★★★☆☆☆", Mark(7, 10)),
        ("4 stars", Mark(4, 5)), ("1 star", Mark(1, 5)), ("5-star", Mark(5, 5)), ("3★", Mark(3, 5)),
    ],
)  # fmt: skip
def test_ratings(text: Any, mark: Mark) -> None:
    assert read_mark(text) == mark


@pytest.mark.parametrize(
    "text",
    ["", "good", "6/5", "7 stars", "★★★★★★", "4/5/2020", "1,250", "nan", "inf", "120 %", "4/0",
     "[2, 5]", None],
)  # fmt: skip
def test_what_states_no_rating(text: Any) -> None:
    assert read_mark(text) is None


def named(values: str) -> set[str]:
    """The scales that some numbers fit, in a short form."""
    return {
        f"{'/'.join(f'{x:g}' for x in scale.poles)}" if scale.poles
        else f"{scale.low:g}..{scale.high:g}{' without 0' if scale.without_zero else ''}"
        for scale in readings(map(float, values.split()))
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "scales"),
    [
        ("0 1", {"0/1"}), ("-1 1", {"-1/1", "-1/0/1"}), ("-1 0 1", {"-1/0/1"}),
        ("0 1 2", {"0/1/2"}), ("0 2 4", {"0/2/4", "0..4"}), ("0 4", {"0/4", "0/2/4", "0..4"}),
        ("0 2", {"0/1/2", "0/2/4"}), ("0 1 2 3 4", {"0..4"}), ("0 1 3 4", {"0..4"}),
        ("0 1 2 3", {"0..3", "1..5 without 0"}), ("-2 -1 0 1 2", {"-2..2"}),
        ("1 2", {"1/2", "1..5"}), ("1 2 3", {"1/2/3", "1..5"}), ("1 2 3 4", {"1..4", "1..5"}),
        ("1 2 3 4 5", {"1..5"}), ("1 5", {"1..5"}), ("0.5 3.5 5", {"1..5"}), ("2.9 3.9", {"1..5"}),
        ("0 1 5", {"1..5", "1..5 without 0"}), ("0 4 10", {"1..10", "1..10 without 0"}),
        ("1 7 10", {"1..10"}), ("1 4 7", {"1..7", "1..10"}), ("12 87", set()), ("-5 5", set()),
        ("-0.4 0.8", set()), ("", set()),
    ],
)  # fmt: skip
def test_the_scales_that_numbers_fit(values: str, scales: set[str]) -> None:
    assert named(values) == scales


@given(st.sets(st.sampled_from([-2, -1, 0, 0.5, 1, 2, 3, 4, 5, 7, 10]), min_size=1))
def test_a_scale_takes_every_number_that_it_was_found_for(found: set[float]) -> None:
    for scale in readings(found):
        shares = [scale.share(x) for x in sorted(found) if x or not scale.without_zero]
        assert all(share is not None and 0 <= share <= 1 for share in shares)
        assert shares == sorted(shares), "the larger number is never the worse one"


# -- the option ------------------------------------------------------------------------------------


def test_labels_with_their_meanings() -> None:
    labels = parse_labels('0=negative, 2.0=neutral,4=positive,"a, b"=x, No =,a=b=c')
    assert labels.meanings == {
        "0": "negative", "2": "neutral", "4": "positive", "a, b": "x", "no": "", "a=b": "c",
    }  # fmt: skip
    assert [labels.meaning(x) for x in (0, 2.0, "4.0", "NO", "5")] == [
        "negative", "neutral", "positive", "", None,
    ]  # fmt: skip
    assert not parse_labels(None) and not parse_labels(" ")


@pytest.mark.parametrize(
    ("option", "ends"),
    [("0..100", (0, 100)), ("-5 .. 5", (-5, 5)), ("0.5..4", (0.5, 4))],
)
def test_the_ends_of_a_scale(option: str, ends: tuple[float, float]) -> None:
    assert parse_labels(option) == Labels(ends=ends)


@pytest.mark.parametrize("option", ["0", "=positive", "0=a,0=b", "5..1", "a,b"])
def test_an_option_that_says_nothing_is_refused(option: str) -> None:
    with pytest.raises(UsageError, match="--labels"):
        parse_labels(option)


def test_a_line_to_type_is_read_as_it_is_meant() -> None:
    meanings = [(0.0, "negative"), ("a, b", "x"), ("-1", "")]
    line = labels_line(meanings)
    assert line == "--labels '0=negative,\"a, b\"=x,-1='"
    option = line.removeprefix("--labels '").removesuffix("'")
    assert parse_labels(option).meanings == {label_key(k): v for k, v in meanings}
