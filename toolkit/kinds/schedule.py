"""Time limits: the schedule is fitted to the time there is, and training that was cut says so."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState

from toolkit.formatting import duration
from toolkit.system import distributed

if TYPE_CHECKING:
    from toolkit.kinds.trainer import JudgedTrainer

TIMED_STEPS = 3
"""Steps that are timed, at least, before the schedule is fitted; the first one is not timed."""
TIMED_SHARE = 0.05
"""The share of the limit that these steps take, at least: a few milliseconds tell little."""
MARGIN = 0.95
"""The share of the time left that a fitted schedule fills, as steps do not take equally long."""
PLATEAU = 2
"""Evaluations after the best one, without a better one, from which validation is at a plateau."""


class TimeBudget(TrainerCallback, ExportableState):  # type: ignore[misc]
    """Fits the schedule into so many seconds, and ends training when they are over.

    After the first steps have been timed, and again at each evaluation, the time of the planned
    steps and of the evaluations between them is extrapolated. Where it is over the limit, the
    number of steps becomes what fits, and warm-up and decay of the learning rate are those of that
    number, so that the decay reaches its end within the limit. Where it is not, nothing changes.
    Steps are only ever taken away. What was fitted and the time that was spent are stored with each
    checkpoint: a resumed training keeps both.

    When the seconds are over all the same, training ends, with a last evaluation so that its
    weights count. Evaluations count, the last one does not.

    Args:
        seconds: the limit.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.started = math.inf
        self.note: Callable[[str], None] = lambda sentence: None
        self.trainer: JudgedTrainer | None = None
        self.fits: list[list[int]] = []
        """The steps after which the schedule was fitted, and to how many steps."""
        self.planned: int | None = None
        self.over = False
        """Whether the seconds were over before the last step."""
        self._timed: tuple[int, float] | None = None
        self._evaluating = 0.0

    def state(self) -> dict[str, Any]:
        return {
            "args": {"seconds": self.seconds},
            "attributes": {"fits": self.fits, "planned": self.planned, "spent": self._spent()},
        }

    def _spent(self) -> float:
        """Seconds of training so far, those before a resumption included."""
        return 0.0 if math.isinf(self.started) else time.perf_counter() - self.started

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.started = time.perf_counter()
        if state is None:
            return
        self.started -= float(_kept(state).get("spent") or 0.0)
        self.planned = state.max_steps
        self._timed, self._evaluating = None, 0.0
        self.fits = [list(fit) for fit in _stored(state)]
        if self.fits:
            self._apply(state, self.fits[-1][1])

    def _elapsed(self) -> float:
        """Seconds since training began; the same in all processes, which stop at the same step."""
        return float(distributed.agreed(lambda: time.perf_counter() - self.started))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        elapsed = self._elapsed()
        if elapsed >= self.seconds:
            control.should_evaluate = control.should_save = True
            control.should_training_stop = self.over = True
        elif state is not None and self.trainer is not None:
            if self._timed is None:
                self._timed = (state.global_step, elapsed)
                self._evaluating = self.trainer.evaluation_seconds
            elif not self.fits:
                self._fit(args, state, elapsed)

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._timed is not None:
            self._fit(args, state, self._elapsed())

    def _fit(self, args: Any, state: Any, elapsed: float) -> None:
        """Take away the steps that the time left does not allow."""
        total, step = distributed.agreed(lambda: self._fitting(args, state, elapsed))
        if total >= state.max_steps:
            return
        self.fits.append([state.global_step, total])
        self._apply(state, total)
        self.note(
            f"{duration(self.seconds)} allow about {total:,} of the {self.planned:,} planned steps "
            f"({step:.2f} s each); warm-up and decay of the learning rate are fitted to them"
        )

    def _fitting(self, args: Any, state: Any, elapsed: float) -> tuple[int, float]:
        """The steps that the limit allows, of those in the schedule, and the seconds of one."""
        assert self._timed is not None and self.trainer is not None
        first, then = self._timed
        steps = state.global_step - first
        if steps < TIMED_STEPS or elapsed < TIMED_SHARE * self.seconds:
            return state.max_steps, 0.0
        evaluating = self.trainer.evaluation_seconds - self._evaluating
        step, left = (elapsed - then - evaluating) / steps, self.seconds - elapsed
        every = _evaluation_steps(args, state, self.trainer)
        one = self.trainer.evaluation_seconds / max(1, self.trainer.evaluations)
        ahead = state.max_steps - state.global_step
        # The evaluation after the last step is not within the limit.
        if ahead * step + max(0, math.ceil(ahead / every) - 1) * one <= left:
            return state.max_steps, step
        fitting = int(MARGIN * left / (step + one / every)) if left > 0 else 0
        return min(state.max_steps, state.global_step + max(1, fitting)), step

    def _apply(self, state: Any, total: int) -> None:
        """Make a number of steps that of the loop and of the learning rate's schedule."""
        assert self.trainer is not None
        state.max_steps = total
        refit(self.trainer, total)


def _stored(state: Any) -> Sequence[list[int]]:
    """The fits that a checkpoint's state holds; none at the start of a training."""
    return [list(fit) for fit in _kept(state).get("fits", ())]


