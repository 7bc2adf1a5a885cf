"""The output of a question-answering model. Importing this loads no heavy library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Span:
    """A stretch of the context that may be the answer.

    Args:
        start: the index of its first character in the context.
        end: the index after its last character.
        text: these characters.
        score: start logit plus end logit.
        probability: the softmax over all spans of the context and "no answer".
    """

    start: int
    end: int
    text: str
    score: float
    probability: float


@dataclass(frozen=True)
class Answered:
    """A question-answering model's output for one row.

    Args:
        spans: the likeliest spans, best first; empty where the context has no token.
        null: the score of "no answer": the lowest of all windows, as in SQuAD's reference code.
        no_answer: its probability.
        windows: how many windows the context was read in.
        seconds: the row's share of its batches' time.
        tokens: always ``None``: nothing is generated.
        hit_limit: always false, for the same reason.
    """

    spans: tuple[Span, ...]
    null: float
    no_answer: float
    windows: int = 1
    seconds: float = 0.0
    tokens: int | None = None
    hit_limit: bool = False

    @property
    def readable(self) -> bool:
        """Whether all scores are finite numbers."""
        return math.isfinite(self.null) and all(math.isfinite(s.score) for s in self.spans)

    @property
    def margin(self) -> float:
        """By how much "no answer" is more likely than the best span; infinite without spans."""
        return self.null - self.spans[0].score if self.spans else math.inf

    @property
    def text(self) -> str:
        """The likeliest spans with their probabilities, in words."""
        shown = [f"{span.text!r} {span.probability:.2f}" for span in self.spans[:3]]
        return ", ".join([*shown, f"no answer {self.no_answer:.2f}"])

    @property
    def detail(self) -> dict[str, Any]:
        """The output as JSON values, as it is stored beside a prediction."""
        spans = [
            {"start": s.start, "end": s.end, "text": s.text, "probability": round(s.probability, 6)}
            for s in self.spans
        ]
        return {"spans": spans, "no_answer": round(self.no_answer, 6), "windows": self.windows}
