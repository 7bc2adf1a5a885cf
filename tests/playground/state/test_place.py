"""An address as anybody may have written it."""

from __future__ import annotations

import pytest

from toolkit_playground.state.place import LONGEST, Place, address, read_place

VIEWS = ("compare", "chat")


def test_an_address_is_read_back() -> None:
    found = read_place(address("20260101-000000-abc", "chat", conversation="x y&z=1"), VIEWS)
    assert (found.run, found.view) == ("20260101-000000-abc", "chat")
    assert found.of("chat", "conversation") == ("x y&z=1",)
    assert found.of("compare", "conversation") == ()
    assert found.first("conversation") == "x y&z=1" and found.first("row") == ""


def test_values_may_be_several() -> None:
    found = read_place("?view=compare&sides=base&sides=adapter", VIEWS)
    assert found.of("compare", "sides") == ("base", "adapter")


@pytest.mark.parametrize(
    "question", ["", "?", "?view=none", "?" + "a=1&" * 3000, "?%ff%fe=%00", "?" + "x" * LONGEST * 2]
)
def test_what_cannot_be_read_leads_to_the_first_view(question: str) -> None:
    found = read_place(question, VIEWS)
    assert found.view == "compare" and found.run == ""
    assert Place().of("", "x") == ()
