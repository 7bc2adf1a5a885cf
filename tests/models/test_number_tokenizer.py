"""The tokenizer: numbers are single tokens and never merge, any text comes back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from examples.embedded_models import build
from toolkit.models import embedded


@pytest.fixture(scope="module", params=["embedded", "rebuilt"])
def words(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> object:
    """The tokenizer in the package, and one made again and read back from disk."""
    if request.param == "embedded":
        return AutoTokenizer.from_pretrained(embedded.path())
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    build.build_tokenizer(300).save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


def test_every_number_below_a_thousand_is_one_token(words: PreTrainedTokenizerFast) -> None:
    numbers = [str(n) for n in range(1000)] + [f"{n:03d}" for n in range(100)]
    assert all(words.tokenize(number) == [number] for number in numbers)


@pytest.mark.parametrize(("text", "tokens"), [
    ("1250", ["1", "250"]), ("1000000", ["1", "000", "000"]), ("40382", ["40", "382"]),
    ("203x45", ["203", "x", "45"]),
])  # fmt: skip
def test_longer_numbers_are_cut_from_the_right(
    words: PreTrainedTokenizerFast, text: str, tokens: list[str]
) -> None:
    assert words.tokenize(text) == tokens


def test_the_price_stands_right_after_its_sign(words: PreTrainedTokenizerFast) -> None:
    assert words.tokenize("Price is $189")[-2:] == ["$", "189"]
    prompt = words("Price is $")["input_ids"]
    assert words("Price is $189")["input_ids"][:-1] == prompt
    assert words.tokenize("a$b $$9") == ["a", "$", "b", "Ġ", "$", "$", "9"]


def test_the_special_tokens_differ_and_are_not_added(words: PreTrainedTokenizerFast) -> None:
    special = {words.pad_token_id, words.bos_token_id, words.eos_token_id}
    assert None not in special
    assert len(special) == 3
    assert not special & set(words("Price is $189")["input_ids"])


@given(text=st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text_comes_back(words: PreTrainedTokenizerFast, text: str) -> None:
    if any(token in text for token in words.all_special_tokens):
        return
    assert words.decode(words(text)["input_ids"]) == text
