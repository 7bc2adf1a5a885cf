"""What a sweep has found: trials, what mattered, the comparison on test rows, the page."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.formatting import count, duration, figure
from toolkit.reporting import page, svg
from toolkit.runs import write_json, write_text
from toolkit_search import study as studies
from toolkit_search.searching import values_of, winner
from toolkit_search.space import Space, as_text

if TYPE_CHECKING:
    import optuna

FEWEST = 4
"""Complete trials from which on it is told what mattered."""
TRIALS_EACH = 5
"""Complete trials for each setting from which on that is more than a hint."""


def document(
    task: str,
    metric: Any,
    study: optuna.Study,
    space: Space,
    reason: str,
    final: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """All figures, as JSON values.

    Args:
        task: the name of the task.
        metric: its primary metric.
        study: the study.
        space: what it tried.
        reason: why the search has ended.
        final: winner and recipe on the test rows; ``None``: they were not trained again.
    """
    best = winner(study)
    trials = [_trial(one, space) for one in study.get_trials(deepcopy=False)]
    states = [one["state"] for one in trials]
    found = {
        "version": 1, "task": task, "study": study.study_name,
        "metric": {"name": metric.name, "label": metric.label or metric.name, "unit": metric.unit,
                   "format": metric.format, "greater_is_better": metric.greater_is_better},
        "settings": list(space), "trials": trials,
        "counts": {state: states.count(state) for state in dict.fromkeys(states)},
        "ended": reason, "best": None if best is None else best.number,
        "recipe": next((t["number"] for t in trials if t["number"] == 0), None),
        "importance": importance(study), "final": final,
    }  # fmt: skip
    return {**found, "sentences": sentences(found)}


def _trial(trial: optuna.trial.FrozenTrial, space: Space) -> dict[str, Any]:
    told = trial.user_attrs
    reported = [trial.intermediate_values[at] for at in sorted(trial.intermediate_values)]
    return {
        "number": trial.number, "state": trial.state.name.lower(),
        "values": values_of(trial, space),
        "value": trial.value if trial.state.name == "COMPLETE" else None,
        "evaluations": reported, "seconds": told.get("seconds"), "steps": told.get("steps"),
        "planned": told.get("planned"), "why": told.get("why"),
    }  # fmt: skip


def importance(study: optuna.Study) -> dict[str, float]:
    """The share of the figures' variance that each setting explains; empty where few are known."""
    module = studies.optuna_module()
    complete = study.get_trials(deepcopy=False, states=(module.trial.TrialState.COMPLETE,))
    if len(complete) < FEWEST or len({trial.value for trial in complete}) < 2:
        return {}
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        found = module.importance.get_param_importances(study)
        return {name: round(float(share), 4) for name, share in found.items()}
    return {}


def sentences(doc: Mapping[str, Any]) -> list[str]:
    """What was found, in sentences."""
    metric, trials = doc["metric"], {trial["number"]: trial for trial in doc["trials"]}
    counts = ", ".join(f"{number:,} {_named(state)}" for state, number in doc["counts"].items())
    found = [f"{count(len(trials), 'trial')} ({counts}); the search ended because {doc['ended']}."]
    if doc["best"] is None:
        return [*found, "No trial has a figure, so there is no winner."]
    best = trials[doc["best"]]
    found.append(
        f"The best on validation is trial {best['number']} with {metric['label']} "
        f"{_shown(metric, best['value'])}: {_settings(best['values'])}."
    )
    first = trials.get(0)
    if first and first["value"] is not None and first is not best:
        found.append(f"The recipe's own settings have {_shown(metric, first['value'])} there.")
    if doc["importance"]:
        name, share = next(iter(doc["importance"].items()))
        hint = "" if _many(doc) else "; so few trials are a hint at most"
        found.append(f"What mattered most is {name} ({share:.0%} of the variance{hint}).")
    final = doc["final"]
    if final:
        pair = final["pair"]
        found.append(f"On the test rows, looked at once: {_pair(metric, pair)}")
    return found


