"""What a run has left, compared with what an undisturbed one leaves."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

TIMES = re.compile(
    r"seconds|runtime|per_second|_mb$|_percent$|^id$|^run$|^created$|^timings$|^speed$|^memory"
    r"|minutes|^resumed_from_step$|free_mb|^command$|^hardware$|per_minute|wait|^record$|price"
)
"""Keys of values that differ between two undisturbed runs."""
OF_A_RUN = ("report.html", "report.md", "README.md", "lines.json", "run.json")
"""Files that hold times or the number of the run; that they are there is compared."""


def settled(value: Any) -> Any:
    """A value of JSON without what differs between two undisturbed runs."""
    if isinstance(value, dict):
        return {k: settled(v) for k, v in value.items() if not TIMES.search(k)}
    return [settled(v) for v in value] if isinstance(value, list) else value


def content(run_folder: Path) -> dict[str, Any]:
    """What a run has left: each file → its bytes, or its values without times."""
    found: dict[str, Any] = {}
    for path in sorted(p for p in run_folder.rglob("*") if not p.is_dir()):
        name = path.relative_to(run_folder).as_posix()
        if name in OF_A_RUN:
            found[name] = "there"
        elif path.suffix == ".json" and path.name not in ("tokenizer.json", "adapter_config.json"):
            found[name] = settled(json.loads(path.read_text()))
        elif path.suffix == ".jsonl":
            found[name] = [settled(json.loads(line)) for line in path.read_text().splitlines()]
        else:
            found[name] = path.read_bytes()
    info = json.loads((run_folder / "run.json").read_text())
    found["stages"] = {name: stage["state"] for name, stage in info["stages"].items()}
    found["figures of training"] = settled(info["training"])
    found["systems"] = info["record"]["systems"]
    return found


def differences(run_folder: Path, wanted: dict[str, Any]) -> list[str]:
    """How a run differs from the undisturbed one."""
    from toolkit.runs import record
    from toolkit.runs.run import Run

    there = content(run_folder)
    wrong = [f"{name} is missing" for name in wanted.keys() - there.keys()]
    wrong += [f"{name} is left over" for name in there.keys() - wanted.keys()]
    wrong += [
        f"{name} differs: {_first_difference(there[name], wanted[name])}"
        for name in sorted(wanted.keys() & there.keys())
        if there[name] != wanted[name]
    ]
    wrong += record.changed(Run.open(run_folder)).values()
    umask = os.umask(0)
    os.umask(umask)
    wrong += [
        f"{path.name} has the mode {path.stat().st_mode & 0o777:o}"
        for path in run_folder.rglob("*")
        if path.is_file() and path.stat().st_mode & 0o777 != 0o666 & ~umask
    ]
    if not isinstance(json.loads((run_folder / "run.json").read_text()).get("speed"), dict):
        wrong.append("the speed was not measured")
    return wrong


def _first_difference(a: Any, b: Any, where: str = "") -> str:
    if isinstance(a, dict) and isinstance(b, dict):
        for key in [*b, *a]:
            if a.get(key) != b.get(key):
                return _first_difference(a.get(key), b.get(key), f"{where}.{key}")
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for at, (x, y) in enumerate(zip(a, b, strict=True)):
            if x != y:
                return _first_difference(x, y, f"{where}[{at}]")
    return f"{where} is {a!r:.120}, not {b!r:.120}"
