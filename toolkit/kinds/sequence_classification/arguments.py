"""The training arguments of sequence classification."""

from __future__ import annotations

from dataclasses import dataclass, field

from toolkit.kinds.encoder.arguments import EncoderArguments


@dataclass
class SequenceClassificationArguments(EncoderArguments):
    """:class:`EncoderArguments` and fields for how long texts are read.

    Args:
        truncation: what a text that is longer than ``max_length`` keeps: ``head``, its beginning;
            ``head-tail``, the first quarter of ``max_length`` from its beginning and the rest from
            its end; ``auto``, the one of both with which the base is better on validation rows.
        shorten_to_time: read texts to a half or a quarter of ``max_length`` where the minutes of
            ``[early_stopping]`` would not allow half of the training at the full length.
    """

    truncation: str = field(default="head")
    shorten_to_time: bool = field(default=False)
