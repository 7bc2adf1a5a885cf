"""Answers of different lengths: limits end those that would not end, and change nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tiny_tasks import TinyColours
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.language import generate as generation
from toolkit.recipe import Recipe
from toolkit.task import Row

PROMPTS = ["red cup, pack of 2", "a blue lamp with a green chair", "the bed", "which colour is it?"]


class ShortForCups(TinyColours):
    """Answers on cups take two tokens at most."""

    def answer_tokens(self, row: Row) -> int | None:
        return 2 if "cup" in row["text"] else None

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"prompt": row["text"], "completion": row.get("colour", "")}


def test_a_limit_cuts_an_answer_and_leaves_the_others(tiny_llama: Path) -> None:
    kind = CausalLM(ShortForCups(), Recipe("r", "", str(tiny_llama)))
    kind.load()
    ids = [kind.tokenizer(text)["input_ids"] for text in PROMPTS]
    ask = {"model": kind.model, "tokenizer": kind.tokenizer, "prompts": ids,
           "generation": {"max_new_tokens": 12, "eos_token_id": None}}  # fmt: skip
    free = generation.generate(**ask)
    limited = generation.generate(**ask, limits=[3, None, 99, 3])
    assert [out.tokens for out in free] == [12, 12, 12, 12]
    assert [out.tokens for out in limited] == [3, 12, 12, 3]
    assert [limited[i].text for i in (1, 2)] == [free[i].text for i in (1, 2)]
    for i in (0, 3):
        assert free[i].text.startswith(limited[i].text) and limited[i].hit_limit


def test_the_task_limits_the_length_of_an_answer(tiny_llama: Path) -> None:
    recipe = Recipe("r", "", str(tiny_llama),
                    generation={"max_new_tokens": 5, "eos_token_id": None})  # fmt: skip
    kind = CausalLM(ShortForCups(), recipe)
    rows = [{"row_id": i, "text": text} for i, text in enumerate(PROMPTS)]
    assert [out.tokens for out in kind.predict(rows, adapter=False)] == [2, 5, 5, 5]
