"""Virtual environments that see the packages of this one through a path file, so need no index."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # pip's own way of saying: do not isolate
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "HF_HUB_OFFLINE": "1",
}
"""Environment variables that keep pip and the Hub's library off the network."""


def outer_packages() -> list[str]:
    """The folders that this environment's packages are in.

    The one with torch comes first: it also has the setuptools that torch needs, while an
    environment on top of it may have an older one.
    """
    folders = [Path(path) for path in sys.path if path.endswith("site-packages")]
    return [str(path) for path in sorted(folders, key=lambda path: not (path / "torch").is_dir())]


def make(folder: Path, first: Sequence[Path] = ()) -> Path:
    """A fresh environment without pip; returns its ``site-packages``.

    Args:
        folder: where it is made.
        first: folders that are seen before the packages of this environment.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    paths = [*map(str, first), *outer_packages()]
    (site / "outer.pth").write_text("".join(f"{path}\n" for path in paths))
    return site


def pip(folder: Path) -> list[str]:
    """The beginning of a pip command that works on an environment that :func:`make` has made."""
    return [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
