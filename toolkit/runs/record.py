"""What a run has written: its systems, and the SHA-256 of each file, as ``record`` in ``run.json``.

A stage records its files when it ends (:func:`stage_ended`). Commands that write a finished run's
files record only the files that they write themselves, so that a file which was changed by other
means keeps the hash that it no longer has. ``lines.json`` holds a short digest of each line of each
text file; it only serves to say which lines have changed.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.runs.checked import within
from toolkit.runs.files import read_json, sha256, write_bytes, write_json
from toolkit.runs.run import Run

LINES = "lines.json"
SYSTEMS = "predictions/systems.json"
PAGES = ("report.html", "report.md", "README.md", "badge.svg")
REMARKS = ("together.json", "sheet.json", "forgetting.json")
"""Files that commands leave in a run directory, each with a sentence for the report."""
REWRITTEN = ("metrics.json", "adapter/test_results.json", *PAGES, *REMARKS)
"""The files that scoring and the report write, and what the pages are rendered from beside them."""
_TEXTS = {".json", ".jsonl", ".md", ".html", ".svg"}
_DIGEST = 8
"""Hexadecimal digits of a line's digest in ``lines.json``."""
_MOST = 5
"""The most lines of one file that a difference names."""


def of(run: Run) -> dict[str, Any]:
    """``record`` of ``run.json``; empty where an earlier version wrote the run."""
    return run.info.get("record") or {}


# -- recording -------------------------------------------------------------------------------------
def stage_ended(run: Run, patterns: Sequence[str]) -> None:
    """Record the files of a stage in ``run.info``, which its end saves.

    Predictions that an earlier stage has recorded keep the hash that it gave them; those that are
    to be made again are recorded by the stage that makes them.

    Args:
        run: the run.
        patterns: the files that the stage writes, as patterns of ``Path.glob``.
    """
    found = [
        path.relative_to(run.path).as_posix()
        for pattern in patterns
        for path in sorted(run.path.glob(pattern))
        if path.is_file() and not path.name.endswith(".tmp")
    ]
    kept = {*of(run).get("files", {}), *to_be_made(run)}
    new = [name for name in found if not (name.startswith("predictions/") and name in kept)]
    _record(run, new)
    if any(name.startswith("predictions/") for name in found):
        _record_systems(run, entries(run))


def rewrote(run: Run, names: Iterable[str]) -> None:
    """Record files that a command has just written, and save ``run.json``.

    A run without a record gets none: nothing is known of what its files were.
    """
    if of(run):
        _record(run, [name for name in names if (run.path / name).is_file()])
        run.save()


def to_be_made(run: Run) -> list[str]:
    """The predictions that were found not to be whole and are to be made again."""
    return [f"predictions/{e['file']}" for e in entries(run) if e.get("incomplete")]


@contextlib.contextmanager
def adding(run: Run, name: str) -> Iterator[None]:
    """Record a system whose predictions are written within the block, and save ``run.json``.

    The list of systems is recorded anew only where it was as recorded before.
    """
    intact = _digest(run.path / SYSTEMS) == of(run).get("files", {}).get(SYSTEMS)
    yield
    if not of(run):
        return
    kept = [entry for entry in of(run).get("systems", []) if entry["name"] != name]
    run.info["record"]["systems"] = kept
    _record_systems(run, [entry for entry in entries(run) if entry.get("name") == name])
    rewrote(run, [f"predictions/{name}.jsonl", *([SYSTEMS] if intact else [])])


@contextlib.contextmanager
def removing(run: Run, name: str) -> Iterator[None]:
    """Forget a system that is taken out within the block, and save ``run.json``."""
    intact = _digest(run.path / SYSTEMS) == of(run).get("files", {}).get(SYSTEMS)
    yield
    if not of(run):
        return
    kept = [entry for entry in of(run).get("systems", []) if entry["name"] != name]
    run.info["record"]["systems"] = kept
    forget(run, [f"predictions/{name}.jsonl"])
    rewrote(run, [SYSTEMS] if intact else [])


def replace(run: Run, contents: Mapping[str, bytes]) -> None:
    """Replace files by what was computed from them, and record those that were as recorded.

    The new hashes are saved as ``pending`` before anything is written, so that a run which is
    killed in between does not look as if its files had been changed by other means.
    """
    known, before = of(run).get("files", {}), of(run).get("pending") or {}
    intact = [
        name
        for name in contents
        if (now := _digest(run.path / name)) is not None
        and now in (known.get(name), before.get(name))  # as written, or by a replacement cut short
    ]
    if of(run):
        run.info["record"]["pending"] = before | {
            name: hashlib.sha256(contents[name]).hexdigest() for name in intact
        }
        run.save()
    for name, content in contents.items():
        write_bytes(run.path / name, content)
    if of(run):
        _record(run, intact)
        run.info["record"].pop("pending")
        run.save()


def intact(run: Run, name: str) -> bool:
    """Whether a file is recorded, and as the run recorded it."""
    recorded = of(run).get("files", {}).get(name)
    return recorded is not None and recorded == _digest(run.path / name)


def forget(run: Run, names: Iterable[str]) -> None:
    """Forget the hashes of files that are made again; the caller saves ``run.json``."""
    for name in names:
        of(run).get("files", {}).pop(name, None)


