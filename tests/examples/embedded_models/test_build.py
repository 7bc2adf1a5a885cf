"""Building a model: a tiny one, through the same functions, in a moment."""

from __future__ import annotations

import itertools
import json
from functools import partial
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from examples.embedded_models import build, pretrain
from examples.embedded_models.corpus import MARK


@pytest.fixture(scope="module")
def words() -> PreTrainedTokenizerFast:
    return build.build_tokenizer(300)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrain, "CHUNK", 200)


def test_a_tiny_model_is_built_saved_and_loaded(
    words: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = pretrain.make_model(
        words, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=1,
        num_key_value_heads=1,
    )  # fmt: skip
    before = model.lm_head.weight.detach().clone()
    seen: list[dict[str, float]] = []
    saved: list[int] = []
    pretrain.train(
        model, words, pretrain.Settings(tokens=30_000, batch_tokens=512), seen.append,
        lambda _: saved.append(1), every_seconds=0.0,
    )  # fmt: skip
    assert seen
    assert seen[0]["step"] == 50
    assert saved
    assert not torch.equal(before, model.lm_head.weight.float())
    build.save(model, words, tmp_path / "model")
    build.save(model, words, tmp_path / "model")  # over an older one
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype="auto")
    again = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert loaded.dtype == torch.bfloat16
    assert again.tokenize("$203") == ["$", "203"]
    assert torch.equal(loaded.lm_head.weight, model.lm_head.weight)
    assert build.price_error(loaded, again, 8) >= 0
    assert list(tmp_path.iterdir()) == [tmp_path / "model"]


def test_the_same_tokens_make_the_same_model(words: PreTrainedTokenizerFast) -> None:
    def once() -> torch.Tensor:
        torch.manual_seed(0)
        model = pretrain.make_model(words, hidden_size=16, num_hidden_layers=1,
                                    intermediate_size=16, num_attention_heads=1,
                                    num_key_value_heads=1)  # fmt: skip
        pretrain.train(model, words, pretrain.Settings(tokens=3_000, batch_tokens=512))
        return model.lm_head.weight.detach()

    assert torch.equal(once(), once())


def test_workers_write_the_same_batches_again_and_none_of_them_twice(
    words: PreTrainedTokenizerFast,
) -> None:
    def some(seed: int) -> list[tuple[tuple[int, ...], ...]]:
        settings = pretrain.Settings(seed=seed, workers=2)
        stream = pretrain.made_ahead(partial(pretrain.batches, words, 256), settings)
        return [tuple(map(tuple, b.ids.tolist())) for b in itertools.islice(stream, 12)]

    once = some(3)
    assert once == some(3) != some(4)
    rows = [row for batch in once for row in batch]
    assert len(set(rows)) > 0.95 * len(rows)


def test_prices_are_found_among_the_tokens(words: PreTrainedTokenizerFast) -> None:
    text = f"A tent. Price is ${MARK}189.\n\nPrice is ${MARK}7"
    [(ids, prices)] = pretrain.encode([text], words)
    assert words.decode(ids) == text.replace(MARK, "") + words.eos_token
    found = {
        words.convert_ids_to_tokens(i): price for i, price in zip(ids, prices, strict=True) if price
    }
    assert found == {"189": 189, "7": 7}


def test_batches_lose_little_to_padding_and_repeat_nothing(words: PreTrainedTokenizerFast) -> None:
    batches = list(itertools.islice(pretrain.batches(words, 512, seed=0), 20))
    real = sum(int((batch.ids != words.pad_token_id).sum()) for batch in batches)
    assert real > 0.8 * sum(batch.ids.numel() for batch in batches)
    assert all(batch.ids.shape == batch.prices.shape for batch in batches)
    rows = [tuple(row) for batch in batches for row in batch.ids.tolist()]
    assert len(set(rows)) > 0.95 * len(rows)


def test_the_target_is_smooth_and_peaks_at_the_price(words: PreTrainedTokenizerFast) -> None:
    target = pretrain.PriceTarget(words)
    assert torch.allclose(target.rows.sum(1), torch.ones(1000))
    assert target.rows[100].argmax() == 100
    assert target.rows[100, 110] > target.rows[100, 200]
    scores = torch.full((1, len(words)), -20.0)
    scores[0, words.convert_tokens_to_ids("105")] = 0.0
    near = target.loss(scores, torch.tensor([100]))
    far = target.loss(scores, torch.tensor([400]))
    assert near < far


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [pretrain.schedule(done / 100, 1.0, 0.02) for done in range(101)]
    assert rates[0] < rates[2]
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert rates[100] == pytest.approx(0.02)


def test_a_length_of_training_is_asked_for(words: PreTrainedTokenizerFast) -> None:
    with pytest.raises(ValueError, match="how long"):
        pretrain.train(pretrain.make_model(words), words, pretrain.Settings())


def test_the_command_line_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "TOKENIZER_DOCUMENTS", 200)
    monkeypatch.setattr(build, "price_error", lambda *_: 1.0)
    build.main(["causal-lm", "--out", str(tmp_path / "out"), "--tokens", "1"])
    assert json.loads((tmp_path / "out" / "config.json").read_text())["model_type"] == "llama"
    assert "saved in" in capsys.readouterr().out
