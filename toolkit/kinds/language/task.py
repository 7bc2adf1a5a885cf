"""What tasks for language models have in common: a text in, a written text out.

Importing this loads no model library; that happens when a run needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from toolkit.kinds.language.outputs import Generated
from toolkit.task import Baseline, Row, Task


class LanguageTask(Task):
    """A task whose answer is a text that the model writes; subclass one of its kinds."""

    few_shot: ClassVar[int] = 0
    """Solved examples from the training split before the prompt of the system ``few-shot``;
    0: there is no such system."""
    perplexity: ClassVar[bool] = False
    """Whether the report gives the perplexity of the right answers, of base and adapter."""

    def postprocess(self, output: Generated, row: Row) -> Any | None:
        """The decoder; default: the text that was written, and ``None`` where there is none."""
        return output.text.strip() or None

    def fallback(self) -> Any:
        """What an unreadable output counts as; default: no text."""
        return ""

    def reference(self, row: Row) -> Any:
        """What the metrics compare a prediction with; default: the text of the answer's column."""
        found = super().reference(row)
        return found if isinstance(found, list) else str(found).strip()

    def baselines(self) -> Mapping[str, Baseline]:
        """Name → cheap way to do the task.

        Default, for a task whose reference is the answer's column: the most frequent answer, and
        that of the training row whose text is nearest.
        """
        if self.answer is None or type(self).reference is not LanguageTask.reference:
            return {}
        from toolkit.baselines import text_baselines

        return text_baselines(self._read, self.answer)

    def answer_tokens(self, row: Row) -> int | None:
        """The most tokens of an answer to this row's prompt; ``None``: the task knows no limit.

        Rows with the same limit are predicted together: a model that does not stop by itself is
        stopped sooner, and short answers do not wait for long ones.
        """
        return None

    def conversation(self, row: Row) -> Mapping[str, Any] | None:
        """A row as a conversation, where a model's chat template may have no way to write it.

        Rows that the template cannot write are left out before the rows are split, and counted. It
        is asked before the task's state is known.

        Returns:
            ``messages`` and ``tools`` as chat templates take them; ``None``: every template can
            write this row.
        """
        return None
