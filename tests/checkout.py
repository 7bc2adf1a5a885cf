"""A copy of the checkout, of what is kept in it alone."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MADE = shutil.ignore_patterns(
    ".git", ".venv*", "dist", "__pycache__", ".*_cache", ".hypothesis", "site", "shared"
)


def copied(target: Path) -> Path:
    """Copy the checkout to ``target``, without what was made in it.

    Runs lie in its first level; a package has that name as well.
    """

    def left_out(folder: str, names: list[str]) -> set[str]:
        made = {"runs"} if Path(folder) == ROOT else set()
        return MADE(folder, names) | made

    return Path(shutil.copytree(ROOT, target, ignore=left_out))
