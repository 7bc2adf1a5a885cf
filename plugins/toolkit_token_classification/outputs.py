"""The output of a token classifier. Importing this loads no heavy library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entity:
    """A place in a text with a label.

    Args:
        start, end: characters of the text, the end exclusive.
        label: its label.
        probability: the least of its tokens' probabilities.
    """

    start: int
    end: int
    label: str
    probability: float = 1.0


@dataclass(frozen=True)
class Tagged:
    """A token classifier's output for one row.

    Args:
        source: the text.
        entities: the places that were found, in the order of the text.
        readable: whether all scores are finite numbers.
        seconds: the row's share of its batch's time.
        tokens: always ``None``: nothing is generated.
        hit_limit: always false, for the same reason.
    """

    source: str
    entities: tuple[Entity, ...] = ()
    readable: bool = True
    seconds: float = 0.0
    tokens: int | None = None
    hit_limit: bool = False

    @property
    def text(self) -> str:
        """The output in words: each place with its label and probability."""
        return "; ".join(
            f"{e.label}: {self.source[e.start : e.end]} {e.probability:.2f}" for e in self.entities
        )

    def predictions(self) -> list[Mapping[str, Any]]:
        """The places as JSON values: ``{"start", "end", "label", "text"}``."""
        return [
            {"start": e.start, "end": e.end, "label": e.label, "text": self.source[e.start : e.end]}
            for e in self.entities
        ]
