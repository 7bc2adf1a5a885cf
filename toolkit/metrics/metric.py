"""A metric in two steps, per example and aggregated, so that it can be bootstrapped."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.errors import UsageError

if TYPE_CHECKING:
    import numpy as np


def mean(values: np.ndarray, axis: int = -1) -> Any:
    """The mean over the examples, by which most metrics aggregate."""
    return values.mean(axis=axis)


STOP, LEAVE_OUT, FALLBACK = "stop", "leave-out", "fallback"
POLICIES = (STOP, LEAVE_OUT, FALLBACK)
"""What may become of rows that a metric fails on."""


@dataclass(frozen=True)
class Metric:
    """A metric, computed in two steps so that the toolkit can bootstrap it.

    Args:
        name: short lower-case name, the key in ``metrics.json`` (``"mae"``).
        per_example: ``(prediction, reference) -> float`` or a tuple of floats; stored per row.
            ``None`` where the metric does not apply to a row, which the reference alone must
            decide; the figure is then computed from the other rows.
        aggregate: takes one array per value that ``per_example`` returns and ``axis``, the axis
            of the examples, and returns the figure with that axis reduced. It must work on
            arrays with leading (resample) dimensions: :func:`mean` does.
        greater_is_better: whether larger figures are better.
        label: what people read ("Mean absolute error"); the name when empty.
        unit: printed behind the figure ("$", "%"); may be empty.
        format: a format spec for the figure (".1f").
        prepare: called with all predictions and references of a system before ``per_example``,
            for work that is cheaper done at once (sentence embeddings, which it has to keep).
        tolerance: relative difference allowed where ``per_example`` is computed again.
        detail: shown in a table of its own and not in the ladder (figures of single classes).
        note: how the figure is computed and what it does not measure, printed under the ladder.
        against_all: whether the trained system is compared with every other system, as by the
            primary metric; otherwise with the base model and the verdict's baseline alone.
        counts: for a figure between 0 and 1 that is not a mean but made of counts, such as F1 or
            recall: takes what ``aggregate`` takes and returns how many rows each part of the
            figure is from (for macro F1 the rows of each class). It makes intervals hold near 0
            and 1 (:mod:`toolkit.metrics.statistics`).
        whole: the value of a row means nothing by itself; see
            :func:`toolkit.metrics.whole_set_metric`.
        on_failure: what becomes of a row for which ``per_example`` raises an exception: ``stop``
            the run; ``leave-out``: the row counts for no system, and the report says how many do
            not; ``fallback``: it is scored as if the task's fallback were the prediction.
    """

    name: str
    per_example: Callable[[Any, Any], float | tuple[float, ...] | None]
    aggregate: Callable[..., Any] = mean
    greater_is_better: bool = True
    label: str = ""
    unit: str = ""
    format: str = ".3f"
    prepare: Callable[[Sequence[Any], Sequence[Any]], None] | None = None
    tolerance: float = 1e-6
    detail: bool = False
    note: str = ""
    against_all: bool = False
    counts: Callable[..., np.ndarray] | None = None
    whole: bool = False
    on_failure: str = STOP

    def __post_init__(self) -> None:
        if self.on_failure not in POLICIES:
            raise UsageError(
                f"metric {self.name}: on_failure is {self.on_failure!r}; it can be "
                f"{', '.join(POLICIES)}"
            )

    def of_row(self, prediction: Any, reference: Any) -> float | tuple[float, ...] | None:
        """The value of a row for a choice, such as of a decoder; ``None``: it is left out."""
        if self.on_failure == STOP:
            return self.per_example(prediction, reference)
        try:
            return self.per_example(prediction, reference)
        except Exception:  # a metric may raise anything
            return None

    def columns(self, values: Sequence[Any]) -> tuple[np.ndarray, ...]:
        """Per-example values as the arrays that :attr:`aggregate` takes, each of shape (n,).

        Rows without a value are left out; where no row has one, the tuple is empty.
        """
        import numpy as np

        known = [value for value in values if value is not None]
        array = np.asarray(known, dtype=np.float64)
        if not known:
            return ()
        return (array,) if array.ndim == 1 else tuple(array.T)

    def value(self, values: Sequence[Any]) -> float:
        """The figure for all examples; NaN where the metric applies to none of them."""
        columns = self.columns(values)
        return float(self.aggregate(*columns, axis=-1)) if columns else math.nan
