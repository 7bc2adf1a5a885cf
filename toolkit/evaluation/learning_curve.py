"""Signs of overfitting in a learning curve, as sentences.

Three signs are looked for, each a comparison inside the run itself. Absolute levels ("a loss
below 1.5") are no signs: they depend on the vocabulary and on the loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any

from toolkit import formatting
from toolkit.metrics.metric import Metric

if TYPE_CHECKING:
    import numpy as np

History = Sequence[Mapping[str, Any]]

_WORSE = 0.02
"""Changes of less than 2 % are the noise of one evaluation, not a sign."""
_WINDOW = 3
"""Logged losses averaged on each side of an epoch's border."""


def series(history: History, key: str) -> tuple[list[float], list[float]]:
    """The steps at which a key was logged, and its values."""
    points = [(p["step"], p[key]) for p in history if p.get(key) is not None]
    return [float(step) for step, _ in points], [float(value) for _, value in points]


def assess(history: History, metric: Metric, training: Mapping[str, Any]) -> dict[str, list[str]]:
    """``signs`` of overfitting, and further ``notes`` on the curve, as sentences.

    Args:
        history: the logged steps and evaluations, see the architecture page.
        metric: the task's primary metric.
        training: ``training`` of ``run.json``.
    """
    signs = [
        sign
        for sign in (
            _losses_part(history),
            _drops_at_epochs(history),
            _metric_worsens(history, metric),
        )
        if sign
    ]
    notes = [note for note in (_stopped(training), _still_improving(history, metric)) if note]
    return {"signs": signs, "notes": notes}


def _losses_part(history: History) -> str | None:
    """Validation loss rises from its lowest while the training loss goes on falling."""
    steps, losses = series(history, "eval_loss")
    if len(losses) < 3:
        return None
    lowest = losses.index(min(losses))
    rise = losses[-1] / losses[lowest] - 1 if losses[lowest] > 0 else 0.0
    train_steps, train = series(history, "loss")
    before = [v for s, v in zip(train_steps, train, strict=True) if s <= steps[lowest]]
    after = [v for s, v in zip(train_steps, train, strict=True) if s > steps[lowest]]
    if rise <= _WORSE or not before or not after:
        return None
    if fmean(after[-_WINDOW:]) >= fmean(before[-_WINDOW:]):
        return None
    return (
        f"The validation loss was lowest at step {steps[lowest]:,.0f} and rose by "
        f"{100 * rise:.0f} % until the end, while the training loss went on falling."
    )


def _drops_at_epochs(history: History) -> str | None:
    """The training loss falls where rows are seen again, because the model has memorised them.

    Losses fall anyway, so each fall is taken relative to those just before and after it, and
    counts when it stands out from such relative falls elsewhere in the run by three times their
    spread (the median absolute deviation, scaled to a standard deviation).
    """
    import numpy as np

    points = [p for p in history if p.get("loss") is not None and p.get("epoch") is not None]
    losses = np.array([p["loss"] for p in points], dtype=float)
    # An epoch's last step is logged with a whole number: 1.0 still belongs to the first epoch.
    epochs = np.ceil(np.array([p["epoch"] for p in points], dtype=float) - 1e-9)
    w, n = _WINDOW, losses.size
    relative = {i: _relative_fall(losses, i) for i in range(2 * w, n - 2 * w + 1)}
    borders = [i for i in relative if epochs[i - 1] != epochs[i]]
    near = {i + k for i in borders for k in range(1 - 2 * w, 2 * w)}  # all windows that touch one
    usual = np.array([fall for i, fall in relative.items() if i not in near])
    if usual.size < 2 * w:
        return None
    spread = 1.4826 * float(np.median(np.abs(usual - np.median(usual))))
    sharp = [i for i in borders if relative[i] > max(3 * spread, 0.05 * losses[i - w : i].mean())]
    if not sharp:
        return None
    where = ", ".join(f"{points[i]['step']:,.0f}" for i in sharp)
    return (
        f"The training loss drops where an epoch begins (step {where}) by more than elsewhere: "
        "rows seen before are being remembered."
    )


def _relative_fall(losses: np.ndarray, i: int) -> float:
    """How much more the loss falls at ``i`` than a window before and a window after."""
    w = _WINDOW

    def fall(at: int) -> float:
        return float(losses[at - w : at].mean() - losses[at : at + w].mean())

    return fall(i) - (fall(i - w) + fall(i + w)) / 2


def _metric_worsens(history: History, metric: Metric) -> str | None:
    steps, values = series(history, f"eval_{metric.name}")
    best = _best(values, metric)
    if best is None or best == len(values) - 1:
        return None
    change = abs(values[-1] - values[best])
    if change <= _WORSE * abs(values[best]):
        return None
    label = metric.label or metric.name
    figures = [formatting.figure(v, metric.format, metric.unit) for v in (values[best], values[-1])]
    return (
        f"{label} on the validation rows was best at step {steps[best]:,.0f} ({figures[0]}) and "
        f"worse at the end ({figures[1]}); later steps did not help."
    )


def _best(values: Sequence[float], metric: Metric) -> int | None:
    if len(values) < 2:
        return None
    return values.index(max(values) if metric.greater_is_better else min(values))


def _stopped(training: Mapping[str, Any]) -> str | None:
    step = training.get("best_step")
    if step is None:
        return None
    if step == 0:  # encoders alone evaluate their start
        return "No step of training was better than the linear probe that it began from."
    early = "Training was stopped early; the" if training.get("stopped_early") else "The"
    return f"{early} checkpoint of step {step:,} was kept."


def _still_improving(history: History, metric: Metric) -> str | None:
    """The best figure is the last one, and the last change was not small."""
    _, values = series(history, f"eval_{metric.name}")
    if len(values) < 3 or _best(values, metric) != len(values) - 1:
        return None
    *_, (before, last) = pairwise(values)
    if abs(last - before) <= _WORSE * abs(before):
        return None
    label = formatting.in_sentence(metric.label or metric.name)
    return f"The {label} on the validation rows was still improving at the end: train longer."
