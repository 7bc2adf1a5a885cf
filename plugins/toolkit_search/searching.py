"""The search: trials until a budget is spent, each trained on the training rows and judged on
validation rows; test rows are never looked at.
"""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import Recipe, ToolkitError
from toolkit.formatting import duration
from toolkit.system import Console
from toolkit_search import study as studies
from toolkit_search.space import Space, applied, as_text, of_recipe

if TYPE_CHECKING:
    import optuna

    from toolkit.pipeline.tuning import Tried
    from toolkit.pipeline.whole import Plan

DUPLICATES = 25
"""Settings in a row that were tried before, after which the space counts as exhausted."""
REFUSALS = 25
"""Settings in a row that cannot work, after which the search ends."""
DRAWING = 20.0
"""Seconds to wait for the settings of an earlier trial that is only being drawn."""
LEAST = 0.02
"""The share of a search's minutes that a trial must have left to be begun."""


@dataclass(frozen=True)
class Limits:
    """When a search ends.

    Args:
        trials: trials of the study that are done, by all processes; ``None``: no limit.
        seconds: of this process; ``None``: no limit.
        trial_minutes: the most of one training; ``None``: those of the recipe.
    """

    trials: int | None = None
    seconds: float | None = None
    trial_minutes: float | None = None


@dataclass
class Search:
    """A search in one process.

    Args:
        plan: how trials are run.
        recipe: the recipe that they change.
        space: what they try.
        study: their study.
        limits: when it ends.
        console: where progress is shown.
        scratch: the folder in which trials are run.
    """

    plan: Plan
    recipe: Recipe
    space: Space
    study: optuna.Study
    limits: Limits
    console: Console
    scratch: Path
    _started: float = field(default_factory=time.monotonic)

    def run(self) -> str:
        """Do trials until the budget is spent; gives why it has ended."""
        known = self.study.get_trials(deepcopy=False)
        if not known:
            self.study.enqueue_trial(
                of_recipe(self.plan.task, self.recipe, self.space), skip_if_exists=True
            )
        doubles = refusals = 0
        while True:
            studies.free_stale(self.study)
            if reason := self._ended():
                return reason
            trial = self.study.ask()
            outcome = self._one(trial)
            doubles = doubles + 1 if outcome == "duplicate" else 0
            refusals = refusals + 1 if outcome == "refused" else 0
            if doubles >= DUPLICATES:
                return "all settings of the space were tried"
            if refusals >= REFUSALS:
                return f"{REFUSALS} settings in a row cannot work"

    def _ended(self) -> str:
        if self.limits.trials is not None and done(self.study) >= self.limits.trials:
            return f"{self.limits.trials:,} trials are done"
        left = self._left()
        if left is not None and left <= LEAST * (self.limits.seconds or 0):
            return f"{duration(self.limits.seconds or 0)} are over"
        return ""

    def _left(self) -> float | None:
        """Seconds that are left; ``None``: there is no limit."""
        if self.limits.seconds is None:
            return None
        return self.limits.seconds - (time.monotonic() - self._started)

    def _one(self, trial: optuna.trial.Trial) -> str:
        module = studies.optuna_module()
        states = module.trial.TrialState
        with studies.alive(trial):
            values = {name: one.drawn(trial, name) for name, one in self.space.items()}
            trial.set_user_attr("drawn", True)
            if same := self._same(trial):
                trial.set_user_attr("why", f"the same settings as trial {same}")
                self.study.tell(trial, state=states.FAIL)
                return "duplicate"
            shown = ", ".join(f"{k.partition('.')[2] or k} {_short(v)}" for k, v in values.items())
            self.console.heading(f"trial {trial.number}: {shown}")
            try:
                found = self._trained(trial, applied(self.recipe, values))
            except module.TrialPruned:
                self.study.tell(trial, state=states.PRUNED)
                self.console.note("pruned: the validation figure was below the others' median")
                return "pruned"
            except ToolkitError as error:
                trial.set_user_attr("why", str(error)[:500])
                self.study.tell(trial, state=states.FAIL)
                self.console.note(f"refused: {error}")
                return "refused"
            if not math.isfinite(found.value):
                trial.set_user_attr("why", "it has no figure on the validation rows")
                self.study.tell(trial, state=states.FAIL)
                return "refused"
            trial.set_user_attr("seconds", round(found.seconds, 2))
            trial.set_user_attr("steps", found.steps)
            trial.set_user_attr("planned", found.planned)
            self.study.tell(trial, found.value)
        self.console.note(f"{found.value:.6g} on validation, {duration(found.seconds)}")
        return "done"

    def _trained(self, trial: optuna.trial.Trial, recipe: Recipe) -> Tried:
        from toolkit.pipeline import tuning

        pruned = studies.optuna_module().TrialPruned

        def on_value(number: int, value: float) -> None:
            trial.report(value, number)
            if trial.should_prune():
                raise pruned

        quiet = Console(quiet=True)
        run = dataclasses.replace(self.plan, runs=self.scratch).begin(self._timed(recipe))
        return tuning.tried(run, quiet, on_value)

    def _timed(self, recipe: Recipe) -> Recipe:
        left = self._left()
        limits = [
            minutes
            for minutes in (
                self.limits.trial_minutes,
                None if left is None else max(left, 1.0) / 60,
                (recipe.early_stopping or {}).get("minutes"),
            )
            if minutes is not None
        ]
        if not limits:
            return recipe
        stopping = {**(recipe.early_stopping or {}), "minutes": min(limits)}
        return dataclasses.replace(recipe, early_stopping=stopping)

    def _same(self, trial: optuna.trial.Trial) -> str:
        """The number of an earlier trial with the same settings that is done or at work."""
        module = studies.optuna_module()
        states = module.trial.TrialState
        wanted = (states.COMPLETE, states.PRUNED, states.RUNNING)
        # An earlier trial of another process may be drawing its settings right now.
        until = time.monotonic() + DRAWING
        while time.monotonic() < until and any(
            other.number < trial.number and "drawn" not in other.user_attrs
            and not studies.stale(other.user_attrs, other.datetime_start)
            for other in self.study.get_trials(deepcopy=False, states=(states.RUNNING,))
        ):  # fmt: skip
            time.sleep(0.05)
        for other in self.study.get_trials(deepcopy=False, states=wanted):
            if other.number < trial.number and other.params == trial.params:
                return str(other.number)
        return ""


def done(study: optuna.Study) -> int:
    """Trials with a figure, and those that were pruned."""
    states = studies.optuna_module().trial.TrialState
    return len(study.get_trials(deepcopy=False, states=(states.COMPLETE, states.PRUNED)))


def winner(study: optuna.Study) -> optuna.trial.FrozenTrial | None:
    """The best trial; ``None`` where none is complete."""
    try:
        return study.best_trial
    except ValueError:
        return None


def values_of(trial: optuna.trial.FrozenTrial, space: Space) -> dict[str, Any]:
    """The settings of a trial that is done."""
    found = {}
    for name, stored in trial.params.items():
        choices = space[name].choices if name in space else ()
        by_text = {as_text(choice): choice for choice in choices}
        found[name] = by_text.get(stored, stored) if choices else stored
    return found


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
