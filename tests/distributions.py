"""Distributions of plugins: wheels, installed by pip into a folder that tests put on the path."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterable
from pathlib import Path

WORKS = """
from toolkit import CausalLMTask, hookimpl
from toolkit.metrics.common import TOKEN_F1


class Echo(CausalLMTask):
    api_version = 2
    name = "{task}"
    summary = "say it again"
    columns = {{"text": "a text", "again": "the same"}}
    answer = "again"
    metrics = (TOKEN_F1,)
    primary_metric = "token_f1"

    def format_example(self, row):
        return {{"prompt": row["text"], "completion": row.get("again", "")}}

    def postprocess(self, output, row):
        return output.text or None

    def fallback(self):
        return ""

    def reference(self, row):
        return row["again"]


@hookimpl
def register_tasks(register):
    register(Echo)
"""


def works(task: str) -> str:
    """A plugin's module with one task of that name."""
    return WORKS.format(task=task)


def wheel(folder: Path, name: str, source: str | None, version: str = "1.0") -> Path:
    """A wheel with one module and one entry point.

    Args:
        folder: where it is put.
        name: of the distribution; the module has the same, with underscores.
        source: of the module; ``None``: it was forgotten.
        version: of the distribution.
    """
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[toolkit]\n{name} = {module}\n",
    }
    if source is not None:
        files[f"{module}.py"] = textwrap.dedent(source)
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, content in files.items():
            archive.writestr(inside, content)
    return path


def install(site: Path, wheels: Iterable[Path]) -> None:
    """Let pip install wheels into a folder that stands for site-packages, without an index."""
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--no-index", "--no-deps", "--target", str(site), *map(str, wheels),
        ],
        check=True,
    )  # fmt: skip
