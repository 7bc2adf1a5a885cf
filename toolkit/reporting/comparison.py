"""The comparison of runs as tables for a terminal, as Markdown and as a page.

Two runs on the same data with the same splits are compared row by row like two systems of one run,
which finds differences that their own intervals hide. Runs on different rows are only shown side by
side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit import formatting
from toolkit.reporting import charts, svg
from toolkit.reporting.render import markdown as escaped
from toolkit.reporting.render import render, stylesheet


# -- as tables -----------------------------------------------------------------------------------
def table(doc: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the table of runs, for a terminal, Markdown or a page.

    Args:
        doc: the result of :func:`toolkit.pipeline.compare.compare`.
    """
    metric = doc["metric"]
    spec, unit = metric["format"], metric["unit"]
    pairs = {pair["a"]: pair for pair in doc["pairs"]}
    headings = ["run", "task", "recipe", "test rows", metric["label"], "95 % interval"]
    headings += ["worth it", "against the first", "p", "training"]
    return headings, [
        [
            line["run"],
            line["task"] + (" (SYNTHETIC)" if line["synthetic"] else ""),
            str(line["recipe"] or formatting.NOTHING),
            f"{line['n']:,}" + (f" of {line['groups']:,} groups" if line.get("groups") else ""),
            formatting.figure(line["value"], spec, unit),
            formatting.span(line["low"], line["high"], spec),
            {True: "yes", False: "no", None: "cannot tell"}[line["worth_it"]],
            *_pair_cells(pairs.get(line["run"]), spec, unit),
            formatting.duration(line["seconds"]),
        ]
        for line in doc["runs"]
    ]


def _pair_cells(pair: Mapping[str, Any] | None, spec: str, unit: str) -> tuple[str, str]:
    if pair is None:
        return formatting.NOTHING, ""
    if not pair["row_by_row"]:
        return "other rows", ""
    return _difference(pair, spec, unit)


def _difference(compared: Mapping[str, Any], spec: str, unit: str) -> tuple[str, str]:
    """The difference with its interval, and the p-value, as cells of a table."""
    interval = formatting.signed_span(compared["low"], compared["high"], spec)
    difference = formatting.signed(compared["difference"], spec, unit)
    p = compared["p"]
    return f"{difference} ({interval})", formatting.NOTHING if p is None else formatting.p_value(p)


def ladder_table(doc: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the ladder of all systems; no cells if the runs have different rows."""
    metric = doc["metric"]
    spec, unit = metric["format"], metric["unit"]
    headings = ["system", metric["label"], "95 % interval", f"{doc['runs'][0]['task']} minus this"]
    rows = []
    for system in doc["ladder"]:
        compared = system["compared"]
        against = (formatting.NOTHING, "")
        if compared is not None:
            against = _difference(compared, spec, unit)
        figure = formatting.figure(system["value"], spec, unit)
        rows.append(
            [system["name"], figure, formatting.span(system["low"], system["high"], spec), *against]
        )
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
    return "\n\n".join([*parts, escaped(doc["statement"])]) + "\n"


def _piped(headings: list[str], rows: list[list[str]]) -> str:
    first, *others = [[str(escaped(cell)) for cell in row] for row in (headings, *rows)]
    lines = [first, ["---"] * len(headings), *others]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def html(doc: Mapping[str, Any]) -> str:
    """The comparison as an HTML page in the style of the report."""
    headings, rows = table(doc)
    metric = doc["metric"]
    marks = _marks(doc)
    title = metric["label"] + (f", {metric['unit']}" if metric["unit"] else "")
    drawn = (
        [charts.forest(marks, title, narrow=narrow) for narrow in (False, True)]
        if marks and not svg.left_out()
        else []
    )
    return render(
        "comparison.html.j2",
        {
            "doc": doc,
            "tables": [t for t in ((headings, rows), ladder_table(doc)) if t[1]],
            "chart": drawn,
            "chart_left_out": svg.left_out() if marks else "",
            "css": stylesheet(),
        },
    )


def _marks(doc: Mapping[str, Any]) -> list[charts.Mark]:
    """The chart's marks: one for each system of the ladder, or for each run where there is none."""
    metric = doc["metric"]
    first = doc["runs"][0]
    drawn = [(system["name"], system["role"], system) for system in doc["ladder"]] or [
        (run["run"], "adapter" if run is first else "baseline", run) for run in doc["runs"]
    ]
    return [
        charts.Mark(
            name,
            role,
            entry["value"],
            entry["low"],
            entry["high"],
            formatting.figure(entry["value"], metric["format"], metric["unit"]),
        )
        for name, role, entry in drawn
        if entry["value"] is not None
    ]
