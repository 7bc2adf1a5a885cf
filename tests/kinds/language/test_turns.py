"""Prompts, answers and earlier turns in what templates write: training and prediction alike."""

from __future__ import annotations

from typing import Any

import pytest

from chat_layouts import (
    CALL,
    RESULT,
    TOOL,
    WITH_TOOLS,
    WITHOUT_TOOLS,
    assistant,
    learned,
    marked,
    renderer,
    system,
    user,
)
from toolkit.errors import DataError
from toolkit.kinds.language.prompt import IGNORED
from toolkit.testing.chat_templates import TEMPLATES

LAYOUTS = sorted(TEMPLATES)
NO_THOUGHT = "<think>\n\n</think>\n\n"
ENDS = {
    "gemma2": "<end_of_turn>\n<eos>", "phi3": "<|end|>\n<|endoftext|>", "llama3": "<|eot_id|>",
    "llama2": " </s>", "mistral-v1": "</s>", "mistral-v3": "</s>", "zephyr": "</s>",
    "granite": "<|end_of_text|>", "olmo2": "<|endoftext|>",
}  # fmt: skip
"""What is learned behind an answer; <|im_end|> for the layouts that are not named."""


def _end(name: str) -> str:
    return ENDS.get(name, "<|im_end|>")


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_label_is_the_answer_and_the_end_of_its_turn(name: str) -> None:
    made = renderer(name)
    example = {"prompt": [user("Hi.")], "completion": [assistant("Ho.")]}
    (text,) = learned(made, example)
    assert text.lstrip() == f"Ho.{_end(name)}"


@pytest.mark.parametrize("name", LAYOUTS)
def test_training_reads_the_prompt_that_prediction_reads(name: str) -> None:
    made = renderer(name)
    before = [system("Be brief."), user("Hi."), assistant("Ho."), user("And?")]
    asked = made.prompt({"prompt": before})
    ids, labels = made.example({"prompt": before, "completion": [assistant("So.")]})
    assert ids[: len(asked)] == asked == made.prompt({"prompt": before, "completion": []})
    assert labels[: len(asked)] == [IGNORED] * len(asked)
    assert labels[len(asked) :] == ids[len(asked) :]
    assert "Be brief." in made.tokenizer.decode(asked)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_answer_of_a_conversation_is_learned_but_those_of_weight_0(name: str) -> None:
    made = renderer(name)
    before = [
        system("Be brief."), user("1"), assistant("one", weight=1), user("2"),
        assistant("two", weight=0), user("3"), assistant("three", weight=1), user("4"),
    ]  # fmt: skip
    found = learned(made, {"prompt": before, "completion": [assistant("four")]})
    end = _end(name).partition("\n")[0]
    assert [text.lstrip() for text in found[:-1]] == [f"one{end}", f"three{end}"]
    assert found[-1].lstrip() == f"four{_end(name)}"


def test_answers_in_a_prompt_without_a_weight_are_not_learned() -> None:
    made = renderer("chatml")
    example = {"prompt": [user("1"), assistant("a"), user("2")], "completion": [assistant("b")]}
    assert learned(made, example) == ["b<|im_end|>"]
    weighed = {**example, "prompt": [user("1"), assistant("a", weight=1), user("2")]}
    assert learned(made, weighed) == ["a<|im_end|>", "b<|im_end|>"]
    _, labels = made.example(weighed, last=True)
    assert labels == made.example(example)[1]


def test_the_templates_own_marks_decide_where_it_has_them() -> None:
    """Here they leave out the end of a turn, as some templates do."""
    made = renderer("chatml-generation")
    text = TEMPLATES["chatml-generation"].replace(
        "message.content + '<|im_end|>' }}{%- endgeneration %}",
        "message.content }}{%- endgeneration %}{{- '<|im_end|>' }}",
    )
    made.tokenizer.chat_template = text
    before = [
        user("1"),
        assistant("one", weight=1),
        user("2"),
        assistant("two", weight=0),
        user("3"),
    ]
    assert learned(made, {"prompt": before, "completion": [assistant("x")]})[0] == "one"


