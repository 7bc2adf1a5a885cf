"""The page: a head with the chosen run, and the six views below it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from toolkit import formatting
from toolkit.errors import ToolkitError
from toolkit.pipeline import base_of, load_task
from toolkit.reporting import context
from toolkit.runs import Run
from toolkit_playground.rendering import html
from toolkit_playground.state import people
from toolkit_playground.state.fitting import unfitting
from toolkit_playground.state.library import Library, task_of
from toolkit_playground.views import chat, compare, guess, panel, programs, runs, vote
from toolkit_playground.views.page import QUIET, Follower, Page, block, no_run

QUEUE = 24
"""Requests that may wait; further ones are refused with a message."""
CACHE_SECONDS = (600, 3600)
TITLE = "adapter-toolkit playground"
HEADING = '<h1 class="tk-title"><span>adapter-toolkit</span> playground</h1>'


def build(library: Library, folder: Path) -> gr.Blocks:
    """The app, ready to be launched.

    Args:
        library: the runs that it shows.
        folder: a temporary folder of the server.
    """
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=CACHE_SECONDS
    ) as demo:
        with gr.Row(elem_classes="tk-head"):
            block("head-title", html.fill(HEADING))
            # A program that uses the API has no page to load: it finds the runs that there are now.
            chosen = gr.Dropdown(
                listed(library), value=library.first(), label="Run", elem_id="run", min_width=280
            )
            person = gr.Textbox(
                label="Your name", elem_id="person", max_length=people.LONGEST, min_width=180,
                scale=0, info="Whose votes and guesses these are.",
            )  # fmt: skip
        # The browser keeps the name, so that it is asked once.
        kept = gr.BrowserState("", storage_key="toolkit-playground-person", secret="name")
        about = block("about")
        page = Page(library, chosen, person)
        programs.build(page)
        with gr.Tabs(elem_id="views", overflow_behavior="wrap"):
            for name, view in (
                ("Compare", compare.build),
                ("Chat", chat.build),
                ("Panel", panel.build),
                ("Vote", vote.build),
                ("Guess", guess.build),
            ):
                with gr.Tab(name, id=name.lower(), elem_id=f"tab-{name.lower()}"):
                    view(page)
            with gr.Tab("Run", id="run", elem_id="tab-run") as tab:
                runs.build(page, folder, tab)
        # gradio 6.31 passes over a tab's `visible` once the page is there.
        fits = block("fits")
        page.follow([fits], lambda key: [without(library, key)])
        page.follow([about], lambda key: [head(library, key)])
        outputs = [out for follower in page.followers for out in follower.outputs]

        def follow(key: str | None) -> list[Any]:
            return [value for follower in page.followers for value in _safe(follower, key)]

        def load() -> list[Any]:
            first = library.first()
            return [gr.Dropdown(choices=listed(library), value=first), *follow(first)]

        def greet(request: gr.Request, kept: str | None) -> gr.Textbox:
            login = getattr(request, "username", None)
            return gr.Textbox(value=login or kept or "", interactive=not login)

        loaded = demo.load(load, None, [chosen, *outputs], **QUIET)
        greeted = loaded.then(greet, kept, person, **QUIET)

        def switch(request: gr.Request, key: str | None) -> list[Any]:
            page.sessions.discard(request)  # an answer must not outlive its run
            return follow(key)

        switched = chosen.input(switch, chosen, outputs, trigger_mode="always_last", **QUIET)
        gr.on([person.blur, person.submit], lambda name: name, person, kept, **QUIET)
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


def without(library: Library, key: str | None) -> Markup:
    """A style that hides the tabs of views that do not fit the chosen run's task."""
    unfit: Sequence[str] = ()
    with contextlib.suppress(ToolkitError):  # what is amiss stands in the head
        found = task_of(library, key)
        unfit = [] if found is None else unfitting(*found)
    rules = (html.fill("#tab-{}-button {{display: none}}", name) for name in unfit)
    return html.fill("<style>{}</style>", html.joined(rules))


def listed(library: Library) -> list[tuple[str, str]]:
    """The runs to choose from: description and ID."""
    return [(described(run), run.id) for run in library.playable()]


def described(run: Run) -> str:
    """A run as it stands in the list to choose from."""
    return f"{run.info['task']} · {run.info['recipe']['model']} · {run.id}"


def head(library: Library, key: str | None) -> Markup:
    """The chosen run in a line, and everything that is amiss."""
    if key is None:
        return no_run()
    run = library.find(key)
    try:
        task = load_task(run)
        line = _line(library, run, task.summary)
    except ToolkitError as error:
        return html.failure(error)
    return line + html.joined(html.notice(text, "warn") for text in problems(library, run))


def _line(library: Library, run: Run, summary: str) -> Markup:
    found = library.metrics(run)
    badge = html.NOTHING
    verdict = "not scored yet"
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
