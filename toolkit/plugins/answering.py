"""Tasks of a task file whose answer is a text."""

from __future__ import annotations

from toolkit import baselines
from toolkit.kinds.language.outputs import Generated
from toolkit.task import Baseline, Row, Task


class Answering(Task):
    """Text in, text out."""

    def postprocess(self, output: Generated, row: Row) -> str | None:
        return output.text.strip() or None

    def fallback(self) -> str:
        return ""

    def reference(self, row: Row) -> str:
        return str(row[self.answer or ""]).strip()


def text_baselines(text: baselines.Text, answer: str) -> dict[str, Baseline]:
    """What every such task is compared with: the most frequent answer, and the nearest text's."""
    return {
        "most-frequent": baselines.most_frequent(answer),
        "nearest": baselines.nearest(text, answer),
    }
