"""Figures as inline SVG that takes its colours and font from the page, so dark mode needs no copy.

Matplotlib knows no CSS variables. Charts are therefore drawn in stand-in colours (:data:`INK`, …)
that are replaced by ``var(--ink)``, … in the finished SVG.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import math
import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from toolkit.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, LINE, ACCENT, SECOND, PAPER = (f"#0{i}0{i}0{i}" for i in range(1, 7))
_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    LINE: "line",
    ACCENT: "accent",
    SECOND: "second",
    PAPER: "paper",
}

WIDE, NARROW = 12.4, 4.9
"""Widths in inches. Text is 11 points: on a wide screen and on a phone it is 12 to 13 pixels."""

_STEPS = ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,))
"""Ticks of a decade, the finest first."""

_STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # two dollar signs are prices here
    "font.size": 11,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.axisbelow": True,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
}


def left_out() -> str:
    """Why charts cannot be drawn, checked without importing matplotlib; empty if they can."""
    if importlib.util.find_spec("matplotlib") is None:
        return str(MissingExtra("drawing charts", "charts"))
    return ""


@contextlib.contextmanager
def style(name: str) -> Iterator[None]:
    """Matplotlib's settings for one chart; ``name`` makes the ids of its elements unique.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise MissingExtra("drawing charts", "charts") from error

    settings: Any = {**_STYLE, "svg.hashsalt": name}
    with matplotlib.rc_context(settings):
        yield


def new(width: float, height: float) -> Figure:
    """An empty figure, apart from pyplot's global state; sizes in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def svg(figure: Figure, label: str) -> str:
    """The figure as an ``<svg>`` element for a page; ``label`` is read out by screen readers."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # A style element inside an inline SVG would apply to the whole page.
    text = re.sub(r"<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"font: (?:\w+ )?([\d.]+px) [^;\"]+", r"font-size: \1", text)
    text = re.sub(r'<g id="[^"]*"', "<g", text)  # ids that repeat in every figure and are not used
    text = re.sub(r'(?<= )(d|x|y|width|height|points|transform)="[^"]*"', _shorten, text)
    text = _numbered(text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    box = re.search(r'viewBox="([^"]+)"', text)
    assert box is not None
    head = f'<svg viewBox="{box.group(1)}" role="img" aria-label="{escape(label)}">'
    return re.sub(r"^<svg[^>]*>", lambda _: head, text).strip()


def _numbered(text: str) -> str:
    """Elements with numbers as their ids, and the chart's name, which the salt of its ids is.

    Matplotlib makes ids from coordinates with all their digits, the last of which may differ
    between two drawings of one chart.
    """
    import matplotlib

    chart = re.sub(r"\W+", "-", str(matplotlib.rcParams["svg.hashsalt"]))
    for number, old in enumerate(dict.fromkeys(re.findall(r' id="([^"]+)"', text))):
        new = f"{chart}-{number}"
        text = text.replace(f'id="{old}"', f'id="{new}"')
        text = text.replace(f'#{old}"', f'#{new}"').replace(f"#{old})", f"#{new})")
    return text


def _shorten(attribute: re.Match[str]) -> str:
    """Cut coordinates to hundredths of a point, which are precise enough and half as long."""
    return re.sub(r"(\.\d\d)\d+", r"\1", attribute.group())


def scale(
    axes: Axes, values: Sequence[float], *, axis: str = "x", spec: str = ",.10g", ticks: int = 9
) -> None:
    """Set an axis's scale: logarithmic where one system's error is many times that of the others.

    On a linear axis the others would then be drawn on top of each other.

    Args:
        axes: the axes to set.
        values: all values that are drawn.
        axis: ``x`` or ``y``.
        spec: the format spec of the axis's figures.
        ticks: the largest number of ticks.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    known = [v for v in values if v is not None]
    which: Any = axes.xaxis if axis == "x" else axes.yaxis
    set_scale = axes.set_xscale if axis == "x" else axes.set_yscale
    # Not for shares, which end at 1: a logarithmic axis exaggerates gaps between small ones.
    if known and min(known) > 0 and max(known) > max(1, 8 * min(known)):
        set_scale("log")
        decades = math.log10(max(known) / min(known))
        steps = next((s for s in _STEPS if len(s) * decades <= ticks), _STEPS[-1])
        which.set_major_locator(LogLocator(subs=steps, numticks=12))
        which.set_minor_locator(NullLocator())
    else:
        which.set_major_locator(MaxNLocator(min(ticks, 6), steps=[1, 2, 5, 10]))
    which.set_major_formatter(FuncFormatter(lambda v, _: format(v, spec)))


def bare(axes: Axes) -> None:
    """Draw vertical grid lines and no frame: for charts whose rows are named at the left."""
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(length=0)
    axes.grid(axis="x")
