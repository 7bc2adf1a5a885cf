"""A metric that exists for a whole set of rows alone, such as the area under a curve.

The statistics of a run draw rows anew and need the figure of each draw. A row's value is therefore
a number that stands for its prediction and reference, and the figure of a draw is computed from the
pairs that its numbers stand for: intervals and tests are the same as those of any other metric.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import PluginError
from toolkit.metrics.metric import Metric
from toolkit.metrics.pairs import pair_code

if TYPE_CHECKING:
    import numpy as np

Figure = Callable[[Sequence[Any], Sequence[Any]], float]
"""All predictions and all references of a set, in the same order → the figure."""


def whole_set_metric(name: str, figure: Figure, **arguments: Any) -> Metric:
    """A metric whose figure is computed from all predictions and references at once.

    The figure is computed a few thousand times for a run's intervals and tests, on sets of the same
    size: one of 2 ms takes about half a minute for ten systems. It must not depend on the order of
    the rows, and be NaN where it is undefined, such as where all rows are of one class.

    Args:
        name: the metric's name.
        figure: see :data:`Figure`.
        arguments: further arguments of :class:`Metric`, such as ``greater_is_better=False``.
    """
    table = _Table(name, figure)
    return Metric(name, table.code, table.aggregate, prepare=table.prepare, whole=True, **arguments)


class _Table:
    """The pairs that numbers stand for, and the figure of sets of such numbers."""

    def __init__(self, name: str, figure: Figure) -> None:
        self.name, self.figure = name, figure
        self.pairs: dict[float, tuple[Any, Any]] = {}

    def code(self, prediction: Any, reference: Any) -> float:
        code = pair_code(prediction, reference)
        self.pairs[code] = (prediction, reference)
        return code

    def prepare(self, predictions: Sequence[Any], references: Sequence[Any]) -> None:
        for prediction, reference in zip(predictions, references, strict=True):
            self.code(prediction, reference)

    def aggregate(self, codes: np.ndarray, axis: int = -1) -> Any:
        import numpy as np

        sets = np.moveaxis(np.asarray(codes), axis, -1)
        whole = sets.ndim == 1
        found = [self._of(row, whole) for row in sets.reshape(-1, sets.shape[-1])]
        return np.array(found).reshape(sets.shape[:-1])[()]

    def _of(self, codes: np.ndarray, whole: bool) -> float:
        predictions, references = zip(*(self.pairs[code] for code in codes.tolist()), strict=True)
        try:
            return float(self.figure(list(predictions), list(references)))
        except Exception as error:  # a figure may raise anything
            if whole:
                raise PluginError(
                    f"metric {self.name!r} raised {type(error).__name__} for {len(codes):,} rows: "
                    f"{error}; return nan where the figure is undefined"
                ) from error
            return math.nan  # a draw for which it is undefined
