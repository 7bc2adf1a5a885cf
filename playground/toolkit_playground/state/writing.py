"""How the sides write: the sampling settings, and prompts that leave room for an answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit import Row
from toolkit.errors import UsageError
from toolkit_playground.state.engine import MOST_NEW_TOKENS, Engine
from toolkit_playground.state.texts import Text

MOST_STOPS, LONGEST_STOP = 8, 100
Controls = Sequence[float]
"""Values of the page's sampling controls, in the order of :func:`sampling`'s arguments."""


@dataclass(frozen=True)
class Sampling:
    """Sampling settings of a text that is to be written.

    Args:
        generation: fields of transformers' ``GenerationConfig``.
        seed: of the random numbers.
        until: strings that end a text.
    """

    generation: Mapping[str, Any]
    seed: int = 0
    until: tuple[str, ...] = ()

    @property
    def new_tokens(self) -> int:
        """The most tokens that may be written."""
        return int(self.generation["max_new_tokens"])


def sampling(
    new: float, temperature: float, top_p: float, top_k: float, penalty: float,
    seed: float | None = 0,
) -> Sampling:  # fmt: skip
    """Settings from the controls' values; raises :class:`UsageError` where one is out of range.

    A temperature of 0 means greedy decoding; an empty seed counts as 0.
    """
    if not 0 <= (seed or 0) < 2**32:
        raise UsageError("the seed goes from 0 to 4,294,967,295")
    if not (1 <= new <= MOST_NEW_TOKENS and 0 <= temperature <= 5 and 0 < top_p <= 1):
        raise UsageError(
            f"new tokens go from 1 to {MOST_NEW_TOKENS:,}, temperature from 0 to 5, top p to 1"
        )
    fields: dict[str, Any] = {"max_new_tokens": int(new), "num_beams": 1, "do_sample": False}
    if temperature > 0:
        fields |= {
            "do_sample": True, "temperature": float(temperature), "top_p": float(top_p),
            "top_k": int(top_k),
        }  # fmt: skip
    fields["repetition_penalty"] = float(penalty)  # 1: none, whatever the recipe has
    return Sampling(fields, int(seed or 0))


def stop_strings(text: str) -> tuple[str, ...]:
    """Stop strings as they are typed, one a line, where backslash and n are a new line.

    Raises:
        UsageError: there are too many, or one is too long.
    """
    found = tuple(line.replace("\\n", "\n") for line in text.split("\n") if line.strip())
    if len(found) > MOST_STOPS or any(len(one) > LONGEST_STOP for one in found):
        raise UsageError(
            f"there may be {MOST_STOPS} stop strings of at most {LONGEST_STOP} characters"
        )
    return found


def own_settings(engine: Engine, row: Row) -> Sampling:
    """The settings and limits by which the run's systems were scored."""
    return Sampling(
        {"max_new_tokens": engine.text_model.answer_limit(row)}, int(engine.run.info["seed"])
    )  # fmt: skip


def checked_prompt(engine: Engine, row: Row, settings: Sampling) -> list[int]:
    """A row's prompt; raises :class:`UsageError` where it leaves no room for the answer.

    The room counts twice: with the answer's length of the run, and with that of the settings.
    """
    prompt = engine.prompt(row)
    engine.check_length(prompt, engine.room, engine.answer_room)
    engine.check_length(prompt, engine.positions, settings.new_tokens)
    return prompt


def write(
    engine: Engine,
    prompts: Sequence[Sequence[int]],
    labels: Sequence[str],
    settings: Sampling,
    stop: threading.Event,
) -> Iterator[list[Text]]:
    """The sides' texts while they are written; see :meth:`Engine.write`.

    Raises:
        UsageError: more new tokens are asked for than the model has room for.
    """
    if settings.new_tokens > max(engine.most_new_tokens, engine.answer_room):
        raise UsageError(f"new tokens go from 1 to {engine.most_new_tokens:,} here")
    return engine.write(
        prompts, labels, generation=settings.generation, seed=settings.seed,
        until=settings.until, stop=stop,
    )  # fmt: skip
