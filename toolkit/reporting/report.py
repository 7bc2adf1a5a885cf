"""A run as pages: ``report.html`` for people, ``report.md`` beside it, ``README.md`` as model card.

Everything shown comes from the run directory. The page needs no network and no script; texts of
rows are data of strangers and are escaped like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import formatting
from toolkit.reporting import charts, context, examples, run_details, svg, tables, training_charts
from toolkit.runs import predictions
from toolkit.runs.files import read_json, read_jsonl, write_text
from toolkit.runs.run import Run

if TYPE_CHECKING:
    from jinja2 import Environment

    from toolkit.task import Task

TEMPLATES = Path(__file__).parent / "templates"
PAGES = {
    "report.html": "report.html.j2",
    "report.md": "report.md.j2",
    "README.md": "card.md.j2",
}


def write(run: Run, task: Task) -> Path:
    """Write the report of a scored run; gives back the path of ``report.html``.

    Args:
        run: a run whose ``metrics.json`` is written.
        task: its task, for what ``run.json`` does not say (its summary).
    """
    content = gather(run, task)
    for page, template in PAGES.items():
        write_text(run.path / page, render(template, content))
    return run.path / "report.html"


def render(template: str, content: Mapping[str, Any]) -> str:
    """One of the templates, filled."""
    return environment().get_template(template).render(content)


def environment() -> Environment:
    """Templates with autoescaping for HTML, and the wording of figures as filters."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html.j2"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "number": formatting.number,
        "duration": formatting.duration,
        "figure": formatting.figure,
        "span": formatting.span,
        "cell": markdown_cell,
        "in_sentence": formatting.in_sentence,
        "sentence": formatting.sentence,
        "count": formatting.count,
        "clipped": formatting.clipped,
    }
    return found


def markdown_cell(value: Any) -> str:
    """Text that stays one cell of a Markdown table, and text."""
    text = " ".join(str(value).split())
    for sign in "\\`*_|[]<>#":
        text = text.replace(sign, f"\\{sign}")
    return text


def gather(run: Run, task: Task) -> dict[str, Any]:
    """All that the templates show."""
    doc, info = read_json(run.path / "metrics.json"), run.info
    found = predictions.load(run)
    ours = predictions.trained(found)
    preflight = _optional(run.data / "preflight.json") or {}
    checks = run_details.data_checks(preflight, info)
    content = {
        "doc": doc,
        "info": info,
        "run_id": run.id,
        "version": " " + info.get("versions", {}).get("adapter-toolkit", ""),
        "task": task,
        "head": context.head(doc),
        "lede": context.lede(doc),
        "metric": context.described(doc),
        "trained": context.trained(doc),
        "noun": context.noun(doc),
        "base": context.base(doc),
        "key_figures": context.key_figures(doc, info),
        "ladder": context.ladder(doc),
        "columns": context.headline(doc),
        "details": context.details(doc),
        "comparisons": context.comparisons(doc, doc["primary_metric"]),
        "further_comparisons": context.comparisons(doc),
        "gains": tables.table(doc),
        "decoders": context.decoders(doc),
        "plain": {c["system"]: c["b"] for c in doc["decoder_comparisons"]},
        "small_parts": context.small_parts(doc),
        "confusion": context.confusion(doc),
        "slice_rows": context.slice_rows(doc),
        "targets": tables.targets(doc),
        "speed": tables.speed(doc),
        "priced": tables.priced(doc),
        "examples": examples.examples(doc, ours, _heldout(run)) if ours else {},
        "prompt": run_details.prompt(preflight),
        "preflight": checks,
        "settings": run_details.flat(info.get("recipe", {})),
        "surroundings": run_details.surroundings(info),
        "load": run_details.load_snippet(info),
        "card": run_details.front_matter(info, doc),
        "sizes": [(name, formatting.number(n)) for name, n in checks["sizes"].items()],
        "target": covered_target(doc),
        "together": (_optional(run.path / "together.json") or {}).get("sentence"),
        "human_sheet": (_optional(run.path / "sheet.json") or {}).get("sentence"),
        "charts": _charts(doc, found, preflight),
        "charts_left_out": svg.left_out(),
        "css": (TEMPLATES / "report.css").read_text(encoding="utf-8"),
    }
    return {**content, "contents": _contents(content)}


def _contents(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The sections that this run's page has: id and title."""
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


def _optional(place: Path) -> Any:
    return read_json(place) if place.is_file() else None


def _heldout(run: Run) -> dict[int, Mapping[str, Any]]:
    place = run.data / "heldout.jsonl"  # absent with --no-store-data
    rows = read_jsonl(place) if place.is_file() else []
    return {row["row_id"]: row for row in rows if row["split"] == "test"}


def _charts(
    doc: Mapping[str, Any], found: list[predictions.System], preflight: Mapping[str, Any]
) -> dict[str, list[str]]:
    """Name → the chart for a desk and for a phone; a chart without data is absent.

    Where charts cannot be drawn (:func:`svg.left_out`), the charts that stand beside text or a
    table of the same data are empty lists, and those that stand alone are absent.
    """
    metric = context.described(doc)
    made_up = "SYNTHETIC data" if doc["synthetic"] else ""  # a chart may be cut out of its page
    behind = ", ".join(part for part in (metric["unit"], made_up) if part)
    title = ", ".join(part for part in (metric["label"], behind) if part)
    slices, covered = context.slice_marks(doc), context.coverage_marks(doc)
    curves, clouds = (
        context.curves(doc),
        []
        if doc.get("confusion")
        else examples.clouds(found, [context.trained(doc), context.base(doc)]),
    )
    lengths = run_details.lengths(preflight)
    drawings: dict[str, Callable[[bool], str]] = {}
    if marks := context.marks(doc):
        drawings["ladder"] = lambda narrow: charts.forest(marks, title, narrow=narrow)
    if covered:
        drawings["coverage"] = lambda narrow: charts.forest(
            covered,
            ", ".join(["Share of test rows inside their interval", *filter(None, [made_up])]),
            narrow=narrow,
            target=covered_target(doc),
            spec=".0%",
            name="coverage",
        )
    if curves:
        drawings["learning"] = lambda narrow: training_charts.learning(
            curves,
            metric["label"],
            metric["unit"],
            made_up,
            epochs=context.epoch_ends(doc["history"]),
            chosen=doc["training"].get("best_step"),
            narrow=narrow,
        )
    if clouds:
        drawings["clouds"] = lambda narrow: charts.predicted_true(clouds, narrow=narrow)
    if slices:
        drawings["slices"] = lambda narrow: charts.by_slice(slices, title, narrow=narrow)
    if lengths:
        drawings["lengths"] = lambda narrow: training_charts.lengths(*lengths, narrow=narrow)
    if svg.left_out():
        return {name: [] for name in drawings if name not in ("clouds", "lengths")}
    return {name: [draw(False), draw(True)] for name, draw in drawings.items()}


def covered_target(doc: Mapping[str, Any]) -> float | None:
    """What the prediction intervals promise."""
    found = [s["interval"]["target"] for s in doc["systems"].values() if s["interval"]]
    return found[0] if found else None
