"""Named sampling settings, which fill the page's sampling controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit_playground.state.engine import Engine

MEASURED = "As measured"
TEXTS = {"temperature", "top_p", "top_k", "repetition_penalty", "do_sample", "max_new_tokens"}
"""Fields of a recipe's generation settings that have a control."""
PLAIN = {"num_beams": 1}
"""Fields whose value is the only one that the page's answers have."""


@dataclass(frozen=True)
class Preset:
    """Values of the controls for temperature, top p, top k and the repetition penalty."""

    temperature: float
    top_p: float = 1.0
    top_k: int = 0
    penalty: float = 1.0


PRESETS: Mapping[str, Preset] = {
    "Greedy": Preset(0.0),
    "Balanced": Preset(0.7, 0.9),
    "Lively": Preset(1.1, 0.95),
}
"""By the name that people read. The limit of new tokens and the seed stay as they are."""


@dataclass(frozen=True)
class Measured:
    """The settings by which a run was scored.

    Args:
        new_tokens, seed: theirs.
        preset: the others that have a control.
        further: ``name=value`` of those that have none, and are not as the page writes.
    """

    new_tokens: int
    seed: int
    preset: Preset
    further: tuple[str, ...] = ()


def measured(engine: Engine) -> Measured:
    """The settings of a run's own decoder; raises :class:`UsageError` where it writes no text."""
    limit = engine.text_model.answer_room
    given: Mapping[str, Any] = engine.run.info["recipe"].get("generation") or {}
    preset = Preset(0.0, penalty=float(given.get("repetition_penalty") or 1.0))
    if given.get("do_sample"):
        # transformers' own values, where the recipe has none
        preset = Preset(
            float(given.get("temperature") or 1.0), float(given.get("top_p") or 1.0),
            int(given["top_k"] or 0) if "top_k" in given else 50, preset.penalty,
        )  # fmt: skip
    apart = {name: value for name, value in given.items() if name not in TEXTS}
    further = [f"{name}={value}" for name, value in apart.items() if PLAIN.get(name) != value]
    return Measured(int(limit), int(engine.run.info["seed"]), preset, tuple(further))


def told(name: str, preset: Preset) -> str:
    """What a preset sets, in words."""
    if preset.temperature == 0:
        how = "greedy: the likeliest token each time"
    else:
        how = f"temperature {preset.temperature:g}, top p {preset.top_p:g}"
        how += f", top k {preset.top_k}" if preset.top_k else ""
    penalty = "" if preset.penalty == 1 else f", repetition penalty {preset.penalty:g}"
    return f"{name}: {how}{penalty}."
