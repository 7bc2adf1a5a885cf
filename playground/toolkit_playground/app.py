"""The page: a head with the chosen run, and the views below it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from toolkit import formatting
from toolkit.errors import ToolkitError
from toolkit.pipeline import base_of
from toolkit.reporting import context
from toolkit.runs import Run
from toolkit_playground.rendering import html, keys, run_picker
from toolkit_playground.state import people
from toolkit_playground.state.any_model import is_free, task_for
from toolkit_playground.state.classroom import CLASS, Classroom
from toolkit_playground.state.fitting import unfitting
from toolkit_playground.state.kept import owner_of
from toolkit_playground.state.library import Library, task_of
from toolkit_playground.state.place import Place, read_place
from toolkit_playground.state.run_list import RunList
from toolkit_playground.views import (
    chat,
    classroom,
    compare,
    failures,
    guess,
    prediction,
    programs,
    runs,
    step,
    tokens,
    vote,
)
from toolkit_playground.views.address import ASKED, Restored
from toolkit_playground.views.page import QUIET, Follower, Page, block, no_run

VIEWS = (
    ("Compare", compare.build),
    ("Chat", chat.build),
    ("Prediction", prediction.build),
    ("Tokens", tokens.build),
    ("Failures", failures.build),
    ("Step", step.build),
    ("Vote", vote.build),
    ("Guess", guess.build),
)
"""The views in the order of their tabs, before that of the runs themselves."""
QUEUE = 24
"""Requests that may wait; further ones are refused with a message."""
CACHE_SECONDS = (600, 3600)
PICKED, DRAWN = "() => toolkitTurning.picked()", "number => toolkitTurning.drawn(number)"
"""Scripts of the event that another run was picked, and of what follows once it is drawn."""
TITLE = "adapter-toolkit playground"
HEADING = '<h1 class="tk-title"><span>adapter-toolkit</span> playground</h1>'


def build(library: Library, folder: Path, room: Classroom | None = None) -> gr.Blocks:
    """The app, ready to be launched.

    Args:
        library: the runs that it shows.
        folder: a temporary folder of the server.
        room: the class that it is for.
    """
    listed = RunList(library)
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=CACHE_SECONDS
    ) as demo:
        with gr.Row(elem_classes="tk-head"):
            block("head-title", html.fill(HEADING))
            picker = block("run", run_picker.picker([], None), js_on_load=run_picker.SCRIPT)
            person = gr.Textbox(
                label="Your name", elem_id="person", max_length=people.LONGEST, min_width=180,
                scale=0, info="Whose votes and guesses these are.",
            )  # fmt: skip
        # A program that uses the API has no page to load: it finds the runs that there are now.
        chosen = gr.State(library.first())
        owner, place = gr.State(None), gr.State(Place())
        question, browser = (gr.Textbox(visible=False) for _ in range(2))
        # Which run was picked, and the number of the pick.
        picked, number = (gr.Textbox(visible="hidden") for _ in range(2))
        # The browser keeps the name, so that it is asked once.
        kept = gr.BrowserState("", storage_key="toolkit-playground-person", secret="name")
        about = block("about")
        hides = None if room is None else classroom.hidden()
        page = Page(library, chosen, person, owner=owner, classroom=room)
        programs.build(page)
        with gr.Tabs(elem_id="views", overflow_behavior="wrap") as tabs:
            page.tabs = tabs
            for name, view in VIEWS:
                with gr.Tab(name, id=name.lower(), elem_id=f"tab-{name.lower()}") as tab:
                    view(page)
                _noted(tab, name)
            with gr.Tab("Run", id="run", elem_id="tab-run") as tab:
                runs.build(page, folder, tab)
            _noted(tab, "Run")
            if room is not None and hides is not None:
                classroom.build(page, room, hides)
        block("keys", keys.keys())
        # gradio 6.31 passes over a tab's `visible` once the page is there.
        fits = block("fits")
        page.follow([fits], lambda key: [without(library, key)])
        page.follow([about], lambda key: [head(library, key)])
        outputs = [out for follower in page.followers for out in follower.outputs]

        def follow(key: str | None) -> list[Any]:
            return [value for follower in page.followers for value in _safe(follower, key)]

        def load(request: gr.Request, question: str, browser: str) -> list[Any]:
            seen = [*view_ids(), *([CLASS] if classroom.is_teacher(room, request) else [])]
            there = read_place(question, seen)
            choices = listed.choices()
            known = there.run in {one.run for one in choices}
            key = there.run if known else library.first()
            there = dataclasses.replace(there, view=_offered(library, key, there.view))
            whose = owner_of(request, browser)
            picked = run_picker.picker(choices, key)
            return [key, whose, there, picked, gr.Tabs(selected=there.view), *follow(key)]

        def restore(there: Place, key: str | None, owner: str | None) -> list[Any]:
            values = dict.fromkeys(restored, gr.skip())
            for function, outs in page.address.restored:
                found = _restored(function, outs, there, key, owner)
                values |= {
                    out: value for out, value in zip(outs, found, strict=True) if value != gr.skip()
                }
            return list(values.values())

        def greet(request: gr.Request, kept: str | None) -> Any:
            login = getattr(request, "username", None)
            if not login and not kept:
                return gr.skip()  # a name may have been typed by now
            return gr.Textbox(value=login or kept, interactive=not login)

        loaded = demo.load(
            load, [question, browser], [chosen, owner, place, picker, tabs, *outputs], js=ASKED,
            **QUIET,
        )  # fmt: skip
        for function, owned in page.owned:
            loaded.then(_all_of(function, owned), [chosen, owner], owned, **QUIET)
        restored = list(dict.fromkeys(out for _, outs in page.address.restored for out in outs))
        loaded.then(restore, [place, chosen, owner], restored, **QUIET)
        greeted = loaded.then(greet, kept, person, **QUIET)

        def switch(request: gr.Request, key: str, number: str) -> list[Any]:
            page.sessions.discard(request)  # an answer must not outlive its run
            return [key, number, *follow(key)]

        # Not by the event's own value: of several picks gradio 6.31 would give the first one's.
        switched = picker.select(
            switch, [picked, number], [chosen, number, *outputs], js=PICKED,
            trigger_mode="always_last", **QUIET,
        )  # fmt: skip
        switched.then(None, number, None, js=DRAWN)
        for function, owned in page.owned:
            switched.then(_all_of(function, owned), [chosen, owner], owned, **QUIET)
        gr.on([person.blur, person.submit], lambda name: name, person, kept, **QUIET)
        for values, late in page.later:
            for event in (greeted.then, switched.then):
                event(values, chosen, late, **QUIET)
        for function, personal in page.personal:
            inputs = [chosen, person]
            for event in (greeted.then, switched.then):
                event(function, inputs, personal, **QUIET)
            gr.on([person.blur, person.submit], function, inputs, personal, **QUIET)

        def leave(request: gr.Request) -> None:
            page.sessions.leave(request)

        demo.unload(leave)
    demo.queue(max_size=QUEUE, default_concurrency_limit=8)
    made: gr.Blocks = demo
    return made


def _safe(follower: Follower, key: str | None) -> list[Any]:
    """A view's values; where the run's folder is too broken for that view, what is amiss."""
    try:
        return list(follower.values(key))
    except Exception as error:  # the other views, and the head with the reason, must still appear
        values = [gr.skip() for _ in follower.outputs]
        places = [i for i, out in enumerate(follower.outputs) if isinstance(out, gr.HTML)]
        if places:
            values[places[0]] = html.failure(error, "showing this run")
        return values


def view_ids() -> list[str]:
    """The IDs of all tabs."""
    return [name.lower() for name in (*dict(VIEWS), "Run")]


def _all_of(function: Callable[..., list[Any]], outputs: Sequence[Any]) -> Callable[..., Any]:
    """A function whose values gradio takes one for each output, where there is one alone too."""

    def values(key: str | None, owner: str | None) -> Any:
        found = function(key, owner)
        return found[0] if len(outputs) == 1 else found

    return values


def _noted(tab: gr.Tab, name: str) -> None:
    """Let the address say which tab is open."""
    tab.select(None, None, None, js=f"() => toolkitAddress.view({json.dumps(name.lower())})")


def _offered(library: Library, key: str | None, view: str) -> str:
    """A view that an address names; the first one where it does not fit the run's task."""
    with contextlib.suppress(ToolkitError):
        found = task_of(library, key)
        if found is not None and view in unfitting(*found, view_ids()):
            return view_ids()[0]
    return view


