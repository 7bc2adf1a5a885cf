"""Several readings of a row whose number distributions are averaged.

A task that trains on augmented rows (:meth:`toolkit.Task.augment`) has many ways to write a row
that mean the same; a model that answers each a little differently answers better on average. Known
as test-time augmentation: D. Shanmugam et al., "Better Aggregation in Test-Time Augmentation",
2021, arXiv:2011.11156; for texts H. Lu et al., 2022, arXiv:2206.13607.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np

from toolkit.kinds.language.outputs import Generated, Numbers
from toolkit.task import Row, Task


def readings(task: Task, row: Row, count: int) -> list[Row]:
    """The row as it is, and as the task augments it, without repetitions; at most ``count`` rows.

    The same row has the same readings in every call, on every machine.
    """
    found: list[Row] = [dict(row)]
    for number in range(1, count):
        other = {**row, **task.augment(row, Random(number))}
        if other not in found:
            found.append(other)
    return found


def averaged(outputs: Sequence[Generated]) -> Generated:
    """The first reading's text, with the mean of all readings' distributions."""
    first, numbers = outputs[0], [out.numbers for out in outputs if out.numbers is not None]
    if len(outputs) == 1 or len(numbers) < len(outputs):
        return first
    values = functools.reduce(np.union1d, (one.values for one in numbers))
    total = np.zeros(len(values))
    for one in numbers:
        total[np.searchsorted(values, one.values)] += one.probabilities
    return replace(
        first,
        numbers=Numbers(values, total / len(numbers)),
        seconds=sum(out.seconds for out in outputs),
    )
