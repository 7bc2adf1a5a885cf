"""The encoder–decoder in the package: there, small, and as good as its card says."""

from __future__ import annotations

import itertools
from random import Random

import pytest
import torch
from transformers import (
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedTokenizerFast,
    T5ForConditionalGeneration,
)

from examples.embedded_models import build, corpus_copies, corpus_records, pretrain, pretrain_pairs
from toolkit.models import embedded

LOSS, READ_OUT, STATED = 0.4, 0.85, 0.68
"""What its card says, less what other pairs make of it."""


def test_the_card_says_plainly_what_it_is() -> None:
    card = (embedded.path("seq2seq-lm") / "README.md").read_text()
    assert "toy" in card and "generated" in card


def test_it_is_small_and_loads_in_bfloat16() -> None:
    folder = embedded.path("seq2seq-lm")
    assert (folder / "model.safetensors").stat().st_size < 8_000_000
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype="auto")
    assert model.dtype == torch.bfloat16
    assert 3_000_000 < model.num_parameters() < 5_000_000


def test_numbers_are_single_tokens_and_texts_end_with_eos() -> None:
    words = AutoTokenizer.from_pretrained(embedded.path("seq2seq-lm"))
    for number in (0, 7, 99, 100, 999):
        assert len(words(str(number), add_special_tokens=False)["input_ids"]) == 1
    assert words("a cup")["input_ids"][-1] == words.eos_token_id
    text = "Größe: $1,250 – 3 km\n(“so”)"
    assert words.decode(words(text)["input_ids"], skip_special_tokens=True) == text


@pytest.fixture(scope="module")
def loaded() -> tuple[T5ForConditionalGeneration, PreTrainedTokenizerFast]:
    folder = embedded.path("seq2seq-lm")
    return (
        T5ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32),
        PreTrainedTokenizerFast.from_pretrained(folder),
    )


def test_it_finds_new_pairs_of_its_own_world_as_likely_as_the_card_says(loaded) -> None:
    """Cross-entropy per token of pairs that it has not seen; an untrained model has about 8."""
    model, words = loaded
    batches = itertools.islice(pretrain_pairs.batches(words, 2_048, seed=987_654), 6)
    with torch.no_grad():
        losses = [float(pretrain_pairs.batch_loss(model, b, words.pad_token_id)) for b in batches]
    assert sum(losses) / len(losses) < LOSS


def test_it_restates_values_that_it_has_never_seen(loaded) -> None:
    """Word for word and greedily; names are put together anew, so that they have to be copied."""
    model, words = loaded
    random = Random(987_654)
    read = [corpus_copies.reading(random) for _ in range(48)]
    found = pretrain_pairs.restated(model, words, [(one[0], one[2]) for one in read])
    assert found > READ_OUT
    told = [corpus_records.stating(random) for _ in range(48)]
    found = pretrain_pairs.restated(model, words, [(one[0], one[2]) for one in told])
    assert found > STATED


def test_a_new_model_begins_with_heads_that_look_at_a_neighbour() -> None:
    """What the encoder's first attention gives the token before, before any training."""
    words = AutoTokenizer.from_pretrained(embedded.path("seq2seq-lm"))
    torch.manual_seed(0)
    model = pretrain_pairs.make_model(words).eval()
    batch = words("a narrow boat with a lamp and two dusty ladders", return_tensors="pt")
    with torch.no_grad():
        seen = model.encoder(**batch, output_attentions=True).attentions[0][0]
    before = torch.diagonal(seen, offset=-1, dim1=-2, dim2=-1)
    assert before[0].min() > 0.9
    assert before[3:].max() < 0.9


@pytest.mark.slow
def test_a_tiny_one_is_built_and_gone_on_with(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(pretrain_pairs, "CHUNK", 200)
    learn = build.build_pair_tokenizer
    monkeypatch.setattr(build, "build_pair_tokenizer", lambda: learn(300))
    whole = pretrain_pairs.make_model
    monkeypatch.setattr(
        pretrain_pairs, "make_model",
        lambda words: whole(words, d_model=16, d_kv=8, num_heads=2, d_ff=16, num_layers=1,
                            num_decoder_layers=1),
    )  # fmt: skip
    settings = pretrain.Settings(tokens=6_000, batch_tokens=512)
    build.build_seq2seq_lm(tmp_path / "one", settings)
    build.build_seq2seq_lm(tmp_path / "two", settings, tmp_path / "one")
    one, two = (AutoModelForSeq2SeqLM.from_pretrained(tmp_path / n) for n in ("one", "two"))
    assert one.config.vocab_size == two.config.vocab_size
    assert not torch.equal(one.shared.weight, two.shared.weight)
