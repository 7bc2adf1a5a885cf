"""How a text and its target become tokens of an encoder–decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.formatting import differing
from toolkit.kinds.language.prompt import Renderer
from toolkit.models.limits import Limits


class Seq2SeqRenderer(Renderer):
    """See :class:`~toolkit.kinds.language.prompt.Renderer`; the encoder reads the prompt.

    Args:
        tokenizer: a transformers tokenizer.
        limit: the most tokens of a target, its end included; further ones are left out.
        limits: as for the base class.
    """

    def __init__(
        self, tokenizer: Any, limit: int | None = None, limits: Limits | None = None
    ) -> None:
        super().__init__(tokenizer, limits)
        self.limit = limit

    def prompt(self, example: Mapping[str, Any]) -> list[int]:
        """Token ids of the text, with the special tokens that the tokenizer gives it."""
        if "text" not in example:  # a conversation
            return super().prompt(example)
        return self.control.encode(example["text"])

    def whole_target(self, example: Mapping[str, Any]) -> list[int]:
        """Token ids of the target, ending with EOS, of any length."""
        ids = self.control.encode(example["text_target"], target=True)
        return [*self._strip_eos(ids), self.end]

    def whole(self, example: Mapping[str, Any], prompt: Sequence[int]) -> list[int]:
        return self.whole_target(example)

    def completion(self, example: Mapping[str, Any], prompt: Sequence[int]) -> list[int]:
        """Token ids of the target within the limit, ending with EOS."""
        ids = self.whole_target(example)
        if self.limit is not None and len(ids) > self.limit:
            ids = [*ids[: self.limit - 1], ids[-1]]
        return ids

    def example(
        self, example: Mapping[str, Any], *, last: bool = False
    ) -> tuple[list[int], list[int]]:
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

    def broken(
        self, example: Mapping[str, Any], prompt: Sequence[int], completion: Sequence[int]
    ) -> str:
        early = next((i for i in completion[1:-1] if i in self.stops), None)
        if early is None:
            return ""
        text = self.tokenizer.convert_ids_to_tokens(early)
        return f"the target holds {text!r}, at which the model stops: it would be cut there"

    def lost(self, example: Mapping[str, Any], completion: Sequence[int]) -> str:
        ids = self.whole_target(example)
        got = self.tokenizer.decode(ids[:-1], skip_special_tokens=True)
        wanted = " ".join(str(example["text_target"]).split())
        if (got := " ".join(got.split())) == wanted:
            return ""
        got, wanted = differing(got, wanted)
        return (
            f"the target's tokens decode to {got!r}, the target is {wanted!r}: this tokenizer does "
            "not keep the text; use another model or target"
        )
