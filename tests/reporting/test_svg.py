"""Charts as elements of a page: the same text each time, and ids of their own."""

from __future__ import annotations

import re

from toolkit.reporting import svg


def drawn(name: str, nudge: float = 0.0) -> str:
    with svg.style(name):
        figure = svg.new(4, 2)
        axes = figure.add_subplot()
        axes.plot([0, 1, 2], [1 + nudge, 3, 2], marker="o")
        axes.set_position((0.1, 0.1, 0.8 + nudge, 0.8))
        return svg.svg(figure, "a line")


def test_last_digits_of_coordinates_change_nothing() -> None:
    assert drawn("line") == drawn("line", nudge=1e-13)


def test_ids_are_the_charts_own_and_are_found() -> None:
    one, other = drawn("line"), drawn("line narrow")
    ids = re.findall(r' id="([^"]+)"', one)
    assert ids and len(set(ids)) == len(ids)
    assert not set(ids) & set(re.findall(r' id="([^"]+)"', other))
    used = re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", one)
    assert used and set(used) <= set(ids)
