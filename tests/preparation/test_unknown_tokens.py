"""What a tokenizer loses: unknown characters, and texts that become the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from data_fixtures import Echo, write_csv
from toolkit.errors import PreflightError
from toolkit.models.paths import model_path
from toolkit.preparation.prepare import Source, prepare
from toolkit.preparation.unknown_tokens import (
    TokenizerFindings,
    check_tokenizer,
    lost_characters,
    unknown_in,
)

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@pytest.fixture(scope="module")
def pieces() -> Any:
    """A tokenizer of word pieces that knows Latin letters and digits only."""
    known = ["[PAD]", "[UNK]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    vocabulary = {token: i for i, token in enumerate(known)}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=20))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]", pad_token="[PAD]")


class Reader:
    """A model as the check sees it; with ``limit`` it reads like an encoder that cuts texts."""

    def __init__(self, tokenizer: Any, limit: int | None = None) -> None:
        self.tokenizer, self.max_length = tokenizer, limit

    def features(self, row: Any) -> list[dict[str, Any]]:
        return [{"input_ids": self.tokenizer(row["text"])["input_ids"][: self.max_length]}]


class Labels(Echo):
    """Text in, a text out that the model writes."""

    def format_example(self, row: Any) -> dict[str, Any]:
        return {"prompt": row["text"], "completion": ""}


def found_in(
    folder: Path, tokenizer: Any, texts: Sequence[str], limit: int | None = None
) -> TokenizerFindings:
    """What is found in these texts, each with another number."""
    rows = [(text, at) for at, text in enumerate(texts)]
    path = write_csv(folder / "a.csv", ("text", "score"), rows)
    prepared = prepare(Labels(), Source(data=str(path)))
    model: Any = Reader(tokenizer, limit)
    return check_tokenizer(Labels(), prepared, model)


def plain(rows: int) -> list[str]:
    return [f"thing number {n} of the lot" for n in range(rows)]


def test_known_texts_are_not_mentioned(tmp_path: Path, pieces: Any) -> None:
    found = found_in(tmp_path, pieces, plain(100))
    assert found.notes == found.warnings == []
    assert found.document["texts"]["training"]["unknown"] == 0
    assert found.document["same_tokens"] == {"rows": 100, "same": 0, "clashing": 0}


def test_a_few_emoji_are_a_note_that_names_them(tmp_path: Path, pieces: Any) -> None:
    texts = plain(400)
    for at in range(0, 400, 50):
        texts[at] += " 😍"
    (note,) = found_in(tmp_path, pieces, texts).notes
    assert "have characters that the model's tokenizer does not know" in note
    assert "'😍' (8 times)" in note


def test_many_emoji_are_a_warning_and_so_are_texts_that_become_the_same(
    tmp_path: Path, pieces: Any
) -> None:
    texts = [f"thing {n // 2} {'😍' if n % 2 else '😡'}" for n in range(200)]
    unknown, same = found_in(tmp_path, pieces, texts).warnings
    assert unknown.startswith(
        "texts (100.0% of training, 100.0% of validation, 100.0% of test) have"
    )
    assert "'😍' (100 times), '😡' (100 times)" in unknown or "'😡' (100 times)" in unknown
    assert same.startswith(
        "200 of 200 rows have another text than a row with the same tokens (char"
    )
    assert "200 of them have another answer, and the model cannot tell them apart" in same


def test_texts_that_differ_after_the_limit_become_the_same(tmp_path: Path, pieces: Any) -> None:
    texts = ["a b c d e f g h " + str(n) for n in range(100)]
    (warning,) = found_in(tmp_path, pieces, texts, limit=8).warnings
    assert "(what tells them apart is cut off); 100 of them have another answer" in warning
    assert found_in(tmp_path, pieces, texts, limit=12).warnings == []


@pytest.mark.parametrize(
    "text", ["这个产品非常好我很喜欢", "สินค้าดีมาก", "मुझे यह पसंद है"], ids=["zh", "th", "hi"]
)
def test_texts_in_a_script_that_the_model_cannot_read_are_refused(
    tmp_path: Path, pieces: Any, text: str
) -> None:
    with pytest.raises(PreflightError, match=r"the model cannot read them; take a model for this"):
        found_in(tmp_path, pieces, [f"{text} {n % 3}" if n < 3 else text * n for n in range(100)])


def test_held_out_texts_alone_in_another_script_are_refused(tmp_path: Path, pieces: Any) -> None:
    train = write_csv(tmp_path / "t.csv", ("text", "score"), [(t, 1) for t in plain(60)])
    other = [("这 个 产 品 " + "好 " * n, 1) for n in range(20)]
    test = write_csv(tmp_path / "e.csv", ("text", "score"), other)
    prepared = prepare(Labels(), Source(train=str(train), test=str(test)))
    model: Any = Reader(pieces)
    with pytest.raises(
        PreflightError, match=r"\(0\.0% of training, 0\.0% of validation, 100\.0% o"
    ):
        check_tokenizer(Labels(), prepared, model)


def test_answers_that_cannot_be_written_are_a_warning(tmp_path: Path, pieces: Any) -> None:
    class Written(Echo):
        def format_example(self, row: Any) -> dict[str, Any]:
            return {"prompt": row["text"], "completion": f"{row['text']} is €5 or 5"}

    path = write_csv(tmp_path / "a.csv", ("text", "score"), [(t, 1) for t in plain(80)])
    model: Any = Reader(pieces)
    (warning,) = check_tokenizer(
        Written(), prepare(Written(), Source(data=str(path))), model
    ).warnings
    assert warning.startswith("answers (100.0% of training") and "'€'" in warning
    assert warning.endswith("the model can never write them")


def test_a_word_that_is_too_long_counts_as_itself(pieces: Any) -> None:
    found = unknown_in(pieces, ["good " + "a" * 30, "", "good😍"])
    assert (found.texts, found.affected, found.unknown) == (2, 2, 2)
    assert lost_characters(pieces, found.pieces) == Counter({"a" * 12: 1, "😍": 1})


@pytest.mark.parametrize("name", ["embedded:causal-lm", "embedded:seq2seq-lm"])
def test_tokenizers_of_bytes_lose_nothing(tmp_path: Path, name: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model_path(name))
    model: Any = type("Bytes", (), {"tokenizer": tokenizer, "max_length": None})()
    texts = [(f"这个 😍 {n}", 1) for n in range(60)]
    path = write_csv(tmp_path / "a.csv", ("text", "score"), texts)
    found = check_tokenizer(Echo(), prepare(Echo(), Source(data=str(path))), model)
    assert found == TokenizerFindings()


def test_the_default_encoder_confuses_emoji() -> None:
    tokenizer = AutoTokenizer.from_pretrained(model_path("embedded:minilm"))
    found = unknown_in(tokenizer, ["great 😍", "great 😡", "fine"])
    assert (found.affected, found.unknown) == (2, 2)
    assert lost_characters(tokenizer, found.pieces) == Counter({"😍": 1, "😡": 1})
    assert unknown_in(tokenizer, ["这个产品非常好", "质量太差了"]).share > 0.5
