"""Values of other tools' files: read as the type that a setting has, or refused with its name.

YAML reads ``1e-4`` as a text, a shell knows nothing but texts, and these tools take all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolkit.errors import UsageError
from toolkit.system import secrets

SHOWN = 60
"""Characters of a value that are shown."""
TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
Convert = Callable[[str, Any], Any]
"""(key, value as it stands in the file) → the value; raises :class:`UsageError`."""


def number(key: str, value: Any) -> float:
    """A number; of a text the number that it writes."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise _wrong(key, value, "a number") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(key, value, "a number")
    try:
        found = float(value)
    except OverflowError:
        raise _wrong(key, value, "a number") from None
    if not math.isfinite(found):
        raise _wrong(key, value, "a finite number")
    return found


def whole(key: str, value: Any) -> int:
    """A whole number."""
    found = number(key, value)
    if found != int(found) or abs(found) >= 2**31:
        raise _wrong(key, value, "a whole number")
    return int(found)


def steps(key: str, value: Any) -> float:
    """A number of steps, or below 1 a share of all."""
    found = number(key, value)
    return int(found) if found == int(found) else found


def flag(key: str, value: Any) -> bool:
    """True or false."""
    text = str(value).strip().lower()
    if isinstance(value, bool | str | int) and text in (*TRUE, *FALSE):
        return text in TRUE
    raise _wrong(key, value, "true or false")


def text(key: str, value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise _wrong(key, value, "a text")
    return value


def texts(key: str, value: Any) -> list[str]:
    """A list of texts; of a text the parts between its commas."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, Sequence) or not parts:
        raise _wrong(key, value, "a list of texts")
    found = [text(key, part).strip() for part in parts]
    return list(dict.fromkeys(found))


def wholes(key: str, value: Any) -> list[int]:
    """A list of whole numbers."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise _wrong(key, value, "a list of whole numbers")
    return [whole(key, part) for part in value]


def table(key: str, value: Any) -> dict[str, Any]:
    """A table with texts as its keys."""
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise _wrong(key, value, "a table")
    return dict(value)


def patterns(key: str, value: Any) -> dict[str, int]:
    """A table from names of layers to whole numbers."""
    return {name: whole(f"{key}.{name}", one) for name, one in table(key, value).items()}


def shown(key: str, value: Any) -> str:
    """A value for a list of keys, on one line and short; nothing of a secret or a nested value."""
    if is_secret(key, value):
        return secrets.HIDDEN
    if isinstance(value, Mapping):
        return f"a table of {len(value)}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        parts = [shown(key, one) for one in value[:4]]
        return f"[{', '.join(parts)}{', …' if len(value) > 4 else ''}]"
    flat = " ".join(str(value).lower().split() if isinstance(value, bool) else str(value).split())
    flat = secrets.printable(flat)
    return flat if len(flat) <= SHOWN else f"{flat[: SHOWN - 1]}…"


def is_secret(key: str, value: Any) -> bool:
    """Whether a key's value must not be written: by the key's name, or the value's form."""
    named = secrets.is_secret_name(key) or "webhook" in key.lower()
    if named and not isinstance(value, bool):
        return True
    return isinstance(value, str) and secrets.has_form(value)


def _wrong(key: str, value: Any, kind: str) -> UsageError:
    return UsageError(f"{key} must be {kind}, not {shown(key, value)!r}")
