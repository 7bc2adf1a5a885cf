"""Prompt templates for summaries: the five of the seed, and any of the user's.

A template is a text with ``{article}`` in it, which ends where the summary begins; the chat
template becomes messages, rendered by the model's own chat format.
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
"""The seed's five; "direct" is the one it selected."""
CHAT: Final = "chat"


def text_of(template: str) -> str:
    """The template that a name stands for, or the template itself.

    Raises:
        UsageError: it is neither a known name nor a text with ``{article}`` in it.
    """
    if template in TEMPLATES:
        return TEMPLATES[template]
    if template.count(PLACE) == 1:
        return template.replace("\\n", "\n")
    near = did_you_mean(template, list(TEMPLATES))
    raise UsageError(
        f"no template {template!r}{near}; there is {', '.join(TEMPLATES)}, or give a text with "
        f"{PLACE} in it once"
    )


def example(template: str, article: str, summary: str) -> dict[str, Any]:
    """TRL's prompt and completion: two texts, or messages for the chat template."""
    # Not str.format: articles and templates may hold braces of their own.
    prompt = text_of(template).replace(PLACE, article)
    if template == CHAT:
        return {
            "prompt": [{"role": "user", "content": prompt}],
            "completion": [{"role": "assistant", "content": summary}],
        }
    joint = "" if prompt.endswith(("\n", " ")) else " "
    return {"prompt": prompt, "completion": f"{joint}{summary}" if summary else ""}
