"""Prompts that are texts, asked as the first turn of a chat.

Many adapters were trained on conversations only. Where a task's prompt is a text, such an adapter
is asked in the form that it knows: the text is the user's message, the answer the assistant's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.kinds.language.prompt import Renderer


def asked(example: Mapping[str, Any]) -> Mapping[str, Any]:
    """An example whose prompt is a text, as a conversation of two turns; others as they are."""
    prompt = example.get("prompt")
    if not isinstance(prompt, str):
        return example
    answer = str(example.get("completion") or "").strip()
    return {
        **example,
        "prompt": [{"role": "user", "content": prompt}],
        "completion": [{"role": "assistant", "content": answer}],
    }


class AskingRenderer(Renderer):
    """As :class:`~toolkit.kinds.language.prompt.Renderer`, with texts as turns of a chat."""

    def prompt(self, example: Mapping[str, Any]) -> list[int]:
        return super().prompt(asked(example))

    def example(
        self, example: Mapping[str, Any], *, last: bool = False
    ) -> tuple[list[int], list[int]]:
        return super().example(asked(example), last=last)

    def completion(self, example: Mapping[str, Any], prompt: Sequence[int]) -> list[int]:
        return super().completion(asked(example), prompt)

    def broken(
        self, example: Mapping[str, Any], prompt: Sequence[int], completion: Sequence[int]
    ) -> str:
        return super().broken(asked(example), prompt, completion)

    def lost(self, example: Mapping[str, Any], completion: Sequence[int]) -> str:
        return super().lost(asked(example), completion)