def _kept(state: Any) -> dict[str, Any]:
    """What a checkpoint's state holds of the limit; empty at the start of a training."""
    found = (state.stateful_callbacks or {}).get("TimeBudget") or {}
    found = found[0] if isinstance(found, list) else found
    return dict(found.get("attributes") or {})


def _evaluation_steps(args: Any, state: Any, trainer: Any) -> float:
    """Steps between two evaluations."""
    if str(getattr(args.eval_strategy, "value", args.eval_strategy)) == "steps":
        return max(1.0, float(state.eval_steps or args.eval_steps or math.inf))
    return steps_of_epoch(trainer)


def steps_of_epoch(trainer: Any) -> float:
    """Optimizer steps in which every training row is seen once."""
    rows = len(trainer._get_train_sampler(trainer.train_dataset))
    batch = trainer.args.train_batch_size * trainer.args.gradient_accumulation_steps
    return float(max(1, math.ceil(rows / (batch * distributed.count()))))


def refit(trainer: Any, total: int) -> None:
    """Give the learning rate the schedule of another number of steps, from the step it is at."""
    import torch
    from transformers import get_scheduler

    schedule = trainer.lr_scheduler
    if not hasattr(schedule, "lr_lambdas"):
        return  # it follows the validation loss, and not the number of steps
    args = trainer.args
    blank = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    made = get_scheduler(
        args.lr_scheduler_type,
        optimizer=blank,
        num_warmup_steps=args.get_warmup_steps(total),
        num_training_steps=total,
        scheduler_specific_kwargs=args.lr_scheduler_kwargs,
    )
    groups = schedule.optimizer.param_groups
    schedule.lr_lambdas = list(made.lr_lambdas) * len(groups)
    for group, base, factor in zip(groups, schedule.base_lrs, schedule.lr_lambdas, strict=True):
        group["lr"] = base * factor(schedule.last_epoch)
    schedule._last_lr = [group["lr"] for group in groups]


def spaced(evaluations: Sequence[tuple[int, float]]) -> list[float]:
    """The values of evaluations, without a last one that came right after another.

    A training that is ended is evaluated once more, perhaps a step after the last time: the two say
    the same, and are no plateau.

    Args:
        evaluations: the step and the value of each.
    """
    steps, values = [step for step, _ in evaluations], [value for _, value in evaluations]
    if len(steps) > 2 and steps[-1] - steps[-2] < (steps[-2] - steps[-3]) / 2:
        values.pop()
    return values


def unfinished(
    evaluations: Sequence[float],
    *,
    greater_is_better: bool,
    steps: int,
    max_steps: int,
    planned: int,
    epoch: float,
    by_time: bool,
    seconds: float,
) -> dict[str, Any] | None:
    """What of the planned training is missing, where its result does not show what it can do.

    Validation is *still improving* where the last evaluation is the best, or the best but for the
    first one: a training that starts from a good head leaves it at first, and climbs back.

    Training is unfinished in three cases:

    - **time**: the limit ended it, or the schedule was fitted to it, before the planned steps were
      done, and validation was not at a plateau: it was still improving, or fewer than
      :data:`PLATEAU` evaluations came after the best one. A training that was never evaluated twice
      after its best shows no plateau.
    - **patience**: it ended before the schedule's end for another reason than time, and was still
      improving (patience asks for more than it got, see ``early_stopping_threshold``).
    - **steps**: all of its ``max_steps`` are done, but they are less than one epoch, so that rows
      have never been seen, and it was still improving.

    It is finished where its last planned step was done otherwise, and where patience ended it at a
    plateau.

    Args:
        evaluations: the primary metric at each evaluation, the first to the last.
        greater_is_better: of the metric.
        steps: the steps that were done.
        max_steps: the steps of the schedule at the end.
        planned: the steps of the recipe.
        epoch: steps in which every row is seen once.
        by_time: whether a time limit took steps away or ended training.
        seconds: what training took.

    Returns:
        ``share``: of the planned steps, or of an epoch, that was done; ``minutes_needed``: further
        minutes that the rest takes at the same pace, ``None`` where it is not known; ``reason``.
        ``None``: it is finished.
    """
    if not evaluations or steps < 1:
        return None
    sign = 1 if greater_is_better else -1
    scores = [sign * value for value in evaluations]
    after = len(scores) - 1 - scores.index(max(scores))
    improving = after == 0 or _climbing(scores)
    if steps < planned and by_time:
        whole, reason = float(planned), "the time limit"
        missing = after < PLATEAU or improving
    elif steps < max_steps:
        whole, reason = float(planned), "patience, while validation was still improving"
        missing = improving
    else:
        whole, reason = epoch, "max_steps, before all rows were seen once"
        missing = steps < epoch and improving
    if not missing:
        return None
    minutes = seconds * (whole - steps) / steps / 60
    return {
        "share": round(steps / whole, 4),
        "minutes_needed": round(minutes, 1) if seconds > 0 else None,
        "reason": f"ended by {reason}, after {steps:,} of {math.ceil(whole):,} steps",
    }


def _climbing(scores: Sequence[float]) -> bool:
    """Whether the last of some scores is higher than all others but the first."""
    return len(scores) > 2 and scores[-1] > max(scores[1:-1])
