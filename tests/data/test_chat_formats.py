"""The usual formats of rows for fine-tuning: recognised, read as one exchange, or left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from toolkit.data.chat_formats import FORMATS, recognise
from toolkit.data.load import read
from toolkit.data.row_mapping import Unusable
from toolkit.data.source import Source

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
def test_other_rows_are_in_no_known_format(row: dict[str, Any]) -> None:
    assert recognise(Dataset.from_list([row])) is None


@pytest.mark.parametrize("column", ["messages", "conversations"])
@pytest.mark.parametrize("first", [None, "", [], "see below", {"role": "user"}])
def test_one_row_does_not_decide_on_the_format(column: str, first: Any) -> None:
    """A null in the first row, or a text, is a row to leave out among 80 that are good."""
    turns = [ASK, SAY] if column == "messages" else SHARE
    values = [
        first if isinstance(first, str) or first is None else json.dumps(first),
        *(json.dumps(turns) for _ in range(80)),
    ]
    form = recognise(Dataset.from_dict({column: values}))
    assert form is not None
    with pytest.raises(Unusable):
        form.read({column: values[0]}, True)
    assert form.read({column: values[1]}, True).answer == "A cup."
    assert recognise(Dataset.from_dict({column: ["hello"] * 80 + [json.dumps(turns)]})) is None


def test_rows_that_are_not_of_the_format_are_counted(tmp_path: Path) -> None:
    from toolkit.data.source import Source
    from toolkit.plugins.toml_kinds import FormTask

    rows = [{"messages": None}, *({"messages": [ASK, SAY]} for _ in range(80)), {"messages": []}]
    path = tmp_path / "chat.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = Source(data=str(path))
    found = FormTask.load_rows(object.__new__(type("Chat", (FormTask,), {"name": "chat"})), source)
    assert len(found) == 80 and source.left_out == {"no messages": [1, 82]}


def test_of_a_long_conversation_the_last_answer_counts() -> None:
    exchange = FORMATS["chat messages"].read(
        {"messages": [{"role": "system", "content": "Be brief."}, ASK, SAY, MORE, {**SAY}]}, True
    )
    assert [m["role"] for m in exchange.prompt if isinstance(m, dict)] == [
        "system", "user", "assistant", "user",
    ]  # fmt: skip
    assert exchange.text.splitlines()[-1] == "user: Which colour?"


PARTS = [{"type": "text", "text": "Look."}, {"type": "text", "text": "Which?", "image_url": None}]


@pytest.mark.parametrize(
    ("parts", "text"),
    [(PARTS, "Look.\nWhich?"), (PARTS[:1], "Look."), (["a", {"text": "b"}], "a\nb")],
)
def test_a_message_of_several_parts_is_their_texts(parts: list[Any], text: str) -> None:
    """As APIs of models that see write them; a table gives all parts the same fields."""
    messages = [{"role": "user", "content": parts}, {"role": "assistant", "content": parts}]
    exchange = FORMATS["chat messages"].read({"messages": messages}, True)
    assert exchange.text == exchange.answer == text


def test_a_file_of_such_messages_is_read(tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": PARTS[:1]}, {**SAY}]} for _ in range(9)]
    for form in (rows, [*rows, {"messages": [ASK, SAY]}]):  # and of texts and parts, mixed
        path = tmp_path / "d.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in form))
        dataset = read(path, Source())
        found = recognise(dataset)
        assert found is not None and found.name == "chat messages"
        assert all(found.read(row, True).text for row in dataset)


def test_an_instruction_includes_its_input() -> None:
    row = {"instruction": "Shorten.", "input": "A long text.", "output": "Text.", "system": "S"}
    exchange = FORMATS["Alpaca"].read(row, True)
    assert isinstance(exchange.prompt, tuple)
    assert exchange.prompt[1]["content"] == "Shorten.\n\nA long text."
    assert exchange.prompt[0] == {"role": "system", "content": "S"}


@pytest.mark.parametrize(
    ("form", "row", "reason"),
    [
        ("chat messages", {"messages": [ASK]}, "the last message is not an answer"),
        ("chat messages", {"messages": [SAY]}, "no user message"),
        ("chat messages", {"messages": []}, "no messages"),
        ("chat messages", {"messages": [ASK, {"role": "judge", "content": "x"}]}, "role 'judge'"),
        (
            "chat messages",
            {"messages": [ASK, {"role": "assistant", "content": None}]},
            "without text",
        ),
        ("chat messages", {"messages": [ASK, {**SAY, "content": " "}]}, "no answer"),
        (
            "chat messages",
            {"messages": [{"role": "user", "content": [{"type": "image_url", "text": None}]}, SAY]},
            "a part that is no text",
        ),
        ("chat messages", {"messages": [{"role": "user", "content": []}, SAY]}, "without text"),
        ("ShareGPT", {"conversations": [{"from": "human", "value": "x"}]}, "not an answer"),
        ("Alpaca", {"instruction": "", "output": "x"}, "no instruction"),
        ("Alpaca", {"instruction": "x", "output": ""}, "no answer"),
        ("prompt/completion", {"prompt": "", "completion": "x"}, "no prompt"),
    ],
)
def test_a_row_that_cannot_be_used_has_a_reason(
    form: str, row: dict[str, Any], reason: str
) -> None:
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


# -- what a conversation holds besides texts -------------------------------------------------------
CALL = {"type": "function", "function": {"name": "say", "arguments": {"n": 1}}}
TOOL = {"type": "function", "function": {"name": "say"}}
LINE = '{"name": "say", "arguments": {"n": 1}}'


def _chat(*turns: dict[str, Any], **further: Any) -> Any:
    return FORMATS["chat messages"].read({"messages": list(turns), **further}, True)


def test_an_answer_that_calls_a_tool_is_that_call() -> None:
    exchange = _chat(ASK, {**SAY, "content": None, "tool_calls": [CALL]}, tools=[TOOL])
    assert (exchange.answer, exchange.tools) == (LINE, (TOOL,))
    assert exchange.needs_tools and exchange.reply["tool_calls"] == [CALL]
    assert _chat(ASK, {**SAY, "tool_calls": [CALL]}).answer == f"A cup.\n{LINE}"


def test_results_of_tools_are_part_of_the_prompt() -> None:
    exchange = _chat(ASK, {**SAY, "tool_calls": [CALL]}, {"role": "tool", "content": "20"}, SAY)
    assert [m["role"] for m in exchange.prompt] == ["user", "assistant", "tool"]
    assert exchange.needs_tools and exchange.reply is None
    assert LINE in exchange.text
    assert not _chat(ASK, SAY).needs_tools


def test_calls_in_the_form_of_share_gpt() -> None:
    turns = [
        {"from": "human", "value": "What is it?"}, {"from": "function_call", "value": LINE},
        {"from": "observation", "value": "1"}, {"role": "assistant", "content": "A cup."},
    ]  # fmt: skip
    row = {"conversations": turns, "tools": json.dumps([{"name": "say"}])}
    exchange = FORMATS["ShareGPT"].read(row, True)
    assert [m["role"] for m in exchange.prompt] == ["user", "assistant", "tool"]
    assert exchange.prompt[1]["tool_calls"] == [CALL] and exchange.tools == (TOOL,)


def test_the_last_answer_with_a_weight_is_learned() -> None:
    exchange = _chat(ASK, SAY, MORE, {**SAY, "content": "Red.", "weight": 0})
    assert (exchange.answer, len(exchange.prompt)) == ("A cup.", 1)
    exchange = _chat(ASK, {**SAY, "weight": 0}, MORE, {**SAY, "content": "Red."})
    assert exchange.answer == "Red." and exchange.prompt[1]["weight"] == 0
    with pytest.raises(Unusable, match="every answer has weight 0"):
        _chat(ASK, {**SAY, "weight": 0})


def test_an_answer_in_two_messages_is_one() -> None:
    exchange = _chat(ASK, {**SAY, "content": "part 1"}, {**SAY, "content": "part 2"})
    assert (exchange.answer, len(exchange.prompt)) == ("part 1\n\npart 2", 1)


def test_thoughts_and_developers_are_kept() -> None:
    exchange = _chat(
        {"role": "developer", "content": "Be brief."}, ASK, {**SAY, "reasoning": "Hm."}
    )
    assert exchange.prompt[0]["role"] == "developer"
    assert exchange.reply["reasoning_content"] == "Hm." and exchange.answer == "A cup."


@pytest.mark.parametrize("history", [[["x", "y"]], json.dumps([["x", "y"]])])
def test_the_history_of_an_instruction_comes_before_it(history: Any) -> None:
    row = {"instruction": "a", "input": "", "output": "b", "system": "S", "history": history}
    exchange = FORMATS["Alpaca"].read(row, True)
    assert isinstance(exchange.prompt, tuple)
    assert [m["content"] for m in exchange.prompt] == ["S", "x", "y", "a"]
    for wrong in ([["x"]], "x, y", [["x", ""]]):
        with pytest.raises(Unusable, match="history"):
            FORMATS["Alpaca"].read({**row, "history": wrong}, True)
    assert len(FORMATS["Alpaca"].read({**row, "history": None}, True).prompt) == 2
