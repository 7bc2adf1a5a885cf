"""Nothing of an adapter stays in its base: beside it, after it, and for the next training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel

from toolkit.models import adapters, base_weights
from toolkit.models.loading import LoadRequest, load_model, load_tokenizer

CLASSES = {"CAUSAL_LM": "AutoModelForCausalLM", "SEQ_2_SEQ_LM": "AutoModelForSeq2SeqLM"}
FORMS: dict[str, dict[str, Any]] = {
    "all biases": {"bias": "all"},
    "biases of its layers": {"bias": "lora_only"},
    "a bias of its own": {"lora_bias": True},
    "biases and a whole module": {"bias": "all", "modules_to_save": ["lm_head"]},
}


@pytest.fixture(scope="module")
def biased(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A decoder whose layers have biases."""
    from toolkit.testing import models

    return models.phi(tmp_path_factory.mktemp("phi"))


def made(folder: Path, task_type: str) -> Any:
    return load_model(LoadRequest(CLASSES[task_type], str(folder), init={"dtype": "float32"}))


def logits(model: Any) -> torch.Tensor:
    ids = torch.randint(5, 60, (2, 12), generator=torch.Generator().manual_seed(0))
    inputs = {"input_ids": ids}
    if getattr(model.config, "is_encoder_decoder", False):
        inputs["decoder_input_ids"] = ids[:, :4]
    with torch.inference_mode():
        found: torch.Tensor = model(**inputs).logits
        return found.clone()


def train(model: Any) -> None:
    """Change all that is trained, as a training would."""
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.add_(torch.randn_like(weight) * 0.05)


@pytest.mark.filterwarnings("ignore:Adapter 'default'.*invalid shape")  # PEFT of lora_bias
@pytest.mark.parametrize("form", FORMS)
def test_the_base_is_untouched_beside_and_after_an_adapter(
    form: str, biased: Path, tmp_path: Path
) -> None:
    base = made(biased, "CAUSAL_LM")
    plain, before = logits(base), {k: v.clone() for k, v in base.state_dict().items()}
    for _ in range(2):  # as two training seeds follow each other
        fields = {"r": 4, "target_modules": ["q_proj", "v_proj"], **FORMS[form]}
        model = adapters.add_lora(base, fields, seed=0, task_type="CAUSAL_LM").eval()
        torch.testing.assert_close(logits(model), plain, rtol=0, atol=1e-6)
        train(model)
        tuned = logits(model)
        assert float((tuned - plain).abs().max()) > 1e-3
        with base_weights.untouched(model):
            assert torch.equal(logits(model), plain)
        with adapters.merged(model):
            torch.testing.assert_close(logits(model), tuned, rtol=1e-4, atol=1e-5)
        assert torch.equal(logits(model), tuned)
        adapters.save_adapter(model, load_tokenizer(str(biased)), tmp_path / "adapter", {})
        base = base_weights.removed(model)
        assert torch.equal(logits(base), plain)
        assert all(torch.equal(v, before[k]) for k, v in base.state_dict().items())

    loaded = adapters.attach_adapter(base, tmp_path / "adapter")
    torch.testing.assert_close(logits(loaded), tuned, rtol=0, atol=1e-6)
    with base_weights.untouched(loaded):
        assert torch.equal(logits(loaded), plain)
    assert torch.equal(logits(base_weights.removed(loaded)), plain)
    by_peft = PeftModel.from_pretrained(made(biased, "CAUSAL_LM"), str(tmp_path / "adapter"))
    torch.testing.assert_close(logits(by_peft.eval()), tuned, rtol=0, atol=1e-3)


def test_an_encoder_decoder_keeps_its_table_of_positions(tiny_t5: Path) -> None:
    """PEFT takes whatever has "bias" in its name for a bias."""
    base = made(tiny_t5, "SEQ_2_SEQ_LM")
    plain = logits(base)
    fields = {"r": 4, "target_modules": ["q"], "bias": "all", "modules_to_save": ["shared"]}
    model = adapters.add_lora(base, fields, seed=0, task_type="SEQ_2_SEQ_LM").eval()
    train(model)
    with base_weights.untouched(model):
        assert torch.equal(logits(model), plain)
    assert torch.equal(logits(base_weights.removed(model)), plain)


def test_an_adapter_that_peft_itself_has_split_off_is_taken_out_again(
    biased: Path, tmp_path: Path
) -> None:
    """PEFT splits the base for it once more when it is loaded."""
    from peft import LoraConfig, get_peft_model

    theirs = get_peft_model(
        made(biased, "CAUSAL_LM"),
        LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights="pissa"),
    )
    train(theirs)
    theirs.save_pretrained(str(tmp_path / "adapter"))
    base = made(biased, "CAUSAL_LM")
    plain = logits(base)
    loaded = adapters.attach_adapter(base, tmp_path / "adapter")
    torch.testing.assert_close(logits(loaded), logits(theirs.eval()), rtol=0, atol=1e-3)
    with base_weights.untouched(loaded):
        assert torch.equal(logits(loaded), plain)
    assert torch.equal(logits(base_weights.removed(loaded)), plain)