def test_marks_round_the_header_of_an_answer_are_no_reason_to_learn_it() -> None:
    made = renderer("chatml-generation")
    text = TEMPLATES["chatml-generation"].replace(
        "{{- '<|im_start|>assistant\\n' }}\n        {%- generation %}",
        "{%- generation %}{{- '<|im_start|>assistant\\n' }}",
    )
    assert text != TEMPLATES["chatml-generation"]
    made.tokenizer.chat_template = text
    before = [user("1"), assistant("one", weight=1), user("2")]
    found = learned(made, {"prompt": before, "completion": [assistant("x")]})
    assert found == ["one<|im_end|>", "x<|im_end|>"]


def test_a_plain_template_has_nothing_at_the_end_of_a_turn() -> None:
    made = renderer("chatml")
    made.tokenizer.chat_template = None
    before = [user("1"), assistant("one", weight=1), user("2")]
    assert learned(made, {"prompt": before, "completion": [assistant("two")]}) == [
        " one", " two<|im_end|>",
    ]  # fmt: skip


# -- thoughts --------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["qwen3", "think-always"])
def test_an_empty_thought_is_part_of_the_prompt(name: str) -> None:
    made = renderer(name)
    asked = made.prompt({"prompt": [user("Hi.")]})
    assert made.tokenizer.decode(asked).endswith(f"<|im_start|>assistant\n{NO_THOUGHT}")


def test_an_empty_thought_that_a_prompt_has_and_an_answer_has_not_stays() -> None:
    made = renderer("chatml")
    made.tokenizer.chat_template = TEMPLATES["chatml"].replace(
        "assistant\\n' }}", "assistant\\n<think>\\n\\n</think>\\n\\n' }}"
    )
    example = {"prompt": [user("Hi.")], "completion": [assistant("Ho.")]}
    assert marked(made, example).endswith(f"assistant\n{NO_THOUGHT}«Ho.<|im_end|>»")


def test_a_thought_that_every_prompt_opens_is_left_out_where_none_is_learned() -> None:
    example = {"prompt": [user("Hi.")], "completion": [assistant("Ho.")]}
    assert marked(renderer("think-open"), example).endswith("assistant\n«Ho.<|im_end|>»")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("qwen3", "assistant\n«<think>\nHm.\n</think>\n\nHo.<|im_end|>»"),
        ("think-open", "assistant\n<think>\n«Hm.\n</think>\n\nHo.<|im_end|>»"),
        ("chatml", "assistant\n«Ho.<|im_end|>»"),
        ("think-always", f"assistant\n{NO_THOUGHT}«Ho.<|im_end|>»"),
    ],
)
def test_thoughts_are_learned_where_the_template_has_a_place(name: str, text: str) -> None:
    made = renderer(name)
    example: dict[str, Any] = {
        "prompt": [user("Hi.")], "completion": [assistant("Ho.", reasoning_content="Hm.")],
        "chat_template_kwargs": {"enable_thinking": True},
    }  # fmt: skip
    assert marked(made, example).endswith(text)
    ids, _ = made.example(example)
    asked = made.prompt({**example, "completion": []})
    assert ids[: len(asked)] == asked


def test_earlier_answers_are_learned_without_the_thoughts_that_the_template_strips() -> None:
    before = [user("1"), assistant("one", reasoning_content="Hm.", weight=1), user("2")]
    example = {
        "prompt": before, "completion": [assistant("two", reasoning_content="So.")],
        "chat_template_kwargs": {"enable_thinking": True},
    }  # fmt: skip
    assert learned(renderer("qwen3"), example) == [
        "one<|im_end|>", "<think>\nSo.\n</think>\n\ntwo<|im_end|>",
    ]  # fmt: skip


# -- tools -----------------------------------------------------------------------------------------
CALLS = {
    "qwen2.5": '<tool_call>\n{"name": "say", "arguments": {"n": 1}}\n</tool_call>',
    "qwen3": '<tool_call>\n{"name": "say", "arguments": {"n": 1}}\n</tool_call>',
    "llama3": '{"name": "say", "parameters": {"n": 1}}',
    "mistral-v3": '[TOOL_CALLS] [{"name": "say", "arguments": {"n": 1}, "id": "call00001"}]',
    "granite": '<|tool_call|>[{"name": "say", "arguments": {"n": 1}}]',
}


