"""Chats as a task: rows hold texts, examples hold conversations, and what is compared is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chat_layouts import renderer
from toolkit.data.source import Source
from toolkit.errors import DataError
from toolkit.kinds.language.conversation import refusal
from toolkit.kinds.language.outputs import Generated
from toolkit.plugins.chat_task import FormTask
from toolkit.preparation.prepare import prepare

ASK = {"role": "user", "content": "Say 1."}
SAY = {"role": "assistant", "content": "1"}
CALL = {"id": "x", "type": "function", "function": {"name": "say", "arguments": '{"n": 1}'}}
CALLING = {"role": "assistant", "content": "Sure.", "tool_calls": [CALL]}
RESULT = {"role": "tool", "content": "one", "tool_call_id": "x"}
TOOLS = [{"type": "function", "function": {"name": "say"}}]
LINE = '{"name": "say", "arguments": {"n": 1}}'


class Chats(FormTask):
    name = "chats"
    summary = "chats"


def _loaded(folder: Path, rows: list[dict[str, Any]]) -> tuple[Chats, list[dict[str, Any]], Source]:
    path = folder / "chats.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source, task = Source(data=str(path)), Chats()
    found: Any = task.load_rows(source)
    task.load_state(task.fit(found))
    return task, [dict(row) for row in found], source


def test_a_plain_chat_is_stored_as_before(tmp_path: Path) -> None:
    """So that finished runs keep their fingerprint."""
    task, rows, _ = _loaded(
        tmp_path, [{"messages": [ASK, SAY]}, {"messages": [ASK, SAY, ASK, SAY]}]
    )
    assert [row["before"] for row in rows] == ["[]", json.dumps([ASK, SAY])]
    assert [row["completion"] for row in rows] == ["1", "1"]
    assert task.state == {"chat": True, "history": True}


def test_every_answer_has_a_loss_but_those_of_weight_0(tmp_path: Path) -> None:
    turns = [ASK, SAY, ASK, {**SAY, "weight": 0}, ASK, SAY]
    task, rows, _ = _loaded(tmp_path, [{"messages": turns}])
    example = task.format_example(rows[0])
    weights = [m["weight"] for m in example["prompt"] if m["role"] == "assistant"]
    assert weights == [1, 0] and example["completion"] == [SAY]
    passages = renderer("chatml").passages(example)
    assert [p["text"] for p in passages if p["loss"]] == ["1<|im_end|>", "1<|im_end|>"]


def test_calls_results_and_tools_come_back_from_the_rows(tmp_path: Path) -> None:
    chats = [
        {"messages": [ASK, CALLING], "tools": TOOLS},
        {"messages": [ASK, CALLING, RESULT, SAY], "tools": TOOLS},
    ]
    task, rows, _ = _loaded(tmp_path, chats)
    assert task.state["calls"]
    first, second = map(task.format_example, rows)
    assert first["tools"] == second["tools"] == TOOLS
    assert first["completion"][0]["tool_calls"][0]["function"]["arguments"] == {"n": 1}
    assert [m["role"] for m in second["prompt"]] == ["user", "assistant", "tool"]
    assert [task.reference(row) for row in rows] == [LINE, "1"]
    assert [row["prompt"] for row in rows] == ["Say 1.", "one"]


@pytest.mark.parametrize("layout", ["qwen2.5", "llama3", "mistral-v3", "granite"])
def test_what_the_model_learns_is_the_reference_once_it_is_read(
    tmp_path: Path, layout: str
) -> None:
    task, (row,), _ = _loaded(tmp_path, [{"messages": [ASK, CALLING], "tools": TOOLS}])
    made = renderer(layout)
    _, labels = made.example(task.format_example(row))
    text = made.tokenizer.decode([i for i in labels if i >= 0], skip_special_tokens=True)
    assert task.postprocess(_output(text), row) == task.reference(row) == LINE


def _output(text: str) -> Generated:
    return Generated(text=text, tokens=1, hit_limit=False, seconds=0.0)


def test_thoughts_are_learned_and_not_compared(tmp_path: Path) -> None:
    chats = [
        {"messages": [ASK, {**SAY, "reasoning_content": "Hm."}]},
        {"messages": [ASK, {**SAY, "content": "<think>\nHm.\n</think>\n\n1"}]},
        {"messages": [ASK, SAY]},
    ]
    task, rows, _ = _loaded(tmp_path, chats)
    assert task.state["thoughts"]
    example = task.format_example(rows[0])
    assert example["chat_template_kwargs"] == {"enable_thinking": True}
    assert [task.reference(row) for row in rows] == ["1", "1", "1"]
    assert task.postprocess(_output("<think>\nHm.\n</think>\n\n1"), rows[0]) == "1"
    assert task.postprocess(_output("Hm.\n</think>\n\n1"), rows[0]) == "1"
    assert task.postprocess(_output("<think>\nand so on"), rows[0]) is None
    fitted = task.baselines()["most-frequent"](_dataset(rows))
    assert set(fitted(_dataset(rows))) == {"1"}


def _dataset(rows: list[dict[str, Any]]) -> Any:
    from datasets import Dataset

    return Dataset.from_list(rows)


def test_private_rows_are_kept_without_their_conversation(tmp_path: Path) -> None:
    from toolkit.kinds.base import PRIVATE

    task, (row,), _ = _loaded(tmp_path, [{"messages": [ASK, SAY, ASK, SAY]}])
    kept = {k: PRIVATE if isinstance(v, str) else v for k, v in row.items()}
    assert task.format_example(kept)["prompt"] == [{"role": "user", "content": PRIVATE}]


def test_an_answer_that_looks_like_a_stored_message_is_an_answer(tmp_path: Path) -> None:
    text = '{"role": "assistant", "content": "x"}'
    task, (row,), _ = _loaded(tmp_path, [{"messages": [ASK, {**SAY, "content": text}]}])
    assert task.reference(row) == text
    assert task.format_example(row)["completion"][0]["content"] == text


def test_what_cannot_be_read_is_named_and_counted(tmp_path: Path) -> None:
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}
    chats = [
        *({"messages": [ASK, SAY]} for _ in range(3)),
        {"messages": [picture, SAY]},
        {"messages": [ASK, {**SAY, "content": "", "tool_calls": [{}]}]},
    ]
    _, rows, source = _loaded(tmp_path, chats)
    assert len(rows) == 3
    assert source.left_out == {
        "a message with a part that is no text (image)": [4], "a tool call without a name": [5],
    }  # fmt: skip


def _chats(folder: Path) -> Path:
    rows: list[dict[str, Any]] = [
        {"messages": [{**ASK, "content": f"Say {n}."}, {**SAY, "content": str(n)}]}
        for n in range(60)
    ]
    rows += [{"messages": [{**ASK, "content": "Call."}, CALLING], "tools": TOOLS}] * 2
    rows += [{"messages": [SAY, {**ASK, "content": "Well?"}, SAY]}]
    path = folder / "chats.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("layout", "lost"), [("chatml", [61, 62]), ("gemma2", [61, 62, 63]), ("qwen3", [])]
)
def test_rows_that_the_template_cannot_write_are_left_out_and_counted(
    tmp_path: Path, layout: str, lost: list[int]
) -> None:
    task, template = Chats(), renderer(layout).chat

    def unusable(rows: Any) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row in rows:
            talk = task.conversation(row)
            if talk and (why := refusal(template, talk["messages"], talk["tools"])):
                found.setdefault(why, []).append(row["row_id"])
        return found

    source = Source(data=str(_chats(tmp_path)))
    prepared = prepare(task, source, unusable=unusable)
    assert sorted(n for ids in prepared.left_out.values() for n in ids) == lost
    assert sum(prepared.sizes.values()) == 63 - len(lost)


def test_a_file_without_a_row_that_can_be_used_is_an_error(tmp_path: Path) -> None:
    source = Source(data=str(_chats(tmp_path)))
    with pytest.raises(DataError, match=r"no row can be used: no place \(63\)"):
        prepare(Chats(), source, unusable=lambda rows: {"no place": rows["row_id"][:]})


def _calling(number: int) -> dict[str, Any]:
    function = {"name": "say", "arguments": json.dumps({"n": number})}
    return {**CALLING, "tool_calls": [{"type": "function", "function": function}]}


def test_a_task_file_of_chats_with_tools_keeps_every_rule(tmp_path: Path) -> None:
    from toolkit.plugins import task_file
    from toolkit.plugins.contract import check

    rows = [
        {"messages": [{**ASK, "content": f"Say {n}."}, _calling(n)], "tools": TOOLS}
        for n in range(60)
    ]
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "chats.toml").write_text('kind = "causal-lm"\ndata = "d.jsonl"\n')
    task = task_file.load(tmp_path / "chats.toml")()
    broken = [r for r in check.check(task, Source()) if not r.passed]
    assert not broken
