"""How likely a language model finds running text: the loss of the second half after the first.

Both language kinds have it in this form: a causal model reads the first half as a prompt, an
encoder–decoder as its input. The end of the text has no loss, because ends are what an adapter on
short answers changes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolkit.kinds.language.prompt import IGNORED
from toolkit.kinds.language.room import within

if TYPE_CHECKING:
    from toolkit.kinds.language.model import LanguageModel

MOST_WORDS = 200
"""Texts are cut after so many words."""


def text_losses(
    model: LanguageModel, texts: Sequence[str], *, adapter: bool
) -> list[tuple[float, int]]:
    """The summed loss of each text's second half, and its number of tokens.

    Args:
        model: the model, with an adapter if ``adapter``.
        texts: running text, of two words at least.
        adapter: whether the adapter is active.
    """
    model.load()
    with model.side(adapter):
        return model.token_losses([_encoded(model, text) for text in texts])


def halves(text: str, most: int = MOST_WORDS) -> tuple[str, str]:
    """A text as its first and its second half, by words; the second begins with a blank.

    Args:
        text: running text.
        most: it is cut after so many words.
    """
    words = text.split()[:most]
    middle = (len(words) + 1) // 2
    return " ".join(words[:middle]), "".join(f" {word}" for word in words[middle:])


def _encoded(model: LanguageModel, text: str) -> tuple[list[int], list[int]]:
    """A text's tokens and labels, cut after as many words as the model has positions for."""
    words = min(MOST_WORDS, len(text.split()))
    while True:
        first, second = halves(text, words)
        if model.task.kind == "seq2seq-lm":
            ids, labels = model.renderer.example({"text": first, "text_target": second.strip()})
        else:
            ids, labels = model.renderer.example({"prompt": first, "completion": second})
        if within(model.limits, ids, labels) or words <= 2:
            break
        words //= 2
    if labels and labels[-1] in model.renderer.stops:
        labels = [*labels[:-1], IGNORED]
    return ids, labels