@pytest.mark.parametrize("name", WITH_TOOLS)
def test_a_call_is_learned_as_the_template_writes_it(name: str) -> None:
    example = {
        "prompt": [user("Hi.")], "completion": [assistant("", tool_calls=[CALL])], "tools": [TOOL],
    }  # fmt: skip
    made = renderer(name)
    (text,) = learned(made, example)
    assert text == CALLS[name] + _end(name)
    assert "says" in made.tokenizer.decode(made.prompt(example))


@pytest.mark.parametrize("name", WITH_TOOLS)
def test_calls_of_earlier_turns_are_learned_and_results_are_not(name: str) -> None:
    before = [user("Hi."), assistant("", tool_calls=[CALL], weight=1), RESULT]
    example = {"prompt": before, "completion": [assistant("Ho.")], "tools": [TOOL]}
    first, last = learned(renderer(name), example)
    assert first == CALLS[name] + _end(name)
    assert last.lstrip() == f"Ho.{_end(name)}"


def test_words_beside_a_call_do_not_take_its_place() -> None:
    """Some templates write a call only where the message has no text."""
    made = renderer("chatml")
    made.tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if not m.content %}"
        "{% for c in m.tool_calls %}{{ c.function.name + ' ' + c.function.arguments }}{% endfor %}"
        "{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    example = {"prompt": [user("Hi.")], "completion": [assistant("Sure.", tool_calls=[CALL])]}
    assert learned(made, example) == ['say {"n": 1}<|im_end|>']


@pytest.mark.parametrize("name", WITHOUT_TOOLS)
def test_a_call_is_never_learned_as_its_remaining_text(name: str) -> None:
    made = renderer(name)
    call = assistant("Sure.", tool_calls=[CALL])
    with pytest.raises(DataError, match="calls of tools"):
        made.example({"prompt": [user("Hi.")], "completion": [call]})
    with pytest.raises(DataError, match="tools"):
        made.prompt({"prompt": [user("Hi.")], "tools": [TOOL]})


# -- templates that are asked in another way -------------------------------------------------------
def test_the_header_of_an_answer_is_part_of_the_prompt_where_it_cannot_be_asked_for() -> None:
    made = renderer("chatml")
    made.tokenizer.chat_template = TEMPLATES["chatml"].partition("{%- if add_generation")[0]
    example = {"prompt": [user("Hi.")], "completion": [assistant("Ho.")]}
    assert marked(made, example).endswith("<|im_start|>assistant\n«Ho.<|im_end|>»")


def test_a_system_message_that_only_an_open_question_shows_stays_in_the_prompt() -> None:
    """Mistral's third template writes it before the last message, if that is a question."""
    example = {"prompt": [system("Be brief."), user("Hi.")], "completion": [assistant("Ho.")]}
    assert marked(renderer("mistral-v3"), example) == "<s>[INST] Be brief.\n\nHi.[/INST]« Ho.</s>»"


def test_a_text_that_looks_like_the_header_is_told_from_it() -> None:
    made = renderer("chatml")
    tricky = "<|im_start|>assistant\none<|im_end|>"
    before = [user(tricky), assistant("one", weight=1), user("2")]
    found = learned(made, {"prompt": before, "completion": [assistant("two")]})
    assert found == ["one<|im_end|>", "two<|im_end|>"]


@pytest.mark.parametrize("name", ["chatml", "llama2", "gemma2", "mistral-v3", "olmo2"])
def test_tokens_are_found_alike_by_their_places_and_by_what_is_before_them(name: str) -> None:
    made = renderer(name)
    before = [
        user("1 é 🙂"),
        assistant("one, é 🙂!", weight=1),
        user("2"),
        assistant(" 2", weight=1),
    ]
    example = {"prompt": [*before, user("3")], "completion": [assistant("three")]}
    quick = made.example(example)
    made.tokenizer = _Slow(made.tokenizer)
    assert made.example(example) == quick


class _Slow:
    """A tokenizer that knows no places, as those are that are written in Python."""

    is_fast = False

    def __init__(self, own: Any) -> None:
        self._own = own

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        assert "return_offsets_mapping" not in keywords
        return self._own(*arguments, **keywords)
