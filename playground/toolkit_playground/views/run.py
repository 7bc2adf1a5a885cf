"""View "Run": reports, learning curves, settings and files; several runs; one in progress, live."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from toolkit import formatting
from toolkit.errors import ToolkitError, UsageError
from toolkit.pipeline import compare
from toolkit.pipeline.restore import load_task
from toolkit.reporting import context, run_details, training_charts
from toolkit.runs.files import read_json
from toolkit.runs.run import STAGES, Run
from toolkit_playground.rendering import html
from toolkit_playground.views.page import DRAWING, NO_RUN, NO_RUN_HINT, QUIET, Page, block

LIVE_SECONDS = 2
FILES = (
    "report.html", "report.md", "README.md", "metrics.json", "run.json", "history.json",
    "data/preflight.json", "adapter/adapter_config.json", "adapter/adapter_model.safetensors",
    "adapter/toolkit.json",
)  # fmt: skip
STALE_SECONDS = 600
WORDS = {True: "worth it", False: "not worth it", None: "cannot tell"}


def build(page: Page, folder: Path, opened: Any) -> None:
    """The view's components and what they do.

    Args:
        page: what the views share.
        opened: the view's tab.
        folder: a temporary folder of the server, into which a file is copied to be downloaded.
    """
    which = gr.Dropdown(
        [], multiselect=True, label="Runs", elem_id="run-which",
        info="One: its report. Several: side by side.",
    )  # fmt: skip
    about = block("run-about")
    with gr.Row(elem_classes="tk-ask"):
        file = gr.Dropdown([], label="Files of the run", elem_id="run-file", scale=3)
        save = gr.DownloadButton("Download", elem_id="run-download", scale=1, min_width=120)
    live = gr.Timer(LIVE_SECONDS, active=False)
    outputs = [about, file, save, live]

    def look(keys: list[str] | None) -> list[Any]:
        try:
            found = [page.library.find(key) for key in keys or []]
            files = present(found[0]) if len(found) == 1 else []
            return [
                several(found) if len(found) > 1 else one(found[0]) if found else _nothing(),
                gr.Dropdown(choices=files, value=files[0] if files else None, visible=bool(files)),
                gr.DownloadButton(visible=bool(files)),
                gr.Timer(active=any(not run.finished for run in found)),
            ]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            return [html.failure(error, "looking at the run"), gr.skip(), gr.skip(), gr.skip()]

    def values(key: str | None) -> list[Any]:
        choices = _listed(page)
        chosen = [key] if key else [choices[0][1]] if choices else []
        return [gr.Dropdown(choices=choices, value=chosen), *look(chosen)]

    def prepare(keys: list[str] | None, name: str | None) -> Any:
        if not keys or len(keys) != 1 or not name:
            return gr.DownloadButton(interactive=False)
        try:
            return gr.DownloadButton(value=copied(page.library.find(keys[0]), name, folder),
                                     interactive=True)  # fmt: skip
        except ToolkitError:
            return gr.DownloadButton(interactive=False)

    def again(keys: list[str] | None) -> list[Any]:
        """What a run in progress looks like by now; once it is done its files can be had."""
        shown = look(keys)
        finished = all(page.library.find(key).finished for key in keys or [])
        return shown if finished else [shown[0], gr.skip(), gr.skip(), gr.skip()]

    page.follow([which, *outputs], values)
    # What is chosen while another run is still being drawn counts too.
    which.input(look, which, outputs, trigger_mode="always_last", **QUIET)
    # A run may have begun since the page was loaded.
    opened.select(lambda: gr.Dropdown(choices=_listed(page)), None, which, queue=False, **QUIET)
    file.change(prepare, [which, file], save, **QUIET)
    live.tick(again, which, outputs, **QUIET)


def _listed(page: Page) -> list[tuple[str, str]]:
    return [(described(run), run.id) for run in page.library.runs()]


def _nothing() -> str:
    return html.empty(NO_RUN, NO_RUN_HINT)


def described(run: Run) -> str:
    """A run in the words of a list."""
    state = "" if run.finished else " · unfinished"
    return f"{run.info['task']} · {run.id}{state}"


# -- one run ---------------------------------------------------------------------------------------
def one(run: Run) -> str:
    """A run's state, verdict, learning curve, settings and report."""
    parts = [_verdict(run), _stages(run)]
    if not run.finished:
        parts.append(_curve(run))
    page = own(run, "report.html")
    if page:
        parts.append(_frame(page.read_text(encoding="utf-8"), f"Report of run {run.id}"))
    elif run.finished:
        missing = f"report.html is missing; write it: toolkit report {run.id}"
        parts.append(html.notice(missing, "warn"))
    rows = run_details.flat(run.info.get("recipe", {}))
    settings = html.table(["Setting", "Value"], rows, words=True)
    return "".join(parts) + (
        f'<details class="tk-prompt"><summary>Settings</summary>{settings}</details>'
    )


def _verdict(run: Run) -> str:
    place = own(run, "metrics.json")
    if place is None:
        return ""
    found = read_json(place)
    human = found["systems"].get("human")
    metric = context.described(found)
    extra = ""
    if human:
        figure = human["metrics"][metric["name"]]
        extra = (
            f" A person's guesses on {human['n']} rows: "
            f"{formatting.figure(figure['value'], metric['format'], metric['unit'])} "
            f"({formatting.span(figure['low'], figure['high'], metric['format'])})."
        )
    return f'<p class="tk-sentence">{escape(found["verdict"]["sentence"] + extra)}</p>'


