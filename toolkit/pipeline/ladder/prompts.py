"""What an API is asked: the task's own prompt, with solved examples before it or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.errors import UsageError
from toolkit.task import Row, Task

Messages = list[dict[str, Any]]


def chat(task: Task, row: Row, shots: Sequence[Row]) -> dict[str, Any]:
    """The body of a request for a chat completion.

    A prompt that is a text becomes one message of the user. Solved examples are earlier turns.

    Raises:
        UsageError: the row has tools or calls of tools.
    """
    asked, _ = _turns(task.format_example(row))
    before: Messages = []
    for shot in shots:
        question, answer = _turns(task.format_example(shot))
        # The row's own system message counts, which stands first.
        before += [m for m in (*question, *answer) if m["role"] not in ("system", "developer")]
    first = [m for m in asked if m["role"] in ("system", "developer")]
    rest = [m for m in asked if m["role"] not in ("system", "developer")]
    return {"messages": [*first, *before, *rest]}


def text(task: Task, row: Row, shots: Sequence[Row]) -> dict[str, Any]:
    """The body of a request for a text completion, as a language model of the toolkit reads it.

    Raises:
        UsageError: the task's prompts are messages, or texts that an encoder reads.
    """
    prompt = _prompt(task.format_example(row))
    solved = [task.format_example(shot) for shot in shots]
    before = "".join(f"{_prompt(one)}{one['completion']}\n\n" for one in solved)
    return {"prompt": before + prompt}


def _prompt(example: Mapping[str, Any]) -> str:
    prompt = example.get("prompt")
    if not isinstance(prompt, str):
        raise UsageError(
            "--system openai-text: continues texts, and this task's prompts are none; give openai:"
        )
    return prompt


def _turns(example: Mapping[str, Any]) -> tuple[Messages, Messages]:
    """An example's prompt and its answer as messages."""
    if "text" in example:  # of an encoder–decoder
        target = str(example.get("text_target") or "")
        return [_message("user", example["text"])], [_message("assistant", target)]
    prompt, completion = example["prompt"], example.get("completion") or ""
    if isinstance(prompt, str):
        return [_message("user", prompt)], [_message("assistant", str(completion).strip())]
    messages = [*prompt, *completion]
    if example.get("tools") or any(m.get("tool_calls") or m["role"] == "tool" for m in messages):
        raise UsageError("--system openai: asks no rows with tools; leave it out for this task")
    plain = [_message(m["role"], m.get("content") or "") for m in messages]
    return plain[: len(prompt)], plain[len(prompt) :]


def _message(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}
