"""What a chat template can write, as the template itself is asked; and its errors as sentences."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from chat_layouts import WITH_TOOLS, tokenizer, user
from toolkit.errors import DataError, ModelError
from toolkit.kinds.language.chat import PLAIN_CHAT, ChatTemplate, TemplateRefusal, call_ids
from toolkit.testing.chat_templates import TEMPLATES

FOLDS = {"gemma2", "mistral-v1"}
ALTERNATES = {"llama2", "gemma2", "mistral-v1", "mistral-v3"}
DATED = {"llama3", "granite"}
TRIMS = {"llama2", "llama3", "gemma2", "mistral-v3"}


@pytest.fixture(params=sorted(TEMPLATES))
def layout(request: pytest.FixtureRequest) -> tuple[str, ChatTemplate]:
    name = str(request.param)
    return name, ChatTemplate(tokenizer(name))


def test_a_template_says_what_it_can_write(layout: tuple[str, ChatTemplate]) -> None:
    name, template = layout
    assert template.works
    assert template.system == (name not in FOLDS)
    assert template.alternates == (name in ALTERNATES)
    assert template.dated == (name in DATED)
    assert template.trims == (name in TRIMS)
    assert template.generation == (name == "chatml-generation")
    assert template.reasoning == (name == "qwen3")
    assert template.opens_thought == (name == "think-open")
    assert not template.developer
    known = name in WITH_TOOLS
    assert (template.tools, template.results) == (known, known)
    assert (template.call_form is not None) == known
    assert template.call_words == (name in ("qwen2.5", "qwen3"))


def _template(text: str | None) -> ChatTemplate:
    made = tokenizer("chatml")
    made.chat_template = text
    return ChatTemplate(made)


def test_a_tokenizer_without_a_template_gets_a_plain_one() -> None:
    template = _template(None)
    assert template.tokenizer.chat_template == PLAIN_CHAT
    assert template.system and not template.tools and not template.alternates


EACH = "{% for m in messages %}"


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("{{ messages[0].content }}", False),  # all but the first are dropped, silently
        (EACH + "{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}", False),
        (EACH + "{{ m.role }}: {{ m.content }}{% endfor %}", True),
    ],
)
def test_a_system_message_that_is_dropped_silently_is_noticed(text: str, known: bool) -> None:
    kept = "messages[0]" in text
    assert _template(text).system == (known or kept)
    assert _template(text).system_between == known


def test_the_role_of_developers_is_known_where_the_template_names_it() -> None:
    named = EACH + "{% if m.role == 'developer' %}dev: {% endif %}{{ m.content }}{% endfor %}"
    assert _template(named).developer
    assert not _template(EACH + "{{ m.role }}{{ m.content }}{% endfor %}").developer


def test_arguments_are_given_as_text_where_the_template_joins_them_as_text() -> None:
    """As DeepSeek's templates do, which raise for an object."""
    text = (
        EACH + "{% if m.tool_calls %}{% for c in m.tool_calls %}"
        "{{ c.function.name + '(' + c.function.arguments + ')' }}{% endfor %}"
        "{% elif m.content is not none %}{{ m.content }}{% endif %}{% endfor %}"
    )
    form = _template(text).call_form
    assert form is not None
    call = {"function": {"name": "f", "arguments": {"a": "é"}}}
    given = form({"role": "assistant", "content": "", "tool_calls": [call]})
    assert given["tool_calls"][0]["function"]["arguments"] == '{"a": "é"}'


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_the_date_is_the_one_that_is_told(name: str) -> None:
    days = [datetime.date(2024, 7, 26), datetime.date(2031, 1, 2)]
    shown = [ChatTemplate(tokenizer(name), day).write([user("hi")], prompt=True) for day in days]
    assert (shown[0] != shown[1]) == (name in DATED)
    if name in DATED:
        assert "2024" in shown[0] and "2031" in shown[1]


@pytest.mark.parametrize(
    "form",
    ["%d %b %Y", "%B %-d, %Y", "%A, 100%% at %H:%M", "%%d", "%j of %y", "in June", "%Y-%m-%d"],
)
def test_a_date_is_written_as_the_template_wants_it(form: str) -> None:
    day = datetime.datetime(2024, 7, 6)
    template = ChatTemplate(_template(f"{{{{ strftime_now('{form}') }}}}").tokenizer, day.date())
    assert template.write([user("hi")]) == day.strftime(form)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ raise_exception('Never.') }}", "Never"),
        ("{{ messages[0].nothing.more }}", "UndefinedError"),
        ("{% for m in messages %}", "TemplateSyntaxError"),
        ("{{ 'a' + 1 }}", "TypeError"),
    ],
)
def test_a_template_that_writes_nothing_is_the_models_fault(text: str, reason: str) -> None:
    template = _template(text)
    with pytest.raises(TemplateRefusal, match=reason) as refusal:
        template.write([user("hi")])
    error = template.refused(refusal.value)
    assert isinstance(error, ModelError)
    assert "\n" not in str(error) and "chat_template" in str(error)


def test_a_conversation_that_is_refused_is_the_datas_fault() -> None:
    template = _template(TEMPLATES["gemma2"])
    with pytest.raises(TemplateRefusal) as refusal:
        template.write([user("hi"), user("hi")])
    error = template.refused(refusal.value)
    assert isinstance(error, DataError) and "roles must alternate" in str(error)


def test_calls_get_identifiers_that_every_template_takes() -> None:
    def call(name: str | None) -> dict[str, Any]:
        function = {"name": "say", "arguments": {}}
        return {"function": function} if name is None else {"id": name, "function": function}

    messages: list[Any] = [
        {"role": "assistant", "content": "", "tool_calls": [call("a"), call(None)]},
        {"role": "tool", "content": "2"},  # answers the first that waits
        {"role": "tool", "content": "1", "tool_call_id": "unknown"},
        {"role": "assistant", "content": "", "tool_calls": [call("b")]},
        {"role": "tool", "content": "3", "tool_call_id": "b"},
    ]
    found = call_ids(messages)
    ids = [c["id"] for m in found for c in m.get("tool_calls", ())]
    assert ids == ["call00001", "call00002", "call00003"] and all(len(i) == 9 for i in ids)
    results = [m["tool_call_id"] for m in found if m["role"] == "tool"]
    assert results == ["call00001", "call00002", "call00003"]
