"""Stop events: of one session in one view, and replaced by the next request."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from toolkit_playground.state.sessions import Sessions


@dataclass(frozen=True)
class Visitor:
    session_hash: str


def test_a_stop_event_is_of_one_session_and_one_view() -> None:
    sessions = Sessions()
    mine = sessions.begin(Visitor("a"), "compare")
    other = sessions.begin(Visitor("b"), "compare")
    chat = sessions.begin(Visitor("a"), "chat")
    sessions.stop(Visitor("a"), "compare")
    assert (mine.is_set(), other.is_set(), chat.is_set()) == (True, False, False)
    with sessions.stoppable(Visitor("a"), "compare") as waiting:
        assert waiting is mine  # pressed while it still waited for its turn
    with sessions.stoppable(Visitor("a"), "compare") as fresh:
        assert not fresh.is_set()
    sessions.leave(Visitor("a"))
    assert chat.is_set() and not other.is_set()


def test_a_new_request_replaces_the_one_before() -> None:
    sessions = Sessions()
    before: threading.Event = sessions.begin(Visitor("a"), "compare")
    assert not sessions.begin(Visitor("a"), "compare").is_set() and before.is_set()


def test_what_is_discarded_stops_and_its_answer_is_not_shown() -> None:
    sessions = Sessions()
    chat = sessions.begin(Visitor("a"), "chat")
    compare = sessions.begin(Visitor("a"), "compare")
    other = sessions.begin(Visitor("b"), "chat")
    sessions.discard(Visitor("a"), "chat")
    assert chat.is_set() and chat.discarded
    assert not (compare.is_set() or compare.discarded or other.is_set())
    sessions.discard(Visitor("a"))
    assert compare.discarded and not other.discarded
    with sessions.stoppable(Visitor("b"), "chat") as outer:
        with sessions.stoppable(Visitor("b"), "chat"):
            pass
        sessions.discard(Visitor("b"), "chat")  # it can still be found after the inner block
        assert outer.discarded


def test_a_step_of_a_conversation_that_was_left_comes_too_late() -> None:
    sessions = Sessions()
    me, other = Visitor("a"), Visitor("b")
    for visitor in (me, other):
        assert sessions.goes_on(visitor, "chat", "first")
    sessions.discard(me, "compare")
    assert sessions.goes_on(me, "chat", "first")
    sessions.discard(me)
    assert not sessions.goes_on(me, "chat", "first") and sessions.goes_on(other, "chat", "first")
    assert sessions.goes_on(me, "chat", "second")  # as often as it likes
    assert sessions.goes_on(me, "chat", "second") and not sessions.goes_on(me, "chat", "first")
    sessions.leave(me)
    assert not sessions._conversations.keys() & {("a", "chat")}


def test_it_goes_on_from_the_question_until_the_answer_has_ended() -> None:
    sessions = Sessions()
    assert not sessions.going_on(Visitor("a"), "chat")
    sessions.begin(Visitor("a"), "chat")
    assert sessions.going_on(Visitor("a"), "chat") and not sessions.going_on(Visitor("b"), "chat")
    with sessions.stoppable(Visitor("a"), "chat"):
        sessions.begin(Visitor("a"), "chat")  # asked while the answer before is being written
    assert sessions.going_on(Visitor("a"), "chat")
    with sessions.stoppable(Visitor("a"), "chat"):
        pass
    assert not sessions.going_on(Visitor("a"), "chat")
