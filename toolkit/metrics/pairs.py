"""A prediction with its reference as one key, the same in every process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

DIGITS = 9
"""Significant digits of numbers that count, so that rounding makes no other key."""


def pair_key(prediction: Any, reference: Any) -> str:
    """A key of a pair: equal values have equal keys, also after they were written as JSON."""
    return json.dumps([_plain(prediction), _plain(reference)], sort_keys=True, default=repr)


def pair_code(prediction: Any, reference: Any) -> float:
    """A number that stands for a pair: 52 bits of a hash, which a float holds exactly."""
    digest = hashlib.sha256(pair_key(prediction, reference).encode("utf-8", "backslashreplace"))
    return float(int.from_bytes(digest.digest()[:8], "big") >> 12)


def _plain(value: Any) -> Any:
    """A value as it comes back from JSON, its numbers rounded."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inside) for name, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inside) for inside in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
