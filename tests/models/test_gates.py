"""A gated model: one sentence that says how to get it."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import ModelError
from toolkit.models import gates, loading

REFUSED = (
    "You are trying to access a gated repo.\nMake sure to have access to it at "
    "https://huggingface.co/meta-llama/Llama-3.1-8B.\n401 Client Error."
)


def test_a_gated_model_is_told_from_one_that_is_missing() -> None:
    inside = OSError("cannot be read")
    inside.__cause__ = OSError(REFUSED)
    assert gates.behind(OSError(REFUSED)) and gates.behind(inside)
    assert not gates.behind(OSError("no file named config.json"))


def test_who_may_not_read_a_model_is_told_to_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(REFUSED)

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", refuse)
    with pytest.raises(ModelError) as caught:
        loading.load_tokenizer("meta-llama/Llama-3.1-8B")
    said = str(caught.value)
    assert said == f"cannot load the tokenizer of 'meta-llama/Llama-3.1-8B': {gates.LOGIN}"
    assert "hf auth login" in said and "HF_TOKEN" in said
