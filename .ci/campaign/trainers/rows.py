"""What the scripts of the other tools are given: ``SCRIPT BASE ROWS OUT STEPS [chat]``."""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Given:
    """The arguments of a script: a base, rows of ``q`` and ``a``, a folder, steps, and the form."""

    base: str
    rows: list[dict[str, str]]
    out: Path
    steps: int
    chat: bool

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Prompts and answers."""
        return [(f"{row['q']}\n", row["a"]) for row in self.rows]


def given() -> Given:
    """The arguments of the command line."""
    base, rows, out, steps, *rest = sys.argv[1:]
    with Path(rows).open(newline="", encoding="utf-8") as file:
        return Given(base, list(csv.DictReader(file)), Path(out), int(steps), rest == ["chat"])
