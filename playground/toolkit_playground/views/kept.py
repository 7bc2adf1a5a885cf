"""What a view keeps: a list of it, with names, links to share, and a way to delete it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from toolkit.errors import ToolkitError, UsageError
from toolkit_playground.rendering import html
from toolkit_playground.state.kept import Kept, Shelf
from toolkit_playground.state.place import Place, address
from toolkit_playground.views.address import noted
from toolkit_playground.views.page import QUIET, Page, block

COPY = """
element.addEventListener("click", event => {
  if (!event.target.closest("button")) return;
  const link = element.querySelector("a").href;
  navigator.clipboard?.writeText(link);
  event.target.textContent = "Copied";
});
"""
Drawn = Callable[["str | None", Kept, bool], list[Any]]
"""The run's ID, what was kept, and whether it is the own → values of the view's components."""


class KeptList:
    """The list of what a view keeps about the chosen run.

    Args:
        page: what the views share.
        view: the view's ID.
        kind: what is kept: ``conversation`` or ``comparison``.
    """

    def __init__(self, page: Page, view: str, kind: str) -> None:
        self.page, self.view, self.kind = page, view, kind
        # Which one is shown; the address has it too.
        self.now = gr.Textbox(visible="hidden", elem_id=f"{view}-kept-now")
        with gr.Accordion(f"Kept {kind}s", open=False, elem_id=f"{view}-kept"):
            self.list = gr.Dropdown(
                [], label=f"Kept {kind}s", elem_id=f"{view}-kept-list",
                info="Of this run; only you see them, unless you share one.",
            )  # fmt: skip
            with gr.Row(elem_classes="tk-ask"):
                self.name = gr.Textbox(
                    label="Name", elem_id=f"{view}-kept-name", scale=3, min_width=140
                )
                rename = gr.Button("Rename", elem_id=f"{view}-kept-rename", min_width=90, scale=1)
            with gr.Row():
                share = gr.Button("Share by link", elem_id=f"{view}-kept-share", min_width=110)
                hide = gr.Button("Share no longer", elem_id=f"{view}-kept-hide", min_width=110)
                delete = gr.Button("Delete", elem_id=f"{view}-kept-delete", min_width=80)
        # Outside of the list, which is closed where a link leads to something that is not shared.
        self.told = block(f"{view}-kept-told", js_on_load=COPY)
        self.outputs = [self.list, self.now, self.told]
        page.follow(self.outputs, lambda key: [gr.Dropdown(choices=[], value=None), "", ""])
        page.owned.append((self._listed, [self.list]))
        inputs = [page.chosen, page.owner, self.now, self.name]
        for button, change in (
            (rename, lambda shelf, one, owner, name: shelf.rename(one, owner, name)),
            (share, lambda shelf, one, owner, name: shelf.share(one, owner, True)),
            (hide, lambda shelf, one, owner, name: shelf.share(one, owner, False)),
            (delete, lambda shelf, one, owner, name: shelf.delete(one, owner)),
        ):
            button.click(self._changed(change), inputs, self.outputs, **QUIET).then(
                None, self.now, None, js=noted(view, kind)
            )

    def shelf(self, key: str | None) -> Shelf:
        """What is kept about a run."""
        if key is None:
            raise UsageError("there is no run yet")
        return Shelf(self.page.library.store(self.page.library.find(key)), self.kind)

    def put(
        self, key: str | None, owner: str | None, kept_id: str, name: str,
        content: Mapping[str, Any],
    ) -> list[Any]:  # fmt: skip
        """Keep something that was just made; gives values of :attr:`outputs`.

        Nothing is kept of a session that nobody would find again.
        """
        if owner is None or not self.shelf(key).keep(kept_id, owner, name, content):
            return [gr.skip(), gr.skip(), gr.skip()]
        return [self._choices(key, owner, kept_id), kept_id, ""]

    def opened(self, draw: Drawn, outputs: Sequence[Any]) -> None:
        """Draw what is chosen in the list, and what the address asks for.

        Args:
            draw: values of the outputs; they are those of the view as it shows something kept.
        """
        everything = [*outputs, *self.outputs]

        def show(key: str | None, owner: str | None, kept_id: str | None) -> list[Any]:
            try:
                found = self.shelf(key).open(kept_id or "", owner)
                own = found.owner == owner
                told = self._link(key, found) if own else _borrowed(self.kind)
                drawn = draw(key, found, own)
                return [*drawn, self._choices(key, owner, found.id), found.id, told]
            except Exception as error:  # one session's trouble is shown there and nowhere else
                nothing = [gr.skip()] * (len(everything) - 1)
                return [*nothing, html.failure(error, "opening what was kept")]

        def choose(
            request: gr.Request, key: str | None, owner: str | None, kept_id: str | None
        ) -> list[Any]:
            return show(key, owner, kept_id)

        self.page.turn(
            self.list.input,
            self.view,
            choose,
            [self.page.chosen, self.page.owner, self.list],
            everything,
        ).then(None, self.now, None, js=noted(self.view, self.kind, push=True))

        def restore(place: Place, key: str | None, owner: str | None) -> list[Any]:
            named = place.of(self.view, self.kind)
            return show(key, owner, named[0]) if named else [gr.skip()] * len(everything)

        self.page.address.restore(restore, everything)

    def _changed(self, change: Callable[..., None]) -> Callable[..., list[Any]]:
        def changed(key: str | None, owner: str | None, now: str, name: str) -> list[Any]:
            try:
                shelf = self.shelf(key)
                if not now:
                    raise UsageError(f"choose a {self.kind} first")
                change(shelf, now, owner, name)
                left = {one.id: one for one in shelf.mine(owner)}
                told = self._link(key, left[now]) if now in left else html.notice("Deleted.")
                there = now if now in left else ""
                return [self._choices(key, owner, there or None), there, told]
            except ToolkitError as error:
                return [gr.skip(), gr.skip(), html.failure(error)]

        return changed

    def _choices(self, key: str | None, owner: str | None, now: str | None) -> gr.Dropdown:
        found = self.shelf(key).mine(owner)
        choices = [(f"{one.name} · {_when(one.changed)}", one.id) for one in found]
        return gr.Dropdown(choices=choices, value=now if now in {i for _, i in choices} else None)

    def _listed(self, key: str | None, owner: str | None) -> list[Any]:
        return [gr.skip() if key is None else self._choices(key, owner, None)]

    def _link(self, key: str | None, found: Kept) -> Markup:
        if not found.shared:
            return html.notice("Only you see it.")
        place = address(str(key), self.view, **{self.kind: found.id})
        return html.link_to_share(place, found.name)


def _borrowed(kind: str) -> Markup:
    return html.notice(f"Somebody has shared this {kind} with you; what you add is your own copy.")


def _when(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
