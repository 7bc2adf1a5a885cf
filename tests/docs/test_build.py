"""The docs are built strictly: no dead link, no name that the reference cannot find."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import toolkit
from toolkit.system import version_1

ROOT = Path(__file__).parents[2]


def public_names() -> list[str]:
    """All that has to be found in the reference, by its full name."""
    names = [f"toolkit.{name}" for name in toolkit.__all__ if name != "__version__"]
    for name in toolkit.PUBLIC_MODULES:
        module = importlib.import_module(name)
        names += [f"{name}.{each}" for each in getattr(module, "__all__", ())]
    # The names of version 1 of the contract stand beside today's, and are in no reference.
    members = [n for n in vars(toolkit.Task) if not n.startswith("_") and n not in version_1.NAMES]
    return [*names, *(f"toolkit.Task.{name}" for name in members)]


def inventory(path: Path) -> set[str]:
    """The names in a Sphinx inventory, which mkdocstrings writes of what it has rendered."""
    body = path.read_bytes().split(b"\n", 4)[4]
    return {line.split()[0] for line in zlib.decompress(body).decode().splitlines() if line}


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
    rendered = inventory(tmp_path / "site" / "objects.inv")
    # What a class only inherits is rendered where it is declared.
    missing = [name for name in public_names() if name not in rendered]
    assert not missing, f"not in the built reference: {', '.join(missing)}"
    made = (tmp_path / "site" / "tutorials" / "causal-lm" / "index.html").read_text("utf-8")
    assert "class" in made and "OrderLines" in made
