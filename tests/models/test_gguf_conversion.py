"""A model out of a GGUF file: its tokenizer from the file's fields, and SmolLM2 itself where it is.

The layout of the tokenizer is that of ``smollm`` in llama.cpp (``llama-vocab.cpp``): digits one by
one, then GPT-2's pattern.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from tokenizers import pre_tokenizers

from toolkit.errors import ModelError
from toolkit.models import gguf_conversion, limits, packaged

ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
CONTROLS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MERGES = ["Ġ Ġ", "Ġ t", "h e", "Ġt he", "c o"]
SAMPLES = (
    "Price is $1,250.00 and 1999.", "  12 apples\n\n 345", "def f(x):\n    return x+1  # ünï",
    "😀👩\u200d👩\u200d👧 ok 漢字 １２３ ½", "<|im_start|>user\nHi<|im_end|>\n",
    "It's we'll\t\ttabs   spaces   end  ", "a 1b2  3\n4", "",
)  # fmt: skip


def fields() -> dict[str, Any]:
    words = [*CONTROLS, *ALPHABET, *(merge.replace(" ", "") for merge in MERGES)]
    return {
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": words,
        "tokenizer.ggml.merges": MERGES,
        "tokenizer.ggml.token_type": [3] * 3 + [1] * (len(words) - 3),
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.padding_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.chat_template": "{{ messages[0]['content'] }}",
        "llama.context_length": 8192,
    }


def check_control_tokens(tokenizer: Any) -> None:
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id) == (1, 2, 0)
    assert tokenizer.eos_token == "<|im_end|>" and tokenizer.pad_token == "<|endoftext|>"
    assert tokenizer.model_max_length == 8192 and tokenizer.chat_template


def test_texts_end_with_the_files_own_token_and_padding_is_another() -> None:
    check_control_tokens(gguf_conversion.tokenizer(fields()))


@pytest.mark.parametrize("text", SAMPLES)
def test_every_text_comes_back(text: str) -> None:
    made = gguf_conversion.tokenizer(fields())
    assert made.decode(made(text)["input_ids"]) == text


def test_digits_stand_alone_and_spaces_before_them_together() -> None:
    made = gguf_conversion.tokenizer(fields())
    assert made.tokenize("  12 the") == ["ĠĠ", "1", "2", "Ġthe"]


def test_a_saved_tokenizer_reads_the_same(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    made = gguf_conversion.tokenizer(fields())
    made.save_pretrained(str(tmp_path))
    read = AutoTokenizer.from_pretrained(tmp_path)
    check_control_tokens(read)
    for text in SAMPLES:
        assert read(text)["input_ids"] == made(text)["input_ids"]


def test_another_layout_is_refused() -> None:
    with pytest.raises(ModelError, match="layout 'llama-bpe'"):
        gguf_conversion.tokenizer(fields() | {"tokenizer.ggml.pre": "llama-bpe"})


# -- SmolLM2 itself --------------------------------------------------------------------------------
NAME = "smollm2-135m"
needs_package = pytest.mark.skipif(
    any(importlib.util.find_spec(m) is None for m in ("gguf", packaged.NAMES[NAME].module)),
    reason=f"needs: {packaged.NAMES[NAME].install}",
)


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(packaged.VARIABLE, str(tmp_path_factory.mktemp("cache")))
        return packaged.path(NAME, say=lambda sentence: None)


@pytest.mark.slow
@needs_package
def test_a_conversion_shows_no_bar_of_transformers(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.find_spec(packaged.NAMES[NAME].module)
    assert spec is not None and spec.submodule_search_locations
    source = Path(spec.submodule_search_locations[0]) / packaged.NAMES[NAME].file
    gguf_conversion.convert(source, tmp_path)
    assert "GGUF tensors" not in capfd.readouterr().err


@pytest.mark.slow
@needs_package
def test_smollm2_is_what_its_file_says(smollm2: Path) -> None:
    """Its words are the file's, and its logits those of the file as transformers reads it."""
    import torch
    from gguf import GGUFReader
    from transformers import AutoModelForCausalLM, AutoTokenizer

    spec = importlib.util.find_spec(packaged.NAMES[NAME].module)
    assert spec is not None and spec.submodule_search_locations
    source = Path(spec.submodule_search_locations[0])
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    check_control_tokens(tokenizer)
    words = GGUFReader(str(source / packaged.NAMES[NAME].file)).fields["tokenizer.ggml.tokens"]
    assert tokenizer.convert_ids_to_tokens(range(49_152)) == words.contents()
    for text in SAMPLES:
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert tokenizer.tokenize("  12") == ["ĠĠ", "1", "2"]
    chat = tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False)
    assert chat.endswith("<|im_start|>user\nHi<|im_end|>\n")

    saved = AutoModelForCausalLM.from_pretrained(smollm2, dtype="auto")
    assert saved.dtype == torch.bfloat16
    read = AutoModelForCausalLM.from_pretrained(
        str(source), gguf_file=packaged.NAMES[NAME].file, dtype=torch.float32
    )
    for name, value in read.state_dict().items():
        assert saved.state_dict()[name].equal(value.to(torch.bfloat16)), name
    ids = torch.tensor([tokenizer("The capital of France is Paris, and Italy's is")["input_ids"]])
    with torch.inference_mode():
        exact, rounded = read(ids).logits, saved.float()(ids).logits
    assert (exact - rounded).abs().max() < 0.2  # of logits up to 30: what bfloat16 rounds
    assert tokenizer.decode(rounded[0, -1].argmax()) == " Rome"
    found = limits.read(str(smollm2), tokenizer)
    assert found.stops == (2,) and found.positions == 8192
