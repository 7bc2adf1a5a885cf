"""The report's charts: each a function from plain data to an inline SVG.

What was trained has the accent colour and the rest greys; the shape of a mark gives the same
information without colour. Every chart comes in two widths, as scaled-down text cannot be read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.reporting.svg import (
    ACCENT,
    INK,
    MUTED,
    NARROW,
    PAPER,
    SECOND,
    WIDE,
    bare,
    new,
    scale,
    style,
    svg,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TRAINED = ("adapter", "full")
_TRAINED_SHAPES = dict.fromkeys((*_TRAINED, "ensemble"), "o")
_MARKS = {**_TRAINED_SHAPES, "base": "D", "few-shot": "D", "human": "^", "api": "s"}


@dataclass(frozen=True)
class Mark:
    """One system's figure with its interval.

    Args:
        name: the system's name, written at the left.
        role: the system's role, which decides colour and shape.
        value: the figure.
        low: the lower end of its 95 % interval; ``None`` where it has none.
        high: the upper end.
        text: the figure as text, written at the right.
        strong: whether it is drawn in ink rather than grey (the baseline that the verdict names).
    """

    name: str
    role: str
    value: float
    low: float | None
    high: float | None
    text: str = ""
    strong: bool = False

    @property
    def colour(self) -> str:
        if self.role in (*_TRAINED, "ensemble"):
            return ACCENT
        if self.role in ("base", "few-shot"):
            return SECOND
        return INK if self.strong else MUTED

    @property
    def extent(self) -> list[float]:
        """The values that the axis must hold."""
        return [value for value in (self.value, self.low, self.high) if value is not None]


def forest(
    marks: Sequence[Mark],
    title: str,
    *,
    narrow: bool = False,
    target: float | None = None,
    spec: str = ",.10g",
    name: str = "forest",
) -> str:
    """Figures with intervals, one row for each system, in the given order from the top.

    Args:
        marks: the rows.
        title: the axis's title.
        narrow: draw the width for a phone.
        target: a value that is drawn as a line.
        spec: the format spec of the axis's figures.
        name: the chart's name, unique on its page.

    Returns:
        an ``<svg>`` element.
    """
    with style(f"{name}{narrow}"):
        width = NARROW if narrow else WIDE
        row = 0.54 if narrow else 0.36
        figure = new(width, row * len(marks) + 0.75)
        axes = figure.add_subplot()
        for place, mark in enumerate(marks):
            _draw(axes, mark, place)
            if narrow:  # names and figures above the line, where there is room
                _beside(axes, 0.0, place - 0.20, mark.name, mark, "left", "bottom")
                _beside(axes, 1.0, place - 0.20, mark.text, mark, "right", "bottom")
            else:
                _beside(axes, 1.015, place, mark.text, mark, "left", "center")
        if target is not None:
            axes.axvline(target, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_ylim(len(marks) - 0.45, -0.9 if narrow else -0.55)
        axes.set_yticks([] if narrow else range(len(marks)), [] if narrow else _names(marks))
        for label, mark in zip(axes.get_yticklabels(), marks, strict=False):
            label.set_color(ACCENT if mark.colour == ACCENT else INK)
            label.set_fontweight("bold" if mark.role in _TRAINED else "normal")
        values = [v for m in marks for v in m.extent]
        scale(axes, values, spec=spec, ticks=5 if narrow else 9)
        axes.set_xlabel(title + (" (logarithmic axis)" if axes.get_xscale() == "log" else ""))
        bare(axes)
        return svg(figure, f"{title}: " + "; ".join(f"{m.name} {m.text}" for m in marks))


def _names(marks: Sequence[Mark]) -> list[str]:
    return [mark.name for mark in marks]


def _draw(axes: Axes, mark: Mark, place: float, size: float = 6.5) -> None:
    trained = mark.role in _TRAINED
    if mark.low is not None and mark.high is not None:
        axes.plot(
            [mark.low, mark.high],
            [place, place],
            color=mark.colour,
            linewidth=3 if trained else 1.6,
            solid_capstyle="round",
        )
    axes.plot(
        [mark.value],
        [place],
        marker=_MARKS.get(mark.role, "o"),
        markersize=size + (1.5 if trained else 0),
        markerfacecolor=mark.colour if trained or mark.strong else PAPER,
        markeredgecolor=mark.colour,
        markeredgewidth=1.6,
    )


def _beside(axes: Axes, x: float, y: float, text: str, mark: Mark, across: Any, down: Any) -> None:
    axes.text(
        x,
        y,
        text,
        transform=axes.get_yaxis_transform(),
        ha=across,
        va=down,
        color=ACCENT if mark.colour == ACCENT else INK,
        fontweight="bold" if mark.role in _TRAINED else "normal",
    )


# -- predicted against true ----------------------------------------------------------------------
@dataclass(frozen=True)
class Cloud:
    """A system's predictions against the true values of the same rows."""

    name: str
    role: str
    true: Sequence[float]
    predicted: Sequence[float]


