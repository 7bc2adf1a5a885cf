"""The only place where prompts become tokens, for training, evaluation, playground and serving.

Where a prompt is rendered in several places, these drift apart, and accuracy can fall by half
unnoticed. Here :class:`Renderer` renders all prompts.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.errors import ModelError, PreflightError

IGNORED = -100

PLAIN_CHAT = (
    "{{ bos_token or '' }}{% for m in messages %}{{ '' if loop.first else '\n' }}"
    "{{ m.role | capitalize }}: {{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '\n' }}Assistant:{% endif %}"
)
"""The chat template for tokenizers that have none: one line for each message.

It is set on the tokenizer, and so is saved with the adapter.
"""


class Renderer:
    """Prompts and completions as token ids, for one tokenizer.

    Args:
        tokenizer: a transformers tokenizer with an end-of-sequence token.
    """

    def __init__(self, tokenizer: Any) -> None:
        if tokenizer.eos_token_id is None:
            raise ModelError("the tokenizer has no end-of-sequence token; a model would never stop")
        self.tokenizer = tokenizer

    def prompt(self, example: Mapping[str, Any]) -> list[int]:
        """Token ids of the prompt, with at most one BOS and no EOS, shape (tokens,)."""
        prompt = example["prompt"]
        if isinstance(prompt, str):
            return self._strip_eos(self.tokenizer(prompt)["input_ids"])
        return self._rendered(prompt, add_generation_prompt=True)

    def _rendered(self, messages: Sequence[Any], *, add_generation_prompt: bool) -> list[int]:
        """Messages as token ids, by the model's chat template or a plain one."""
        if self.tokenizer.chat_template is None:
            self.tokenizer.chat_template = PLAIN_CHAT
        rendered = self.tokenizer.apply_chat_template(
            list(messages),
            add_generation_prompt=add_generation_prompt,
            tokenize=True,
            return_dict=True,
        )
        return list(rendered["input_ids"])

    def example(self, example: Mapping[str, Any]) -> tuple[list[int], list[int]]:
        """Token ids and labels of prompt + completion + EOS; labels are -100 on the prompt."""
        prompt = self.prompt(example)
        completion = self.completion(example, prompt)
        return prompt + completion, [IGNORED] * len(prompt) + completion

    def completion(self, example: Mapping[str, Any], prompt: Sequence[int]) -> list[int]:
        """Token ids of the completion that follows the prompt's, ending with EOS."""
        if isinstance(example["prompt"], str):
            ids = self.continuation(example["prompt"], example["completion"], prompt)
        else:
            ids = self._answer(example["prompt"], example["completion"], prompt)
        eos = self.tokenizer.eos_token_id
        # A chat template may put a newline behind its end-of-turn token; the model stops before.
        if eos in ids:
            ids = ids[: ids.index(eos)]
        return [*ids, eos]

    def _answer(
        self, before: Sequence[Any], answer: Sequence[Any], prompt: Sequence[int]
    ) -> list[int]:
        """Token ids of the messages of the answer, without those of the messages before."""
        full = self._rendered([*before, *answer], add_generation_prompt=False)
        if full[: len(prompt)] == list(prompt):
            return full[len(prompt) :]
        # A token spans the border; as in continuation(), the answer is tokenized by itself.
        shown, whole = (
            self.tokenizer.apply_chat_template(
                list(messages), add_generation_prompt=generation_prompt, tokenize=False
            )
            for messages, generation_prompt in ((before, True), ([*before, *answer], False))
        )
        if not whole.startswith(shown):
            return full[len(prompt) :]
        rest = whole[len(shown) :]
        return list(self.tokenizer(rest, add_special_tokens=False)["input_ids"])

    def continuation(self, prompt: str, completion: str, prompt_ids: Sequence[int]) -> list[int]:
        """Token ids of a completion as it continues a prompt's ids, without EOS.

        Both are tokenized together where that leaves the prompt's tokens as they are, so that a
        completion gets the tokens that it has in running text. Where a token would span the border,
        the completion is tokenized by itself: in prediction the model gets exactly these prompt
        ids.
        """
        full = self._strip_eos(self.tokenizer(prompt + completion)["input_ids"])
        if full[: len(prompt_ids)] == list(prompt_ids):
            return full[len(prompt_ids) :]
        return list(self.tokenizer(completion, add_special_tokens=False)["input_ids"])

    def explain(self, example: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Each token's text, and whether the loss includes it."""
        ids, labels = self.example(example)
        texts = self.tokenizer.batch_decode([[i] for i in ids])
        return [{"text": t, "loss": b != IGNORED} for t, b in zip(texts, labels, strict=True)]

    def passages(self, example: Mapping[str, Any]) -> list[dict[str, Any]]:
        """As :meth:`explain`, but tokens that are treated alike are decoded together.

        A letter of several bytes can be several tokens, which say nothing one by one.
        """
        ids, labels = self.example(example)
        return self._passages(ids, [label != IGNORED for label in labels])

    def _passages(self, ids: Sequence[int], losses: Sequence[bool]) -> list[dict[str, Any]]:
        unknown = self.tokenizer.unk_token_id

        def alike(token: tuple[int, bool]) -> tuple[bool, bool]:
            return token[1], unknown is not None and token[0] == unknown

        return [
            {"text": self.tokenizer.decode([i for i, _ in run]), "loss": loss, "unknown": unread}
            for (loss, unread), run in itertools.groupby(zip(ids, losses, strict=True), alike)
        ]

    def check(self, example: Mapping[str, Any]) -> None:
        """Check what must hold for every example; raises :class:`PreflightError`.

        The labelled tokens decode to the completion and end with EOS, EOS is not also the padding,
        and there is at most one BOS.
        """
        tokenizer = self.tokenizer
        ids, labels = self.example(example)
        labelled = [i for i in labels if i != IGNORED]
        if labelled[-1:] != [tokenizer.eos_token_id]:
            raise PreflightError("the completion does not end with the end-of-sequence token")
        wanted = example["completion"]
        wanted = wanted if isinstance(wanted, str) else str(wanted[-1]["content"])
        got = tokenizer.decode(labelled[:-1], skip_special_tokens=True)
        if got.strip() != wanted.strip():
            raise PreflightError(
                f"the labelled tokens decode to {got!r}, the completion is {wanted!r}: this "
                "tokenizer does not keep the text; use another model or completion"
            )
        if tokenizer.pad_token_id == tokenizer.eos_token_id:
            raise PreflightError("padding and end-of-sequence are the same token")
        bos = tokenizer.bos_token_id
        if bos is not None and bos != tokenizer.eos_token_id and ids.count(bos) > 1:
            raise PreflightError(f"the prompt begins with {ids.count(bos)} BOS tokens")

    def digest(self, prompts: Sequence[Sequence[int]]) -> str:
        """A hash of rendered prompts, stored with an adapter: another rendering is refused."""
        return hashlib.sha256(json.dumps([list(p) for p in prompts]).encode()).hexdigest()

    def _strip_eos(self, ids: Sequence[int]) -> list[int]:
        ids = list(ids)
        if ids and ids[-1] == self.tokenizer.eos_token_id and len(ids) > 1:
            return ids[:-1]
        return ids
