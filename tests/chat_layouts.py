"""Tokenizers of the usual chat layouts, and parts of conversations, for tests."""

from __future__ import annotations

from typing import Any

from toolkit.kinds.language.prompt import Renderer
from toolkit.testing.chat_templates import FURTHER_TOKENS, SPECIAL_TOKENS, TEMPLATES
from toolkit.testing.models import LINES, _digit_tokenizer

CALL = {"id": "x1", "type": "function", "function": {"name": "say", "arguments": {"n": 1}}}
TOOL = {"type": "function", "function": {"name": "say", "description": "says", "parameters": {}}}
RESULT = {"role": "tool", "content": "20", "tool_call_id": "x1"}
WITH_TOOLS = ("qwen2.5", "qwen3", "llama3", "mistral-v3", "granite")
WITHOUT_TOOLS = tuple(name for name in TEMPLATES if name not in WITH_TOOLS)


def tokenizer(name: str) -> Any:
    """A small byte-level tokenizer with the template and the special tokens of a layout."""
    made = _digit_tokenizer(LINES)
    further = list(FURTHER_TOKENS.get(name, ()))
    made.add_special_tokens({**SPECIAL_TOKENS[name], "extra_special_tokens": further})
    made.chat_template = TEMPLATES[name]
    return made


def renderer(name: str) -> Renderer:
    """A renderer of a layout."""
    return Renderer(tokenizer(name))


def user(content: str) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: str, **further: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **further}


def system(content: str) -> dict[str, Any]:
    return {"role": "system", "content": content}


def marked(made: Renderer, example: dict[str, Any]) -> str:
    """An example as text, in which ``«…»`` is learned."""
    made.check(example)
    return "".join(
        f"«{piece['text']}»" if piece["loss"] else piece["text"] for piece in made.passages(example)
    )


def learned(made: Renderer, example: dict[str, Any]) -> list[str]:
    """The passages of an example that are learned."""
    made.check(example)
    return [piece["text"] for piece in made.passages(example) if piece["loss"]]
