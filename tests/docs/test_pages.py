"""What stands in the docs and is typed into a shell is run here, and its output compared.

A page is one session in an empty folder and a fresh environment: files in fences with a title are
written there, commands after ``$`` and Python without a title are run in order. ``...`` in output
stands for anything, blanks count as one, and below ``<!-- figures: within 0.1 -->`` the numbers may
differ by so much (those above 1: by that share). A command may only fail where its output says so.
Where ``<!-- stand-in: MODEL -->`` stands above a block, a small random model is in the place of
that one, also in the files of the page: what is written there is run, and nothing is learnt.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

import environments
import warm
from toolkit.cli import app
from toolkit.plugins.commands import add_commands
from toolkit.testing import models

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ALL = sorted(path for path in DOCS.rglob("*.md") if "reports" not in path.parts)
RUN = re.compile(r"^```(console|python)$", re.MULTILINE)
PAGES = [path for path in ALL if RUN.search(path.read_text("utf-8"))]
FENCE = re.compile(
    r'^(?:<!-- figures: within (?P<within>[\d.]+) -->\n)?'
    r'(?:<!-- stand-in: (?P<model>[\w./-]+) -->\n)?'
    r'```(?P<language>\w*)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)  # fmt: skip
NUMBER = re.compile(r"(?<![\w.])[-−]?\d[\d,]*(?:\.\d+)?%?")
TRAINS = (
    "tutorials/", "how-to/test-a-plugin.md", "how-to/broken-plugins.md", "how-to/own-data.md",
    "how-to/one-gpu.md", "how-to/python.md",
)  # fmt: skip
"""Pages that train or install something, in minutes."""
FRESH = ("how-to/broken-plugins.md",)
"""Pages whose commands say what they have imported, and in which time."""
WAITS = (
    "toolkit playground",
    "toolkit run price-regression --play",
    "pip install 'adapter-toolkit",
)
"""Commands that wait for a person or need an index; their words are checked, they are not run."""

_spec = importlib.util.spec_from_file_location("including", DOCS / "including.py")
assert _spec is not None and _spec.loader is not None
including = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(including)


@dataclass
class Block:
    language: str
    title: str
    text: str
    within: float | None
    model: str = ""


def blocks(page: Path) -> list[Block]:
    text = including.expand(page.read_text(encoding="utf-8"))
    return [
        Block(
            found["language"], found["title"] or "", found["text"],
            float(found["within"]) if found["within"] else None, found["model"] or "",
        )
        for found in FENCE.finditer(text)
    ]  # fmt: skip


def commands(text: str) -> list[tuple[str, str]]:
    """Each command of a block with the output that stands below it."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def pattern(output: str, *, figures: bool = False) -> re.Pattern[str]:
    """What an output must look like; ``...`` stands for anything, ``figures`` for any number."""
    words = " ".join(output.split())
    parts = [re.escape(part.strip()) for part in words.split("...")]
    if figures:
        parts = [NUMBER.sub(r"([-−]?\\d[\\d,]*(?:\\.\\d+)?)%?", _plain(part)) for part in parts]
    return re.compile(".*?".join(part + r"\s*" for part in parts))


def _plain(escaped: str) -> str:
    """An escaped pattern whose numbers are written as they were."""
    return re.sub(r"(?<=\d)\\(?=[.,]\d)", "", re.sub(r"\\(?=-\d)", "", escaped))


def matches(expected: str, printed: str, within: float | None = None) -> bool:
    printed = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", printed).split())
    found = pattern(expected, figures=within is not None).fullmatch(printed)
    if found is None or within is None:
        return found is not None
    wanted = [number for part in expected.split("...") for number in NUMBER.findall(part)]
    return all(
        abs(value(a) - value(b)) <= within * max(1.0, abs(value(a)))
        for a, b in zip(wanted, found.groups(), strict=True)
    )


def value(number: str) -> float:
    return float(number.rstrip("%").replace(",", "").replace("−", "-"))


