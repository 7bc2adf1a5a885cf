"""Several trainings on one base, and the base beside each: none begins from what another left."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import DatasetDict
from peft import PeftModel

from kinds.causal_lm import test_causal_lm as decoders
from kinds.seq2seq_lm import test_seq2seq_lm as pairs
from toolkit.errors import RecipeError
from toolkit.kinds.base import BASE
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.watching import TrainingWatch
from toolkit.models import agreement

FORMS: dict[str, dict[str, Any]] = {
    "whole modules and biases": {"modules_to_save": ["norm"], "bias": "all"},
    "principal values": {"init_lora_weights": "pissa"},
    "whole embeddings": {"modules_to_save": ["embed_tokens"]},
}


def decoder(folder: Path, lora: dict[str, Any]) -> Any:
    recipe = decoders.recipe(folder, training={"weight_decay": 0.1, "learning_rate": 1e-3})
    fields = {"r": 4, "target_modules": ["q_proj", "v_proj"], **lora}
    return CausalLM(decoders.Guess(), dataclasses.replace(recipe, lora=fields))


def train(kind: Any, place: Path, of: Any = decoders, **watch: Any) -> bytes:
    splits = DatasetDict({"train": of.rows(32), "validation": of.rows(8)})
    kind.train(
        splits, checkpoints=place / "c", adapter=place / "adapter", watch=TrainingWatch(**watch)
    )
    return (place / "adapter" / "adapter_model.safetensors").read_bytes()


def losses(kind: Any, *, adapter: bool, of: Any = decoders) -> list[float]:
    rows = [dict(row) for row in of.rows(8, 1)]
    return [loss for loss, _ in kind.target_losses(rows, adapter=adapter)]


@pytest.mark.parametrize("form", FORMS)
def test_each_training_seed_begins_from_the_untouched_base(
    form: str, tiny_llama: Path, tmp_path: Path
) -> None:
    kind = decoder(tiny_llama, FORMS[form])
    before = losses(kind, adapter=False)
    first = train(kind, tmp_path / "0")
    assert losses(kind, adapter=False) == before  # beside the adapter as it was trained
    tuned = losses(kind, adapter=True)
    kind.seed = 1
    assert train(kind, tmp_path / "1") != first
    kind.seed = 0
    assert train(kind, tmp_path / "2") == first

    kind.load_adapter(tmp_path / "0" / "adapter")
    assert losses(kind, adapter=True) == pytest.approx(tuned, abs=1e-4)
    assert losses(kind, adapter=False) == before
    kind.load_adapter(tmp_path / "1" / "adapter")
    assert losses(kind, adapter=False) == before
    kind.drop_adapter()
    assert losses(kind, adapter=False) == before


def test_an_encoder_decoder_too(tiny_t5: Path, tmp_path: Path) -> None:
    lora = {"r": 4, "target_modules": ["q"], "bias": "all", "modules_to_save": ["lm_head"]}
    kind = pairs.make(tiny_t5, lora=lora)
    before = losses(kind, adapter=False, of=pairs)
    first = train(kind, tmp_path / "0", pairs)
    assert losses(kind, adapter=False, of=pairs) == before
    assert train(kind, tmp_path / "1", pairs) == first


def test_plain_peft_reads_an_adapter_that_started_from_the_base(
    tiny_llama: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    kind = decoder(tiny_llama, FORMS["principal values"])
    train(kind, tmp_path)
    ids = torch.randint(5, 200, (2, 9), generator=torch.Generator().manual_seed(0))
    base = AutoModelForCausalLM.from_pretrained(tiny_llama)
    plain = PeftModel.from_pretrained(base, str(tmp_path / "adapter")).eval()
    with torch.inference_mode():
        trained, read = kind.model(input_ids=ids).logits, plain(input_ids=ids).logits
    torch.testing.assert_close(read, trained, rtol=0, atol=1e-3)


def test_a_resumed_start_gives_the_same_adapter(tiny_llama: Path, tmp_path: Path) -> None:
    whole = train(decoder(tiny_llama, FORMS["principal values"]), tmp_path / "whole")

    def die(step: int, steps: int, tokens: int) -> None:
        if step == 3:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        train(decoder(tiny_llama, FORMS["principal values"]), tmp_path / "parts", on_step=die)
    assert train(decoder(tiny_llama, FORMS["principal values"]), tmp_path / "parts") == whole


def test_the_base_in_a_batch_with_the_adapter_has_its_own_biases(
    tiny_t5: Path, tmp_path: Path
) -> None:
    lora = {"r": 4, "target_modules": ["q"], "bias": "all"}
    kind = pairs.make(tiny_t5, lora=lora)
    prompt = kind.prompt(dict(pairs.rows(1)[0]))
    alone = kind.write_texts([prompt], [BASE], generation={"max_new_tokens": 6})[0].text
    train(kind, tmp_path, pairs)
    kind.load_adapter(tmp_path / "adapter")
    both = kind.write_texts([prompt] * 2, [BASE, "default"], generation={"max_new_tokens": 6})
    assert both[0].text == alone


# -- merged weights --------------------------------------------------------------------------------
def test_an_adapter_that_cannot_be_merged_is_scored_beside_the_weights(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = decoder(tiny_llama, {})
    train(kind, tmp_path)
    kind.load_adapter(tmp_path / "adapter")
    right = losses(kind, adapter=True)

    layer = kind.model.base_model.model.model.layers[0].self_attn.v_proj
    merge = layer.merge

    def wrong(*arguments: Any, **keywords: Any) -> None:
        merge(*arguments, **keywords)
        layer.base_layer.weight.data.mul_(50)

    monkeypatch.setattr(layer, "merge", wrong)
    assert losses(kind, adapter=True) != pytest.approx(right, abs=1e-3)  # was compared before
    notes: list[str] = []
    kind.on_note = notes.append
    kind.forget_comparison()
    assert losses(kind, adapter=True) == pytest.approx(right, abs=1e-5)
    assert losses(kind, adapter=True) == pytest.approx(right, abs=1e-5)
    assert len(notes) == 1 and "scored beside" in notes[0]


@pytest.mark.filterwarnings("ignore:Setting `save_embedding_layers`")  # PEFT, at checkpoints
def test_a_right_merge_is_within_the_tolerance(tiny_llama: Path, tmp_path: Path) -> None:
    kind = decoder(tiny_llama, {"target_modules": ["q_proj", "lm_head", "embed_tokens"]})
    train(kind, tmp_path)
    ids = torch.arange(5, 25)[None]

    def logits() -> torch.Tensor:
        with torch.inference_mode():
            found: torch.Tensor = kind.model(input_ids=ids).logits
            return found

    assert agreement.merges_exactly(kind.model, logits)


@pytest.mark.parametrize("field", ["bias", "modules_to_save", "use_dora"])
def test_an_ensemble_of_what_cannot_be_averaged_is_refused(
    field: str, tiny_llama: Path, tmp_path: Path
) -> None:
    value = {"bias": "all", "modules_to_save": ["norm"], "use_dora": True}[field]
    kind = decoder(tiny_llama, {field: value})
    kind.task.options["ensemble"] = 2
    with pytest.raises(RecipeError, match=f"task.ensemble does not go with lora.{field}"):
        train(kind, tmp_path)
