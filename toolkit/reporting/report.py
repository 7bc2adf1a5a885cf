"""Writes the pages of a run: ``report.html``, ``report.md``, the model card and the badge.

Everything shown comes from the run directory. The page needs no network and no script. Texts of
rows may come from anywhere, so they are escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.metrics.target import Document
from toolkit.reporting import badge, context, examples, page_charts, run_details, svg, tables
from toolkit.reporting.render import render, stylesheet
from toolkit.runs.contents import RunContents, read_run
from toolkit.runs.files import read_json, write_text
from toolkit.runs.run import Run
from toolkit.system import secrets

if TYPE_CHECKING:
    from toolkit.task import Task

PAGES = {
    "report.html": "report.html.j2",
    "report.md": "report.md.j2",
    "README.md": "card.md.j2",
}


def write(run: Run, task: Task) -> Path:
    """Write the report of a scored run; returns the path of ``report.html``.

    Args:
        run: a run whose ``metrics.json`` is written.
        task: its task, for the summary, which ``run.json`` does not hold.
    """
    for name, text in pages(read_json(run.path / "metrics.json"), read_run(run), task).items():
        write_text(run.path / name, text)
    return run.path / "report.html"


def pages(doc: Document, contents: RunContents, task: Task) -> dict[str, str]:
    """The pages of a run: the name of each file → its text, without secrets.

    Args:
        doc: ``metrics.json``.
        contents: the other files of the run.
        task: its task.
    """
    content = gather(doc, contents, task)
    texts = {page: secrets.redacted(render(template, content)) for page, template in PAGES.items()}
    return {**texts, badge.FILE: badge.svg(badge.of(doc))}


def gather(doc: Document, contents: RunContents, task: Task) -> dict[str, Any]:
    """All values that the templates show, by name.

    Args:
        doc: ``metrics.json``.
        contents: the other files of the run.
        task: its task.
    """
    info, preflight = contents.info, contents.preflight
    content = {
        "doc": doc,
        "info": info,
        "run_id": contents.id,
        "version": " " + info.get("versions", {}).get("adapter-toolkit", ""),
        "task": task,
        **context.content(doc, info),
        **tables.content(doc),
        "examples": examples.examples(doc, contents.trained, contents.heldout),
        **run_details.content(doc, info, preflight),
        "together": contents.remarks.get("together.json"),
        "forgetting": contents.remarks.get("forgetting.json"),
        "human_sheet": contents.remarks.get("sheet.json"),
        "charts": page_charts.draw(doc, contents.systems, preflight),
        "charts_left_out": svg.left_out(),
        "badge": badge.content(badge.of(doc)),
        "css": stylesheet(),
    }
    return {**content, "contents": _contents(content)}


def _contents(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Id and title of the sections that this run's page has."""
    drawn = content["charts"]
    return [
        (name, title)
        for name, title, there in (
            ("ladder", "Ladder", True),
            ("comparisons", "Differences", content["comparisons"]),
            ("gains", "What training gained", content["gains"]),
            ("decoders", "Decoders", content["decoders"]),
            ("intervals", "Intervals", "coverage" in drawn),
            ("learning", "Learning", "learning" in drawn),
            ("predicted", "Predicted and true", "clouds" in drawn),
            ("confusion", "Classes mixed up", content["confusion"]),
            ("slices", "By kind of row", bool(drawn.get("slices"))),
            ("targets", "Targets", content["targets"]),
            ("rows", "Worst and best", content["examples"]),
            ("prompt", "Prompt", content["prompt"]),
            ("data", "Data", True),
            ("speed", "Cost and speed", content["speed"]),
            ("machine", "Time and memory", True),
            ("settings", "Settings", True),
            ("use", "Use it", True),
            ("repeat", "Repeat it", True),
        )
        if there
    ]
