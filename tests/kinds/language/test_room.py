"""Positions: what fits is answered, examples that do not fit are left out, rows are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest
from datasets import Dataset, DatasetDict

from layout_tokenizers import gpt2, t5
from tiny_tasks import TinyColours
from toolkit import CausalLMTask, Seq2SeqLMTask
from toolkit.errors import PreflightError, UsageError
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.language import room
from toolkit.kinds.language.text_losses import text_losses
from toolkit.kinds.seq2seq_lm.model import Seq2SeqLM
from toolkit.kinds.watching import TrainingWatch
from toolkit.preparation import preflight
from toolkit.preparation.lengths import Able, truncation
from toolkit.recipe import Recipe

POSITIONS = 64


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2, which cannot compute anything beyond its positions."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("gpt2-64")
    torch.manual_seed(0)
    tokenizer = gpt2()
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=POSITIONS, n_embd=16, n_layer=1, n_head=2,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


class Copy(CausalLMTask):
    """The answer is the text."""

    name, summary, columns = "copy", "copy", {"text": "", "answer": ""}
    metrics, primary_metric = TinyColours.metrics, TinyColours.primary_metric

    def load_rows(self, source: Any) -> Dataset:
        raise NotImplementedError

    def format_example(self, row: Any) -> dict[str, Any]:
        return {"prompt": row["text"], "completion": " " + row.get("answer", "")}

    def reference(self, row: Any) -> str:
        return str(row["answer"])

    def postprocess(self, output: Any, row: Any) -> str:
        return str(output.text)


class Chat(Copy):
    """The same as messages."""

    def format_example(self, row: Any) -> dict[str, Any]:
        return {
            "prompt": [{"role": "user", "content": row["text"]}],
            "completion": [{"role": "assistant", "content": row.get("answer", "")}],
        }


def rows(*lengths: int, answer: str = "no") -> list[dict[str, Any]]:
    """Rows whose texts have as many tokens."""
    return [
        {"row_id": number, "text": "?" * length, "answer": answer}
        for number, length in enumerate(lengths, 1)
    ]


def kind_of(task: Any, model: Path, **training: Any) -> CausalLM:
    training = {"per_device_train_batch_size": 2, "max_steps": 2, "eval_strategy": "steps",
                "eval_steps": 1, "bf16": False} | training  # fmt: skip
    return CausalLM(
        task, Recipe("r", "", str(model), training=training, generation={"max_new_tokens": 6},
                     lora={"r": 2, "target_modules": ["c_attn"], "fan_in_fan_out": True}),
    )  # fmt: skip


# -- limits before anything is trained -------------------------------------------------------------


@pytest.mark.parametrize("asked", [None, 16, 1024])
def test_the_length_of_training_is_within_the_positions(short: Path, asked: int | None) -> None:
    assert kind_of(Copy(), short, max_length=asked).max_length == min(asked or 64, POSITIONS)
    kind = kind_of(Copy(), short)
    assert kind.max_length == POSITIONS and room.lowered(kind) == []
    (said,) = room.lowered(kind_of(Copy(), short, max_length=1024))
    assert "1,024" in said and "positions for 64" in said


def test_rows_that_are_too_long_are_named_before_training(short: Path) -> None:
    kind = kind_of(Copy(), short)
    data = Dataset.from_list(rows(10, 63, 12, 64, 90))
    with pytest.raises(PreflightError, match=r"rows 4, 5 leaves no room.* 90 tokens.*for 64"):
        kind.cautions(data)
    fits = Dataset.from_list(rows(10, 63, 12))
    assert kind.cautions(fits) == []
    tokens = kind.lengths(fits)
    able = Able(kind.limits.positions, [7, 8, 9])
    with pytest.raises(PreflightError, match=r"the model itself has positions for 64.*\(row 8\)"):
        truncation(tokens, 64, None, False, preflight.lengths_of(tokens, 64), able=able)
    (said,) = truncation(tokens, 64, None, True, preflight.lengths_of(tokens, 64), able=able)
    assert "--allow-truncation" in said
    # Where the recipe alone is too strict, it can be mended.
    with pytest.raises(PreflightError, match=r"raise --set training.max_length=65"):
        truncation(tokens, 32, None, False, preflight.lengths_of(tokens, 32))


def test_training_leaves_out_what_does_not_fit(short: Path, tmp_path: Path) -> None:
    kind = kind_of(Copy(), short)
    train = Dataset.from_list(rows(10, 63, 12, 14))
    splits = DatasetDict(train=train, validation=train, calibration=train, test=train)
    trained = kind.train(
        splits, checkpoints=tmp_path / "c", adapter=tmp_path / "a", watch=TrainingWatch()
    )
    assert trained.info["rows"] == 3
    assert len(room.only_within(kind.limits, kind.tokenized(train))) == 3
    losses = kind.target_losses([dict(row) for row in train], adapter=True)
    assert [count > 0 for _, count in losses] == [True, False, True, True]
    answers = kind.predict([dict(row) for row in train], adapter=True)
    assert answers[1].tokens == 1  # one position was left for it


# -- few-shot --------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", [Copy, Chat])
def test_solved_examples_that_do_not_fit_are_left_out(short: Path, task: type[Copy]) -> None:
    kind = kind_of(task(), short)
    kind.load()
    shots, asked = rows(8, 8, 8, 8), rows(1, 20, 34)
    used = kind.shots_used(asked, shots)
    assert used == sorted(used, reverse=True) and used[0] > used[-1] < len(shots)
    for row, count in zip(asked, used, strict=True):
        prompt, same = room.prompt_with(kind, row, shots)
        assert same == count and len(prompt) + 6 <= POSITIONS
        more = kind.renderer.prompt(kind.few_shot_example(row, shots[: count + 1]))
        assert count == len(shots) or len(more) + 6 > POSITIONS
    assert len(kind.predict(asked, adapter=False, shots=shots)) == 3


def test_examples_are_used_where_nothing_limits_them(tiny_qwen: Path) -> None:
    kind = CausalLM(Copy(), Recipe("r", "", str(tiny_qwen)))
    assert kind.shots_used(rows(5, 6), rows(5)) == [1, 1]


# -- prediction ------------------------------------------------------------------------------------


def test_new_rows_that_are_too_long_are_refused_by_their_numbers(short: Path) -> None:
    kind = kind_of(Copy(), short)
    kind.load()
    assert [out.tokens for out in kind.predict(rows(63), adapter=False)] == [1]
    with pytest.raises(UsageError, match=r"prompt of row 2 leaves no room.*64 tokens"):
        kind.predict(rows(5, 64), adapter=False)


def test_a_task_that_shortens_its_texts_answers_all(short: Path) -> None:
    class Shortened(Copy):
        truncate = "text"

    kind = kind_of(Shortened(), short)
    kind.load()
    assert kind.cautions(Dataset.from_list(rows(90, 5))) == []
    assert len(kind.predict(rows(90, 5), adapter=False)) == 2


# -- encoder–decoders ------------------------------------------------------------------------------


class Shorten(Seq2SeqLMTask):
    """A text in, an answer out."""

    name, summary, columns = "shorten", "shorten", {"text": "", "answer": ""}
    metrics, primary_metric = TinyColours.metrics, TinyColours.primary_metric

    def load_rows(self, source: Any) -> Dataset:
        raise NotImplementedError

    def format_example(self, row: Any) -> dict[str, Any]:
        return {"text": row["text"], "text_target": row.get("answer", "")}

    def reference(self, row: Any) -> str:
        return str(row["answer"])

    def postprocess(self, output: Any, row: Any) -> str:
        return str(output.text)


@pytest.mark.parametrize("kind", ["bart", "t5"])
def test_encoder_decoders_have_limits_where_positions_are_absolute(
    tmp_path: Path, kind: str
) -> None:
    from transformers import AutoConfig

    tokenizer = t5()
    tokenizer.save_pretrained(tmp_path)
    AutoConfig.for_model(
        kind, vocab_size=len(tokenizer), max_position_embeddings=64, decoder_start_token_id=0
    ).save_pretrained(tmp_path)
    recipe = Recipe("r", "", str(tmp_path), training={"max_length": 512, "max_target_length": 128})
    made = Seq2SeqLM(Shorten(), recipe)
    bounded = kind == "bart"
    assert made.max_length == (64 if bounded else 512)
    assert made.target_limit == (64 if bounded else 128)
    long = Dataset.from_list([*rows(3), {"row_id": 9, "text": "? " * 90, "answer": "no"}])
    if bounded:
        with pytest.raises(PreflightError, match="row 9"):
            made.cautions(long)
    else:
        assert made.cautions(long) == []


def test_running_text_is_judged_as_far_as_there_are_positions(short: Path) -> None:
    kind = kind_of(Copy(), short)
    short_text, long_text = "the red oak chair", "the red oak chair is 12 dollars " * 20
    found = text_losses(kind, [short_text, long_text], adapter=False)
    assert all(loss > 0 and tokens > 0 for loss, tokens in found)
    assert found[0][1] < found[1][1] < POSITIONS


def test_lengths_are_counted_with_the_rows_of_any_data_set(short: Path) -> None:
    kind = kind_of(Copy(), short)
    data = datasets.concatenate_datasets([Dataset.from_list(rows(4)), Dataset.from_list(rows(6))])
    found = kind.lengths(data)
    assert found["prompt"].tolist() == [4, 6] and list(found) == ["prompt", "completion"]
