"""Predictions and references as people read them."""

from __future__ import annotations

from toolkit_playground.state.answers import answer_text


def test_of_references_in_several_wordings_the_first_is_shown() -> None:
    assert answer_text({"source": "long", "texts": ["a fire", "a blaze"]}) == "a fire"
    assert answer_text({"texts": [], "starts": []}) == "no answer"
    assert answer_text({"answer": ""}) == "no answer" and answer_text(12.5, "$") == "12.5\u00a0$"
