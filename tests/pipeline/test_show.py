"""toolkit show: the rows as training sees them, with the tokenizer alone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from cli_runner import CommandLine, goods, write_csv
from toolkit.errors import UsageError
from toolkit.models import loading
from toolkit.pipeline import show as showing
from toolkit.pipeline.init import make
from toolkit.plugins import lookup, recipes, task_file
from toolkit.plugins.file_options import merged

WORDS = ("cup", "lamp", "chair", "desk", "bed", "shelf")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


def shown(task: Any, source: dict[str, Any], sets: tuple[str, ...] = (), **more: Any) -> Any:
    recipe = recipes.resolve(task, None, sets=sets)
    if model := more.pop("model", None):
        recipe = dataclasses.replace(recipe, model=str(model))
    return showing.show(task, recipe, merged(task, source), **{"rows": 4, **more})


@pytest.fixture
def prices(tmp_path: Path) -> str:
    write_csv(tmp_path / "goods.csv", goods(120))
    return str(tmp_path / "goods.csv")


@pytest.fixture(autouse=True)
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **keywords: Any) -> None:
        raise AssertionError("weights are loaded")

    monkeypatch.setattr(loading, "load", refuse, raising=False)
    monkeypatch.setattr("toolkit.models.backend.Transformers.load", refuse)


def test_the_answer_of_a_language_model_is_what_is_trained_on(prices: str) -> None:
    found = shown(lookup.find("price-regression"), {"data": prices, "group": "kind"})
    assert [row.split for row in found.rows] == ["train", "validation", "calibration", "test"]
    assert found.grouped_by == "kind"
    for row in found.rows:
        learned = "".join(p["text"] for p in row.passages if p["loss"])
        prompt = "".join(p["text"] for p in row.passages if not p["loss"])
        assert str(round(row.target)) in learned and "thing" in prompt
        assert row.cut == 0 and row.group_rows >= 1 and not row.problem


def test_a_text_that_is_cut_and_letters_that_are_unknown_are_said(tmp_path: Path) -> None:
    rows = [
        {"words": f"{'very ' * 300}good {w} {i} 🙂", "label": w} for i in range(20) for w in WORDS
    ]
    write_csv(tmp_path / "rows.csv", rows)
    (tmp_path / "long.toml").write_text(
        'kind = "sequence-classification"\ndata = "rows.csv"\ntext = "words"\ntarget = "label"\n'
    )
    found = shown(task_file.load(tmp_path / "long.toml"), {}, rows=1, split="test")
    (row,) = found.rows
    assert row.split == "test" and row.learned and row.target in row.learned
    assert row.tokens > 300 and row.cut == row.tokens - found.max_length and found.loses
    assert not any(p["loss"] for p in row.passages)
    short = [{**r, "words": str(r["words"]).replace("very ", "")} for r in rows]
    write_csv(tmp_path / "rows.csv", short)
    (row,) = shown(task_file.load(tmp_path / "long.toml"), {}, rows=1, split="test").rows
    assert row.cut == 0 and [p["text"].strip() for p in row.passages if p["unknown"]] == ["[UNK]"]


def test_a_split_that_is_not_there_is_refused(prices: str) -> None:
    with pytest.raises(UsageError, match="there is no split 'dev'; there are train"):
        shown(lookup.find("price-regression"), {"data": prices}, split="dev")


def test_letters_of_several_tokens_are_shown_whole(tmp_path: Path) -> None:
    rows = [{"prompt": f"größe {i} 语🙂", "completion": f" straße {i} 语🙂"} for i in range(80)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for kind in ("causal-lm", "seq2seq-lm"):
        (tmp_path / "chat.toml").write_text(f'kind = "{kind}"\ndata = "rows.jsonl"\n')
        row = shown(task_file.load(tmp_path / "chat.toml"), {}, rows=1).rows[0]
        learned = "".join(p["text"] for p in row.passages if p["loss"])
        assert "straße" in learned and "�" not in learned


def test_the_command_prints_marks_in_a_pipe_and_json(
    cli: CommandLine, prices: str, tmp_path: Path
) -> None:
    answer = cli("show", "price-regression", "--data", prices, "--rows", "2", "--split", "test")
    assert answer.code == 0, answer.err
    assert answer.out.count("«") == 3 and "test, row" in answer.out and "target: " in answer.out
    assert "«…» is trained on" in answer.out
    answer = cli("show", "price-regression", "--data", prices, "--rows", "1", "--json")
    document = json.loads(answer.out)
    assert document["rows"][0]["split"] == "train" and document["sizes"]["test"]


def test_init_and_show_go_together_on_the_command_line(
    cli: CommandLine, prices: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # The check, which fits baselines, has tests of its own.
    monkeypatch.setattr(make.checking, "check", lambda task, source: [])
    answer = cli("init", prices)
    assert answer.code == 0, answer.err
    assert "toolkit run goods.toml" in answer.out and "taken without asking" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80
    assert cli("show", "goods.toml", "--rows", "1").code == 0
    answer = cli("init", prices)
    assert answer.code == 2 and "--force" in answer.err
    document = json.loads(cli("init", prices, "--force", "--json").out)
    assert document["task"] == "price-regression" and document["output"] == "goods.toml"
    assert document["splits"]["train"] and document["recipe"]["name"]


def test_each_answer_of_a_conversation_is_shown_as_trained_on(tmp_path: Path) -> None:
    """But for those of weight 0; and what becomes of the system message is said."""
    from chat_layouts import tokenizer

    tokenizer("gemma2").save_pretrained(tmp_path / "gemma")
    turns = [("user", "one?"), ("assistant", "1"), ("user", "two?"), ("assistant", "2")]
    chats = [
        {
            "messages": [
                {"role": "system", "content": f"Be brief {n}."},
                *({"role": role, "content": text} for role, text in turns),
                {"role": "user", "content": "three?"},
                {"role": "assistant", "content": "3"},
            ]
        }
        for n in range(60)
    ]
    for chat in chats:
        chat["messages"][2] |= {"weight": 0}
    chats[7]["messages"][1]["content"] = [{"type": "image_url"}]  # type: ignore[assignment]
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(chat) + "\n" for chat in chats))
    (tmp_path / "chats.toml").write_text('kind = "causal-lm"\ndata = "d.jsonl"\n')
    task = task_file.load(tmp_path / "chats.toml")
    found = shown(task, {}, rows=1, model=tmp_path / "gemma")
    passages = found.rows[0].passages
    assert [p["text"] for p in passages if p["loss"]] == [
        "2<end_of_turn>", "3<end_of_turn>\n<eos>",
    ]  # fmt: skip
    assert "<start_of_turn>user\nBe brief" in passages[0]["text"]
    assert any("no system role" in note for note in found.notes)
    assert sum(found.sizes.values()) == 59