def predicted_true(clouds: Sequence[Cloud], *, narrow: bool = False) -> str:
    """Predictions over true values, counted in hexagons: a panel for each system, on equal axes."""
    everything = [v for c in clouds for v in (*c.true, *c.predicted)]
    # The axes follow the true values: a base model's outliers would squeeze the rest together.
    low, high = _limits([v for c in clouds for v in c.true])
    log = min(everything) > 0 and low > 0 and high / low > 30
    with style(f"clouds{narrow}"):
        rows, columns = (len(clouds), 1) if narrow else (1, len(clouds))
        side = NARROW if narrow else 5.2
        figure = new(NARROW if narrow else side * columns, side * rows * 0.95)
        panels: Any = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for axes, cloud in zip(panels.flat, clouds, strict=True):
            _hexagons(axes, cloud, low, high, log=log)
            axes.set_ylabel("predicted")
        panels.flat[-1].set_xlabel("true")
        if not narrow:
            for axes in panels.flat:
                axes.set_xlabel("true")
        return svg(figure, "Predicted against true: " + ", ".join(c.name for c in clouds))


def _limits(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low > 0:
        return low / 1.3, high * 1.3
    room = (high - low) * 0.05 or 1.0
    return low - room, high + room


def _hexagons(axes: Axes, cloud: Cloud, low: float, high: float, *, log: bool) -> None:
    ends = (math.log10(low), math.log10(high)) if log else (low, high)
    inside = [min(max(p, low), high) for p in cloud.predicted]
    kind: Any = "log" if log else "linear"
    bins = axes.hexbin(
        cloud.true,
        inside,
        gridsize=34,
        xscale=kind,
        yscale=kind,
        extent=(*ends, *ends),
        mincnt=1,
        linewidths=0.2,
    )
    found = bins.get_array()
    counts = [] if found is None else [float(count) for count in found]
    most = math.log1p(max(counts, default=1.0))
    colour = ACCENT if cloud.role in _TRAINED else SECOND
    shades = [(colour, 0.25 + 0.75 * math.log1p(count) / most) for count in counts]
    bins.set_array(None)
    bins.set_facecolor(shades)
    bins.set_edgecolor("none")
    axes.plot([low, high], [low, high], color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    for axis in ("x", "y") if log else ():
        scale(axes, [low, high], axis=axis)
    axes.set_aspect("equal", adjustable="box")
    axes.set_title(cloud.name, color=colour if colour == ACCENT else INK, fontweight="bold")
    axes.grid(visible=True)


# -- the rest ------------------------------------------------------------------------------------
Parts = Mapping[str, Sequence[Mark]]


def by_slice(slices: Mapping[str, Parts], title: str, *, narrow: bool = False) -> str:
    """A panel for each slice, in it a row for each part, in that a mark for each system."""
    columns = 1 if narrow else min(3, len(slices))
    lines = math.ceil(len(slices) / columns)
    groups = [list(slices.items())[i * columns : (i + 1) * columns] for i in range(lines)]
    tall = [max(len(parts) for _, parts in group) for group in groups]
    with style(f"slices{narrow}"):
        figure = new(NARROW if narrow else WIDE, sum(0.56 * rows + 0.95 for rows in tall))
        grid: Any = figure.add_gridspec(lines, columns, height_ratios=[rows + 1 for rows in tall])
        for line, group in enumerate(groups):
            for column, (name, parts) in enumerate(group):
                axes = figure.add_subplot(grid[line, column])
                _panel(axes, name, parts, rows=tall[line])
        figure.supxlabel(title, fontsize=11, color=MUTED)
        return svg(figure, f"{title} by {', '.join(slices)}")


def _panel(axes: Axes, name: str, parts: Parts, rows: int) -> None:
    for place, marks in enumerate(parts.values()):
        for k, mark in enumerate(marks):
            _draw(axes, mark, place + 0.21 * (k - (len(marks) - 1) / 2), size=5)
    axes.set_yticks(range(len(parts)), list(parts), color=INK)
    # As many rows as the tallest panel beside it, so that rows are equally far apart in all.
    axes.set_ylim(rows - 0.45, -0.55)
    axes.set_title(name, fontweight="bold")
    ends = [v for marks in parts.values() for m in marks for v in m.extent]
    scale(axes, ends, ticks=5)
    bare(axes)
