"""The list of runs to choose from, searched and narrowed down in the browser."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from markupsafe import Markup

from toolkit import formatting
from toolkit_playground.rendering.html import NOTHING, fill, joined
from toolkit_playground.state.run_list import Choice

SCRIPT = Path(__file__).with_name("run_picker.js").read_text(encoding="utf-8")
"""Narrows the list down, and tells the page which run was chosen: the event ``select``."""
MOST_SETTINGS = 4
"""Changed settings that a line names; further ones are counted."""


def picker(choices: Sequence[Choice], chosen: str | None) -> Markup:
    """The chosen run, and behind it the list of all.

    Args:
        choices: the runs, in the order in which they are listed.
        chosen: the ID of the run that the page shows.
    """
    if not choices:
        return fill('<p class="tk-quiet">No finished run yet</p>')
    now = next((one for one in choices if one.run == chosen), choices[0])
    narrow = joined(
        _menu(label, name, (getattr(one, name) for one in choices))
        for label, name in (("Task", "task"), ("Model", "model"), ("Verdict", "verdict"))
    )
    rows = joined(
        fill(
            '<li><button type="button" class="tk-pick" data-run="{}" data-task="{}" '
            'data-model="{}" data-verdict="{}"{}>{}</button></li>',
            one.run, one.task, one.model, one.verdict,
            fill(' aria-current="true"') if one.run == now.run else NOTHING, line(one),
        )
        for one in choices
    )  # fmt: skip
    return fill(
        '<details class="tk-picker"><summary><span class="tk-quiet">Run</span>'
        '<span class="tk-now" data-run="{}">{}</span></summary>'
        '<div class="tk-choose"><div class="tk-narrow"><label>Search<input type="search" '
        'placeholder="words of a task, model, setting, date or ID"></label>{}</div>'
        '<p class="tk-quiet" role="status" data-all="{}">{}, the newest first</p>'
        '<ul class="tk-picks" aria-label="Runs">{}</ul></div></details>',
        now.run, line(now), narrow, len(choices), formatting.count(len(choices), "run"), rows,
    )  # fmt: skip


def line(one: Choice) -> Markup:
    """A run in one line: what, with which model, how it went, what was set, and when."""
    settings = list(one.settings[:MOST_SETTINGS])
    if len(one.settings) > MOST_SETTINGS:
        settings.append(f"and {len(one.settings) - MOST_SETTINGS} more")
    kind = {"worth it": "good", "not worth it": "bad"}.get(one.verdict, "plain")
    figure = fill('<b title="{}">{}</b>', one.metric, one.figure) if one.figure else NOTHING
    return fill(
        '<span class="tk-pick-task">{}</span><span class="tk-pick-model" title="{}">{}</span>'
        '<span class="tk-pick-verdict"><span class="tk-{}">{}</span> {}</span>'
        '<span class="tk-pick-set">{}</span><span class="tk-pick-when">{} <small>{}</small></span>',
        one.task, one.place, one.model, kind, one.verdict, figure,
        ", ".join(settings) or "as the recipe has it", one.when, one.run,
    )  # fmt: skip


def _menu(label: str, name: str, values: Iterable[str]) -> Markup:
    options = joined(fill("<option>{}</option>", value) for value in sorted(set(values)))
    return fill(
        '<label>{}<select data-by="{}"><option value="">all</option>{}</select></label>',
        label, name, options,
    )  # fmt: skip