def _stages(run: Run) -> str:
    """The stages with their state; where the run goes on, when it last said something."""
    stages = run.info.get("stages", {})
    items = []
    for name in STAGES:
        found = stages.get(name, {})
        state = found.get("state", "to do")
        seconds = f" {formatting.duration(found['seconds'])}" if state == "done" else ""
        sign = {"done": "✓", "running": "●", "stopped": "✗"}.get(state, "○")
        items.append(
            f'<li class="tk-{state.replace(" ", "-")}"><span aria-hidden="true">{sign}</span> '
            f"{name} <small>{state}{seconds}</small></li>"
        )
    line = "" if run.finished else html.notice(*_progress(run))
    return f'{line}<ol class="tk-stages">{"".join(items)}</ol>'


def _progress(run: Run) -> tuple[str, str]:
    newest = max((p.stat().st_mtime for p in run.path.rglob("*") if p.is_file()), default=0.0)
    age = max(0.0, time.time() - newest)
    stopped = any(s.get("state") == "stopped" for s in run.info.get("stages", {}).values())
    if stopped or age > STALE_SECONDS:
        when = dt.datetime.fromtimestamp(newest).strftime("%Y-%m-%d %H:%M")
        return (
            f"This run is not finished and has written nothing since {when}; go on with: "
            f"toolkit resume {run.id}",
            "warn",
        )
    return f"In progress, shown live; it last wrote {formatting.duration(age)} ago.", "info"


def _curve(run: Run) -> str:
    """The learning curve as far as it goes."""
    place = own(run, "history.json")
    history = read_json(place) if place else []
    if not any("loss" in entry for entry in history):
        return ""
    metric = load_task(run).metric()
    described = {"name": metric.name, "label": metric.label or metric.name, "unit": metric.unit}
    doc = {"history": history, "primary_metric": metric.name, "metrics": [described]}
    curves = context.curves(doc)
    with DRAWING:
        drawn = [_drawn(curves, described, context.epoch_ends(history), n) for n in (False, True)]
    return f'<div class="tk-chart">{"".join(drawn)}</div>'


def _drawn(curves: Any, metric: Mapping[str, Any], epochs: Sequence[float], narrow: bool) -> str:
    chart = training_charts.learning(
        curves, metric["label"], metric["unit"], epochs=epochs, narrow=narrow
    )
    return f'<div class="{"narrow" if narrow else "wide"}">{chart}</div>'


def _frame(content: str, title: str) -> str:
    """A page within the page, shut off: no script of it runs, it reads nothing."""
    return (
        f'<iframe class="tk-frame" sandbox="" title="{escape(title)}" '
        f'srcdoc="{escape(content, quote=True)}"></iframe>'
    )


# -- several runs ----------------------------------------------------------------------------------
def several(runs: Sequence[Run]) -> str:
    """Runs side by side: those that are scored in one comparison, the others by their stages."""
    scored = [run for run in runs if run.done("score")]
    parts = []
    if len(scored) > 1:
        tasks = [load_task(run) for run in scored]
        parts.append(comparison(compare.compare(scored, tasks)))
    for run in runs:
        if run not in scored or len(scored) < 2:
            parts.append(f"<h2>{escape(described(run))}</h2>{_stages(run)}{_curve(run)}")
    return "".join(parts)


def comparison(found: Mapping[str, Any]) -> str:
    """The document of ``toolkit compare`` as a table."""
    metric = found["metric"]
    pairs = {pair["a"]: pair for pair in found["pairs"]}
    rows = []
    for line in found["runs"]:
        pair = pairs.get(line["run"])
        gap = "–"
        if pair and pair["row_by_row"]:
            gap = (
                f"{formatting.signed(pair['difference'], metric['format'], metric['unit'])} "
                f"({formatting.span(pair['low'], pair['high'], metric['format'])})"
            )
        rows.append(
            [
                line["run"], str(line["model"]), str(line["recipe"]),
                formatting.figure(line["value"], metric["format"], metric["unit"]),
                formatting.span(line["low"], line["high"], metric["format"]), gap,
                WORDS[line["worth_it"]], f"{line['n']:,}",
            ]
        )  # fmt: skip
    head = ["Run", "Model", "Recipe", metric["label"], "95 %", "Difference to the first",
            "Verdict", "Test rows"]  # fmt: skip
    return f'<p class="tk-sentence">{escape(found["statement"])}</p>{html.table(head, rows)}'


# -- files -----------------------------------------------------------------------------------------
def own(run: Run, name: str) -> Path | None:
    """A file of the run's folder; ``None`` where it is not there, or a link leads elsewhere."""
    place = (run.path / name).resolve()
    inside = place.is_relative_to(run.path.resolve())
    return place if inside and place.is_file() else None


def present(run: Run) -> list[str]:
    """The files of a run that can be downloaded."""
    return [name for name in FILES if own(run, name)]


def copied(run: Run, name: str, folder: Path) -> str:
    """A copy of one of the run's own files, for the browser; raises for any other path."""
    if name not in FILES:
        raise UsageError(f"{name!r} is no file of run {run.id} that can be downloaded")
    place = own(run, name)
    if place is None:
        raise UsageError(f"run {run.id} has no {name}")
    target = folder / run.id / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(place, target)
    return str(target)