def _restored(
    function: Restored, outs: Sequence[Any], place: Place, key: str | None, owner: str | None
) -> list[Any]:
    """What an address asks a view for; nothing where it cannot be had."""
    try:
        return list(function(place, key, owner))
    except Exception:  # an address may ask for anything, and the page must appear nonetheless
        return [gr.skip()] * len(outs)


def without(library: Library, key: str | None) -> Markup:
    """A style that hides the tabs of views that do not fit the chosen run's task."""
    unfit: Sequence[str] = ()
    with contextlib.suppress(ToolkitError):  # what is amiss stands in the head
        found = task_of(library, key)
        unfit = [] if found is None else unfitting(*found, view_ids())
    rules = (html.fill("#tab-{}-button {{display: none}}", name) for name in unfit)
    return html.fill("<style>{}</style>", html.joined(rules))


def head(library: Library, key: str | None) -> Markup:
    """The chosen run in a line, and everything that is amiss."""
    if key is None:
        return no_run()
    run = library.find(key)
    try:
        task = task_for(run)
        line = _line(library, run, task.summary)
    except ToolkitError as error:
        return html.failure(error)
    return line + html.joined(html.notice(text, "warn") for text in problems(library, run))


def _line(library: Library, run: Run, summary: str) -> Markup:
    found = library.metrics(run)
    badge = html.NOTHING
    verdict = str(run.info["recipe"]["model"]) if is_free(run) else "not scored yet"
    if found:
        if found["synthetic"]:
            badge = html.fill('<span class="tk-badge">SYNTHETIC DATA</span>')
        verdict = context.head(found)
        systems = found["systems"]
        metric = context.described(found)
        figures = [
            f"{name} {_figure(systems[name], metric)}"
            for name in (context.trained(found), context.base(found))
            if name
        ]
        if figures:
            label = metric["label"]
            verdict = f"{verdict}. {label[:1].upper()}{label[1:]}: {', '.join(figures)}"
    return html.fill(
        '<p class="tk-lede"><strong>{}</strong> <span>{}</span> {}</p>', summary, verdict, badge
    )


def _figure(system: Any, metric: Any) -> str:
    value = system["metrics"][metric["name"]]["value"]
    return formatting.figure(value, metric["format"], metric["unit"])


def problems(library: Library, run: Run) -> Sequence[str]:
    """What keeps a run, or another's adapter beside it, from being shown."""
    found = []
    try:
        engine = library.engine(run.id)
    except Exception as error:
        found.append(" ".join(str(error).split()))
    else:
        found += [f"{label}: {reason}" for label, reason in engine.problems.items()]
    for other in library.given:
        if other.id == run.id or other.info["task"] != run.info["task"]:
            continue
        if base_of(other) != base_of(run):
            found.append(
                f"The adapter of run {other.id} is for another base "
                f"({other.info['recipe']['model']}) than this run's "
                f"({run.info['recipe']['model']}); they cannot stand side by side."
            )
    return found
