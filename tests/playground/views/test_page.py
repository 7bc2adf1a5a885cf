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


def answer(
    page: Page, outputs: int, left: Callable[[], list[Any]] | None
) -> tuple[Any, Callable[..., Any]]:
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
    for left in (lambda: BLANK, None):
        _, given = answer(page, 2, left)
        pieces = given(ME)
        assert [next(pieces)[0] for _ in range(seen)] == ["one", "two", "three"][:seen]
        page.sessions.discard(ME, "chat")
        if asked_again:
            page.sessions.begin(ME, "chat")
        shown = list(pieces)
        blanks = left is not None and not asked_again
        assert shown == [BLANK if blanks else [gr.skip(), gr.skip()]]


def test_an_answer_that_is_stopped_or_whole_keeps_its_last_piece() -> None:
    page = Page(SimpleNamespace(), SimpleNamespace(), Sessions())
    stop, given = answer(page, 1, lambda: BLANK)
    pieces = given(ME)
    assert next(pieces) == ["one"]
    stop.set()
    assert list(pieces) == [["two"], ["three"]]


def test_an_answer_in_one_piece_is_dropped_where_it_was_left() -> None:
    page = Page(SimpleNamespace(), SimpleNamespace(), Sessions())

    def leave(request: Any) -> str:
        page.sessions.discard(request, "panel")
        return "late"

    assert page._kept("panel", lambda request: "here", [None], None)(ME) == "here"
    assert page._kept("panel", leave, [None], None)(ME) == gr.skip()
