"""Turns of a conversation, and the messages that each side gets of them."""

from __future__ import annotations

from toolkit_playground.state.conversation import box_messages, complete, messages, until


def test_each_side_of_a_chat_hears_only_itself() -> None:
    turns = [
        {"user": "one", "base": "b1", "adapter": "a1"}, {"user": "two", "base": "b2"},
        {"user": "three"},
    ]  # fmt: skip
    said = [m["content"] for m in messages(turns, "adapter", " be brief ")]
    assert said == ["be brief", "one", "a1", "three"]
    # The adapter's box shows one, a1, two, three: its third message is the second turn.
    assert until(turns, 2, "adapter") == [turns[0], {"user": "two"}]
    assert until(turns, 3, "base") == [turns[0], {"user": "two"}]


def test_a_box_shows_all_that_was_typed_and_its_own_sides_answers() -> None:
    turns = [{"user": "one", "base": "b1"}, {"user": "two", "base": ""}, {"user": "three"}]
    assert [m["content"] for m in box_messages(turns, "base")] == ["one", "b1", "two", "…", "three"]
    assert [m["content"] for m in box_messages(turns, "adapter")] == ["one", "two", "three"]
    assert complete(turns[1], ["base"]) and not complete(turns[1], ["base", "adapter"])
