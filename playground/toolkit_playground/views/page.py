"""What the views share: the runs, stop events of the sessions, and how a view follows a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any

import gradio as gr
from markupsafe import Markup

from toolkit import Row, Task
from toolkit.errors import UsageError
from toolkit_playground.rendering import html
from toolkit_playground.state.classroom import Classroom
from toolkit_playground.state.engine import Engine
from toolkit_playground.state.human_system import HumanSystem
from toolkit_playground.state.library import Library
from toolkit_playground.state.sessions import Sessions
from toolkit_playground.views.address import Address

MODEL_QUEUE: Mapping[str, Any] = {
    "concurrency_id": "model", "concurrency_limit": 1, "trigger_mode": "always_last",
}  # fmt: skip
"""Events that use the model wait for each other; everything else does not wait for them.

A new request while an answer is written has stopped that answer (:meth:`Page.answer`) and is
answered next: gradio would drop a request that comes before the old answer has ended.
"""
QUIET: Mapping[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
NO_RUN = "No finished run yet"
NO_RUN_HINT = "Make one with: toolkit run price-regression – then load this page again."

Values = Callable[[str | None], list[Any]]
"""The chosen run's ID → one value or gradio update for each of a view's components."""


def block(name: str, value: Markup = html.NOTHING, **options: Any) -> gr.HTML:
    """A place for HTML of our own, without gradio's styles."""
    return gr.HTML(value, elem_id=name, apply_default_css=False, padding=False, **options)


def waits(view: str) -> str:
    """Script of an event that asks: it waits for a run, or a row, that was chosen before it."""
    return f"(...values) => toolkitTurning.over({json.dumps(view)}, ...values)"


def still(view: str) -> str:
    """Script before what answers that, which is left out where another was chosen meanwhile."""
    return f"() => toolkitTurning.still({json.dumps(view)})"


def no_run() -> Markup:
    """What a view shows where there is no run."""
    return html.empty(NO_RUN, NO_RUN_HINT)


@dataclass
class Follower:
    """The part of a view that changes with the chosen run.

    Args:
        outputs: its components.
        values: their values for a run.
    """

    outputs: Sequence[Any]
    values: Values


@dataclass(frozen=True)
class Opening:
    """How a held-out row is opened in a view: the answer to it follows by itself.

    Args:
        outputs: the components that hold the row.
        values: their values for the task and the row.
    """

    outputs: Sequence[Any]
    values: Callable[[Task, Row], list[Any]]


