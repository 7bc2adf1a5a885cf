"""What is trained whole and saved with an adapter on an encoder: all that the base's files lack.

The layers of a head, at times a pooler, are random; an adapter that is saved without them works in
the process that trained it alone. PEFT saves the heads whose names it knows, and no others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

HEADS: Mapping[str, tuple[str, ...]] = {
    "SEQ_CLS": ("classifier", "score"),
    "TOKEN_CLS": ("classifier", "score"),
    "QUESTION_ANS": ("qa_outputs",),
}
"""The ends of the names of heads that PEFT itself saves with an adapter, by its name of the kind.

DistilBERT's ``pre_classifier`` is one of them; ModernBERT's ``classifier`` for spans is not."""


def fields(
    given: Mapping[str, Any], model: Any, fresh: Sequence[str], task_type: str
) -> dict[str, Any]:
    """A recipe's fields of ``LoraConfig`` with ``modules_to_save`` and ``exclude_modules``.

    A module is trained whole or by an adapter, not both, and not within another that is saved:
    PEFT fails at the one and loses weights of the other.

    Args:
        given: the recipe's fields.
        model: the encoder with its head.
        fresh: names of the modules whose weights no file held.
        task_type: PEFT's name of the kind.
    """

    def by_peft(name: str) -> bool:
        return any(part.endswith(HEADS.get(task_type, ())) for part in name.split("."))

    named = [
        name
        for name in given.get("modules_to_save") or ()
        if not any(by_peft(module.rpartition(".")[0]) for module in _ending_in(model, name))
    ]
    found = dict(given)
    saved = dict.fromkeys([*named, *(name for name in fresh if not by_peft(name))])
    found["modules_to_save"] = list(saved) or None
    excluded = given.get("exclude_modules") or ()
    if not isinstance(excluded, str):
        found["exclude_modules"] = [*excluded, *fresh]
    return found


def _ending_in(model: Any, name: str) -> list[str]:
    """The names of modules that PEFT takes a name for."""
    return [
        module
        for module, _ in model.named_modules()
        if module == name or module.endswith(f".{name}")
    ]
