"""A run's state, verdict, learning curve and report, and several runs side by side, as HTML."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from toolkit import formatting
from toolkit.pipeline import compare, load_task
from toolkit.reporting import context, run_details, training_charts
from toolkit.runs import STAGES, Run, read_json
from toolkit_playground.rendering import html
from toolkit_playground.rendering.html import NOTHING, fill, joined
from toolkit_playground.state.chart_lock import CHART_LOCK
from toolkit_playground.state.run_files import own
from toolkit_playground.state.run_list import VERDICTS

STALE_SECONDS = 600
"""Seconds without a new file after which an unfinished run no longer counts as in progress."""
STATES = ("done", "running", "stopped", "to do")
"""States of a stage; ``run.json`` may say anything."""
_LINK = re.compile(r"""(?P<before><a\b[^<>]*?)\s+href="(?P<target>[^"<>]*)\"""")


def described(run: Run) -> str:
    """A run as it stands in a list."""
    state = "" if run.finished else " · unfinished"
    return f"{run.info['task']} · {run.id}{state}"


def one(run: Run) -> Markup:
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
    return joined(parts) + fill(
        '<details class="tk-prompt"><summary>Settings</summary>{}</details>', settings
    )


def _verdict(run: Run) -> Markup:
    place = own(run, "metrics.json")
    if place is None:
        return NOTHING
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
    sentence = fill('<p class="tk-sentence">{}</p>', f"{found['verdict']['sentence']}{extra}")
    use = context.use(found, run.id)
    return sentence + fill("<p>{}</p>", use) if use else sentence


def _stages(run: Run) -> Markup:
    """The stages with their state; of an unfinished run also when it last wrote something."""
    stages = run.info.get("stages", {})
    items = []
    for name in STAGES:
        found = stages.get(name, {})
        state = str(found.get("state", "to do"))
        state = state if state in STATES else "unknown"
        seconds = f" {formatting.duration(found.get('seconds'))}" if state == "done" else ""
        sign = {"done": "✓", "running": "●", "stopped": "✗"}.get(state, "○")
        items.append(
            fill(
                '<li class="tk-{}"><span aria-hidden="true">{}</span> {} <small>{}{}</small></li>',
                state.replace(" ", "-"), sign, name, state, seconds,
            )
        )  # fmt: skip
    line = NOTHING if run.finished else html.notice(*_progress(run))
    return fill('{}<ol class="tk-stages">{}</ol>', line, joined(items))


def _progress(run: Run) -> tuple[str, str]:
    newest = max((p.stat().st_mtime for p in run.path.rglob("*") if p.is_file()), default=0.0)
    age = max(0.0, time.time() - newest)
    now = run.running
    stopped = any(s.get("state") == "stopped" for s in run.info.get("stages", {}).values())
    killed = (run.path / "running.json").exists() and not now
    if not now and (stopped or killed or age > STALE_SECONDS):
        when = dt.datetime.fromtimestamp(newest).strftime("%Y-%m-%d %H:%M")
        return (
            f"This run is not finished and has written nothing since {when}; go on with: "
            f"toolkit resume {run.id}",
            "warn",
        )
    return f"In progress, shown live; it last wrote {formatting.duration(age)} ago.", "info"


def _curve(run: Run) -> Markup:
    """The learning curve up to now."""
    place = own(run, "history.json")
    history = read_json(place) if place else []
    if not any("loss" in entry for entry in history):
        return NOTHING
    metric = load_task(run).metric()
    described = {"name": metric.name, "label": metric.label or metric.name, "unit": metric.unit}
    doc = {"history": history, "primary_metric": metric.name, "metrics": [described]}
    curves = training_charts.curves(doc)
    with CHART_LOCK:
        drawn = [
            _drawn(curves, described, training_charts.epoch_ends(history), n) for n in (False, True)
        ]
    return fill('<div class="tk-chart">{}</div>', joined(drawn))


def _drawn(curves: Any, metric: Mapping[str, Any], epochs: Sequence[float], narrow: bool) -> Markup:
    chart = training_charts.learning(
        curves, metric["label"], metric["unit"], epochs=epochs, narrow=narrow
    )
    return fill('<div class="{}">{}</div>', "narrow" if narrow else "wide", html.chart(chart))


def _frame(content: str, title: str) -> Markup:
    """A page within the page, in a sandbox: none of its scripts runs, and it can read nothing."""
    return fill(
        '<iframe class="tk-frame" sandbox="" title="{}" srcdoc="{}"></iframe>',
        title, _LINK.sub(_within, content),
    )  # fmt: skip


def _within(link: re.Match[str]) -> str:
    """A link of a framed page, which has the outer page's address but not its own.

    A fragment alone would lead to the outer page (HTML standard, "document base URL" of
    ``iframe srcdoc``). Files that stand beside the report in its folder are not there at all; they
    are downloaded by their list, so that what names them is left as text.
    """
    if link["target"].startswith("#"):
        return f'{link["before"]} href="about:srcdoc{link["target"]}"'
    return link["before"]


# -- several runs ----------------------------------------------------------------------------------
def several(runs: Sequence[Run]) -> Markup:
    """Runs side by side: those that are scored in one comparison, the others by their stages."""
    scored = [run for run in runs if run.done("score")]
    parts = []
    if len(scored) > 1:
        tasks = [load_task(run) for run in scored]
        parts.append(comparison(compare.compare(scored, tasks)))
    for run in runs:
        if run not in scored or len(scored) < 2:
            parts.append(fill("<h2>{}</h2>{}{}", described(run), _stages(run), _curve(run)))
    return joined(parts)


def comparison(found: Mapping[str, Any]) -> Markup:
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
                VERDICTS[line["worth_it"]], f"{line['n']:,}",
            ]
        )  # fmt: skip
    head = ["Run", "Model", "Recipe", metric["label"], "95 %", "Difference to the first",
            "Verdict", "Test rows"]  # fmt: skip
    return fill('<p class="tk-sentence">{}</p>{}', found["statement"], html.table(head, rows))
