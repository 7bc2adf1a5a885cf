"""Whether a language model from elsewhere is asked as the task asks, or as its own template does.

An adapter that was trained with another chat template than its base has looks bad with the base's,
and the other way round, and nothing in its folder says which one it was trained with. Where the two
write a row differently, the user is shown both and chooses (``--prompt``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.errors import UsageError
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.language.model import LanguageModel
from toolkit.models.foreign import Foreign
from toolkit.pipeline.context import RunContext

WAYS = ("task", "adapter")
SHOWN = 400
"""Characters of a prompt that a message shows: its beginning and its end."""


def chosen(context: RunContext, found: Mapping[str, Foreign]) -> dict[str, dict[str, Any]]:
    """How each model is prompted and ended: system → ``speaks`` of its ``toolkit.json``.

    A model that is prompted and ended as its base has no entry.

    Args:
        context: the run, whose rows are prepared.
        found: system → its folder.

    Raises:
        UsageError: the two ways differ, and the user has not chosen one.
        ModelError: a tokenizer has another vocabulary than the base's.
    """
    kind = context.model
    if not isinstance(kind, LanguageModel):
        return {}
    asked = context.evaluated.prompt if context.evaluated else None
    row = dict(context.prepared.splits["test"][0])
    made: dict[str, dict[str, Any]] = {}
    for name, folder in found.items():
        from_us = folder.ours.get("task") == context.task.name
        way = "task" if from_us else _way(kind, row, folder, asked)
        spoken = kind.spoken_by(folder.folder, {"prompt": way})
        if way == "adapter" or spoken["limits"].stops != kind.limits.stops or folder.whole:
            made[name] = {"prompt": way}
            context.console.note(f"{name}: {_said(way, spoken, kind)}")
    return made


def _said(way: str, spoken: Mapping[str, Any], kind: LanguageModel) -> str:
    """How a model is prompted and ended, in words."""
    stops = sorted(spoken["renderer"].stops)
    words = ", ".join(repr(kind.tokenizer.convert_ids_to_tokens(i)) for i in stops)
    how = "its own chat template" if way == "adapter" else "the task's prompts, as its base"
    return f"prompted by {how}; its answers end at {words}"


def _way(kind: LanguageModel, row: Mapping[str, Any], found: Foreign, asked: str | None) -> str:
    """``task`` or ``adapter``; only causal language models have chat templates."""
    if not isinstance(kind, CausalLM) or not found.has_tokenizer:
        return "task"
    tokenizer, _ = kind.own_tokens(found.folder)
    if tokenizer.chat_template is None:
        return "task"
    example = kind.example(dict(row))
    theirs = kind.spoken_by(found.folder, {"prompt": "adapter"})["renderer"].prompt(example)
    ours = kind.renderer.prompt(example)
    if ours == theirs:
        return "task"
    if asked is None:
        raise UsageError(
            f"{found.name} was saved with a chat template that writes a row otherwise than the "
            f"task's prompt does, and only you know which of the two it was trained with: --prompt "
            f"task is {_shown(kind.tokenizer, ours)}; --prompt adapter is "
            f"{_shown(tokenizer, theirs)}"
        )
    return asked


def _shown(tokenizer: Any, ids: list[int]) -> str:
    text = str(tokenizer.decode(ids, skip_special_tokens=False))
    if len(text) > SHOWN:
        text = f"{text[: SHOWN // 2]} … {text[-SHOWN // 2 :]}"
    return repr(text)


def digest(kind: Any, folder: Path, stored: Mapping[str, Any]) -> str:
    """The hash of the prompts of a model's canary rows, as the model is prompted."""
    if not isinstance(kind, LanguageModel):
        return str(kind.digest(stored["canaries"]))
    try:
        kind.speak(folder, stored.get("speaks"))
        return str(kind.digest(stored["canaries"]))
    finally:
        kind.speak_as_base()
