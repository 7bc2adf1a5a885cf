"""Sheets of human evaluation: preference and agreement of the readers."""

from __future__ import annotations

import pytest

from toolkit import UsageError
from toolkit_summarization.human import summary


def test_the_preference_is_over_pairs_and_readers_are_compared():
    judged = {
        "ann": {1: "adapter", 2: "adapter", 3: "base", 4: "tie"},
        "bob": {1: "adapter", 2: "adapter", 3: "adapter", 4: "both-bad"},
    }
    found = summary(judged, "base", "adapter")
    assert found["pairs"] == 4 and found["readers"] == ["ann", "bob"]
    assert found["preferred"] == {"base": 1, "adapter": 5, "tie": 1, "both-bad": 1}
    assert found["preference"]["value"] == pytest.approx((1 + 1 + 0 + 0) / 4)
    (agreed,) = found["agreement"]
    assert agreed["share"] == 0.5 and agreed["rows"] == 4
    assert "adapter 5, base 1, tie 1, both bad 1" in found["sentence"]
    assert "readers agree on 50%" in found["sentence"]


def test_one_reader_gives_no_agreement():
    found = summary({"ann": {1: "base", 2: "base"}}, "base", "adapter")
    assert found["agreement"] == [] and found["preference"]["value"] == -1.0
    assert "agree" not in found["sentence"]


def test_empty_sheets_are_refused():
    with pytest.raises(UsageError, match="no choice"):
        summary({"ann": {}}, "base", "adapter")
