"""Answers that their session has left: nothing of them is shown, at whatever moment it left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("gradio", reason="the extra 'playground' brings gradio")

import gradio as gr

from toolkit_playground.state.sessions import Sessions
from toolkit_playground.views.page import Page

ME = SimpleNamespace(session_hash="a")
BLANK = ["", "blank"]
SKIPPED = [gr.skip(), gr.skip()]


def answer(page: Page, outputs: int, left: Callable[[], Any]) -> tuple[Any, Callable[..., Any]]:
    """An event's stop, and the answer that page makes of a function that gives three pieces."""

    def words(request: Any) -> Iterator[list[str]]:
        for word in ("one", "two", "three"):
            yield [word] * outputs

    given = page._kept("chat", words, [None] * outputs, left)
    return page.sessions.begin(ME, "chat"), given


@pytest.mark.parametrize(
    ("seen", "asked_again"), [(0, False), *((n, again) for n in (1, 2, 3) for again in (0, 1))]
)
def test_what_is_shown_last_is_never_a_piece_of_an_answer_that_was_left(
    seen: int, asked_again: bool
) -> None:
    # At the end of an answer gradio sends the last piece once more, so that it has to be another.
    page = Page(SimpleNamespace(), SimpleNamespace(), Sessions())
    _, given = answer(page, 2, lambda: BLANK)
    pieces = given(ME)
    assert [next(pieces)[0] for _ in range(seen)] == ["one", "two", "three"][:seen]
    page.sessions.discard(ME, "chat")
    if asked_again:
        page.sessions.begin(ME, "chat")
    shown = [piece for piece in pieces if piece != SKIPPED]
    assert set(map(tuple, shown)) == (set() if asked_again else {tuple(BLANK)})


def test_an_answer_that_is_stopped_or_whole_keeps_its_last_piece() -> None:
    page = Page(SimpleNamespace(), SimpleNamespace(), Sessions())
    stop, given = answer(page, 1, lambda: BLANK)
    pieces = given(ME)
    assert next(pieces) == ["one"]
    stop.set()
    assert list(pieces) == [["two"], ["three"], gr.skip()]


@pytest.mark.parametrize("late", [False, True])
def test_an_answer_in_one_piece_does_not_stay_where_it_was_left(late: bool) -> None:
    page = Page(SimpleNamespace(), SimpleNamespace(), Sessions())

    def leave(request: Any) -> str:
        if not late:
            page.sessions.discard(request, "panel")
        return "late"

    pieces = page._kept("panel", leave, [None], lambda: "nothing yet")(ME)
    first = next(pieces)
    if late:  # it was on its way when the run was switched
        page.sessions.discard(ME, "panel")
    shown = [piece for piece in [first, *pieces] if piece != gr.skip()]
    assert shown[-1] == "nothing yet" and ("late" in shown) is late
    assert list(page._kept("panel", lambda request: "here", [None], str)(ME)) == [
        "here", gr.skip(),
    ]  # fmt: skip
