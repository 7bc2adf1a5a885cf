"""Several named scores of each row by one judge, which is asked once for them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from toolkit.errors import PluginError
from toolkit.metrics.metric import Metric
from toolkit.metrics.pairs import pair_key

Scores = Mapping[str, float]
"""The judge's answer: name of a score → its value."""


def judge_metrics(
    judge: Callable[[Any, Any], Any],
    *,
    together: bool = False,
    on_failure: str = "stop",
    **scores: Mapping[str, Any],
) -> tuple[Metric, ...]:
    """A metric for each score that a judge gives a row; the judge is asked once a row.

    .. code-block:: python

        metrics = judge_metrics(
            ask, on_failure="leave-out",
            fluent={"label": "Fluent"}, errors={"greater_is_better": False},
        )

    Args:
        judge: ``(prediction, reference)`` → a mapping of the scores' names to numbers; it may raise
            an exception, or leave a score out or give ``None`` for it, where it cannot judge.
        together: the judge takes lists of predictions and of references and returns a list of
            mappings, with an exception in the place of a row that it could not judge.
        on_failure: what becomes of such rows, see :attr:`Metric.on_failure`.
        scores: name of a score → further arguments of its :class:`Metric`.
    """
    asked = _Judge(judge, together)
    return tuple(
        Metric(
            name, partial(asked.score, name), prepare=asked.prepare, on_failure=on_failure, **more
        )
        for name, more in scores.items()
    )


class _Judge:
    """Asks the judge about each pair once, and keeps what it said or raised."""

    def __init__(self, judge: Callable[[Any, Any], Any], together: bool) -> None:
        self.judge, self.together = judge, together
        self.said: dict[str, Any] = {}

    def score(self, name: str, prediction: Any, reference: Any) -> float:
        self.prepare([prediction], [reference])
        said = self.said[pair_key(prediction, reference)]
        if isinstance(said, Exception):
            raise PluginError(f"the judge failed with {type(said).__name__}: {said}") from said
        value = said.get(name) if isinstance(said, Mapping) else None
        if value is None:
            raise PluginError(f"the judge gave no {name!r}, but {said!r:.80}")
        return float(value)

    def prepare(self, predictions: Sequence[Any], references: Sequence[Any]) -> None:
        """Ask about the pairs that are new."""
        new: dict[str, tuple[Any, Any]] = {}
        for pair in zip(predictions, references, strict=True):
            if (key := pair_key(*pair)) not in self.said:
                new[key] = pair
        if not new:
            return
        if not self.together:
            self.said |= {key: self._asked(*pair) for key, pair in new.items()}
            return
        answers = list(self.judge(*map(list, zip(*new.values(), strict=True))))
        if len(answers) != len(new):
            raise PluginError(
                f"the judge gave {len(answers)} answers for {len(new)} rows; give one a row"
            )
        self.said |= dict(zip(new, answers, strict=True))

    def _asked(self, prediction: Any, reference: Any) -> Any:
        try:
            return self.judge(prediction, reference)
        except Exception as error:  # a judge may raise anything
            return error
