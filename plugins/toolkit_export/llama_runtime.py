"""llama.cpp in the place of a transformers model: it computes the logits of a GGUF file.

Everything else is the toolkit's, as for any model: prompts, decoding, scoring. What transformers
keeps as keys and values are here the tokens alone: llama.cpp has its own cache, of what it has read
last. So rows are best asked one after the other, each to its end.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.errors import ModelError
from toolkit.system import upstream

ROOM = 512
"""Tokens that there is room for at first."""
AT_ONCE = 256
"""Tokens of one pass."""


def installed() -> bool:
    """Whether llama.cpp is there, by the package ``llama-cpp-python``."""
    return find_spec("llama_cpp") is not None


def version() -> str:
    """What has computed, in words."""
    return f"llama.cpp, by llama-cpp-python {importlib.metadata.version('llama-cpp-python')}"


class Session:
    """A file that llama.cpp has opened.

    Args:
        file: a GGUF file.

    Raises:
        ModelError: llama.cpp does not open it.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._read: list[int] = []
        self._open(ROOM)

    def _open(self, room: int) -> None:
        import llama_cpp
        import torch

        try:
            self._llama = llama_cpp.Llama(
                str(self.file), n_ctx=room, n_batch=min(AT_ONCE, room), logits_all=True,
                n_threads=torch.get_num_threads(), n_threads_batch=torch.get_num_threads(),
                # Judged is the file, and not how a cache of 16 bits rounds.
                type_k=llama_cpp.GGML_TYPE_F32, type_v=llama_cpp.GGML_TYPE_F32, verbose=False,
            )  # fmt: skip
        except (ValueError, RuntimeError, AssertionError, OSError) as error:
            reason = " ".join(str(error).split())[:300]
            raise ModelError(f"llama.cpp does not open {self.file.name}: {reason}") from error
        self._room, self._read = room, []

    def logits(self, tokens: Sequence[int], keep: int) -> np.ndarray:
        """The logits behind the last tokens of a text.

        Args:
            tokens: ids of the whole text.
            keep: behind how many of them.

        Returns:
            float32 of shape (keep, vocabulary).
        """
        if len(tokens) > self._room:
            self._open(max(len(tokens), 2 * self._room))
        known = 0
        for before, now in zip(self._read, tokens, strict=False):
            if before != now:
                break
            known += 1
        known = min(known, len(tokens) - keep)
        self._llama.n_tokens = known  # what was read behind it is forgotten
        self._llama.eval(list(tokens[known:]))
        self._read = list(tokens)
        found: np.ndarray = self._llama.scores[len(tokens) - keep : len(tokens)]
        return np.array(found, dtype=np.float32)

    def tokens(self, text: str) -> list[int]:
        """A text as llama.cpp reads it, control tokens as such, without one that begins it."""
        found: list[int] = self._llama.tokenize(
            text.encode("utf-8", "surrogatepass"), add_bos=False, special=True
        )
        return found

    def ends(self) -> list[int]:
        """Ids of the tokens at which llama.cpp ends a text."""
        import llama_cpp

        vocabulary = llama_cpp.llama_model_get_vocab(self._llama.model)
        return [
            token
            for token in range(self._llama.n_vocab())
            if llama_cpp.llama_vocab_is_eog(vocabulary, token)
        ]

    def close(self) -> None:
        """Free its memory."""
        self._llama.close()


def model_of(session: Any, folder: Path) -> Any:
    """A session as a causal language model of transformers, which computes and generates.

    Args:
        session: a :class:`Session`, or what computes logits as it does.
        folder: the configuration of the same model in transformers.
    """
    import torch
    from transformers import AutoConfig, GenerationMixin, PreTrainedModel
    from transformers.cache_utils import Cache
    from transformers.modeling_outputs import CausalLMOutputWithPast

    config = AutoConfig.from_pretrained(str(folder))

    class Tokens(Cache):  # type: ignore[misc]
        """The tokens that were read, shape (rows, length), and which of them count."""

        # Without layers it would count as one of those whose length nobody knows.
        is_compileable, is_linear = False, (False,)

        def __init__(self, ids: Any, mask: Any) -> None:
            super().__init__(layers=[])
            self.ids, self.mask = ids, mask

        def get_seq_length(self, *ignored: Any, **more: Any) -> int:
            return int(self.ids.shape[1])

        def batch_repeat_interleave(self, repeats: int) -> None:
            self.ids = self.ids.repeat_interleave(repeats, 0)
            self.mask = self.mask.repeat_interleave(repeats, 0)

        def batch_select_indices(self, indices: Any) -> None:
            self.ids, self.mask = self.ids[indices], self.mask[indices]

        reorder_cache = batch_select_indices

    class LlamaCpp(PreTrainedModel, GenerationMixin):  # type: ignore[misc]
        """A causal language model without weights of its own."""

        config_class = type(config)
        one_by_one = True

        def __init__(self) -> None:
            super().__init__(config)
            self.place = torch.nn.Parameter(torch.zeros(1), requires_grad=False)

        def forward(
            self, input_ids: Any, attention_mask: Any = None, logits_to_keep: int = 0,
            use_cache: bool = False, **more: Any,
        ) -> Any:  # fmt: skip
            given = more.get("cache", more.get("past_key_values"))
            ids, new = input_ids, input_ids.shape[1]
            if isinstance(given, Tokens):
                ids = torch.cat([given.ids, input_ids], 1)
            mask = torch.ones_like(ids) if attention_mask is None else attention_mask
            if mask.shape != ids.shape:
                raise NotImplementedError("llama.cpp takes no mask of its own")
            keep = min(new, logits_to_keep or new)
            logits = torch.zeros(ids.shape[0], keep, config.vocab_size)
            for row, (text, counts) in enumerate(zip(ids.tolist(), mask.bool(), strict=True)):
                places = [at for at in range(ids.shape[1] - keep, ids.shape[1]) if counts[at]]
                if not places:
                    continue
                # Padding is not read; behind the last kept place nothing is.
                read = [token for token, one in zip(text, counts.tolist(), strict=True) if one]
                found = session.logits(read, int(counts[places[0] :].sum()))
                at = torch.tensor(places) - (ids.shape[1] - keep)
                logits[row, at] = torch.from_numpy(found[: len(places)])
            return CausalLMOutputWithPast(logits=logits, **upstream.cached(Tokens(ids, mask)))

    model = LlamaCpp()
    model.eval()
    return model
