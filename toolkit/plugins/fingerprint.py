"""The fingerprint of a task's code: whether a run is continued by the code that it began with.

It covers the files of the packages that define the task's class and its bases, or a task file with
the modules beside it that it imports; the version of the plugin's distribution; and of the toolkit
the version and the modules that decode outputs and compute metrics. Libraries that a task calls are
not covered; their versions stand in ``versions`` of ``run.json``.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from toolkit.plugins import discovery
from toolkit.runs import trust
from toolkit.system import versions
from toolkit.task import Task

_SUFFIXES = {".py", ".j2", ".css", ".toml", ".json", ".txt", ".csv", ".yaml", ".yml"}
_LARGEST = 2**20
"""Larger files of a package are data and not code."""
_OWN = (
    "metrics", "decoding.py", "plugins/toml_task.py", "plugins/toml_kinds.py",
    "plugins/file_tasks.py",
)  # fmt: skip
"""What of the toolkit itself makes values out of outputs."""


def of_task(task: type[Task]) -> dict[str, Any]:
    """The fingerprint of a task's code, as ``code`` of ``run.json``.

    Returns:
        ``sha256`` of the code, ``distribution`` and ``version`` of the plugin, and the version of
        the ``toolkit``.
    """
    origin = discovery.load().origin(task)
    total = hashlib.sha256()
    for name, content in sorted({**_of_classes(task), **_of_toolkit()}.items()):
        total.update(f"{name} {len(content)}\n".encode())
        total.update(content)
    return {
        "sha256": total.hexdigest(),
        "distribution": origin.distribution if origin else None,
        "version": origin.version if origin else None,
        "toolkit": versions.own(),
    }


def of_pages() -> dict[str, str]:
    """The fingerprint of what renders reports: pages are compared under the same one alone."""
    total = hashlib.sha256()
    for name, content in sorted(_of_folder(Path(__file__).parents[1] / "reporting", "").items()):
        total.update(f"{name} {len(content)}\n".encode())
        total.update(content)
    try:
        drawing = metadata.version("matplotlib")
    except metadata.PackageNotFoundError:
        drawing = ""
    return {"toolkit": versions.own(), "sha256": total.hexdigest(), "matplotlib": drawing}


def difference(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What differs between two fingerprints, in words; empty where they are equal."""
    parts = [
        f"{label} {then.get(key)} → {now.get(key)}"
        for key, label in (("toolkit", "adapter-toolkit"), ("version", str(now["distribution"])))
        if then.get(key) != now.get(key)
    ]
    if then.get("sha256") != now["sha256"]:
        parts.append(f"code {str(then.get('sha256'))[:12]} → {now['sha256'][:12]}")
    return ", ".join(parts)


def _of_classes(task: type[Task]) -> dict[str, bytes]:
    """The files that define a task's class and its bases outside the toolkit → their content."""
    found: dict[str, bytes] = {}
    origin = discovery.load().origin(task)
    if origin is not None and origin.file:
        name = origin.file
        file = Path(f"{name.partition('.py:')[0]}.py" if ".py:" in name else name)
        for place in (file, *trust.code_files(file)):
            found |= _of_file(place)
    for module in {each.__module__ for each in task.__mro__}:
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or top == "toolkit":
            continue
        loaded = sys.modules.get(top)
        for folder in getattr(loaded, "__path__", ()):
            found |= _of_folder(Path(folder), top)
        single = getattr(loaded, "__file__", None)
        if single and not hasattr(loaded, "__path__"):
            found |= _of_file(Path(single))
    return found


def _of_toolkit() -> dict[str, bytes]:
    """The toolkit's own files that make values out of outputs."""
    root = Path(__file__).parents[1]
    found: dict[str, bytes] = {}
    for name in _OWN:
        place = root / name
        if place.is_dir():
            found |= _of_folder(place, f"toolkit/{name}")
        elif place.is_file():
            found[f"toolkit/{name}"] = place.read_bytes()
    return found


def _of_folder(folder: Path, name: str) -> dict[str, bytes]:
    return {
        f"{name}/{place.relative_to(folder).as_posix()}": place.read_bytes()
        for place in sorted(folder.rglob("*"))
        if place.suffix in _SUFFIXES and place.is_file() and place.stat().st_size <= _LARGEST
    }


def _of_file(place: Path) -> dict[str, bytes]:
    """A file and, of a Python file, the modules beside it that it imports."""
    found: dict[str, bytes] = {}
    waiting = [place]
    while waiting:
        here = waiting.pop()
        if here.name in found or not here.is_file():
            continue
        found[here.name] = here.read_bytes()
        for name in _imported(found[here.name]) if here.suffix == ".py" else ():
            waiting.append(here.parent / f"{name}.py")
            if (package := here.parent / name).is_dir() and (package / "__init__.py").is_file():
                found |= _of_folder(package, name)
    return found


def _imported(source: bytes) -> Iterator[str]:
    """The top-level names of the modules that a source imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
