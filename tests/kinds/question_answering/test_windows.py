"""Characters to tokens to windows and back, on random Unicode."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.kinds.question_answering.features import Pair, Reader
from toolkit.kinds.question_answering.windows import Cells, cells, windows

WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(
    lambda text: "".join(text.split())
)
WORDS = st.lists(WORD, max_size=8)


@pytest.fixture(scope="module", params=["bert", "byte-level"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    """Word pieces that lower case, strip accents and know few characters; and bytes, of which one
    character is several tokens.
    """
    if request.param == "byte-level":
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(request.getfixturevalue("tiny_qwen"))
    from transformers import BertTokenizer

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,;-'"
    vocabulary = [*special, *letters, *(f"##{letter}" for letter in letters), "the", "##ing"]
    return BertTokenizer(vocab={token: i for i, token in enumerate(vocabulary)})


def cells_of(tokenizer: Any, text: str) -> Cells:
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return cells(text, encoded["offset_mapping"])


@settings(max_examples=300)
@given(WORDS)
def test_a_word_maps_to_tokens_and_back_to_itself(tokenizer, words):
    text = " ".join(words)
    found = cells_of(tokenizer, text)
    at = 0
    for word in words:
        start, end = at, at + len(word)
        at = end + 1
        tokens = found.tokens(start, end)
        if word and tokens is not None:  # a word of control characters alone has no token
            first, last = found.characters(*tokens)
            assert text[first:last] == word


@settings(max_examples=300)
@given(WORDS, st.data())
def test_a_stretch_of_words_maps_to_tokens_and_back_to_itself(tokenizer, words, data):
    words = [word for word in words if word.isalnum()]
    if not words:
        return
    text = " ".join(words)
    i = data.draw(st.integers(0, len(words) - 1))
    j = data.draw(st.integers(i, len(words) - 1))
    start = len(" ".join(["", *words[:i], ""])) - 1
    end = start + len(" ".join(words[i : j + 1]))
    found = cells_of(tokenizer, text)
    ends = [found.tokens(*edge) for edge in ((start, start + 1), (end - 1, end))]
    tokens = found.tokens(start, end)
    if tokens is not None and all(ends):
        assert text[slice(*found.characters(*tokens))] == " ".join(words[i : j + 1])


@settings(max_examples=300)
@given(WORDS)
def test_tokens_map_to_characters_and_back_to_the_same_characters(tokenizer, words):
    found = cells_of(tokenizer, " ".join(words))
    assert list(found.starts) == sorted(found.starts) and list(found.ends) == sorted(found.ends)
    for first in range(len(found)):
        for last in range(first, min(first + 6, len(found))):
            characters = found.characters(first, last)
            tokens = found.tokens(*characters)
            assert tokens is not None and found.characters(*tokens) == characters
            assert tokens[0] <= first and last <= tokens[1]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Cafe\u0301 Zoe\u0308 opened", "Zoe\u0308"),  # accents of their own, which BERT strips
        ("the na\u00efve one", "na\u00efve"),
        ("in \u6771\u4eac today", "\u6771\u4eac"),
        ("a \U0001f469\u200d\U0001f680 flew", "\U0001f469\u200d\U0001f680"),
        ("paid $1,250.00.", "$1,250.00."),
        ("tab\tand\u00a0blank", "and"),
        ("end", "end"),
    ],
)
def test_texts_that_tokenizers_change(tokenizer, text, answer):
    found = cells_of(tokenizer, text)
    start = text.index(answer)
    tokens = found.tokens(start, start + len(answer))
    assert tokens is not None
    assert text[slice(*found.characters(*tokens))] == answer


@given(st.integers(0, 400), st.integers(1, 60), st.data())
def test_every_token_is_owned_once_and_short_spans_are_whole(tokens, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    found = windows(tokens, size, overlap)
    assert [i for w in found for i in range(w.own_start, w.own_stop)] == list(range(tokens))
    for window in found:
        assert window.stop - window.start <= size and window.start <= window.own_start
        for first in range(window.own_start, window.own_stop):
            assert min(first + max(1, overlap // 2), tokens) <= window.stop


def test_windows_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="cannot overlap"):
        windows(10, 4, 4)


def test_a_pair_is_put_together_as_the_tokenizer_does(tiny_bert):
    from toolkit.models import loading

    tokenizer = loading.load_tokenizer(str(tiny_bert))
    question, context = "which colour is it?", "a blue lamp, 460 dollars"
    wanted = tokenizer(question, context)
    reader = Reader(tokenizer, max_length=100, stride=8, longest_question=64)
    (piece,) = reader.read({"question": question, "context": context}).pieces
    assert piece.features["input_ids"] == wanted["input_ids"]
    assert piece.features["token_type_ids"] == wanted["token_type_ids"]


def test_a_model_without_segments_gets_none():
    class Words:
        """Puts words together as RoBERTa does, and reads no segments."""

        model_input_names = ("input_ids", "attention_mask")

        def __call__(self, one: str, two: str, **_: Any) -> Any:
            parts = [None, 0, None, None, 1, None]

            class Encoded(dict):
                def sequence_ids(self, _: int) -> list[int | None]:
                    return parts

            return Encoded(input_ids=[0, 7, 2, 2, 7, 2], token_type_ids=[0] * 6)

    pair = Pair.of(Words())
    assert pair.join([8, 9], [5]) == {"input_ids": [0, 8, 9, 2, 2, 5, 2]}
    assert pair.length == 4
