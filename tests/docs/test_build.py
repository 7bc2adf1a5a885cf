"""The docs are built strictly: no dead link, no name that the reference cannot find."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_docs_build_strictly(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="needs the extra docs")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path / "site")],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, check=False, timeout=580,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "site" / "reference" / "tasks" / "index.html").read_text("utf-8")
    assert "SequenceClassificationTask" in page and "parse_answer" in page
    made = (tmp_path / "site" / "tutorials" / "causal-lm" / "index.html").read_text("utf-8")
    assert "class" in made and "OrderLines" in made
