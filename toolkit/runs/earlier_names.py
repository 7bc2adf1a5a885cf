"""What earlier versions of the toolkit wrote into a run directory, under its present names.

Files are read under both names for one version of the contract, and written under the new ones:

    file                    version 1                     now
    *.jsonl                 split "select"                "validation"
                            split "calibrate"             "calibration"
                            split "stress"                "challenge"
    run.json, toolkit.json  facts                         task_state
                            settings                      task_options
    systems.json            chosen                        tuned
    metrics.json            select                        validation
                            decoders: select              validation
    both of them            role "yardstick"              role "control"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

SPLITS = {"select": "validation", "calibrate": "calibration", "stress": "challenge"}
ROLES = {"yardstick": "control"}
TASK = {"facts": "task_state", "settings": "task_options"}


def upgraded(name: str, content: Any) -> Any:
    """The content of a file of a run directory, with present names.

    Args:
        name: the file's own name, such as ``metrics.json``.
        content: what was read; what is in no form that a run writes comes back as it is.
    """
    known = _FILES.get(name)
    return known(content) if known is not None and isinstance(content, dict | list) else content


def upgraded_line(line: Any) -> Any:
    """A line of a predictions file or of ``heldout.jsonl``, with the present name of its split."""
    if isinstance(line, dict) and line.get("split") in SPLITS:
        return {**line, "split": SPLITS[line["split"]]}
    return line


def _renamed(content: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The same mapping, in the same order, with other keys."""
    return {names.get(key, key): value for key, value in content.items()}


def _run(content: Any) -> Any:
    if not isinstance(content, dict):
        return content
    info = _renamed(content, TASK)
    data = info.get("data")
    if isinstance(data, dict) and isinstance(data.get("sizes"), dict):
        info["data"] = {**data, "sizes": _renamed(data["sizes"], SPLITS)}
    return info


def _adapter(content: Any) -> Any:
    return _renamed(content, TASK) if isinstance(content, dict) else content


def _preflight(content: Any) -> Any:
    if isinstance(content, dict) and isinstance(content.get("sizes"), dict):
        return {**content, "sizes": _renamed(content["sizes"], SPLITS)}
    return content


def _system(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    made = _renamed(entry, {"chosen": "tuned"})
    return {**made, "role": ROLES.get(str(made["role"]), made["role"])} if "role" in made else made


def _systems(content: Any) -> Any:
    return [_system(entry) for entry in content] if isinstance(content, list) else content


def _metrics(content: Any) -> Any:
    if not isinstance(content, dict):
        return content
    document = _renamed(content, SPLITS)
    if document.get("version") == 1:
        document["version"] = 2
    if isinstance(systems := document.get("systems"), dict):
        document["systems"] = {name: _system(entry) for name, entry in systems.items()}
    if isinstance(decoders := document.get("decoders"), dict):
        document["decoders"] = {
            name: [_renamed(row, SPLITS) for row in rows] for name, rows in decoders.items()
        }
    return document


_FILES: Mapping[str, Callable[[Any], Any]] = {
    "run.json": _run,
    "toolkit.json": _adapter,
    "systems.json": _systems,
    "metrics.json": _metrics,
    "preflight.json": _preflight,
}
