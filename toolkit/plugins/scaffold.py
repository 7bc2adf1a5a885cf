"""``toolkit new``: an installable package with a task, its data, its tests and a README.

Each kind of task has a folder below ``templates/new``; files that all kinds share are in
``templates/new/common``. Files ending in ``.j2`` are Jinja templates; ``PACKAGE`` in a path stands
for the package's name.
"""

from __future__ import annotations

import keyword
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from toolkit.errors import RunError, UsageError, did_you_mean
from toolkit.kinds import registry
from toolkit.system import versions

TEMPLATES = Path(__file__).parent / "templates" / "new"
COMMON = "common"
PACKAGE = "PACKAGE"
"""The part of a template's path that stands for the package."""


def kinds() -> dict[str, str]:
    """The kinds that there is a template for, each with one line on what it is for."""
    own = {
        folder.name: (folder / "summary.txt").read_text(encoding="utf-8").strip()
        for folder in TEMPLATES.iterdir()
        if (folder / "summary.txt").is_file()
    }
    brought = {name: kind.summary for name, kind in _brought().items() if kind.templates}
    return dict(sorted({**own, **brought}.items()))


def _brought() -> Mapping[str, registry.Kind]:
    """The kinds that plugins bring."""
    from toolkit.plugins import discovery

    discovery.load()
    return registry.added()


def create(name: str, kind: str, folder: Path) -> Path:
    """Make the package of a new task; the folder appears complete or not at all.

    Args:
        name: the task's name, kebab-case.
        kind: one of :func:`kinds`.
        folder: where to make it; it must be empty or not exist.

    Raises:
        UsageError: the name, the kind or the folder cannot be used.
        RunError: the folder cannot be written.
    """
    package = _package(name)
    known = kinds()
    if kind not in known:
        raise UsageError(
            f"there is no kind {kind!r}{did_you_mean(kind, known)}; there are {', '.join(known)}"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists and is not empty; name another with --folder")
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        for path, content in _files(kind, _values(name, package, kind)):
            place = temporary / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content, encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        temporary.rename(folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise RunError(f"cannot make {folder}: {error.strerror or error}") from error
    return folder


def _package(name: str) -> str:
    """The import name of a task; raises :class:`UsageError` where that name is taken."""
    from toolkit.plugins import discovery, registration

    if not registration.KEBAB.fullmatch(name):
        raise UsageError(f"the name {name!r:.60} is not kebab-case; write it like my-task")
    if len(name) > registration.LONGEST_NAME:
        raise UsageError(
            f"the name {name[:60]!r}… has {len(name):,} letters, and may have at most "
            f"{registration.LONGEST_NAME}"
        )
    package = name.replace("-", "_")
    taken = package in sys.stdlib_module_names or keyword.iskeyword(package)
    if taken or package in ("toolkit", "tests", *discovery.HEAVY):
        raise UsageError(f"{package!r} is a Python module already; choose a longer name")
    found = discovery.load()
    if name in found.tasks and found.origins[name].file is None:
        raise UsageError(
            f"there is a task {name!r} already, of {found.origins[name].distribution}; choose "
            "another name"
        )
    return package


def _values(name: str, package: str, kind: str) -> dict[str, str]:
    words = name.split("-")
    return {
        "name": name,
        "package": package,
        "kind": kind,
        "class_name": "".join(word.capitalize() for word in words),
        "title": " ".join(words).capitalize(),
        "toolkit_version": versions.own(),
    }


def _files(kind: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The path and the content of each file of the package."""
    import jinja2

    environment = jinja2.Environment(
        keep_trailing_newline=True, undefined=jinja2.StrictUndefined, autoescape=False
    )
    brought = _brought().get(kind)
    own = (brought.templates if brought else None) or TEMPLATES / kind
    for part in (TEMPLATES / COMMON, own):
        for source in sorted(part.rglob("*")):
            if not source.is_file() or source.name == "summary.txt":
                continue
            path = source.relative_to(part).as_posix()
            content = source.read_text(encoding="utf-8")
            if path.endswith(".j2"):
                path = path.removesuffix(".j2")
                content = environment.from_string(content).render(values)
            yield path.replace(PACKAGE, values["package"]), content
