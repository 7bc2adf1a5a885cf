"""The only function that generates text, for both language kinds, evaluation, chat and serving."""

from __future__ import annotations

import copy
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from toolkit.errors import UsageError
from toolkit.kinds.base import Progress
from toolkit.kinds.batching import batch_tokens, batches, padded
from toolkit.kinds.cpu_matmul import few_rows
from toolkit.kinds.language.outputs import Generated
from toolkit.kinds.watching import Watch
from toolkit.models import limits as model_limits
from toolkit.models.limits import Limits, ids_of
from toolkit.system import upstream

SHORT_ANSWER = 8
"""Up to this many tokens, reading the prompts takes most of an answer's time."""
LONG_ANSWERS = 4
"""The factor by which batches are larger for longer answers."""
SHARED_WORTH = 8
"""Tokens that prompts must share at least for their beginning to be encoded once for all."""


def shared_length(prompts: Sequence[Sequence[int]]) -> int:
    """How many tokens all prompts begin with; each keeps at least one token of its own."""
    if len(prompts) < 2:
        return 0
    # What the first and the last prompt in lexical order share, all prompts between them share.
    first, last = min(map(list, prompts)), max(map(list, prompts))
    limit = min(len(p) for p in prompts) - 1
    length = next((i for i in range(limit) if first[i] != last[i]), max(0, limit))
    return length if length >= SHARED_WORTH else 0


class Beginning:
    """The common beginning of all prompts of a call, encoded once, such as solved examples.

    Args:
        model: a causal LM.
        prompts: token ids, one list a prompt.
    """

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]]) -> None:
        length = shared_length(prompts)
        self.ids = list(prompts[0][:length]) if length else []
        self._cache = self._encode(model) if length else None
        if self._cache is None:
            self.ids = []

    def _encode(self, model: Any) -> Any | None:
        import torch
        from transformers.cache_utils import DynamicLayer

        with torch.inference_mode():
            ids = torch.tensor([self.ids], device=model.device)
            cache = upstream.cache_of(model(input_ids=ids, use_cache=True, logits_to_keep=1))
        # Sliding windows and recurrent states depend on where the padding of a batch falls.
        plain = all(type(layer) is DynamicLayer for layer in getattr(cache, "layers", [None]))
        return cache if plain else None

    def cache(self, rows: int) -> Any | None:
        """A key-value cache of the beginning for that many rows; ``None`` where there is none."""
        if self._cache is None:
            return None
        cache = copy.deepcopy(self._cache)
        cache.batch_repeat_interleave(rows)
        return cache

    def pad(
        self, prompts: Sequence[Sequence[int]], pad: int, device: Any, *, right: bool = False
    ) -> tuple[Any, Any]:
        """As :func:`padded`, with the padding between the beginning and the rest."""
        import torch

        ids, mask = padded([p[len(self.ids) :] for p in prompts], pad, device, right=right)
        if not self.ids:
            return ids, mask
        before = torch.tensor([self.ids], device=device).expand(len(prompts), -1)
        return torch.cat([before, ids], 1), torch.cat([torch.ones_like(before), mask], 1)


