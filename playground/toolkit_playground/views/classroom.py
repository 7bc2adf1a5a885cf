"""View "Class", which the teacher alone sees: the link for the class, the board, the names."""

from __future__ import annotations

from typing import Any

import gradio as gr

from toolkit.errors import ToolkitError, UsageError
from toolkit_playground.rendering import classroom as rendering
from toolkit_playground.rendering import html, votes
from toolkit_playground.state import attendance
from toolkit_playground.state.classroom import CLASS, VIEWS, Classroom
from toolkit_playground.state.guesses import FEW, standing
from toolkit_playground.state.place import Place
from toolkit_playground.state.sides import side_labels
from toolkit_playground.views.page import QUIET, Page, block

SECONDS = 3.0
"""Between two looks at whether somebody has guessed; the board is drawn anew only then."""
NAME = "Class"


def is_teacher(room: Classroom | None, request: gr.Request) -> bool:
    """Whether a request comes from the teacher's browser."""
    return room is not None and room.is_teacher(request.cookies)


def hidden() -> gr.HTML:
    """What hides the tab, at a place of the page that is always drawn."""
    return block("class-hides", rendering.HIDES)


def build(page: Page, room: Classroom, hides: gr.HTML) -> None:
    """The view's tab and what it does. Every event looks anew at who asks.

    Args:
        page: what the views share.
        room: the class.
        hides: see :func:`hidden`.
    """
    with gr.Tab(NAME, id=CLASS, elem_id=f"tab-{CLASS}") as tab:
        link = block("class-link")
        with gr.Row(elem_classes=["tk-split", "tk-wide"]):
            with gr.Column(elem_classes="tk-one"):
                board = block("class-board")
            with gr.Column(elem_classes="tk-two"):
                leads = gr.Radio(
                    [(label, view) for view, label in VIEWS.items()], value=room.view,
                    label="The link leads to", elem_id="class-leads",
                )  # fmt: skip
                told = block("class-told")
                names = block("class-names", js_on_load=rendering.SCRIPT)
    timer, seen = gr.Timer(SECONDS, active=False), gr.State(None)
    live = [board, names, seen]

    def drawn(key: str | None) -> list[Any]:
        """The board and the names, as they are by now."""
        if key is None:
            return [rendering.board(None), rendering.names([], {}), None]
        now = stamp(key)  # before what it stands for is read: what comes meanwhile is drawn next
        people = attendance.people_of(page.library, page.library.find(key))
        return [_board(page, room, key), rendering.names(*people), now]

    def stamp(key: str) -> Any:
        return attendance.stamp(page.library, page.library.find(key)), room.view

    def show(request: gr.Request, key: str | None, name: str) -> list[Any]:
        """All of it for the teacher, and nothing for anybody else."""
        if not is_teacher(room, request):
            return [rendering.HIDES, "", gr.skip(), *nothing]
        room.run = key or ""
        try:
            return ["", rendering.link(room), room.view, *drawn(key)]
        except ToolkitError as error:
            return ["", rendering.link(room), room.view, html.failure(error), "", None]

    nothing = ["", "", None]
    page.personal.append((show, [hides, link, leads, *live]))

    def lead(request: gr.Request, key: str | None, view: str) -> list[Any]:
        if not is_teacher(room, request) or view not in VIEWS:
            return [gr.skip()] * 4
        room.view = view
        return [rendering.link(room), *drawn(key)]

    def tick(request: gr.Request, key: str | None, before: Any) -> list[Any]:
        """What has changed since the last look."""
        if not is_teacher(room, request) or key is None:
            return [gr.skip()] * 3
        return [gr.skip()] * 3 if stamp(key) == before else drawn(key)

    def changed(removed: bool) -> Any:
        def change(request: gr.Request, key: str | None, event: gr.EventData) -> list[Any]:
            try:
                if not is_teacher(room, request):
                    raise UsageError("only the teacher removes names")
                run, name = page.library.find(key), str(event.who)[:200]
                attendance.change(page.library, page.human, run, name, removed=removed)
                what = "counts no longer" if removed else "counts again"
                return [*drawn(key), html.notice(f"“{name}” {what}.")]
            except Exception as error:  # one session's trouble is shown there and nowhere else
                return [gr.skip()] * 3 + [html.failure(error, "changing a name")]

        return change

    now = {**QUIET, "queue": False}  # a full queue of the model keeps no board from being drawn
    leads.input(lead, [page.chosen, leads], [link, *live], **now)
    timer.tick(tick, [page.chosen, seen], live, trigger_mode="once", **now)
    names.remove(changed(True), page.chosen, [*live, told], **now)
    names.undo(changed(False), page.chosen, [*live, told], **now)

    def turned(request: gr.Request, event: gr.SelectData) -> Any:
        return gr.Timer(active=event.value == NAME and is_teacher(room, request))

    if page.tabs is not None:
        page.tabs.select(turned, None, timer, **now)

    def restore(place: Place, key: str | None, owner: str | None) -> list[Any]:
        return [gr.Timer(active=place.view == CLASS)]

    page.address.restore(restore, [timer])
    tab.select(None, None, None, js="() => toolkitAddress.view('class')")


def _board(page: Page, room: Classroom, key: str) -> Any:
    """The guesses, or the votes, as the link leads to the one or the other."""
    run = page.library.find(key)
    if room.view == "vote":
        return votes.results(page.library.store(run).votes(), side_labels(page.library, run))
    found = rendering.board(standing(page.library, run, None, FEW))
    problem = page.human.problems.get(run.id)
    return found if problem is None else found + html.failure(problem, "writing the guesses")
