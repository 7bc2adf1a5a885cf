"""From predictions to ``metrics.json``: every figure of a report, with its interval.

Nothing is predicted and no model is loaded: the figures are computed from the run directory and the
task's metrics, and the same files give the same document (``toolkit report --verify`` relies on
it).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence, Set
from statistics import median
from typing import Any

from toolkit.errors import RunError
from toolkit.evaluation import (
    confusion,
    decoders,
    full_fine_tuning,
    latency,
    learning_curve,
    perplexity,
    several,
    slices,
    targets,
    verdict,
)
from toolkit.evaluation.groups import with_groups
from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric
from toolkit.metrics.statistics import COVERAGE, Comparison, as_json, known
from toolkit.runs import evaluated, predictions
from toolkit.runs.contents import RunContents, read_run
from toolkit.runs.predictions import System
from toolkit.runs.run import Run
from toolkit.task import Task

VERSION = 2

MANY = 0.1
"""The share of rows with repeated texts from which on a run without groups has a caveat."""


def score(run: Run, task: Task) -> dict[str, Any]:
    """The metrics document of a run, from its predictions.

    Args:
        run: a run whose ``predictions/`` are complete.
        task: its task, with the ``options`` and ``state`` of the run.
    """
    return metrics_document(read_run(run), task)


def metrics_document(contents: RunContents, task: Task) -> dict[str, Any]:
    """The content of ``metrics.json``, from that of a run directory.

    Args:
        contents: the run's predictions and the files beside them.
        task: its task, with the ``options`` and ``state`` of the run.
    """
    contents = dataclasses.replace(
        contents, systems=with_groups(contents.systems, task, contents.heldout)
    )
    found, ours, base = contents.systems, contents.trained, contents.base
    for system in found:
        predictions.remember(task.metrics, system.lines())
    metric = task.metric()
    validation = {
        s.name: _validation_figures(s, task.metrics) for s in found if s.rows("validation")
    }
    best = best_baseline(found, metric, validation)
    apart = evaluated.several(contents.info)
    compared = _compared_with_all(found, ours, metric, apart)
    seeds = None if apart else decoders.seeds(found, metric)

    def judge(systems: Sequence[System], with_all: Mapping[str, Comparison]) -> verdict.Verdict:
        return verdict.of_run(
            task, metric, systems, with_all, best=best, synthetic=contents.synthetic, seeds=seeds,
            unfinished=(contents.info.get("training") or {}).get("unfinished"),
            absent={name: why for name, why in contents.absent.items() if name != "ensemble"},
        )  # fmt: skip

    answer, models = judge(found, compared), {}
    if apart and ours is not None and sum(s.role in predictions.TRAINED for s in found) > 1:
        each = {
            s.name: _compared_with_all(found, s, metric, apart)
            for s in found if s.role in predictions.TRAINED
        }  # fmt: skip
        verdicts = several.judged(found, each, judge)
        answer = verdicts[ours.name][0]
        answer.caveats.extend(several.caveats(verdicts, ours.name))
        models = {"models": several.document(verdicts)}
    full = {base.name if base else None, answer.against}
    comparisons = _comparisons(task, found, ours, compared, full)
    training = _training(contents, metric)
    decoded = {s.name: decoders.decoders(s, task, metric) for s in found}
    document = {
        "version": VERSION,
        "task": task.name,
        "run": contents.id,
        "synthetic": contents.synthetic,
        "n": max(len(s.rows()) for s in found),
        "groups": _groups(found),
        "primary_metric": metric.name,
        "verdict": {
            **answer.document(),
            "caveats": [*answer.caveats, *_shared_texts(contents), *_seen(contents)],
            **models,
        },
        "metrics": [_described(m) for m in task.metrics],
        "systems": {s.name: _system(s, task.metrics) for s in found},
        "absent": dict(contents.absent),
        "validation": validation,
        "comparisons": comparisons,
        "perplexity_gain": perplexity.perplexity_gain(ours, base),
        "decoders": {name: table for name, (table, _) in decoded.items() if table},
        "decoder_comparisons": [c for _, comparisons in decoded.values() for c in comparisons],
        "slices": slices.slices(found, metric),
        "confusion": _confusion(found, task),
        "seeds": seeds,
        "targets": [],
        "timings": {
            name: stage.get("seconds") for name, stage in contents.info.get("stages", {}).items()
        },
        "memory": {k: v for k, v in training.items() if k.endswith("memory_mb")},
        "training": training,
        "contamination": _contamination(contents),
        "full_fine_tuning": full_fine_tuning.beside(contents.info, contents.preflight),
        "speed": latency.table(contents.info, ours, latency.of_api(found)),
        "history": list(contents.history),
    }
    document["targets"] = targets.judge(task.targets(), document, ours.name if ours else None)
    return document


def _groups(found: Sequence[System]) -> int | None:
    """The number of groups of the test rows; ``None`` where each row is one of its own."""
    groups = max(found, key=lambda s: len(s.rows())).groups()
    return len(set(groups)) if groups else None


def best_baseline(
    found: Sequence[System], metric: Metric, validation: Mapping[str, Mapping[str, float | None]]
) -> System | None:
    """The best baseline on the validation rows; ``None`` where there is none.

    It stands in ``metrics.json`` for its readers; the verdict is about all baselines. A few-shot
    prompt counts as a baseline: where it does as well, no adapter is needed.

    Raises:
        RunError: no baseline has a figure on the validation rows.
    """
    cheap = [s for s in found if s.role in verdict.BASELINES]
    known = {s.name: validation[s.name][metric.name] for s in cheap if s.name in validation}
    ranked = [s for s in cheap if known.get(s.name) is not None]
    if cheap and not ranked and any(validation.values()):
        raise RunError("no baseline predicted the validation rows, and none may be chosen on test")
    sign = -1 if metric.greater_is_better else 1
    return min(ranked, key=lambda s: sign * (known[s.name] or 0.0), default=None)


def _training(contents: RunContents, metric: Metric) -> dict[str, Any]:
    """The figures of the training, with the signs of overfitting in the learning curve."""
    training = dict(contents.info.get("training") or {})
    training["overfitting"] = learning_curve.assess(contents.history, metric, training)
    return training


def _shared_texts(contents: RunContents) -> list[str]:
    """A caveat where many rows share their text and the run does not tell which ones."""
    share = (contents.preflight.get("duplicates") or {}).get("share", 0)
    lines = [line for system in contents.systems for line in system.rows()]
    if share < MANY or all("group" in line for line in lines):
        return []
    return [
        f"{share:.0%} of the rows share their text with another row, and this run of an earlier "
        "version stores neither its groups nor its rows; the intervals take each row for "
        "independent and are narrower than they should be."
    ]


def _contamination(contents: RunContents) -> dict[str, Any] | None:
    """How many test rows stand in the training file, where that was looked for."""
    found = contents.preflight.get("contamination")
    if not found:
        return None
    sizes = {kind: len(found[kind]) for kind in ("exact", "normalized", "near")}
    kept = ("test_rows", "train_rows", "share", "beyond_chance")
    return {**{name: found[name] for name in kept}, **sizes}


def _seen(contents: RunContents) -> list[str]:
    """A caveat where test rows stand in the training file."""
    found = _contamination(contents)
    if not found or not found["beyond_chance"]:
        return []
    count = found["exact"] + found["normalized"] + found["near"]
    return [
        f"{count:,} of {found['test_rows']:,} test rows ({found['share']:.1%}) "
        f"{'stands' if count == 1 else 'stand'} in the training file, as they are or nearly: what "
        "was trained on them may know them by heart."
    ]


def _described(metric: Metric) -> dict[str, Any]:
    return {
        "name": metric.name,
        "label": metric.label or metric.name,
        "unit": metric.unit,
        "format": metric.format,
        "greater_is_better": metric.greater_is_better,
        **({"detail": True} if metric.detail else {}),
        **({"note": metric.note} if metric.note else {}),
        **({"whole": True} if metric.whole else {}),
    }


def _validation_figures(system: System, metrics: Iterable[Metric]) -> dict[str, float | None]:
    return {
        m.name: known(statistics.metric_value(m, system.values(m.name, "validation")))
        for m in metrics
    }


def _system(system: System, metrics: Iterable[Metric]) -> dict[str, Any]:
    rows, groups = system.rows(), system.groups()
    return {
        "role": system.role,
        "n": len(rows),
        **({"groups": len(set(groups))} if groups else {}),
        "decoder": system.entry.get("decoder"),
        "metrics": {
            m.name: {**_estimate(m, system), "greater_is_better": m.greater_is_better}
            for m in metrics
        },
        "parse_failures": _share([not row.get("parsed", True) for row in rows], groups),
        "interval": _coverage(rows),
        "fit_seconds": system.entry.get("fit_seconds"),
        "predict_seconds": system.entry.get("predict_seconds"),
        "hit_limit": sum(bool(row.get("hit_limit")) for row in rows),
        "note": system.entry.get("note") or "",
        "perplexity": perplexity.perplexity(system),
        **({"api": dict(system.entry["api"])} if system.entry.get("api") else {}),
    }


def _estimate(metric: Metric, system: System) -> dict[str, Any]:
    """A figure with its interval, and how many rows are left out because the metric failed."""
    found = as_json(predictions.estimate(metric, system))
    if not (count := system.failed(metric.name)):
        return found
    said = (
        f"{count:,} of {len(system.rows()):,} rows are left out of all systems, because they could "
        "not be scored for some of them."
    )
    notes = filter(None, (found.get("note"), said))
    return {**found, "left_out": count, "note": " ".join(notes)}


SHARE = Metric("share", lambda prediction, reference: None, format=".1%")
"""The share of rows of which something is true."""


def _share(found: Sequence[bool], groups: Sequence[str] | None) -> dict[str, Any]:
    """How often something is true, with Wilson's interval or that of the rows' groups."""
    if groups is None:
        return as_json(statistics.proportion(sum(found), len(found)))
    return as_json(statistics.interval(SHARE, [float(true) for true in found], groups=groups))


def _coverage(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """How often the prediction intervals contain the reference, on the test rows."""
    judged = [
        row
        for row in rows
        if row.get("low") is not None and isinstance(row["reference"], int | float)
    ]
    if not judged:
        return None
    inside = [row["low"] <= row["reference"] <= row["high"] for row in judged]
    share = _share(inside, predictions.grouping(judged))
    return {
        "coverage": share.pop("value"),
        **share,
        "median_width": median(row["high"] - row["low"] for row in judged),
        "target": COVERAGE,
    }


def _confusion(found: Sequence[System], task: Task) -> dict[str, Any] | None:
    """For tasks with classes, the confusion matrix of each system."""
    categories = task.categories()
    if not categories:
        return None
    return {
        "labels": [str(category) for category in categories],
        "systems": {s.name: confusion.confusion(s, categories, task.category) for s in found},
    }


# -- comparisons ---------------------------------------------------------------------------------
def _compared_with_all(
    found: Sequence[System], ours: System | None, metric: Metric, apart: bool
) -> dict[str, Comparison]:
    """The trained model compared with every other system that competes with it.

    Args:
        found: all systems.
        ours: the trained one.
        metric: the primary metric.
        apart: whether other trained systems compete too, as models that were trained elsewhere do.
    """
    if ours is None:
        return {}
    left = ("control",) if apart else (ours.role, "control")
    others = [s for s in found if s.role not in left and s.name != ours.name]
    return {other.name: predictions.compared(metric, ours, other) for other in others}


def _comparisons(
    task: Task,
    found: Sequence[System],
    ours: System | None,
    primary: Mapping[str, Comparison],
    rivals: Set[str | None],
) -> list[dict[str, Any]]:
    """The rows of ``comparisons`` of ``metrics.json``.

    All systems are compared on the primary metric and on metrics with ``against_all``; the rivals,
    which are the base model and the baseline that the verdict names, on all metrics.
    """
    rows = []
    for other in found:
        if ours is None or other.name not in primary:
            continue
        for metric in task.metrics:
            if metric.name == task.primary_metric:
                result = primary[other.name]
            elif metric.against_all or (other.name in rivals and not metric.detail):
                result = predictions.compared(metric, ours, other)
            else:
                continue
            rows.append({"a": ours.name, "b": other.name, "metric": metric.name, **as_json(result)})
    return rows
