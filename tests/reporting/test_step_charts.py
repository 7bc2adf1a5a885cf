"""The chart of a step's gradients: every layer has its name and its bars."""

from __future__ import annotations

import pytest

from toolkit.reporting import step_charts

pytest.importorskip("matplotlib", reason="the extra 'charts' brings matplotlib")


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("count", [1, 2, 30, 130])
def test_layers_have_names_and_bars(count: int, narrow: bool) -> None:
    names = [f"layer {n}" for n in range(count)]
    drawn = step_charts.gradients(names, [0.5] * count, [1.0] * count, narrow=narrow)
    assert drawn.startswith("<svg") and f"gradient in {count} layers" in drawn
    named = [name for name in names if f">{name}<" in drawn]
    assert named == names[:: -(-count // step_charts.MOST_LAYERS)]
    assert drawn.count("var(--accent)") > count and "var(--second)" in drawn


def test_no_gradient_and_odd_names_are_drawn() -> None:
    drawn = step_charts.gradients(["<b>$x$</b>"], [0.0], [0.0])
    assert "&lt;b&gt;$x$&lt;/b&gt;" in drawn and "nan" not in drawn.lower()
