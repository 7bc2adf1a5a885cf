"""How a text and its target become tokens of an encoder–decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.errors import PreflightError
from toolkit.kinds.language.prompt import Renderer


class Seq2SeqRenderer(Renderer):
    """See :class:`~toolkit.kinds.language.prompt.Renderer`; the encoder reads the prompt.

    Args:
        tokenizer: a transformers tokenizer with an end-of-sequence token.
        limit: the most tokens of a target, EOS included; further ones are left out.
    """

    def __init__(self, tokenizer: Any, limit: int | None = None) -> None:
        super().__init__(tokenizer)
        self.limit = limit

    def prompt(self, example: Mapping[str, Any]) -> list[int]:
        """Token ids of the text, with the special tokens that the tokenizer gives it."""
        if "text" not in example:  # a conversation
            return super().prompt(example)
        return list(self.tokenizer(example["text"], verbose=False)["input_ids"])

    def whole_target(self, example: Mapping[str, Any]) -> list[int]:
        """Token ids of the target, ending with EOS, of any length."""
        ids = self.tokenizer(text_target=example["text_target"], verbose=False)["input_ids"]
        return [*self._strip_eos(ids), self.tokenizer.eos_token_id]

    def completion(self, example: Mapping[str, Any], prompt: Sequence[int]) -> list[int]:
        """Token ids of the target within the limit, ending with EOS."""
        ids = self.whole_target(example)
        if self.limit is not None and len(ids) > self.limit:
            ids = [*ids[: self.limit - 1], ids[-1]]
        return ids

    def example(self, example: Mapping[str, Any]) -> tuple[list[int], list[int]]:
        """Token ids of the text, and those of the target with EOS, which are the labels."""
        prompt = self.prompt(example)
        return prompt, self.completion(example, prompt)

    def explain(self, example: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The tokens of text and target, each as text, and whether the loss includes it."""
        read, wanted = self.example(example)
        return [
            {"text": text, "loss": loss}
            for ids, loss in ((read, False), (wanted, True))
            for text in self.tokenizer.batch_decode([[i] for i in ids])
        ]

    def passages(self, example: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The text, which the encoder reads, and the target, which the loss includes."""
        read, wanted = self.example(example)
        return self._passages([*read, *wanted], [False] * len(read) + [True] * len(wanted))

    def check(self, example: Mapping[str, Any]) -> None:
        """Check what must hold for every example; raises :class:`PreflightError`.

        The target's tokens decode to the target, white space aside, and end with EOS, which is not
        also the padding.
        """
        tokenizer = self.tokenizer
        ids = self.whole_target(example)
        got = tokenizer.decode(ids[:-1], skip_special_tokens=True)
        if got.split() != str(example["text_target"]).split():
            raise PreflightError(
                f"the target's tokens decode to {got!r}, the target is "
                f"{example['text_target']!r}: this tokenizer does not keep the text; use another "
                "model or target"
            )
        if tokenizer.pad_token_id == tokenizer.eos_token_id:
            raise PreflightError("padding and end-of-sequence are the same token")