def _record(run: Run, names: Sequence[str]) -> None:
    record = run.info.setdefault("record", {"files": {}, "systems": []})
    lines = _stored_lines(run)
    for name in names:
        content = (run.path / name).read_bytes() if _is_text(name) else None
        record["files"][name] = _digest(run.path / name)
        if content is not None:
            lines[name] = "".join(_line_digests(content))
    if names:
        write_json(run.path / LINES, lines)
        record["files"][LINES] = _digest(run.path / LINES)


def _record_systems(run: Run, found: Iterable[Mapping[str, Any]]) -> None:
    listed = run.info.setdefault("record", {"files": {}, "systems": []})["systems"]
    known = {entry["name"] for entry in listed}
    listed += [system(entry) for entry in found if entry.get("name") not in known]


def system(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What is recorded of an entry of ``systems.json``."""
    return {key: entry.get(key) for key in ("name", "role", "file")}


def entries(run: Run) -> list[dict[str, Any]]:
    """The entries of ``systems.json``; none where there is no such list."""
    place = run.path / SYSTEMS
    found = read_json(place) if place.is_file() else []
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


# -- comparing -------------------------------------------------------------------------------------
def changed(run: Run, names: Iterable[str] | None = None) -> dict[str, str]:
    """Files that are not as the run has recorded them → a sentence that names file and lines.

    Args:
        run: the run.
        names: only these files; all recorded ones by default.
    """
    found: dict[str, str] = {}
    record = of(run)
    files = record.get("files")
    if not isinstance(files, Mapping):
        return found
    pending = record.get("pending") or {}
    stored = _stored_lines(run)
    for name, recorded in files.items():
        if names is not None and name not in names:
            continue
        if within(run.path, name) is None:
            found[name] = f"{name} is no path inside the run; run.json records it"
            continue
        now = _digest(run.path / name)
        if now is None:
            found[name] = f"{name} is missing; run.json records it"
        elif now not in (recorded, pending.get(name)):
            where = _where(run.path / name, stored.get(name)) if _is_text(name) else ""
            found[name] = f"{name}{where} is not what the run wrote (its SHA-256 is another)"
    return found


def sources(run: Run) -> list[str]:
    """The recorded files from which figures are computed: data, predictions, learning curve."""
    return [
        name
        for name in of(run).get("files", {})
        if name.startswith(("data/", "predictions/")) or name == "history.json"
    ]


CAVEAT = "Files that the figures are computed from were changed after the run wrote them: "


def caveat(names: Iterable[str]) -> str:
    """The caveat of a report that was written from changed files."""
    return f"{CAVEAT}{', '.join(sorted(names))}."


def other_systems(run: Run) -> list[str]:
    """Differences between the systems that ``run.json`` records and those of ``systems.json``."""
    if not of(run):
        return []
    then = {str(entry.get("name")): entry for entry in of(run).get("systems", [])}
    now = {str(entry.get("name")): system(entry) for entry in entries(run)}
    found = [
        f"{SYSTEMS}: the system {name!r} ({then[name].get('role')}) was removed; run.json lists it"
        for name in then.keys() - now.keys()
    ]
    found += [
        f"{SYSTEMS}: the system {name!r} ({now[name]['role']}) was added; run.json does not list it"
        for name in now.keys() - then.keys()
    ]
    found += [
        f"{SYSTEMS}: the {key} of {name!r} is {now[name][key]!r}, run.json lists "
        f"{then[name].get(key)!r}"
        for name in then.keys() & now.keys()
        for key in ("role", "file")
        if now[name][key] != then[name].get(key)
    ]
    return sorted(found)


def _where(place: Path, stored: Any) -> str:
    """The lines of a text file that are not as their digests; empty where none were stored."""
    if not isinstance(stored, str):
        return ""
    then = [stored[i : i + _DIGEST] for i in range(0, len(stored), _DIGEST)]
    now = _line_digests(place.read_bytes())
    if then == now:
        return " (its line ends)"
    edits = difflib.SequenceMatcher(None, then, now, autojunk=False).get_opcodes()
    found = [_edit(*edit) for edit in edits if edit[0] != "equal"]
    more = f" and {len(found) - _MOST} more places" if len(found) > _MOST else ""
    return f" ({'; '.join(found[:_MOST])}{more})"


def _edit(kind: str, a: int, b: int, c: int, d: int) -> str:
    """An edit of lines ``a`` to ``b`` into lines ``c`` to ``d``, both counted from 0."""
    if kind == "delete":
        return f"{_numbers(a, b)} removed"
    return f"{_numbers(c, d)} {'added' if kind == 'insert' else 'changed'}"


def _numbers(first: int, after: int) -> str:
    return f"line {first + 1}" if after - first == 1 else f"lines {first + 1}–{after}"


def _is_text(name: str) -> bool:
    return Path(name).suffix in _TEXTS and name != LINES


def _line_digests(content: bytes) -> list[str]:
    return [hashlib.sha256(line).hexdigest()[:_DIGEST] for line in content.splitlines()]


def _stored_lines(run: Run) -> dict[str, Any]:
    """``lines.json``; empty where it is missing or cannot be read, as it only locates changes."""
    place = run.path / LINES
    with contextlib.suppress(Exception):
        found = read_json(place)
        return found if isinstance(found, dict) else {}
    return {}


def _digest(place: Path) -> str | None:
    """The SHA-256 of a file; ``None`` where it cannot be read."""
    try:
        return sha256(place)
    except OSError:
        return None
