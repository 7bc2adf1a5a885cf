"""A package with a made-up model file, and converters that need neither gguf nor time."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.models import packaged

NAME = "made-up"


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, content: bytes = b"GGUF, say") -> Path:
    """Put a package with a model on the path, known as :data:`NAME`, and its cache beside it.

    Returns:
        where the converted folder will be.
    """
    site = folder / "site"
    (site / "made_up_model").mkdir(parents=True)
    (site / "made_up_model" / "__init__.py").write_text("import a_library_that_is_not_there\n")
    (site / "made_up_model" / "model.gguf").write_bytes(content)
    (site / "gguf.py").write_text("raise ImportError('only looked for')\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv(packaged.VARIABLE, str(folder / "cache"))
    model = packaged.Packaged(
        title="Made-up", module="made_up_model", distribution="made-up-model==1.0",
        file="model.gguf", sha256=hashlib.sha256(content).hexdigest(), takes="no time",
        meaning="it is made up",
    )  # fmt: skip
    monkeypatch.setitem(packaged.NAMES, NAME, model)
    return folder / "cache" / NAME


def copying(model: Path) -> Callable[[Path, Path], None]:
    """A converter whose result is a copy of a model's folder."""

    def convert(source: Path, made: Path) -> None:
        assert source.is_file()
        shutil.copytree(model, made, dirs_exist_ok=True)

    return convert
