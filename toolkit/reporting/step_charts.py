"""The chart of one training step: how large the gradient is in each layer."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.reporting.svg import ACCENT, INK, NARROW, SECOND, bare, new, style, svg

WIDE = 8.6
"""Inches: it stands in a column of the playground, which is narrower than a report."""
THICK = 0.36
"""The height of a bar, of 1 for a layer."""
MOST_LAYERS = 48
"""Layers up to which each has its name; beyond, every second or third has."""


def gradients(
    layers: Sequence[str], a: Sequence[float], b: Sequence[float], *, narrow: bool = False
) -> str:
    """The norms of the gradients of LoRA's two matrices, a pair of bars for each layer.

    Args:
        layers: the names of the layers, the first at the top.
        a, b: the norms of the matrices that read a layer's input, and that write its output.
        narrow: draw the width for a phone.
    """
    count = len(layers)
    with style(f"gradients{narrow}"):
        figure = new(NARROW if narrow else WIDE, 1.1 + min(0.32, 14 / max(1, count)) * count)
        axes = figure.add_subplot()
        places = range(count)
        axes.barh([p - THICK / 2 for p in places], a, THICK, color=SECOND, alpha=0.7, label="A")
        axes.barh([p + THICK / 2 for p in places], b, THICK, color=ACCENT, label="B")
        every = -(-count // MOST_LAYERS)
        axes.set_yticks(list(places)[::every], list(layers)[::every], color=INK)
        axes.set_ylim(count - 0.4, -0.6)
        axes.set_xlim(0, max([*a, *b, 0.0]) * 1.06 or 1)
        axes.set_xlabel("norm of the gradient")
        axes.legend(loc="lower right" if narrow else "best", ncols=2)
        bare(axes)
        return svg(figure, f"Norm of the gradient in {count} layers, of LoRA's matrices A and B")
