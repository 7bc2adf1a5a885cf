"""The training arguments of question answering."""

from __future__ import annotations

from dataclasses import dataclass, field

from toolkit.kinds.encoder.arguments import EncoderArguments


@dataclass
class QuestionAnsweringArguments(EncoderArguments):
    """:class:`EncoderArguments` and fields for how contexts are read.

    Args:
        doc_stride: tokens that a window of a long context shares with the next; raised to twice
            ``max_answer_tokens`` where it is less, so that no answer is cut by every window.
        max_answer_tokens: tokens of the longest answer that is looked for.
        max_question_tokens: the most tokens of a question; a longer one loses its end.
    """

    doc_stride: int = field(default=128)
    max_answer_tokens: int = field(default=30)
    max_question_tokens: int = field(default=64)
