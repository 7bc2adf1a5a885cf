"""What ``pip install adapter-toolkit`` without extras brings: few packages, and how large they are.

Computed from what is installed here: the declared base requirements and all that those require,
torch and what only torch needs aside. No index is asked.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
MOST_PACKAGES = 68
MOST_MEGABYTES = 600
"""A little over what was measured on Linux with Python 3.11: 63 packages and 552 MB."""
ONE_PART = {"gradio", "matplotlib", "networkx", "nltk", "rouge-score", "simplemma", "trackio"}
"""What one part alone needs, and therefore an extra brings."""


def declared() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


def named(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)


def closure(requirements: Iterable[str], without: str = "") -> dict[str, metadata.Distribution]:
    """All installed distributions that those requirements lead to, by name.

    Args:
        without: one that is passed over, with what only it leads to.
    """
    found: dict[str, metadata.Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(line) for line in requirements]
    while waiting:
        one = waiting.pop()
        name, extras = canonicalize_name(one.name), frozenset(one.extras)
        if name == without or (name, extras) in seen:
            continue
        seen.add((name, extras))
        found[name] = metadata.distribution(name)
        for line in found[name].requires or []:
            wanted = Requirement(line)
            marker = wanted.marker
            if marker is None or any(marker.evaluate({"extra": e}) for e in extras or {""}):
                waiting.append(wanted)
    return found


def megabytes(distribution: metadata.Distribution) -> float:
    """The size of a distribution's files, compiled Python aside."""
    files = [Path(str(distribution.locate_file(file))) for file in distribution.files or ()]
    return sum(f.stat().st_size for f in files if f.suffix != ".pyc" and f.is_file()) / 1e6


@pytest.fixture(scope="module")
def base() -> dict[str, metadata.Distribution]:
    return closure(declared()["dependencies"], without="torch")


def test_the_base_is_few_packages(base: dict[str, metadata.Distribution]) -> None:
    assert "transformers" in base and "torch" not in base
    assert len(base) <= MOST_PACKAGES, sorted(base)


@pytest.mark.skipif(sys.platform != "linux", reason="measured with the wheels for Linux")
def test_the_base_is_not_large(base: dict[str, metadata.Distribution]) -> None:
    sizes = {name: megabytes(found) for name, found in base.items()}
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:10]
    assert sum(sizes.values()) <= MOST_MEGABYTES, largest


def test_what_one_part_needs_is_an_extra(base: dict[str, metadata.Distribution]) -> None:
    assert not ONE_PART & set(base)
    extras = declared()["optional-dependencies"]
    assert {named(line) for lines in extras.values() for line in lines} >= ONE_PART


def test_offline_brings_what_the_built_in_tasks_need() -> None:
    extras = declared()["optional-dependencies"]

    def brought(extra: str) -> set[str]:
        lines = [Requirement(line) for line in extras[extra]]
        ours = [line for line in lines if line.name == declared()["name"]]
        inner = [brought(inside) for line in ours for inside in line.extras]
        return {canonicalize_name(line.name) for line in lines}.union(*inner)

    assert brought("offline") >= ONE_PART - {"gradio"}
    assert brought("playground") >= {"gradio", "matplotlib"}