@dataclass
class Page:
    """What every view gets while the page is built.

    Args:
        library: the runs.
        chosen: the chosen run's ID; ``None`` where there is no run.
        person: the component with the name of the person who looks.
        sessions: what each session is doing.
        followers: filled by the views.
        stops: the view's ID → its button that stops; filled by :meth:`stop`.
        owner: whose the texts of the session are, see :func:`~toolkit_playground.state.kept
            .owner_of`.
        address: what stands in the page's address.
        openings: how a row is opened in a view, by the view's name; filled by the views.
        tabs: the list of views.
        later: what is drawn for another run once all else is there, because it takes a while: a
            function of the run's ID, and its outputs; filled by the views.
        personal: what else is drawn anew for another run or person: a function of the gradio
            ``Request``, the run's ID and the name, and its outputs; filled by the views.
        owned: what shows an owner's texts: a function of the run's ID and the owner, and its
            outputs, drawn anew for another run; filled by the views.
        human: writes people's guesses into their run.
        classroom: the class that the page is for; ``None``: it is for none.
        turns: how many events change what a view is about; counted by :meth:`turn`.
    """

    library: Library
    chosen: gr.State
    person: gr.Textbox
    address: Address = field(default_factory=Address)
    sessions: Sessions = field(default_factory=Sessions)
    owner: Any = None
    followers: list[Follower] = field(default_factory=list)
    stops: dict[str, gr.Button] = field(default_factory=dict)
    openings: dict[str, Opening] = field(default_factory=dict)
    tabs: gr.Tabs | None = None
    later: list[tuple[Values, Sequence[Any]]] = field(default_factory=list)
    personal: list[tuple[Callable[..., list[Any]], Sequence[Any]]] = field(default_factory=list)

    owned: list[tuple[Callable[..., list[Any]], Sequence[Any]]] = field(default_factory=list)
    human: HumanSystem = field(default_factory=HumanSystem)
    classroom: Classroom | None = None
    turns: int = 0

    def follow(self, outputs: Sequence[Any], values: Values) -> None:
        """Let components follow the chosen run."""
        self.followers.append(Follower(outputs, values))

    def engine(self, key: str | None) -> Engine:
        """The chosen run's model; raises a :class:`ToolkitError` where there is none."""
        if key is None:
            raise UsageError(f"{NO_RUN}: toolkit run TASK")
        return self.library.engine(key)

    def answer(
        self, start: Any, view: str, function: Callable[..., Any], inputs: Any, outputs: Any,
        left: Callable[[], Any], **options: Any,
    ) -> Any:  # fmt: skip
        """Let an event use the model, once what that session did before in the view has stopped.

        Args:
            start: the event, such as ``button.click``, or a dependency's ``then``.
            view: the name under which :meth:`Sessions.stoppable` finds the stop event.
            function, inputs, outputs: as of a gradio event; the function's first argument is the
                gradio ``Request``. What it gives after :meth:`Sessions.discard` is dropped.
            left: what the outputs show after that, for as long as nothing new is asked.
            options: further ones of that event.
        """
        stop = self.stops.get(view)

        def begin(request: gr.Request) -> Any:
            self.sessions.begin(request, view)
            return None if stop is None else gr.Button(interactive=True)

        def end(request: gr.Request) -> Any:
            return gr.Button(interactive=self.sessions.going_on(request, view))

        # Not queued, so that it stops an answer that is still being written.
        asked = start(begin, None, stop, queue=False, js=waits(view), **QUIET)
        # A step of its own: gradio shows what answers as pending before it asks its script.
        done = asked.then(None, None, None, js=still(view)).then(
            self._kept(view, function, outputs, left), inputs, outputs, **options, **MODEL_QUEUE
        )
        if stop is not None:  # another chain, so that nothing else waits for it
            done.then(end, None, stop, queue=False, **QUIET)
        return done

    def turn(
        self, start: Any, view: str, function: Callable[..., Any], inputs: Any, outputs: Any,
        **options: Any,
    ) -> Any:  # fmt: skip
        """Let an event change what a view is about, such as its row.

        What the session is being answered there is discarded, and what is asked before the new
        values are there waits for them.

        Args:
            start: the event, such as ``button.click``.
            view: the view's ID.
            function, inputs, outputs: as of a gradio event; the function's first argument is the
                gradio ``Request``.
            options: further ones of that event.
        """

        @wraps(function)
        def turned(request: gr.Request, *values: Any) -> Any:
            self.sessions.discard(request, view)
            return function(request, *values)

        self.turns += 1
        name, event = json.dumps(view), json.dumps(f"{view} {self.turns}")
        # First, and of each event: one that comes while another is answered is told later.
        script = f"() => toolkitTurning.turn({name}, {event})"
        start(None, None, None, js=script, trigger_mode="multiple", **QUIET)
        script = f"(...values) => toolkitTurning.told({event}, ...values)"
        done = start(
            turned, inputs, outputs, js=script, trigger_mode="always_last", **{**QUIET, **options}
        )
        script = f"() => toolkitTurning.turned({event})"
        done.failure(None, None, None, js=script)  # which nothing else follows
        return done.then(None, None, None, js=script)

    def _kept(
        self, view: str, function: Callable[..., Any], outputs: Any, left: Callable[[], Any]
    ) -> Callable[..., Any]:  # fmt: skip
        """The function as pieces, of which none stays once its session has discarded them.

        A piece is on its way to the browser while :meth:`Sessions.discard` is called and something
        else is drawn there: it can arrive after that. So each piece is followed by a look whether
        it was discarded, and then by what takes its place. At the end of an answer gradio sends the
        last piece once more; that one says nothing.
        """
        count = len(outputs) if isinstance(outputs, Sequence) else 1
        nothing = [gr.skip()] * count if count > 1 else gr.skip()

        @wraps(function)
        def pieces(request: gr.Request, *values: Any) -> Iterator[Any]:
            with self.sessions.stoppable(request, view) as stop:
                for piece in _steps(function, request, *values):
                    if stop.discarded:
                        break
                    yield piece
                if stop.discarded and self.sessions.is_last(request, view, stop):
                    yield left()
                yield nothing
                if stop.discarded and self.sessions.is_last(request, view, stop):
                    yield left()

        return pieces

    def stop(self, button: gr.Button, view: str) -> None:
        """Let a button stop what its session is doing in a view.

        Called before :meth:`answer`, it is lit only while there is something to stop.
        """
        self.stops[view] = button

        def halt(request: gr.Request) -> None:
            self.sessions.stop(request, view)

        button.click(halt, None, None, queue=False, **QUIET)


def _steps(function: Callable[..., Any], *values: Any) -> Iterator[Any]:
    """What a function gives, in one piece or in several."""
    if isgeneratorfunction(function):
        yield from function(*values)
    else:
        yield function(*values)
