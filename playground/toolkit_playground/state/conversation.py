"""A conversation: its turns, and the prompt that each side gets of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from toolkit import Row
from toolkit.errors import UsageError
from toolkit_playground.state.engine import Engine
from toolkit_playground.state.inputs import inputs_of

Turn = dict[str, Any]
"""``user`` and, for each side that answered, its label → its answer; ``asked``: how it was asked.

``asked`` holds the ``run``, the ``system`` prompt, the ``generation`` settings, the ``seed`` and
the strings that end a text (``until``); for each side its prompt as text (``prompts``), how many
``tokens`` that has, and how its answer ``ended``.
"""


class Conversation(list[Turn]):
    """The turns of one conversation with one run, under a name that no other one has.

    Args:
        turns: the turns.
        of: the conversation that it goes on; by default it is a new one.
        run: the ID of the run that it is held with; by default that of the one it goes on.
    """

    def __init__(
        self, turns: Sequence[Turn] = (), of: Conversation | None = None, run: str | None = None
    ) -> None:
        super().__init__(turns)
        self.name: str = of.name if of is not None else uuid.uuid4().hex
        self.run: str | None = of.run if of is not None and run is None else run
        self.further: list[str] = list(of.further) if of is not None else []
        """Labels of further adapters that answer beside the first two sides."""
        self.refused: str = ""
        """The last message, where it was refused and is no turn."""

    def document(self) -> dict[str, Any]:
        """The conversation as it is saved: with which run, and each answer with its settings."""
        return {"run": self.run, "turns": [dict(turn) for turn in self]}


def complete(turn: Turn, labels: Sequence[str]) -> bool:
    """Whether all those sides have answered a turn."""
    return all(label in turn for label in labels)


def until(turns: Sequence[Turn], index: Any, label: str) -> list[Turn]:
    """The turns up to the one that holds message ``index`` of a side, whose answers are dropped.

    Args:
        index: the place in that side's box as gradio gives it: a number, or a pair of them.
    """
    place = int(index[0] if isinstance(index, list | tuple) else index)
    holders = [at for at, turn in enumerate(turns) for _ in range(1 + (label in turn))]
    if not holders:
        return []
    at = holders[min(place, len(holders) - 1)]
    return [*turns[:at], {"user": turns[at]["user"]}]


def messages(turns: Sequence[Turn], label: str, system: str) -> list[dict[str, str]]:
    """The messages that one side gets: its own answers, and none of another side."""
    found = [{"role": "system", "content": system.strip()}] if system.strip() else []
    for turn in turns[:-1]:
        if label in turn:
            found += [
                {"role": "user", "content": turn["user"]},
                {"role": "assistant", "content": turn[label]},
            ]
    return [*found, {"role": "user", "content": turns[-1]["user"]}]


def box_messages(turns: Sequence[Turn], label: str) -> list[dict[str, str]]:
    """The messages of a side's box: all that was typed, and what that side answered."""
    found = []
    for turn in turns:
        found.append({"role": "user", "content": turn["user"]})
        if label in turn:
            found.append({"role": "assistant", "content": turn[label] or "…"})
    return found


def has_template(engine: Engine) -> bool:
    """Whether the model has a chat template of its own."""
    return bool(engine.kind.tokenizer.chat_template)


def prompt_ids(engine: Engine, turns: Sequence[Turn], label: str, system: str) -> list[int]:
    """Token ids of the prompt that a side gets: by the chat template, else by the task's prompt."""
    model = engine.text_model
    if has_template(engine):
        return list(model.chat_prompt(messages(turns, label, system)) or ())
    names = list(inputs_of(engine.task))
    row: Row = {"row_id": 0, **dict.fromkeys(names, ""), names[0]: turns[-1]["user"]}
    if not system.strip():
        return engine.prompt(row)
    example = dict(engine.task.format_example(row))
    column = "prompt" if "prompt" in example else "text"  # what the kind reads
    if not isinstance(example[column], str):
        raise UsageError("a system prompt needs a model with a chat template for this task")
    example[column] = f"{system.strip()}\n\n{example[column]}"
    return list(model.renderer.prompt(example))
