"""Prompt templates for summaries: the five of the original project, and the user's own.

A template is a text that contains ``{article}`` once and ends where the summary begins. The
template ``chat``, and a text that begins with ``chat:``, become messages, which are rendered in the
model's own chat format.
"""

from __future__ import annotations

from typing import Any, Final

from toolkit import UsageError
from toolkit.errors import did_you_mean

PLACE: Final = "{article}"
TEMPLATES: Final = {
    "simple": "Summarize:\n{article}\n\nSummary:",
    "instruct": "Instruct: Summarize the following article in one sentence.\n{article}\nOutput:",
    "chat": "Please summarize this article in one sentence.\n\n{article}",
    "direct": "Article: {article}\n\nSummarize the above article in one sentence.\nSummary:",
    "qa": "Context: {article}\n\nQuestion: What is the article about, in one sentence?\nAnswer:",
}
"""The five templates of the original project, which selected "direct"."""
CHAT: Final = "chat"
MESSAGES: Final = "chat:"
"""What a user's own template begins with that becomes messages."""


def text_of(template: str) -> str:
    """The text of a named template, or the user's own, in which backslash-n is a line break.

    Raises:
        UsageError: it is neither a known name nor a text that contains ``{article}`` once.
    """
    if template in TEMPLATES:
        return TEMPLATES[template]
    if template.count(PLACE) == 1:
        own = template.removeprefix(MESSAGES)
        return (own if own == template else own.strip()).replace("\\n", "\n")
    near = did_you_mean(template, list(TEMPLATES))
    raise UsageError(
        f"no template {template!r}{near}; there are {', '.join(TEMPLATES)}, or give a text that "
        f"contains {PLACE} once (for a chat format: 'chat: …')"
    )


def example(template: str, article: str, summary: str) -> dict[str, Any]:
    """A row as TRL's prompt and completion: two texts, or messages for the chat template.

    Args:
        template: a name, or a text with ``{article}``.
        article: the text to summarize.
        summary: the target; empty for a row to predict.
    """
    # Not str.format: articles and templates may hold braces of their own.
    prompt = text_of(template).replace(PLACE, article)
    if template == CHAT or template.startswith(MESSAGES):
        return {
            "prompt": [{"role": "user", "content": prompt}],
            "completion": [{"role": "assistant", "content": summary}],
        }
    joint = "" if prompt.endswith(("\n", " ")) else " "
    return {"prompt": prompt, "completion": f"{joint}{summary}" if summary else ""}
