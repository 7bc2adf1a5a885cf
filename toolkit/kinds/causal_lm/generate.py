"""The one generate function: evaluation, chat and serving all come here."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.kinds.base import Progress
from toolkit.kinds.batches import batches, pad_left
from toolkit.kinds.causal_lm import Generated


def generate(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    *,
    generation: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> list[Generated]:
    """Continue each prompt; only the continuation comes back.

    Args:
        model: a causal LM, with or without an active adapter.
        tokenizer: its tokenizer.
        prompts: token ids, one list a prompt.
        generation: fields of ``GenerationConfig``; greedy and 64 new tokens unless given.
        progress: called with (done, total).
    """
    import torch
    from transformers import GenerationConfig

    config = GenerationConfig(
        **{
            "max_new_tokens": 64,
            "do_sample": False,
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            **(generation or {}),
        }
    )
    results: list[Generated | None] = [None] * len(prompts)
    done = 0
    for batch in batches([len(p) for p in prompts]):
        started = time.perf_counter()
        ids, mask = pad_left([prompts[i] for i in batch], tokenizer.pad_token_id, model.device)
        with torch.inference_mode():
            out = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
        share = (time.perf_counter() - started) / len(batch)
        for i, new in zip(batch, out[:, ids.shape[1] :].tolist(), strict=True):
            results[i] = _result(tokenizer, new, config.max_new_tokens, share)
        done += len(batch)
        if progress:
            progress(done, len(prompts))
    return [r for r in results if r is not None]


def _result(tokenizer: Any, new: list[int], limit: int, seconds: float) -> Generated:
    ended = tokenizer.eos_token_id in new
    kept = new[: new.index(tokenizer.eos_token_id)] if ended else new
    text = tokenizer.decode(kept, skip_special_tokens=True)
    return Generated(
        text=text,
        tokens=len(kept) + ended,
        hit_limit=not ended and len(new) >= limit,
        seconds=seconds,
    )