def generate(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    *,
    generation: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    adapters: Sequence[str] | None = None,
    watch: Watch | None = None,
    limits: Sequence[int | None] | None = None,
    bounds: Limits | None = None,
) -> list[Generated]:
    """Continue each prompt; only the continuation comes back.

    A text ends at the first of the model's stop tokens. Where prompt and answer together would
    leave the model's positions, there is room for fewer new tokens.

    Args:
        model: a causal LM or an encoder–decoder, with or without an active adapter.
        tokenizer: its tokenizer.
        prompts: token ids, one list a prompt.
        generation: fields of ``GenerationConfig``; greedy and 64 new tokens unless given.
        progress: called with (done, total).
        adapters: the name of each prompt's adapter on a ``PeftModel``, ``__base__`` for none; all
            in one batch. ``None``: the active adapter.
        watch: follows the tokens as they are written, and may stop them.
        limits: for each prompt the most new tokens, below those of ``generation``; prompts with
            the same limit are answered together.
        bounds: the stop tokens and positions of the model; by default as the model in memory has
            them.

    Raises:
        UsageError: a prompt leaves no room for an answer.
        ValueError: a watch, which follows one text a prompt, with several beams.
    """
    import torch
    from transformers import GenerationConfig

    bounds = bounds or model_limits.of_model(model, tokenizer)
    config = GenerationConfig(
        **{
            "max_new_tokens": 64,
            "do_sample": False,
            # One text a prompt, and nothing else, whatever the model's own configuration says.
            "num_return_sequences": 1,
            "return_dict_in_generate": False,
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": list(bounds.stops) or None,
            **(generation or {}),
        }
    )
    own = getattr(model, "generation_config", None)
    copies = int(_setting("num_beams", config, own) or 1)
    if watch is not None and copies > 1:
        raise ValueError("a watch follows one text a prompt, and beams are several")
    stops = frozenset(ids_of(config.eos_token_id))
    results: list[Generated | None] = [None] * len(prompts)
    apart = bool(model.config.is_encoder_decoder)  # the prompt is not part of what is written
    limits = [
        model_limits.smallest(room, *([limit] if limit else []))
        for room, limit in zip(
            _rooms(prompts, bounds, apart), limits or [None] * len(prompts), strict=True
        )
    ]
    forced = bool(ids_of(getattr(own, "forced_eos_token_id", None)))
    # States of the same beginning differ between adapters, and in an encoder with what follows.
    shares = adapters is None and not apart and _takes_states(config, own)
    beginning = Beginning(model, prompts if shares else [])
    room = max(1, batch_tokens(model) // copies)
    done = 0
    for limit, batch in _planned(prompts, limits, config.max_new_tokens, room):
        settings = copy.copy(config)
        settings.max_new_tokens = limit
        if settings.min_new_tokens is not None:
            settings.min_new_tokens = min(settings.min_new_tokens, limit)
        started = time.perf_counter()
        ids, mask = beginning.pad(
            [prompts[i] for i in batch], tokenizer.pad_token_id, model.device, right=apart
        )
        extra: dict[str, Any] = {}
        if (cache := beginning.cache(len(batch) * copies)) is not None:
            extra |= upstream.cached(cache)
        if adapters is not None:
            extra["adapter_names"] = [adapters[i] for i in batch]
        if _setting("stop_strings", config, own):
            extra["tokenizer"] = tokenizer
        read = 1 if apart else ids.shape[1]  # a decoder begins with its start token
        follower = None
        if watch is not None:
            from toolkit.kinds.language.streaming import Follower

            follower = Follower(watch, batch, stops, read)
            extra |= follower.arguments()
        with torch.inference_mode(), few_rows(model):
            out = model.generate(
                input_ids=ids,
                attention_mask=mask,
                generation_config=settings,
                **extra,
            )
        share = (time.perf_counter() - started) / len(batch)
        written = out[:, read:].tolist()
        if follower is not None:  # behind a text that the watch has ended there is padding
            written = [new[:n] for new, n in zip(written, follower.tokens, strict=True)]
        for i, new in zip(batch, written, strict=True):
            results[i] = _result(tokenizer, new, limit, share, stops, forced)
        done += len(batch)
        if progress:
            progress(done, len(prompts))
    return [r for r in results if r is not None]


def _setting(name: str, config: Any, own: Any) -> Any:
    """A setting of the call, or else the model's own, as transformers takes it."""
    value = getattr(config, name, None)
    return getattr(own, name, None) if value is None else value


def _takes_states(config: Any, own: Any) -> bool:
    """Whether generation goes on from states of the beginning, instead of making its own."""
    return (
        _setting("use_cache", config, own) is not False
        and _setting("cache_implementation", config, own) is None
        # Guidance reads the prompt's last token alone too, which states of the rest would spoil.
        and _setting("guidance_scale", config, own) in (None, 1)
    )


def _rooms(prompts: Sequence[Sequence[int]], bounds: Limits, apart: bool) -> list[int | None]:
    """For each prompt the most new tokens that the model has positions for.

    Raises:
        UsageError: there is none for one of them.
    """
    if bounds.positions is None:
        return [None] * len(prompts)
    longest = max(map(len, prompts), default=0)
    if longest + (not apart) > bounds.positions:
        raise UsageError(
            f"a prompt of {longest:,} tokens leaves no room for an answer: the model has positions "
            f"for {bounds.positions:,} tokens; shorten it"
        )
    if apart:
        most = bounds.answer_positions
        return [None if most is None else most - 1] * len(prompts)  # one is the start token's
    return [bounds.positions - len(prompt) for prompt in prompts]


def _planned(
    prompts: Sequence[Sequence[int]],
    limits: Sequence[int | None] | None,
    most: int,
    tokens: int,
) -> Iterator[tuple[int, list[int]]]:
    """For each batch the most new tokens, and the indices of its prompts."""
    groups: dict[int, list[int]] = {}
    for place in range(len(prompts)):
        wanted = limits[place] if limits is not None else None
        groups.setdefault(min(most, wanted or most), []).append(place)
    for limit, places in groups.items():
        # A long answer takes most of its time in steps, which cost little more for larger batches.
        room = tokens * LONG_ANSWERS if limit > SHORT_ANSWER else tokens
        for batch in batches([len(prompts[place]) for place in places], room):
            yield limit, [places[i] for i in batch]


def _result(
    tokenizer: Any,
    new: Sequence[int],
    limit: int,
    seconds: float,
    stops: Collection[int],
    forced: bool,
) -> Generated:
    """What a row's new tokens are, up to the first stop token.

    Args:
        tokenizer: decodes them.
        new: the tokens, with the padding that follows where other rows were longer.
        limit: the most new tokens.
        seconds: the row's share of the time.
        stops: ids of the tokens that end a text.
        forced: the last token at the limit is an end that the model did not choose.
    """
    end = next((at for at, token in enumerate(new) if token in stops), None)
    kept = list(new[:end])
    chosen = end is not None and not (forced and end == limit - 1)
    return Generated(
        text=tokenizer.decode(kept, skip_special_tokens=True),
        tokens=len(kept) + (end is not None),
        hit_limit=not chosen and len(new) >= limit,
        seconds=seconds,
    )