@pytest.fixture
def shell(tmp_path: Path, page: Path) -> dict[str, str]:
    """The environment of a reader's shell, in which ``toolkit`` is this one."""
    venv = tmp_path / "venv"
    fresh = page.relative_to(DOCS).as_posix() in FRESH
    python = [str(venv / "bin" / "python")] if fresh else warm.python(venv)
    environments.make(venv, first=[ROOT, ROOT / "plugins", ROOT / "playground"])
    (venv / "warm").mkdir()
    calls = {
        "python": python,
        "toolkit": [*python, "-m", "toolkit.cli"],
        "pip": environments.pip(venv),
    }
    for name, call in calls.items():
        (venv / "warm" / name).write_text(f'#!/bin/sh\nexec {shlex.join(call)} "$@"\n')
        (venv / "warm" / name).chmod(0o755)
    ours = ("PYTHONPATH", "TOOLKIT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    places = ":".join([str(venv / "warm"), str(venv / "bin"), os.environ["PATH"]])
    looks = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
    return {**kept, **environments.OFFLINE, **looks, "PATH": places}


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
def test_commands_print_what_the_page_shows(
    page: Path, shell: dict[str, str], tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    found = with_stand_ins(blocks(page), tmp_path)
    for block in found:
        if block.title:
            (work / block.title).write_text(block.text, encoding="utf-8")
    for block in found:
        for command, output in to_run(block):
            done = subprocess.run(
                command, cwd=work, env=shell, text=True, check=False, timeout=900,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            message = f"$ {command[-1]}\n{done.stdout}\n--- not:\n{output}"
            assert matches(output, done.stdout, block.within), message
            # The docs show failures too: an error's sentence, or a rule that is broken.
            assert done.returncode == 0 or re.search("Error: |✗ |failed", output), message


def with_stand_ins(found: list[Block], folder: Path) -> list[Block]:
    """The blocks with a small random model in the place of each one that a marked block names."""
    for number, model in enumerate(sorted({block.model for block in found} - {""})):
        small = models.llama(folder / f"stand-in-{number}")
        found = [
            dataclasses.replace(block, text=block.text.replace(model, str(small)))
            for block in found
        ]
    return found


def to_run(block: Block) -> list[tuple[list[str], str]]:
    """The commands of a block, each with what it prints."""
    if block.language == "console":
        return [(["bash", "-c", command], output) for command, output in commands(block.text)]
    if block.language == "python" and not block.title and "# include:" not in block.text:
        return [(["python", "-c", block.text], "")]
    return []


def test_a_small_model_stands_in_for_the_one_that_a_page_names(tmp_path: Path) -> None:
    page = DOCS / "how-to" / "one-gpu.md"
    named = {block.model for block in blocks(page)} - {""}
    assert named == {"meta-llama/Llama-3.1-8B"}
    found = with_stand_ins(blocks(page), tmp_path)
    assert (tmp_path / "stand-in-0" / "config.json").is_file()
    (recipe,) = (block for block in found if block.title == "llama.toml")
    assert f'model = "{tmp_path / "stand-in-0"}"' in recipe.text


def test_a_page_that_is_wrong_is_found() -> None:
    assert matches("made x:\n  ...\nthe end", "made x:\n  a\n  b\nthe  end\n")
    assert not matches("made x:", "made y:")
    assert not matches("one two", "one two three")
    assert matches("one ...", "one two three")
    assert not matches("f1 0.84 of 1,200", "f1 0.85 of 1,200")


@pytest.mark.parametrize(
    ("printed", "right"),
    [
        ("f1 0.85 (0.70–0.91), 1,300 rows, −0.5 ± 7%", True),
        ("f1 0.95 (0.70–0.91), 1,300 rows, −0.5 ± 7%", False),
        ("f1 0.84 (0.70–0.91), 1,400 rows, −0.5 ± 7%", False),
        ("f1 0.84 (0.70–0.91), 1,300 rows, 0.5 ± 7%", False),
        ("f2 0.84 (0.70–0.91), 1,300 rows, −0.5 ± 7%", False),
        ("f1 0.84, 1,300 rows, −0.5 ± 7%", False),
    ],
)
def test_figures_may_differ_by_what_the_page_allows(printed: str, right: bool) -> None:
    expected = "f1 0.84 (0.71–0.90), 1,200 rows, −0.5 ± 7%"
    assert matches(expected, printed, within=0.1) is right


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_no_command_stands_where_it_is_not_run(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        lines = [line for line in found["text"].splitlines() if COMMAND.match(line)]
        if found["language"] == "bash":
            assert all(line.startswith(WAITS) for line in lines), lines
        elif found["language"] != "console":
            assert not lines
    outside = FENCE.sub("", text)
    assert "```" not in outside, "a fence that is indented, or has another heading, is not run"
    assert not [line for line in outside.splitlines() if re.match("    (toolkit|pip) ", line)]


COMMAND = re.compile(r"(?:\$ )?(?:toolkit|pip|python3?) .*")
INLINE = re.compile(r"`((?:toolkit|pip) [^`]+)`")
PROSE = [*ALL, ROOT / "README.md", ROOT / "examples" / "ticket-urgency" / "README.md"]


def mentioned(page: Path) -> Iterator[str]:
    """The ``toolkit`` commands that a page names: in a sentence, a table or a fence."""
    text = including.expand(page.read_text(encoding="utf-8"))
    for found in FENCE.finditer(text):
        if found["language"] in ("bash", "console"):
            yield from (
                part.strip()
                for line in found["text"].splitlines()
                for part in re.split(r" #|[;&|>]", line.removeprefix("$ "))
                if part.strip().startswith("toolkit ")
            )
    yield from (call for call in INLINE.findall(FENCE.sub("", text)) if call.startswith("toolkit"))


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_command_that_is_named_takes_the_options_it_is_named_with(page: Path) -> None:
    add_commands(app)
    group: Any = typer.main.get_command(app)
    for call in mentioned(page):
        words = shlex.split(call.replace("…", "").replace("[", "").replace("]", ""))[1:]
        name = next((word for word in words if not word.startswith("-")), None)
        if name is None or name in OF_EXAMPLES:
            continue
        assert name.rstrip(",") in group.commands, call
        command = group.commands[name.rstrip(",")]
        known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        known |= {"--help", "-h", "--debug"}
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options <= known, f"{call}: there is no {', '.join(sorted(options - known))}"


OF_EXAMPLES = ("urgent",)
"""Commands that a plugin of the examples brings."""


def test_every_command_is_in_the_docs() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__
        assert f"toolkit {name}" in text or f"│ {name} " in text, name
