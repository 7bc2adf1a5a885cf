"""What growing shares have shown: laws, what more rows would bring, the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit import Task, UsageError
from toolkit.formatting import figure
from toolkit.reporting import page, svg
from toolkit.runs import write_json, write_text
from toolkit_search import power_law
from toolkit_search.growing import Point, nested
from toolkit_search.power_law import Law

CONFIDENCE = 0.8
TRAINED = ("adapter", "full")


def document(task: type[Task], points: Sequence[Point], times: Sequence[float]) -> dict[str, Any]:
    """All figures, as JSON values.

    Args:
        task: the task that was trained.
        points: what the shares have given, the smallest first.
        times: multiples of all training rows.

    Raises:
        UsageError: the shares are too few different numbers of rows, or nothing has a figure.
    """
    last = points[-1].metrics
    metric = next(m for m in last["metrics"] if m["name"] == last["primary_metric"])
    better = bool(metric["greater_is_better"])
    ours, baseline = _ours(last), last["verdict"]["best_baseline"]
    names = {"adapter": ours, "baseline": baseline}
    curves = {kind: _curve(points, name, metric["name"]) for kind, name in names.items() if name}
    total = points[-1].total
    looked = sorted({1.0, *times})
    systems: dict[str, Any] = {}
    laws: dict[str, Law] = {}
    for kind, (sizes, figures) in curves.items():
        try:
            law = laws[kind] = power_law.fit(sizes, figures, greater_is_better=better)
        except ValueError as error:
            raise UsageError(f"no law can be fitted to {names[kind]}: {error}") from error
        systems[kind] = {
            "name": names[kind],
            "figures": [{"rows": n, "value": v} for n, v in zip(sizes, figures, strict=True)],
            "law": {"floor": law.floor, "scale": law.scale, "exponent": law.exponent,
                    "of": "error" if law.top is None else "distance"},
            "expected": [_expected(law, total, t) for t in looked],
        }  # fmt: skip
    crossing = None
    if len(laws) == 2:
        crossing = power_law.crossing(
            laws["adapter"], laws["baseline"], total, greater_is_better=better
        )
    found = {
        "version": 1, "task": task.name, "metric": metric, "synthetic": bool(last["synthetic"]),
        "rows": total, "confidence": CONFIDENCE, "nested": nested(points), "systems": systems,
        "crossing": crossing,
        "shares": [
            {"share": p.share, "rows": p.rows, "run": p.run,
             "verdict": p.metrics["verdict"]["sentence"],
             "unfinished": p.metrics["verdict"].get("unfinished")}
            for p in points
        ],
    }  # fmt: skip
    return {**found, "sentences": sentences(found)}


def _ours(metrics: Mapping[str, Any]) -> str:
    """The name of the first trained system."""
    found = [n for role in TRAINED for n, s in metrics["systems"].items() if s["role"] == role]
    if not found:
        raise UsageError("nothing was trained")
    return str(found[0])


def _curve(points: Sequence[Point], name: str, metric: str) -> tuple[list[int], list[float]]:
    """Rows and figures of a system: of an adapter one for each training."""
    sizes, figures = [], []
    for point in points:
        doc = point.metrics
        spread = doc.get("seeds") if name in TRAINED else None
        entry = doc["systems"].get(name, {"metrics": {}})["metrics"].get(metric)
        values = spread["values"] if spread else [entry["value"]] if entry else []
        for value in values:
            if value is not None and math.isfinite(value):
                sizes.append(point.rows)
                figures.append(float(value))
    return sizes, figures


def _expected(law: Law, total: int, times: float) -> dict[str, Any]:
    rows = round(total * times)
    low, high = law.interval(rows, CONFIDENCE)
    return {"times": times, "rows": rows, "value": law.expected(rows), "low": low, "high": high}


def sentences(doc: Mapping[str, Any]) -> list[str]:
    """What was found, in sentences."""
    metric, span = doc["metric"], f"{doc['confidence']:.0%}"
    found = []
    for entry in doc["systems"].values():
        parts = [
            f"{at['times']:g} × the rows ({at['rows']:,}) {_shown(metric, at['value'])} "
            f"({span}: {_shown(metric, at['low'])} to {_shown(metric, at['high'])})"
            for at in entry["expected"]
            if at["times"] != 1
        ]
        found.append(f"{entry['name']}: {metric['label']} expected with {', with '.join(parts)}.")
    crossing = doc["crossing"]
    if crossing:
        found.append(_crossing(doc, crossing))
    if not doc["nested"]:
        found.append("The shares are not nested: groups of rows are kept whole.")
    if any(share["unfinished"] for share in doc["shares"]):
        found.append("A training ended before it was done, so the curve may be too flat or steep.")
    return found


def _crossing(doc: Mapping[str, Any], crossing: Mapping[str, Any]) -> str:
    ours, other = (doc["systems"][kind]["name"] for kind in ("adapter", "baseline"))
    chance = (
        f"the probability that {ours} is better than {other} is {crossing['ahead_now']:.0%} with "
        f"these rows, {crossing['ahead_at_2']:.0%} with 2 × and {crossing['ahead_at_10']:.0%} with "
        "10 ×"
    )
    if crossing["rows"] is None:
        return f"The curves do not cross up to {power_law.FURTHEST:,.0f} × the rows; {chance}."
    return (
        f"The curves cross at about {crossing['rows']:,.0f} rows (middle 80 %: "
        f"{crossing['low']:,.0f} to {crossing['high']:,.0f}; with a probability of "
        f"{crossing['crosses']:.0%} they do at all); {chance}."
    )


def _shown(metric: Mapping[str, Any], value: float) -> str:
    return figure(value, metric["format"], metric["unit"])


# -- the page --------------------------------------------------------------------------------------
def write(doc: Mapping[str, Any], folder: Path) -> Path:
    """Write ``rows.json`` and ``report.html`` into a folder; gives the path of the page."""
    write_json(folder / "rows.json", doc)
    place = folder / "report.html"
    write_text(place, html(doc))
    return place


def html(doc: Mapping[str, Any]) -> str:
    """The page."""
    metric = doc["metric"]
    expected = [
        [
            f"{at['times']:g} ×", f"{at['rows']:,}", entry["name"], _shown(metric, at["value"]),
            f"{_shown(metric, at['low'])} to {_shown(metric, at['high'])}",
        ]
        for entry in doc["systems"].values()
        for at in entry["expected"]
    ]  # fmt: skip
    measured = [
        [f"{point['rows']:,}", entry["name"], _shown(metric, point["value"])]
        for entry in doc["systems"].values()
        for point in entry["figures"]
    ]
    charts = [] if svg.left_out() else [chart(doc, narrow=narrow) for narrow in (False, True)]
    span = f"{doc['confidence']:.0%} interval"
    return page.html(
        f"{doc['task']}: what more rows would bring",
        f"{metric['label']}, {'higher' if metric['greater_is_better'] else 'lower'} is better"
        + (" · SYNTHETIC DATA" if doc["synthetic"] else ""),
        " ".join(doc["sentences"]),
        [
            page.Section(charts=charts),
            page.Section(
                "Expected",
                ["Of a power law whose values are averaged over what the figures allow. The "
                 "intervals are those of one training with so many rows, judged on these rows."],
                headings=["rows", "", "system", metric["label"], span], rows=expected,
            ),
            page.Section("Measured", headings=["rows", "system", metric["label"]], rows=measured),
            page.Section(
                "Runs", headings=["share", "rows", "run", "verdict"],
                rows=[[f"{s['share']:g}", f"{s['rows']:,}", Path(s["run"]).name, s["verdict"]]
                      for s in doc["shares"]],
            ),
        ],
    )  # fmt: skip


def chart(doc: Mapping[str, Any], *, narrow: bool) -> str:
    """The figures over the rows, and what the laws expect, as an ``<svg>`` element."""
    metric, colours = doc["metric"], {"adapter": svg.ACCENT, "baseline": svg.INK}
    with svg.style(f"rows{narrow}"):
        drawn = svg.new(svg.NARROW if narrow else svg.WIDE, 3.4)
        axes = drawn.add_subplot()
        for kind, entry in doc["systems"].items():
            points, ahead = entry["figures"], entry["expected"]
            axes.plot(
                [p["rows"] for p in points], [p["value"] for p in points], "o",
                color=colours[kind], label=entry["name"],
            )  # fmt: skip
            rows = [at["rows"] for at in ahead]
            axes.plot(rows, [at["value"] for at in ahead], "--", color=colours[kind])
            axes.fill_between(
                rows, [at["low"] for at in ahead], [at["high"] for at in ahead],
                color=colours[kind], alpha=0.15, linewidth=0,
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlabel("training rows")
        axes.set_ylabel(metric["label"] + (f", {metric['unit']}" if metric["unit"] else ""))
        axes.legend()
        return svg.svg(drawn, f"{metric['label']} over the training rows")
