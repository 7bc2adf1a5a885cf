"""The report's charts about training: the learning curve and the lengths of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.evaluation.learning_curve import series
from toolkit.metrics.target import Document
from toolkit.reporting.svg import ACCENT, INK, MUTED, NARROW, PAPER, SECOND, WIDE, new, style, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Series = tuple[Sequence[float], Sequence[float]]


def curves(doc: Document) -> dict[str, Series]:
    """The logged series of the learning curve: name → steps and values."""
    keys = {
        "loss": "loss",
        "eval_loss": "eval_loss",
        "metric": f"eval_{doc['primary_metric']}",
        "learning_rate": "learning_rate",
    }
    found = {name: series(doc["history"], key) for name, key in keys.items()}
    return {name: points for name, points in found.items() if points[0]}


def epoch_ends(history: Sequence[Mapping[str, Any]]) -> list[float]:
    """The steps at which epochs ended, except the last one."""
    points = [(p["epoch"], p["step"]) for p in history if p.get("epoch") is not None]
    last = max((epoch for epoch, _ in points), default=0.0)
    ends = []
    for whole in range(1, int(last) + 1):
        reached = [step for epoch, step in points if epoch >= whole]
        if reached and whole < last:
            ends.append(float(min(reached)))
    return ends


def learning(
    curves: Mapping[str, Series],
    metric: str,
    unit: str = "",
    remark: str = "",
    *,
    epochs: Sequence[float] = (),
    chosen: float | None = None,
    narrow: bool = False,
) -> str:
    """Losses, the task's metric and the learning rate over the steps of training.

    Args:
        curves: ``loss``, ``eval_loss``, ``metric``, ``learning_rate`` → steps and values.
        metric: the primary metric's label.
        unit: its unit.
        remark: printed after the axis's name.
        epochs: the steps at which epochs end.
        chosen: the step of the checkpoint that was kept.
        narrow: draw the width for a phone.
    """
    with style(f"learning{narrow}"):
        figure = new(NARROW if narrow else WIDE, 6.6 if narrow else 3.9)
        grid: Any = figure.add_gridspec(
            3 if narrow else 2, 1 if narrow else 2, height_ratios=[4, 4, 1] if narrow else [5, 1]
        )
        losses = figure.add_subplot(grid[0] if narrow else grid[0, 0])
        figures = figure.add_subplot(grid[1] if narrow else grid[:, 1])
        rate = figure.add_subplot(grid[2] if narrow else grid[1, 0])
        _losses(losses, curves)
        behind = f"{metric} on the validation rows" + (f", {unit}" if unit else "")
        _evaluations(figures, curves.get("metric", ((), ())), behind, chosen)
        _rate(rate, curves.get("learning_rate", ((), ())))
        end = max((max(steps) for steps, _ in curves.values() if steps), default=1.0)
        for axes in (losses, figures, rate):
            axes.set_xlim(0, end * 1.02)
            for border in epochs:
                axes.axvline(border, color=MUTED, linewidth=0.8, linestyle=(0, (1, 3)))
            if chosen is not None:
                axes.axvline(chosen, color=ACCENT, linewidth=1, linestyle=(0, (4, 3)))
        steps_label = ", ".join(part for part in ("step", remark) if part)
        losses.tick_params(labelbottom=narrow)
        rate.set_xlabel(steps_label)
        if not narrow:
            figures.set_xlabel(steps_label)
        return svg(figure, f"Training loss, validation loss and {metric} by step")


def _losses(axes: Axes, curves: Mapping[str, Series]) -> None:
    steps, values = curves.get("loss", ((), ()))
    axes.plot(steps, values, color=MUTED, linewidth=1.4, label="training")
    steps, values = curves.get("eval_loss", ((), ()))
    if values:
        axes.plot(steps, values, color=ACCENT, linewidth=2, marker="o", ms=4, label="validation")
    axes.set_title("Loss")
    axes.grid(axis="y")
    axes.legend(loc="upper center", borderaxespad=0)


def _evaluations(axes: Axes, points: Series, title: str, chosen: float | None) -> None:
    steps, values = points
    axes.plot(steps, values, color=ACCENT, linewidth=2, marker="o", ms=4)
    for step, value in zip(steps, values, strict=True):
        if step == chosen:
            axes.plot([step], [value], "o", ms=10, color=ACCENT, markeredgecolor=PAPER, mew=2)
            axes.annotate(
                "kept",
                (step, value),
                xytext=(-2, 11),
                textcoords="offset points",
                ha="right",
                color=ACCENT,
                fontweight="bold",
            )
    axes.set_title(title)
    axes.margins(y=0.15)
    axes.grid(axis="y")


def _rate(axes: Axes, points: Series) -> None:
    steps, values = points
    axes.fill_between(steps, values, color=MUTED, alpha=0.25, linewidth=0)
    axes.plot(steps, values, color=MUTED, linewidth=1)
    peak = max(values, default=0.0)
    axes.set_ylim(0, peak * 1.3 or 1)
    axes.set_yticks([peak], [f"{peak:.2g}"])
    axes.set_title("Learning rate")


def lengths(
    edges: Sequence[float], counts: Sequence[int], limit: int | None, *, narrow: bool = False
) -> str:
    """A histogram of the lengths of rows in tokens, with the limit at which they are cut."""
    with style(f"lengths{narrow}"):
        figure = new(NARROW if narrow else WIDE, 2.2)
        axes = figure.add_subplot()
        axes.stairs(counts, edges, fill=True, color=SECOND, alpha=0.6)
        if limit is not None and limit <= 2 * max(edges):
            axes.axvline(limit, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
            axes.annotate(
                "limit",
                (limit, max(counts)),
                xytext=(-6, 0),
                textcoords="offset points",
                ha="right",
                va="top",
            )
        axes.set_xlabel("tokens of prompt and answer")
        axes.set_ylabel("rows")
        axes.grid(axis="y")
        return svg(figure, f"Lengths of {sum(counts):,} rows in tokens")
