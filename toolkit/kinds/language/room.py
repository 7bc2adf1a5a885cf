"""Whether prompts and answers fit: into ``max_length``, and into the positions that a model has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from toolkit.formatting import rows_named

if TYPE_CHECKING:
    from datasets import Dataset

    from toolkit.kinds.language.prompt import Renderer
    from toolkit.kinds.language.task import LanguageTask
    from toolkit.models.limits import Limits
    from toolkit.recipe import Recipe
    from toolkit.task import Row


class Prompting(Protocol):
    """What is asked of a model here, see :class:`toolkit.kinds.language.model.LanguageModel`."""

    task: LanguageTask
    recipe: Recipe
    renderer: Renderer
    limits: Limits

    @property
    def max_length(self) -> int | None: ...

    @property
    def answer_room(self) -> int: ...

    @property
    def own_limits(self) -> Mapping[str, int]: ...

    def answer_tokens_beside(self, example: Mapping[str, Any], prompt: Sequence[int]) -> int: ...

    def few_shot_example(self, row: Row, shots: Sequence[Row]) -> dict[str, Any]: ...


def shortened(model: Prompting, row: Row) -> dict[str, Any]:
    """A row's example; where its prompt is too long, the task's column is shortened at its end."""
    example: dict[str, Any] = model.task.format_example(row)
    column, limit = model.task.truncate, model.max_length
    # A token has at least one byte, so most rows fit for certain and need no tokenizing.
    if column is None or limit is None or _characters(example) + model.answer_room <= limit:
        return example
    prompt = model.renderer.prompt(example)
    room = model.answer_tokens_beside(example, prompt)
    text = str(row[column])
    while (excess := len(prompt) + room - limit) > 0 and text:
        ids = model.renderer.control.encode(text, add_special_tokens=False)
        shorter = model.renderer.tokenizer.decode(ids[: max(0, len(ids) - excess)])
        # A cut within a character decodes to a replacement sign, which may not get shorter.
        text = shorter if len(shorter) < len(text) else text[: len(text) // 2]
        example = model.task.format_example({**row, column: text})
        prompt = model.renderer.prompt(example)
    return example


def prompt_with(model: Prompting, row: Row, shots: Sequence[Row]) -> tuple[list[int], int]:
    """A row's prompt behind as many of the solved examples as the model has positions for.

    Returns:
        the token ids, and the number of examples.
    """
    count = len(shots)
    while True:
        prompt = model.renderer.prompt(model.few_shot_example(row, shots[:count]))
        if not count or _fits(model, row, prompt):
            return prompt, count
        count -= 1


def _fits(model: Prompting, row: Row, prompt: Sequence[int]) -> bool:
    """Whether behind a prompt there is the room that the row's answer may take."""
    positions = model.limits.positions
    if positions is None:
        return True
    most = model.answer_room
    room = 0 if model.own_limits else min(most, model.task.answer_tokens(row) or most)
    return len(prompt) + room <= positions


def too_long(model: Prompting, prompts: Iterable[tuple[Any, int]]) -> str:
    """What is wrong with prompts that leave no room for an answer; empty: nothing.

    Args:
        model: the model.
        prompts: the number of each row, and the tokens of its prompt.
    """
    positions = model.limits.positions
    if positions is None:
        return ""
    least = 0 if model.own_limits else 1
    long = [(row, tokens) for row, tokens in prompts if tokens + least > positions]
    if not long:
        return ""
    return (
        f"the prompt of {rows_named([row for row, _ in long])} leaves no room for an answer: it "
        f"has {max(tokens for _, tokens in long):,} tokens, and the model has positions for "
        f"{positions:,}; shorten such rows, leave them out, or take a model that reads longer texts"
    )


def lowered(model: Prompting) -> list[str]:
    """A sentence where a recipe asks for longer rows than the model has positions for."""
    asked, positions = model.recipe.training.get("max_length"), model.limits.positions
    if asked is None or positions is None or int(asked) <= positions:
        return []
    return [
        f"training.max_length is {int(asked):,}, and the model has positions for {positions:,} "
        f"tokens: rows may have {positions:,}"
    ]


def within(limits: Limits, ids: Sequence[int], labels: Sequence[int]) -> bool:
    """Whether a model has positions for a row's tokens and labels."""
    read, written = limits.positions, limits.answer_positions
    return (read is None or len(ids) <= read) and (written is None or len(labels) <= written)


def only_within(limits: Limits, rows: Dataset) -> Dataset:
    """The tokenized rows that a model has positions for; preflight has counted the others."""
    keep = [
        at
        for at, (ids, labels) in enumerate(
            zip(rows["input_ids"], rows["labels"], strict=True) if limits.positions else ()
        )
        if within(limits, ids, labels)
    ]
    return rows.select(keep) if limits.positions and len(keep) < len(rows) else rows


def _characters(example: Mapping[str, Any]) -> int:
    """An upper bound of the tokens of prompt and answer: their bytes, and 8 special tokens."""
    texts = (value if isinstance(value, str) else None for value in example.values())
    return 8 + sum(10**9 if t is None else len(t.encode("utf-8", "replace")) for t in texts)