def _many(doc: Mapping[str, Any]) -> bool:
    """Whether there are trials enough to say which of the settings matters."""
    return bool(doc["counts"].get("complete", 0) >= TRIALS_EACH * len(doc["settings"]))


def _pair(metric: Mapping[str, Any], pair: Mapping[str, Any]) -> str:
    if not pair.get("row_by_row"):
        return f"winner and recipe cannot be compared: {pair.get('why')}."
    difference = _shown(metric, pair["difference"])
    span = (
        f"{_shown(metric, pair['low'])} to {_shown(metric, pair['high'])}"
        if pair.get("low") is not None
        else "no interval"
    )
    low, high = pair.get("low"), pair.get("high")
    better = "higher" if metric["greater_is_better"] else "lower"
    if low is None or high is None or low <= 0 <= high:
        said = "the rows do not show a difference"
    else:
        said = f"the winner is {'better' if (low > 0) == metric['greater_is_better'] else 'worse'}"
    return f"winner minus recipe {difference} (95 %: {span}; {better} is better): {said}."


def _named(state: str) -> str:
    return {"complete": "done", "fail": "refused, doubled or freed"}.get(state, state)


def _settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else as_text(value)


def _shown(metric: Mapping[str, Any], value: float) -> str:
    return figure(value, metric["format"], metric["unit"])


# -- the page --------------------------------------------------------------------------------------
def write(doc: Mapping[str, Any], folder: Path) -> Path:
    """Write ``sweep.json`` and ``report.html`` into a folder; gives the path of the page."""
    write_json(folder / "sweep.json", doc)
    place = folder / "report.html"
    write_text(place, html(doc))
    return place


def html(doc: Mapping[str, Any]) -> str:
    """The page."""
    metric = doc["metric"]
    headings = ["trial", "outcome", f"{metric['label']} on validation", "time", *doc["settings"]]
    rows = [_row(metric, doc["settings"], trial) for trial in _ranked(doc)]
    sections = [
        page.Section("What mattered", _importance_lead(doc), headings=["setting", "share"],
                     rows=[[n, f"{s:.0%}"] for n, s in doc["importance"].items()]),
        page.Section("Settings of all trials", charts=_charts(doc)),
        page.Section("Trials", headings=headings, rows=rows),
    ]  # fmt: skip
    if doc["final"]:
        seeds = doc["final"]["seeds"]
        lines = [
            [name, Path(doc["final"]["paths"][name]).name, _shown(metric, line["value"]),
             _spread(metric, seeds.get(name)), line["sentence"]]
            for name, line in zip(("recipe", "winner"), doc["final"]["runs"], strict=True)
        ]  # fmt: skip
        sections.insert(0, page.Section(
            "On the test rows", ["Both were trained again, with seeds that no trial had."],
            headings=["", "run", metric["label"], "over seeds", "verdict"], rows=lines,
        ))  # fmt: skip
    return page.html(
        f"{doc['task']}: {count(len(doc['trials']), 'trial')}",
        f"{metric['label']}, {'higher' if metric['greater_is_better'] else 'lower'} is better",
        " ".join(doc["sentences"]), sections,
    )  # fmt: skip


def _importance_lead(doc: Mapping[str, Any]) -> list[str]:
    if doc["importance"]:
        return ["The share of the validation figures' variance that a setting explains."]
    return ["Too few trials are complete to tell."]


def _spread(metric: Mapping[str, Any], seeds: Mapping[str, Any] | None) -> str:
    if not seeds:
        return ""
    return f"{_shown(metric, seeds['mean'])} ± {_shown(metric, seeds['sd'])} ({seeds['n']})"


