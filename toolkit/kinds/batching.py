"""Rows in batches for prediction: of similar length, with bounded memory, padded on either side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.system import device as devices

if TYPE_CHECKING:
    import torch

BATCH_TOKENS = 16_384
"""Padded tokens of a batch; bounds the memory of scoring for rows of any length."""
CPU_BATCH_TOKENS = 2_048
"""On a CPU larger batches are slower: the values between layers no longer fit into its caches."""
MAX_BATCH = 128


TOKENS_PER_GIB = 512
"""Padded tokens of a batch for each GiB of a GPU's memory: a small one gets smaller batches."""
CACHE_SHARE = 16
"""The keys and values of a batch take at most one part in 16 of a GPU's memory."""


def batch_tokens(model: Any) -> int:
    """How many padded tokens a batch may have on the device of a model."""
    memory = devices.memory()
    if model.device.type == "cpu" or memory is None:
        return CPU_BATCH_TOKENS
    return gpu_batch_tokens(memory[1], model.config)


def gpu_batch_tokens(memory: int, config: Any) -> int:
    """How many padded tokens a batch may have on a GPU.

    Args:
        memory: all of the GPU's memory, in bytes.
        config: the model's configuration, which decides the size of a token's keys and values: a
            model that keeps those of all heads needs many times as much.
    """
    room = memory // CACHE_SHARE // cached_bytes(config)
    return max(CPU_BATCH_TOKENS, min(BATCH_TOKENS, memory // 2**30 * TOKENS_PER_GIB, room))


def cached_bytes(config: Any) -> int:
    """Bytes of a token's keys and values in all layers, at 16 bits a value."""
    config = config.get_text_config()
    heads = config.num_attention_heads
    kept = getattr(config, "num_key_value_heads", None) or heads
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    return 2 * 2 * int(config.num_hidden_layers) * int(kept) * int(size)


def rounded(length: int) -> int:
    """The length a batch is padded to, at least that of its longest row.

    A CPU prepares its kernels anew for every new shape, so only multiples of eight are used.
    """
    return max(8, -(-length // 8) * 8)


def batches(lengths: Sequence[int], tokens: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Indices in batches of similar length, longest first, so that memory peaks at the start.

    A batch has at most ``tokens`` tokens with its padding, or is a single row.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    start = 0
    while start < len(order):
        size = max(1, min(MAX_BATCH, tokens // rounded(lengths[order[start]])))
        yield order[start : start + size]
        start += size


def padded(
    prompts: Sequence[Sequence[int]], pad: int, device: Any, *, right: bool = False
) -> tuple[Any, Any]:
    """Token ids and attention mask, each of shape (batch, longest).

    Args:
        prompts: token ids.
        pad: the padding token's id.
        device: where to put them.
        right: pad behind the prompts, as encoders need it, and not before them.
    """
    import torch

    longest = rounded(max(len(p) for p in prompts))
    ids = torch.full((len(prompts), longest), pad, dtype=torch.long)
    mask = torch.zeros((len(prompts), longest), dtype=torch.long)
    for i, prompt in enumerate(prompts):
        if prompt:
            place = slice(len(prompt)) if right else slice(longest - len(prompt), None)
            ids[i, place] = torch.tensor(prompt, dtype=torch.long)
            mask[i, place] = 1
    return ids.to(device), mask.to(device)


def pad_right(rows: Sequence[Mapping[str, Any]], pad: int) -> dict[str, torch.Tensor]:
    """An encoder's inputs, each of shape (batch, longest): ids, mask and, where given, segments.

    Args:
        rows: ``input_ids`` and, for models that read two texts, ``token_type_ids``.
        pad: the padding token's id.
    """
    import torch

    longest = rounded(max(len(r["input_ids"]) for r in rows))
    shape = (len(rows), longest)
    padded = {"input_ids": np.full(shape, pad, dtype=np.int64)}
    padded["attention_mask"] = np.zeros(shape, dtype=np.int64)
    if "token_type_ids" in rows[0]:
        padded["token_type_ids"] = np.zeros(shape, dtype=np.int64)
    for i, row in enumerate(rows):
        n = len(row["input_ids"])
        padded["attention_mask"][i, :n] = 1
        for name in padded.keys() - {"attention_mask"}:
            padded[name][i, :n] = row[name]
    return {name: torch.from_numpy(values) for name, values in padded.items()}
