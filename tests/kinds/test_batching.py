"""How large batches are on a GPU."""

from __future__ import annotations

import pytest

from toolkit.kinds import batching
from toolkit.preparation.memory.meta_model import configuration

GIB = 2**30


@pytest.mark.parametrize(
    ("model", "gib", "tokens"),
    [
        # 32 layers with 8 heads of 128 keys and values: 128 KiB a token.
        ("meta-llama/Llama-3.1-8B", 16, 8_192),
        # 32 heads of 80 each: 320 KiB a token, in a sixteenth of the memory.
        ("microsoft/phi-2", 16, 3_276),
        ("microsoft/phi-2", 80, 16_384),
        ("microsoft/phi-2", 2, batching.CPU_BATCH_TOKENS),
        ("bert-base-uncased", 16, 8_192),
        ("google/flan-t5-base", 80, batching.BATCH_TOKENS),
    ],
)
def test_batches_leave_room_for_keys_and_values(model: str, gib: int, tokens: int) -> None:
    assert batching.gpu_batch_tokens(gib * GIB, configuration(model)) == tokens
