"""Calls the command line in this process."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent

PLANTED = "planted-4Ever-in-the-environment"
"""A token that every process of the tests has; no file of a run may hold it."""
WORDS = ("red", "blue", "green", "old", "steel", "oak", "silk", "large", "small", "pair of")


@dataclass
class Answer:
    code: int
    out: str
    err: str


class CommandLine:
    """``cli("tasks", "--json")`` → exit code, standard output, standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys = capsys
        self.monkeypatch = monkeypatch

    def __call__(self, *arguments: str | Path) -> Answer:
        from toolkit.cli import main

        self.capsys.readouterr()
        self.monkeypatch.setattr(sys, "argv", ["toolkit", *map(str, arguments)])
        for name in ("TOOLKIT_DEBUG", "TOOLKIT_RUN"):  # what a command sets must end with its test
            self.monkeypatch.setenv(name, "")
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = self.capsys.readouterr()
        code = stopped.value.code
        return Answer(code if isinstance(code, int) else 0, captured.out, captured.err)


def goods(rows: int = 240, seed: int = 0) -> list[dict[str, str]]:
    """Small made-up goods whose prices follow from their words."""
    source = random.Random(seed)
    made = []
    for i in range(rows):
        words = source.sample(WORDS, source.randint(2, 5))
        price = 20 + 60 * ("oak" in words) + 35 * ("silk" in words) + source.randint(0, 9)
        made.append(
            {"title": f"{' '.join(words)} thing {i}", "price": f"${price}.00", "kind": words[0]}
        )
    return made


def write_csv(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def quick(model: Path | None) -> list[str]:
    """Options of a run that ends in seconds; without a model, with the recipe's own."""
    return [
        *(("--model", str(model)) if model else ()),
        "--set", "training.max_steps=6", "--set", "training.eval_steps=3",
        "--set", "training.save_steps=3", "--set", "training.per_device_train_batch_size=4",
        "--set", "training.bf16=false", "--set", "training.report_to=none",
        "--set", "training.max_length=128",
    ]  # fmt: skip


def environment() -> dict[str, str]:
    """For a process of its own: one thread, and the packages of this checkout."""
    ours = (ROOT, ROOT / "plugins", ROOT / "playground")
    paths = [*map(str, ours), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ":".join(paths), "HF_TOKEN": PLANTED,
    }  # fmt: skip


def command(folder: Path, *arguments: str, **keywords: Any) -> subprocess.CompletedProcess[str]:
    """``toolkit …`` in a process of its own; must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "toolkit.cli", *arguments], cwd=folder, env=environment(),
        capture_output=True, text=True, **keywords,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done
