"""Decoders and encoder-decoders as classifiers: which token is read, whatever pads the texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from peft import PeftModel

from fed_judge import feed
from kinds.sequence_classification import test_sequence_classification as texts
from toolkit.errors import ModelError
from toolkit.runs.files import read_json
from toolkit.testing import models


def decoder(folder: Path, name: str) -> Path:
    """A decoder whose configuration names no padding token, with BERT's tokenizer."""
    learned = models.letters()
    if name == "Qwen2":  # the token that its class of tokenizers adds where a file lacks it
        learned.add_special_tokens({"additional_special_tokens": ["<|endoftext|>"]})
    sizes = models.decoder_sizes(learned) | {"vocab_size": len(learned), "pad_token_id": None}
    if name in ("Llama", "Qwen2"):
        sizes["num_key_value_heads"] = 2
    if name == "GPT2":
        sizes = {"vocab_size": len(learned), "n_embd": 32, "n_layer": 2, "n_head": 4}
    config = getattr(transformers, f"{name}Config")(**sizes)
    cls = "GPT2LMHeadModel" if name == "GPT2" else f"{name}ForCausalLM"
    return models.saved(folder, getattr(transformers, cls), config, learned)


def logits(model: Any, rows: list[list[int]], side: str = "right") -> torch.Tensor:
    pad = model.config.pad_token_id
    longest = max(map(len, rows))
    ids, mask = torch.full((len(rows), longest), pad), torch.zeros((len(rows), longest)).long()
    for i, row in enumerate(rows):
        place = slice(len(row)) if side == "right" else slice(longest - len(row), None)
        ids[i, place], mask[i, place] = torch.tensor(row), 1
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=ids, attention_mask=mask).logits
        return found


@pytest.mark.parametrize(
    ("name", "task"),
    [("GPT2", texts.Wood), ("Llama", texts.Price), ("Qwen2", texts.Wood), ("GPTNeoX", texts.Wood)],
)
def test_the_last_token_of_a_text_is_read_beside_longer_ones(
    name: str, task: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = texts.made(decoder(tmp_path / "model", name), task)
    better = kind.task.metric().greater_is_better
    feed(monkeypatch, texts.RISING if better else texts.RISING[::-1])
    texts.train(kind, tmp_path)
    rows = [kind.features(row)[0]["input_ids"] for row in texts.SAMPLE]
    alone = torch.cat([logits(kind.tuned, [row]) for row in rows])
    torch.testing.assert_close(logits(kind.tuned, rows), alone, rtol=1e-3, atol=1e-3)
    if name != "GPT2":  # its positions are counted from the padding on
        torch.testing.assert_close(logits(kind.tuned, rows, "left"), alone, rtol=1e-3, atol=1e-3)

    stored = read_json(tmp_path / "adapter" / "toolkit.json")["head"]
    assert stored["pad_token_id"] == kind.tokenizer.pad_token_id
    if "id2label" in stored:
        stored["id2label"] = {int(i): label for i, label in stored["id2label"].items()}
    base = transformers.AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "model", **stored
    )
    plain = PeftModel.from_pretrained(base, str(tmp_path / "adapter")).eval()
    torch.testing.assert_close(logits(plain, rows), alone, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["Bart", "T5"])
def test_an_encoder_decoder_needs_the_end_of_each_text(name: str, tmp_path: Path) -> None:
    learned = models.letters()
    start = {"decoder_start_token_id": 3, "eos_token_id": 3, "pad_token_id": 0}
    sizes = {
        "Bart": {"encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
                 "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64},
        "T5": {"d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4},
    }[name]  # fmt: skip
    config = getattr(transformers, f"{name}Config")(
        vocab_size=len(learned), d_model=32, **sizes, **start
    )
    cls = getattr(transformers, f"{name}ForConditionalGeneration")
    without = models.saved(tmp_path / "without", cls, config, learned)
    with pytest.raises(ModelError, match="puts none behind a text"):
        texts.made(without).load()

    learned.eos_token = "[SEP]"
    kind = texts.made(models.saved(tmp_path / "with", cls, config, learned))
    texts.train(kind, tmp_path)
    assert len(kind.predict(texts.SAMPLE, adapter=True)) == len(texts.SAMPLE)
