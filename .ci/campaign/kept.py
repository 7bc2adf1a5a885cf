"""Figures that a campaign keeps as soon as they are there, and the part of a page made of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Kept:
    """A JSON file of figures, by the name of what they are of."""

    place: Path

    def read(self) -> dict[str, Any]:
        """All figures; none where nothing was run."""
        if not self.place.exists():
            return {}
        found: dict[str, Any] = json.loads(self.place.read_text(encoding="utf-8"))
        return found

    def keep(self, key: str, figures: Any) -> None:
        """Add figures, or replace them."""
        text = json.dumps({**self.read(), key: figures}, indent=1, ensure_ascii=False)
        self.place.write_text(f"{text}\n", encoding="utf-8")


def filled(text: str, mark: str, written: str) -> str:
    """A page whose part between two marks is written anew."""
    before, _, rest = text.partition(mark)
    _, _, after = rest.partition(mark)
    return f"{before}{mark}\n\n{written}\n{mark}{after}"
