"""Tools and calls as people's data has them, in one form; calls in answers read from their JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from toolkit.data.row_mapping import Unusable
from toolkit.data.tool_calls import calls_of, line, read, spoken, tools_of, without_nulls

CALL = {"type": "function", "function": {"name": "say", "arguments": {"n": 1}}}
NAMED = {"name": "say", "arguments": {"n": 1}}


@pytest.mark.parametrize(
    "value",
    [
        [CALL],
        [NAMED],
        NAMED,
        json.dumps(NAMED),
        json.dumps([NAMED]),
        [{"type": "function", "function": {"name": "say", "arguments": '{"n": 1}'}}],
        [{"name": "say", "parameters": {"n": 1}}],
        [{**CALL, "function": {"name": "say", "arguments": {"n": 1, "other": None}}}],
    ],
)
def test_calls_have_one_form(value: Any) -> None:
    assert calls_of(value) == [CALL]


def test_a_call_keeps_its_identifier_and_may_have_no_arguments() -> None:
    assert calls_of([{**CALL, "id": "x"}]) == [{"id": "x", **CALL}]
    assert calls_of([{"function": {"name": "now"}}])[0]["function"]["arguments"] == {}
    assert calls_of(None) == calls_of([]) == calls_of("") == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([{}], "without a name"),
        (["say"], "without a name"),
        ("say it", "no list"),
        ([{"name": "say", "arguments": "n=1"}], "no JSON object"),
        ([{"name": "say", "arguments": [1]}], "no JSON object"),
    ],
)
def test_a_call_that_is_none_has_a_reason(value: Any, reason: str) -> None:
    with pytest.raises(Unusable, match=reason):
        calls_of(value)


def test_tools_have_one_form() -> None:
    bare = {"name": "say", "description": "says", "parameters": None}
    whole = {"type": "function", "function": {"name": "say", "description": "says"}}
    assert tools_of([bare]) == tools_of(json.dumps([bare])) == tools_of([whole]) == [whole]
    assert tools_of(None) == tools_of("[]") == []
    for wrong, reason in ((["say"], "without a name"), ("say", "no list"), ([{}], "without a")):
        with pytest.raises(Unusable, match=reason):
            tools_of(wrong)


def test_nulls_that_a_table_has_added_are_left_out() -> None:
    assert without_nulls({"a": None, "b": [{"c": None, "d": 0}]}) == {"b": [{"d": 0}]}


def test_equal_calls_have_one_line() -> None:
    one, other = (
        calls_of([{"name": "f", "arguments": a}])[0] for a in ('{"a":1,"b":2}', {"b": 2, "a": 1})
    )
    assert line(one) == line(other) == '{"name": "f", "arguments": {"a": 1, "b": 2}}'
    assert spoken(" Sure. ", [one]) == f"Sure.\n{line(one)}"


SAID = '{"name": "say", "arguments": {"n": 1}}'


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "say", "arguments": {"n": 1}}\n</tool_call>',
        'Sure.\n<tool_call>{"arguments": {"n":1}, "name": "say"}</tool_call>',
        ' [TOOL_CALLS] [{"name": "say", "arguments": {"n": 1}, "id": "call00001"}]',
        '{"name": "say", "parameters": {"n": 1}}',
        '<|tool_call|>[{"name": "say", "arguments": {"n": 1}}]',
        '{"function": {"name": "say", "arguments": "{\\"n\\": 1}"}}',
    ],
)
def test_a_call_is_read_whatever_stands_around_it(text: str) -> None:
    assert read(text) == SAID


def test_several_calls_are_lines_and_other_texts_stay() -> None:
    two = '<tool_call>\n{"name": "a", "arguments": {}}\n</tool_call>\n' * 2
    assert read(two) == '{"name": "a", "arguments": {}}\n{"name": "a", "arguments": {}}'
    for text in ('{"name": "Ann"}', "no [call] {here", "[1, 2]", '{"name": "a", "arguments": 1}'):
        assert read(f" {text}\n") == text
