"""What stands in the docs and is typed into a shell is run here, and its output compared.

A page is one session in an empty folder: files in fences with a title are written there, commands
after ``$`` are run in order. ``...`` in an output stands for anything; blanks count as one.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "```console" in path.read_text("utf-8"))
FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
TRAINS = ("tutorials/", "how-to/test-a-plugin.md")
"""Pages that train something, in minutes."""

_spec = importlib.util.spec_from_file_location("including", DOCS / "including.py")
assert _spec is not None and _spec.loader is not None
including = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(including)


@dataclass
class Block:
    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    text = including.expand(page.read_text(encoding="utf-8"))
    return [Block(*(part or "" for part in found)) for found in FENCE.findall(text)]


def commands(text: str) -> list[tuple[str, str]]:
    """Each command of a block with the output that stands below it."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def pattern(output: str) -> re.Pattern[str]:
    """What an output must look like; ``...`` stands for anything."""
    words = " ".join(output.split())
    return re.compile(".*?".join(re.escape(part.strip()) + r"\s*" for part in words.split("...")))


def matches(expected: str, printed: str) -> bool:
    printed = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", printed).split())
    return pattern(expected).fullmatch(printed) is not None


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """The environment of a reader's shell, in which ``toolkit`` is this one."""
    tools = tmp_path / ".bin"
    tools.mkdir()
    for name, module in {"toolkit": "toolkit.cli", "python": ""}.items():
        call = f"-m {module}" if module else ""
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {call} "$@"\n')
        (tools / name).chmod(0o755)
    source = os.pathsep.join(str(ROOT / part) for part in ("", "plugins", "playground"))
    path = os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": path,
            "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}  # fmt: skip


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            page,
            id=(name := page.relative_to(DOCS).as_posix()),
            marks=pytest.mark.slow if name.startswith(TRAINS) else (),
        )
        for page in PAGES
    ],
)
@pytest.mark.timeout(1500)
def test_commands_print_what_the_page_says(
    page: Path, shell: dict[str, str], tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    found = blocks(page)
    for block in found:
        if block.title:
            (work / block.title).write_text(block.text, encoding="utf-8")
    for block in found:
        for command, output in commands(block.text) if block.language == "console" else ():
            done = subprocess.run(
                ["bash", "-c", command], cwd=work, env=shell, text=True, check=False, timeout=900,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            assert matches(output, done.stdout), f"$ {command}\n{done.stdout}\n--- not:\n{output}"


def test_a_page_that_is_wrong_is_found() -> None:
    assert matches("made x:\n  ...\nthe end", "made x:\n  a\n  b\nthe  end\n")
    assert not matches("made x:", "made y:")
    assert not matches("one two", "one two three")
    assert matches("one ...", "one two three")


def test_every_command_is_in_the_docs() -> None:
    from toolkit.cli import app

    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__
        assert f"toolkit {name}" in text or f"│ {name} " in text, name
