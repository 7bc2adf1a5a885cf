"""What tasks for language models have in common: a text in, a written text out.

Light: the working parts are imported when a run needs them.
"""

from __future__ import annotations

from typing import ClassVar

from toolkit.task import Row, Task


class LanguageTask(Task):
    """A task whose answer is a text that the model writes; subclass one of its kinds."""

    few_shot: ClassVar[int] = 0
    """Solved examples from the training split before the prompt of the system ``few-shot``;
    0: there is no such system."""
    perplexity: ClassVar[bool] = False
    """Whether the report tells how likely base and adapter find the right answers' tokens."""

    def answer_tokens(self, row: Row) -> int | None:
        """The most tokens that an answer to this row's prompt takes, where the task knows.

        Rows with the same limit are answered together: a model that does not stop is stopped
        sooner, and short answers do not wait for long ones.
        """
        return None
