"""Messages as people's data has them → the form of chat templates, or a reason why not."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.data.chat_messages import joined, message, trimmed
from toolkit.data.row_mapping import Unusable

CALL = {"type": "function", "function": {"name": "say", "arguments": {"n": 1}}}


@pytest.mark.parametrize(
    ("turn", "found"),
    [
        ({"role": "user", "content": " a ", "name": "bob"}, {"role": "user", "content": "a"}),
        ({"from": "human", "value": "a"}, {"role": "user", "content": "a"}),
        ({"from": "gpt", "value": "a"}, {"role": "assistant", "content": "a"}),
        ({"role": "developer", "content": "a"}, {"role": "developer", "content": "a"}),
        ({"from": "observation", "value": "1"}, {"role": "tool", "content": "1"}),
        (
            {"role": "function", "name": "f", "content": "1", "tool_call_id": None},
            {"role": "tool", "content": "1", "name": "f"},
        ),
        (
            {"from": "function_call", "value": '{"name": "say", "arguments": {"n": 1}}'},
            {"role": "assistant", "content": "", "tool_calls": [CALL]},
        ),
        (
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "assistant", "content": "", "tool_calls": [CALL]},
        ),
        (
            {"role": "assistant", "content": "a", "function_call": CALL["function"]},
            {"role": "assistant", "content": "a", "tool_calls": [CALL]},
        ),
        (
            {"role": "assistant", "content": "a", "tool_calls": [], "weight": 1.0},
            {"role": "assistant", "content": "a"},
        ),
        (
            {"role": "assistant", "content": "a", "weight": 0},
            {"role": "assistant", "content": "a", "weight": 0},
        ),
        (
            {"role": "assistant", "content": "a", "reasoning_content": " b ", "thinking": None},
            {"role": "assistant", "content": "a", "reasoning_content": "b"},
        ),
        (
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "b"}, {"type": "text", "text": "a"}],
            },
            {"role": "assistant", "content": "a", "reasoning_content": "b"},
        ),
        (
            {"role": "user", "content": [{"type": "input_text", "text": "a"}, "b"]},
            {"role": "user", "content": "a\nb"},
        ),
    ],
)
def test_a_message_has_one_form(turn: dict[str, Any], found: dict[str, Any]) -> None:
    assert message(turn) == found


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        ("hello", "not an object"),
        ({"role": "judge", "content": "a"}, "unknown role 'judge'"),
        ({"role": "user", "content": None}, "without text"),
        ({"role": "assistant", "content": "a", "weight": 0.5}, "weight 0.5"),
        ({"role": "assistant", "content": "a", "tool_calls": [{}]}, "without a name"),
        ({"role": "user", "content": [{"type": "image_url", "text": None}]}, r"no text \(image\)"),
        ({"role": "user", "content": [{"type": "input_audio"}]}, r"no text \(audio\)"),
        ({"role": "user", "content": [{"type": "text", "text": None}]}, "an empty part"),
    ],
)
def test_a_message_that_cannot_be_learned_has_a_reason(turn: Any, reason: str) -> None:
    with pytest.raises(Unusable, match=reason):
        message(turn)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("\n    return x\n", "    return x"),
        ("\t\treturn x", "\t\treturn x"),
        ("\treturn x", "\treturn x"),
        (" a ", "a"),
        ("\n\n a", "a"),
        ("   ", ""),
        ("a\n  b", "a\n  b"),
    ],
)
def test_what_indents_a_first_line_stays(text: str, found: str) -> None:
    assert trimmed(text) == found


def test_neighbours_are_joined_by_a_blank_line() -> None:
    one, other = ({"role": "user", "content": text} for text in ("a", "b"))
    assert joined([one, other]) == {"role": "user", "content": "a\n\nb"}
    assert joined([{**one, "weight": 1}, {**other, "weight": 0}])["weight"] == 0
