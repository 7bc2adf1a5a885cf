"""The forms of rows that people already have: recognised, read as one exchange, or left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from toolkit.data.chat_formats import FORMATS, recognise
from toolkit.data.row_mapping import Unusable

ASK = {"role": "user", "content": "What is it?"}
SAY = {"role": "assistant", "content": "A cup."}
MORE = {"role": "user", "content": "Which colour?"}
SHARE = [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "A cup."}]

RECOGNISED = [
    ({"messages": [ASK, SAY]}, "chat messages"),
    ({"messages": json.dumps([ASK, SAY])}, "chat messages"),
    ({"conversations": SHARE}, "ShareGPT"),
    ({"instruction": "What is it?", "input": "", "output": "A cup."}, "Alpaca"),
    ({"instruction": "What is it?", "output": "A cup."}, "Alpaca"),
    ({"prompt": "What is it?", "completion": "A cup."}, "prompt/completion"),
    ({"prompt": [ASK], "completion": [SAY]}, "prompt/completion"),
]


@pytest.mark.parametrize(("row", "name"), RECOGNISED)
def test_a_form_is_recognised_and_read(row: dict[str, Any], name: str) -> None:
    rows = Dataset.from_list([row])
    form = recognise(rows)
    assert form is not None and form.name == name
    assert name in form.sentence
    exchange = form.read(rows[0], True)
    assert (exchange.text, exchange.answer) == ("What is it?", "A cup.")


@pytest.mark.parametrize(
    "row", [{"text": "a", "label": "b"}, {"messages": "hello"}, {"instruction": "a", "input": "b"}]
)
def test_other_rows_are_not(row: dict[str, Any]) -> None:
    assert recognise(Dataset.from_list([row])) is None


def test_of_a_long_conversation_the_last_answer_counts() -> None:
    exchange = FORMATS["chat messages"].read(
        {"messages": [{"role": "system", "content": "Be brief."}, ASK, SAY, MORE, {**SAY}]}, True
    )
    assert [m["role"] for m in exchange.prompt if isinstance(m, dict)] == [
        "system", "user", "assistant", "user",
    ]  # fmt: skip
    assert exchange.text.splitlines()[-1] == "user: Which colour?"


def test_an_instruction_takes_its_input_along() -> None:
    row = {"instruction": "Shorten.", "input": "A long text.", "output": "Text.", "system": "S"}
    exchange = FORMATS["Alpaca"].read(row, True)
    assert isinstance(exchange.prompt, tuple)
    assert exchange.prompt[1]["content"] == "Shorten.\n\nA long text."
    assert exchange.prompt[0] == {"role": "system", "content": "S"}


@pytest.mark.parametrize(
    ("form", "row", "reason"),
    [
        ("chat messages", {"messages": [ASK]}, "the last message is no answer"),
        ("chat messages", {"messages": [SAY]}, "no question"),
        ("chat messages", {"messages": []}, "no messages"),
        ("chat messages", {"messages": [ASK, {"role": "tool", "content": "x"}]}, "by 'tool'"),
        ("chat messages", {"messages": [ASK, {"role": "assistant", "content": None}]}, "no text"),
        ("chat messages", {"messages": [ASK, {**SAY, "content": " "}]}, "no answer"),
        ("ShareGPT", {"conversations": [{"from": "human", "value": "x"}]}, "no answer"),
        ("Alpaca", {"instruction": "", "output": "x"}, "no instruction"),
        ("Alpaca", {"instruction": "x", "output": ""}, "no answer"),
        ("prompt/completion", {"prompt": "", "completion": "x"}, "no prompt"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(form: str, row: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unusable, match=reason):
        FORMATS[form].read(row, True)


def test_rows_to_predict_need_no_answer() -> None:
    assert FORMATS["chat messages"].read({"messages": [ASK]}, False).answer == ""
    assert FORMATS["Alpaca"].read({"instruction": "x"}, False).text == "x"


def test_a_tokenizer_without_chat_template_gets_a_plain_one(tiny_llama: Path) -> None:
    from toolkit.kinds.language.prompt import Renderer
    from toolkit.models.loading import load_tokenizer

    renderer = Renderer(load_tokenizer(str(tiny_llama)))
    example = {"prompt": [ASK], "completion": [SAY]}
    renderer.check(example)
    ids, _ = renderer.example(example)
    text = renderer.tokenizer.decode(ids, skip_special_tokens=True)
    assert text.strip() == "User: What is it?\nAssistant: A cup."
