"""Conversations in the form of a template: what is changed in them, and that it is said."""

from __future__ import annotations

from typing import Any

import pytest

from chat_layouts import CALL, RESULT, TOOL, WITHOUT_TOOLS, assistant, system, tokenizer, user
from toolkit.errors import ModelError
from toolkit.kinds.language import conversation
from toolkit.kinds.language.chat import ChatTemplate
from toolkit.kinds.language.conversation import changes, fitted, refusal, sentences


def _template(name: str) -> ChatTemplate:
    return ChatTemplate(tokenizer(name))


@pytest.mark.parametrize("name", ["gemma2", "mistral-v1"])
def test_a_system_message_begins_the_first_question_where_there_is_no_such_role(name: str) -> None:
    template = _template(name)
    messages = [system("Be brief."), user("Hi."), assistant("Ho."), user("Hm?")]
    found = fitted(template, messages)
    assert found == [user("Be brief.\n\nHi."), assistant("Ho."), user("Hm?")]
    assert "Be brief." in template.write(found, prompt=True)
    assert changes(template, messages) == {conversation.SYSTEM}


@pytest.mark.parametrize("name", ["chatml", "qwen2.5", "llama3", "phi3", "olmo2", "zephyr"])
def test_what_a_template_can_write_is_not_changed(name: str) -> None:
    template = _template(name)
    messages = [system("Be brief."), user("Hi."), assistant("Ho."), user("a"), user("b")]
    assert fitted(template, messages) == messages
    assert changes(template, messages) == set()


@pytest.mark.parametrize("name", ["llama2", "mistral-v3"])
def test_a_system_message_between_others_begins_the_question_after_it(name: str) -> None:
    template = _template(name)
    messages = [system("A"), user("1"), assistant("2"), system("B"), user("3")]
    found = fitted(template, messages)
    assert found == [system("A"), user("1"), assistant("2"), user("B\n\n3")]
    assert changes(template, messages) == {conversation.SYSTEM}


def test_a_system_message_before_an_answer_becomes_a_question() -> None:
    found = fitted(_template("gemma2"), [system("A"), assistant("2"), system("B")])
    assert found == [user("A"), assistant("2"), user("B")]


def test_neighbours_of_one_role_become_one_where_roles_alternate() -> None:
    template = _template("gemma2")
    messages = [user("1"), user("2"), assistant("3", weight=0), assistant("4"), user("5")]
    found = fitted(template, messages)
    assert found == [user("1\n\n2"), assistant("3\n\n4", weight=0), user("5")]
    assert template.write(found)
    assert changes(template, messages) == {conversation.NEIGHBOURS}


def test_the_developer_is_the_system_where_the_role_is_unknown() -> None:
    template = _template("qwen2.5")
    messages = [{"role": "developer", "content": "Be brief."}, user("Hi.")]
    assert fitted(template, messages) == [system("Be brief."), user("Hi.")]
    assert changes(template, messages) == {conversation.DEVELOPER}
    assert fitted(_template("gemma2"), messages) == [user("Be brief.\n\nHi.")]


def test_thoughts_are_kept_where_the_template_knows_them_and_said_where_not() -> None:
    thinking = [user("Hi."), assistant("Ho.", reasoning_content="Hm.")]
    inline = [user("Hi."), assistant("<think>\nHm.\n</think>\n\nHo.")]
    assert fitted(_template("qwen3"), thinking) == thinking
    assert fitted(_template("qwen3"), inline) == thinking
    assert changes(_template("qwen3"), thinking) == set()
    assert fitted(_template("chatml"), thinking) == [user("Hi."), assistant("Ho.")]
    assert changes(_template("chatml"), thinking) == {conversation.THOUGHTS}
    assert fitted(_template("chatml"), inline) == inline  # they are part of the text there


def test_changes_are_sentences_with_the_number_of_rows() -> None:
    rows: list[list[dict[str, Any]]] = [[system("A"), user("b")], [user("b")], [system("A")]]
    (sentence,) = sentences(_template("gemma2"), rows)
    assert "no system role" in sentence and "2 of 3 rows" in sentence
    assert sentences(_template("chatml"), rows) == []


def test_indentation_that_a_template_trims_is_said() -> None:
    code = [user("Code?"), assistant("    return x")]
    assert changes(_template("llama3"), code) == {conversation.INDENTED}
    assert changes(_template("chatml"), code) == set()


@pytest.mark.parametrize("name", WITHOUT_TOOLS)
def test_tools_are_refused_where_the_template_does_not_write_them(name: str) -> None:
    template = _template(name)
    call = assistant("Sure.", tool_calls=[CALL])
    assert "tools" in str(refusal(template, [user("a")], [TOOL]))
    assert "calls of tools" in str(refusal(template, [user("a"), call]))
    assert refusal(template, [user("a"), assistant("b")]) is None
    assert refusal(template, [user("a"), RESULT]) is not None


def test_a_shape_that_the_template_refuses_has_its_reason() -> None:
    assert "alternate" in str(refusal(_template("gemma2"), [assistant("a"), user("b")]))
    two = assistant("", tool_calls=[CALL, CALL])
    assert "single tool-calls" in str(refusal(_template("llama3"), [user("a"), two], [TOOL]))
    assert refusal(_template("qwen3"), [user("a"), two], [TOOL]) is None


def test_a_template_that_writes_nothing_is_no_fault_of_the_rows() -> None:
    made = tokenizer("chatml")
    made.chat_template = "{{ raise_exception('Never.') }}"
    with pytest.raises(ModelError, match="Never"):
        refusal(ChatTemplate(made), [user("a")])
