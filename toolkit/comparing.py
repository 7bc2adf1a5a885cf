"""Several runs beside each other, and row by row where they answered the same rows.

Two runs on the same data with the same splits can be compared like two systems of one run, which
finds differences that their own intervals hide. Runs on other rows can only stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit import joint, report, sections, statistics, systems, wording
from toolkit.errors import UsageError
from toolkit.run import Run, read_json, write_text
from toolkit.statistics import plain
from toolkit.systems import System
from toolkit.task import Task
from toolkit.verifying import same


def compare(runs: Sequence[Run], tasks: Sequence[Task]) -> dict[str, Any]:
    """Runs side by side, each against the first row by row where that is possible.

    Args:
        runs: at least two scored runs.
        tasks: the task of each run, in the same order; the first one's primary metric counts.

    Returns:
        ``metric``, ``runs`` (one object a run), ``pairs`` (one for every run but the first, with
        ``row_by_row`` and, where that is false, ``why``), ``ladder`` (every system of all runs
        where they all answered the same rows, see :func:`toolkit.joint.ladder`; else empty) and
        ``statement``, a sentence.
    """
    if len(runs) < 2:
        raise UsageError("compare needs at least two runs: toolkit compare RUN RUN")
    metric = tasks[0].metric()
    found = [systems.trained(systems.load(run)) for run in runs]
    lines = [_line(run, metric.name) for run in runs]
    pairs = []
    for run, ours, line in zip(runs[1:], found[1:], lines[1:], strict=True):
        pair: dict[str, Any] = {"a": run.id, "b": runs[0].id, "metric": metric.name}
        why = _obstacle(lines[0], line, found[0], ours, metric.name)
        pair |= {"row_by_row": why is None, "why": why}
        if why is None and ours and found[0]:
            values = systems.shared_values(ours, found[0], metric.name)
            pair |= plain(statistics.paired(metric, *values))
        pairs.append(pair)
    described = {
        "name": metric.name,
        "label": metric.label or metric.name,
        "unit": metric.unit,
        "format": metric.format,
        "greater_is_better": metric.greater_is_better,
    }
    return {
        "version": 1,
        "metric": described,
        "runs": lines,
        "pairs": pairs,
        "ladder": joint.ladder(runs, [task.name for task in tasks], metric)
        if all(pair["row_by_row"] for pair in pairs)
        else [],
        "statement": _statement(pairs),
    }


def _line(run: Run, metric: str) -> dict[str, Any]:
    """A run in one line of the table."""
    doc = read_json(run.path / "metrics.json")
    name = sections.trained(doc)
    ours = doc["systems"][name]["metrics"].get(metric) if name else None
    training = run.info.get("training") or {}
    return {
        "run": run.id,
        "task": doc["task"],
        "recipe": run.info.get("recipe", {}).get("name"),
        "model": run.info.get("recipe", {}).get("model"),
        "fingerprint": run.info.get("data", {}).get("fingerprint"),
        "synthetic": doc["synthetic"],
        "n": doc["n"],
        "value": ours["value"] if ours else None,
        "low": ours["low"] if ours else None,
        "high": ours["high"] if ours else None,
        "worth_it": doc["verdict"]["worth_it"],
        "sentence": doc["verdict"]["sentence"],
        "best_baseline": doc["verdict"]["best_baseline"],
        "parameters_trained": training.get("parameters_trained"),
        "seconds": training.get("seconds"),
    }


def _obstacle(
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    theirs: System | None,
    ours: System | None,
    metric: str,
) -> str | None:
    """Why two runs cannot be compared row by row; ``None`` where they can."""
    if ours is None or theirs is None:
        return "nothing was trained in one of them"
    if first["fingerprint"] != second["fingerprint"]:
        return "their data or splits differ"
    a, b = theirs.splits["test"], ours.splits["test"]
    if a.keys() != b.keys() or not all(same(a[i]["reference"], b[i]["reference"]) for i in a):
        return "their test rows differ"
    if any(metric not in row["metrics"] for row in b.values()):
        return f"one of them has no {metric}"
    return None


def _statement(pairs: Sequence[Mapping[str, Any]]) -> str:
    apart = [pair for pair in pairs if not pair["row_by_row"]]
    first = pairs[0]["b"]
    if not apart:
        return f"All runs answered the same test rows; differences to {first} are row by row."
    reasons = "; ".join(f"{pair['a']}: {pair['why']}" for pair in apart)
    return (
        f"Not comparable row by row with {first} – {reasons}. Figures on different rows stand side "
        "by side only: a gap between them may be the rows, not the models."
    )


def show(runs: Sequence[Run], out: Path | None, as_json: bool) -> None:
    """Compare runs on the terminal, and as a page where one is wanted (``.html`` or ``.md``)."""
    from rich.console import Console

    from toolkit.flow import load_task
    from toolkit.showing import emit

    if out is not None and out.suffix not in (".html", ".md"):
        raise UsageError(f"--out {out}: a page ends in .html or .md")
    doc = compare(runs, [load_task(run) for run in runs])
    if out is not None:
        write_text(out, html(doc) if out.suffix == ".html" else markdown(doc))
    if as_json:
        emit(doc)
    else:
        Console(highlight=False, soft_wrap=True).print(text(doc), markup=False)


# -- as tables -----------------------------------------------------------------------------------
def table(doc: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells, for a terminal, Markdown or a page."""
    metric = doc["metric"]
    spec, unit = metric["format"], metric["unit"]
    pairs = {pair["a"]: pair for pair in doc["pairs"]}
    headings = ["run", "task", "recipe", "test rows", metric["label"], "95 % interval"]
    headings += ["worth it", "against the first", "p", "training"]
    return headings, [
        [
            line["run"],
            line["task"] + (" (SYNTHETIC)" if line["synthetic"] else ""),
            str(line["recipe"] or wording.NOTHING),
            f"{line['n']:,}",
            wording.figure(line["value"], spec, unit),
            wording.span(line["low"], line["high"], spec),
            {True: "yes", False: "no", None: "cannot tell"}[line["worth_it"]],
            *_pair_cells(pairs.get(line["run"]), spec, unit),
            wording.duration(line["seconds"]),
        ]
        for line in doc["runs"]
    ]


