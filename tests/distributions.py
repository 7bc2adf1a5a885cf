"""Distributions as pip leaves them in site-packages, in a folder that tests put on the path."""

from __future__ import annotations

import textwrap
from pathlib import Path

WORKS = """
from toolkit import CausalLMTask, hookimpl
from toolkit.metrics import TOKEN_F1


class Echo(CausalLMTask):
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


def install(site: Path, name: str, source: str | None, version: str = "1.0") -> None:
    """A distribution with one module and one entry point, as an installed wheel leaves them.

    Args:
        site: the folder that stands for site-packages.
        name: of the distribution; the module has the same, with underscores.
        source: of the module; ``None``: the file is missing.
        version: of the distribution.
    """
    module = name.replace("-", "_")
    info = site / f"{module}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "INSTALLER").write_text("pip\n")
    (info / "entry_points.txt").write_text(f"[toolkit]\n{name} = {module}\n")
    files = [f"{info.name}/{file}" for file in ("METADATA", "INSTALLER", "entry_points.txt")]
    if source is not None:
        (site / f"{module}.py").write_text(textwrap.dedent(source))
        files.append(f"{module}.py")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
