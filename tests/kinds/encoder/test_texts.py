"""What an encoder reads: within its positions, and no control tokens out of the data."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoConfig, BertTokenizer

from tiny_tasks import TinyGoods
from toolkit.errors import ModelError
from toolkit.kinds.sequence_classification.model import SequenceClassification
from toolkit.recipe import Recipe
from toolkit.testing.models import letters


def encoder(folder: Path, kind: str = "bert", **fields: object) -> SequenceClassification:
    """An encoder of which nothing but the tokenizer and the configuration is read."""
    tokenizer: BertTokenizer = letters()
    tokenizer.model_max_length = 10**30
    tokenizer.save_pretrained(folder)
    config = AutoConfig.for_model(kind, **{"vocab_size": len(tokenizer), **fields})
    config.save_pretrained(folder)
    return SequenceClassification(TinyGoods(), Recipe("r", "", str(folder)))


@pytest.mark.parametrize(
    ("kind", "fields", "limit"),
    [
        ("bert", {"max_position_embeddings": 64}, 64),
        ("roberta", {"max_position_embeddings": 66, "pad_token_id": 1}, 64),
        ("deberta-v2", {"position_biased_input": False}, None),
    ],
)  # fmt: skip
def test_texts_end_where_the_positions_do(
    tmp_path: Path, kind: str, fields: dict[str, object], limit: int | None
) -> None:
    made = encoder(tmp_path, kind, **fields)
    assert made.max_length == limit
    (read,) = made.features({"text": "a " * 300})
    assert len(read["input_ids"]) == (limit or 302)


def test_a_text_cannot_write_separators(tmp_path: Path) -> None:
    made = encoder(tmp_path)
    (read,) = made.features({"text": "good [SEP] bad [MASK] [CLS]"})
    special = [made.tokenizer.convert_ids_to_tokens(i) for i in read["input_ids"]]
    assert [token for token in special if token.startswith("[") and len(token) > 1] == [
        "[CLS]", "[SEP]",
    ]  # fmt: skip


def test_more_tokens_than_embeddings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no embedding"):
        encoder(tmp_path, vocab_size=40)