def _ranked(doc: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    sign = -1 if doc["metric"]["greater_is_better"] else 1

    def place(trial: Mapping[str, Any]) -> tuple[bool, float, int]:
        value = trial["value"]
        return value is None, sign * (value or 0.0), trial["number"]

    return sorted(doc["trials"], key=place)


def _row(metric: Mapping[str, Any], names: Sequence[str], trial: Mapping[str, Any]) -> list[str]:
    outcome = _named(trial["state"])
    if trial["why"]:
        outcome = f"{outcome}: {trial['why']}"
    elif trial["state"] == "pruned":
        outcome = f"pruned after {count(len(trial['evaluations']), 'evaluation')}: below the median"
    reached = trial["value"] if trial["value"] is not None else _last(trial)
    return [
        str(trial["number"]), outcome, "" if reached is None else _shown(metric, reached),
        "" if trial["seconds"] is None else duration(trial["seconds"]),
        *("" if n not in trial["values"] else _value(trial["values"][n]) for n in names),
    ]  # fmt: skip


def _last(trial: Mapping[str, Any]) -> float | None:
    return trial["evaluations"][-1] if trial["evaluations"] else None


def _charts(doc: Mapping[str, Any]) -> list[str]:
    drawn = [trial for trial in doc["trials"] if trial["value"] is not None]
    if svg.left_out() or len(drawn) < 2:
        return []
    return [parallel(doc, drawn, narrow=narrow) for narrow in (False, True)]


def parallel(doc: Mapping[str, Any], trials: Sequence[Mapping[str, Any]], *, narrow: bool) -> str:
    """Parallel coordinates: one line for each trial, the best ones in the accent colour."""
    names = [*doc["settings"], doc["metric"]["label"]]
    sign = -1 if doc["metric"]["greater_is_better"] else 1
    ranked = sorted(trials, key=lambda trial: -sign * trial["value"])  # the best is drawn last
    columns = [[trial["values"].get(name) for trial in ranked] for name in doc["settings"]]
    columns.append([trial["value"] for trial in ranked])
    places = [_places(column) for column in columns]
    strong = max(1, len(ranked) // 5)
    with svg.style(f"parallel{narrow}"):
        figure_ = svg.new(svg.NARROW if narrow else svg.WIDE, 3.6)
        axes = figure_.add_subplot()
        for at in range(len(ranked)):
            best = at >= len(ranked) - strong
            axes.plot(
                range(len(names)), [column[at] for column in places],
                linewidth=1.6 if best else 0.8,
                color=svg.ACCENT if best else svg.SECOND, alpha=1.0 if best else 0.5,
            )  # fmt: skip
        for x, column in enumerate(columns):
            for value, y in _ends(column):
                axes.annotate(
                    _value(value)[:14], (x, y), fontsize=8, color=svg.MUTED, ha="center",
                    va="bottom" if y > 0.5 else "top",
                )  # fmt: skip
        shown = [name.rpartition(".")[2] for name in names]
        axes.set_xticks(range(len(names)), shown, rotation=60 if narrow else 15, ha="right")
        axes.set_yticks([])
        axes.set_ylim(-0.12, 1.12)
        return svg.svg(figure_, "settings of all trials with their figures")


def _places(column: Sequence[Any]) -> list[float]:
    """Values as heights from 0 to 1: numbers by size, others in order; absent ones halfway."""
    known = [value for value in column if value is not None]
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in known) and known:
        low, high = min(known), max(known)
        ratio = low > 0 and high / low > 20

        def scaled(value: float) -> float:
            return math.log(value) if ratio else value

        width = scaled(high) - scaled(low)
        return [
            0.5 if v is None or not width else (scaled(v) - scaled(low)) / width for v in column
        ]
    order = sorted({as_text(value) for value in known})
    last = max(1, len(order) - 1)
    return [0.5 if v is None else order.index(as_text(v)) / last for v in column]


def _ends(column: Sequence[Any]) -> list[tuple[Any, float]]:
    """The lowest and the highest value of a column with their heights."""
    pairs = [(v, y) for v, y in zip(column, _places(column), strict=True) if v is not None]
    if not pairs:
        return []
    low, high = min(pairs, key=lambda p: p[1]), max(pairs, key=lambda p: p[1])
    return [low] if low[1] == high[1] else [low, high]
