"""Spelling: codespell knows common misspellings, and finds none in what people read."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READ = ("README.md", "CHANGELOG.md", "mkdocs.yml", "docs", "examples", "toolkit", "plugins",
        "playground")  # fmt: skip

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("codespell_lib") is None, reason="needs the extra dev"
)


def codespell(*places: str) -> subprocess.CompletedProcess[str]:
    """Its settings are in pyproject.toml."""
    return subprocess.run(
        [sys.executable, "-m", "codespell_lib", *places],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_what_people_read_is_spelt_right() -> None:
    done = codespell(*READ)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_misspelling_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "page.md"
    wrong.write_text("The first occurence is a seperate one.\n")
    done = codespell(str(wrong))
    assert done.returncode != 0 and "occurence" in done.stdout and "seperate" in done.stdout
