"""Who looks on while a model writes and trains, and what a training says of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Watch:
    """Follows a text while it is written, and may stop it.

    Args:
        on_token: receives ``(index of the prompt, token id)`` for each new token, EOS included.
        stopped: called after each token; ``True`` ends all texts of the batch at that token.
        ended: called with the index of a prompt after each of its tokens; ``True`` ends this text
            there, and the others go on.
        scores: receives the indices of a batch's prompts and the scores of their next tokens, a
            tensor of shape (prompts, vocabulary), and returns such scores; of these the largest is
            taken, or, where the settings sample, they are sampled from. ``None`` leaves them.
    """

    on_token: Callable[[int, int], None] = lambda index, token: None
    stopped: Callable[[], bool] = lambda: False
    ended: Callable[[int], bool] = lambda index: False
    scores: Callable[[Sequence[int], Any], Any] | None = None


@dataclass
class TrainingWatch:
    """Callbacks of a training loop.

    Args:
        on_log: receives an entry of the history for each logged step (see the architecture page).
        on_step: receives ``(step, steps, tokens so far)`` after each step.
        on_note: receives a sentence on what was decided during training, for a terminal.
    """

    on_log: Callable[[dict[str, Any]], None] = lambda entry: None
    on_step: Callable[[int, int, int], None] = lambda step, steps, tokens: None
    on_note: Callable[[str], None] = lambda sentence: None


@dataclass
class Trained:
    """The result of training, beside the adapter in its folder.

    Args:
        history: the learning curve, one entry for each logged step or evaluation.
        info: figures of the training, ``training`` of ``run.json``.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    info: dict[str, Any] = field(default_factory=dict)
