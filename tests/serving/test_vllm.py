"""Which adapters vLLM does not take, by its own sources."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit_serving.vllm import refusal

PLAIN: dict[str, Any] = {"peft_type": "LORA", "r": 16, "lora_alpha": 32, "bias": "none"}


def test_plain_adapters_are_taken() -> None:
    for extra in ({}, {"use_rslora": True}, {"r": 512}, {"rank_pattern": {}, "use_dora": False}):
        assert refusal({**PLAIN, **extra}) == ""


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "biases"),
        ({"lora_bias": True}, "biases"),
        ({"r": 513}, "512"),
        ({"rank_pattern": {"q_proj": 8}}, "rank_pattern"),
        ({"alpha_pattern": {"q_proj": 8}}, "alpha_pattern"),
        ({"trainable_token_indices": [5]}, "single tokens"),
        ({"target_parameters": ["experts.down"]}, "experts"),
        ({"peft_type": "IA3"}, "IA3"),
    ],
)
def test_what_it_refuses_or_would_pass_over(extra: dict[str, Any], reason: str) -> None:
    assert reason in refusal({**PLAIN, **extra})
