"""Reading another tool's file: YAML, JSON, or a line of a shell, which is never executed.

The file may come from anybody. YAML is read by its safe loader; size, depth, the number of values
and of aliases are limited, and a key that stands there twice is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from toolkit.errors import UsageError
from toolkit.pipeline.importing import shell

LARGEST = 1 << 20
"""Bytes of a file of settings."""
MOST_VALUES, MOST_ALIASES, DEEPEST = 20_000, 20, 30


def read(given: str) -> tuple[dict[str, Any], str | None]:
    """The keys of a file, or of a line of a shell.

    Args:
        given: a path, or a command line such as ``trl sft --model_name_or_path …``.

    Returns:
        the keys with their values, and the tool that a command line names.

    Raises:
        UsageError: it cannot be read, or is no table of settings.
    """
    path = Path(given)
    if not is_file(path):
        if "--" in given and len(given.split()) > 1:
            return _of_shell(given, Path())
        raise UsageError(f"there is no file {given}")
    text = read_text(path)
    if path.suffix.lower() == ".json":
        return of_json(text, str(path)), None
    if path.suffix.lower() in (".yaml", ".yml"):
        return of_yaml(text, str(path)), None
    return _of_shell(text, path.parent)


def is_file(path: Path) -> bool:
    """Whether a path names a file; also where it cannot be one."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # longer than a path can be, or with a NUL in it
        return False


def read_text(path: Path) -> str:
    """A file's text; raises :class:`UsageError` where it is too large or no text."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise UsageError(f"{path} is larger than {LARGEST >> 20} MiB, and no file of settings")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error


def of_json(text: str, name: str) -> dict[str, Any]:
    """The keys of a JSON document."""
    try:
        found = json.loads(text, object_pairs_hook=lambda pairs: _distinct(pairs, name))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not readable as JSON: {error}") from error
    return checked(found, name)


def of_yaml(text: str, name: str) -> dict[str, Any]:
    """The keys of a YAML document, by the safe loader."""
    try:
        _check_events(text, name)
        found = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UsageError(f"{name} is not readable as YAML: {reason}") from error
    return checked(found, name)


def checked(found: Any, name: str) -> dict[str, Any]:
    """A table whose keys are texts, and not too large.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(found, Mapping) or not found:
        raise UsageError(f"{name} is no table of settings")
    if _count(found) > MOST_VALUES:
        raise UsageError(f"{name} holds more than {MOST_VALUES:,} values")
    if not all(isinstance(key, str) for key in found):
        raise UsageError(f"{name} has keys that are no texts")
    return dict(found)


def _count(found: Any) -> int:
    """Values in a nested value; counting ends where there are too many."""
    waiting, total = [found], 0
    while waiting and total <= MOST_VALUES:
        one = waiting.pop()
        total += 1
        if isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, list | tuple | set):
            waiting.extend(one)
    return total


def _check_events(text: str, name: str) -> None:
    aliases = depth = 0
    for events, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        aliases += isinstance(event, yaml.AliasEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if aliases > MOST_ALIASES or depth > DEEPEST or events > 2 * MOST_VALUES:
            raise UsageError(f"{name} has too many values, aliases or levels for settings")


def _distinct(pairs: Sequence[tuple[str, Any]], name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise UsageError(f"{name} has the key {key!r:.60} twice")
        found[key] = value
    return found


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML's safe loader, which refuses a key that stands twice in a table."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r:.60} stands there twice", key.start_mark
                    )
                seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return found


# -- a line of a shell -----------------------------------------------------------------------------
def _of_shell(text: str, folder: Path) -> tuple[dict[str, Any], str | None]:
    """The arguments of the command in a script; those of ``--config`` are read under them."""
    found, tool = shell.arguments(text)
    config = found.pop("config", None)
    if isinstance(config, str):
        path = next((p for p in (folder / config, Path(config)) if is_file(p)), None)
        if path is None:
            raise UsageError(f"there is no file {config} (--config)")
        read_it = of_json if path.suffix.lower() == ".json" else of_yaml
        found = {**read_it(read_text(path), str(path)), **found}
    return found, tool