def _pair_cells(pair: Mapping[str, Any] | None, spec: str, unit: str) -> tuple[str, str]:
    if pair is None:
        return wording.NOTHING, ""
    if not pair["row_by_row"]:
        return "other rows", ""
    ends = (wording.signed(pair[end], spec) for end in ("low", "high"))
    difference = wording.signed(pair["difference"], spec, unit)
    return f"{difference} ({' to '.join(ends)})", wording.p_value(pair["p"])


def ladder_table(doc: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the common ladder; no cells where the runs have none."""
    metric = doc["metric"]
    spec, unit = metric["format"], metric["unit"]
    headings = ["system", metric["label"], "95 % interval", f"{doc['runs'][0]['task']} against it"]
    rows = []
    for rung in doc["ladder"]:
        compared = rung["compared"]
        against = [wording.NOTHING, ""]
        if compared is not None:
            ends = " to ".join(wording.signed(compared[end], spec) for end in ("low", "high"))
            difference = wording.signed(compared["difference"], spec, unit)
            against = [f"{difference} ({ends})", wording.p_value(compared["p"])]
        figure = wording.figure(rung["value"], spec, unit)
        rows.append([rung["name"], figure, wording.span(rung["low"], rung["high"], spec), *against])
    return [*headings, "p"], rows


def text(doc: Mapping[str, Any]) -> str:
    """Aligned tables for a terminal, with the statement under them."""
    tables = [table(doc), ladder_table(doc)]
    return "\n\n".join([*(_aligned(*t) for t in tables if t[1]), doc["statement"]])


def _aligned(headings: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(line[i]) for line in [headings, *rows]) for i in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [headings, *rows]
    )


def markdown(doc: Mapping[str, Any]) -> str:
    """The tables in Markdown."""
    parts = [_piped(*t) for t in (table(doc), ladder_table(doc)) if t[1]]
    return "\n\n".join([*parts, doc["statement"]]) + "\n"


def _piped(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings)]
    lines += [[report.markdown_cell(cell) for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def html(doc: Mapping[str, Any]) -> str:
    """The comparison as a page of its own, in the report's looks."""
    from toolkit import charts

    headings, rows = table(doc)
    metric = doc["metric"]
    marks = _marks(doc)
    title = metric["label"] + (f", {metric['unit']}" if metric["unit"] else "")
    drawn = (
        [charts.forest(marks, title, narrow=narrow) for narrow in (False, True)] if marks else []
    )
    css = (report.TEMPLATES / "report.css").read_text(encoding="utf-8")
    return report.render(
        "comparison.html.j2",
        {
            "doc": doc,
            "tables": [t for t in ((headings, rows), ladder_table(doc)) if t[1]],
            "chart": drawn,
            "css": css,
        },
    )


def _marks(doc: Mapping[str, Any]) -> list[Any]:
    """The chart's marks: the common ladder, or a mark a run where there is none."""
    from toolkit import charts

    metric = doc["metric"]
    first = doc["runs"][0]
    drawn = [(rung["name"], rung["role"], rung) for rung in doc["ladder"]] or [
        (run["run"], "adapter" if run is first else "baseline", run) for run in doc["runs"]
    ]
    return [
        charts.Mark(
            name,
            role,
            entry["value"],
            entry["low"],
            entry["high"],
            wording.figure(entry["value"], metric["format"], metric["unit"]),
        )
        for name, role, entry in drawn
        if entry["value"] is not None
    ]
