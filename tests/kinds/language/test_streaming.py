"""A watch follows the texts of a batch, ends single ones, and may change the scores of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from toolkit.kinds.language.generate import generate
from toolkit.kinds.watching import Watch

TEXTS = ("red", "a blue lamp", "the bed is 460 dollars", "desk")


@pytest.fixture(scope="module")
def parts(tiny_qwen: Path) -> tuple[Any, Any, list[list[int]]]:
    model = AutoModelForCausalLM.from_pretrained(tiny_qwen).eval()
    tokenizer = AutoTokenizer.from_pretrained(tiny_qwen)
    return model, tokenizer, [list(tokenizer(text)["input_ids"]) for text in TEXTS]


def follow(parts: Any, most: int, **watch: Any) -> tuple[list[list[int]], Any]:
    model, tokenizer, prompts = parts
    seen: list[list[int]] = [[] for _ in prompts]
    out = generate(
        model, tokenizer, prompts, generation={"max_new_tokens": most},
        watch=Watch(
            lambda index, token: seen[index].append(token),
            ended=lambda index: watch["ended"](index, seen[index]),
            scores=watch.get("scores"),
        ),
    )  # fmt: skip
    return seen, out


def test_each_text_ends_where_the_watch_ends_it(parts: Any) -> None:
    most = [3, 7, 1, 9]
    whole, _ = follow(parts, 9, ended=lambda index, seen: False)
    seen, out = follow(parts, 9, ended=lambda index, seen: len(seen) >= most[index])
    for index, limit in enumerate(most):
        assert seen[index] == whole[index][:limit]  # the same tokens, and no padding behind them
        assert out[index].tokens == len(seen[index])
        decoded = parts[1].decode(seen[index], skip_special_tokens=True)
        assert out[index].text == decoded


def test_a_watch_changes_the_scores_of_its_own_rows(parts: Any) -> None:
    forced = parts[1]("k", add_special_tokens=False)["input_ids"][0]

    def scores(indices: Sequence[int], values: Any) -> Any:
        assert len(indices) == len(values)
        values[list(indices).index(1), forced] = 1e6
        return values

    free, _ = follow(parts, 5, ended=lambda index, seen: False)
    seen, _ = follow(parts, 5, ended=lambda index, seen: False, scores=scores)
    assert seen[1] == [forced] * 5 != free[1]
    assert [seen[i] for i in (0, 2, 3)] == [free[i] for i in (0, 2, 3)]


def test_a_watch_has_seen_each_token_before_it_is_asked_about_it(parts: Any) -> None:
    model, tokenizer, prompts = parts
    seen: list[int] = []
    asked: list[int] = []

    def stopped() -> bool:
        asked.append(len(seen))
        return len(asked) == 3

    watch = Watch(lambda index, token: seen.append(token), stopped)
    out = generate(
        model, tokenizer, prompts[:1], watch=watch,
        generation={"max_new_tokens": 9, "min_new_tokens": 9},
    )  # fmt: skip
    assert asked == [1, 2, 3] and out[0].tokens == 3


def test_nothing_is_computed_behind_a_text_that_has_ended(parts: Any) -> None:
    passes: list[int] = []

    def scores(indices: Sequence[int], values: Any) -> Any:
        passes.append(1)
        return values

    follow(parts, 9, ended=lambda index, seen: len(seen) >= 2, scores=scores)
    assert len(passes) == 2


def test_a_watch_of_beams_is_refused(parts: Any) -> None:
    model, tokenizer, prompts = parts
    with pytest.raises(ValueError, match="beams"):
        generate(model, tokenizer, prompts, generation={"num_beams": 2}, watch=Watch())
