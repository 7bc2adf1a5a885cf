"""Digests of rows: by them stored splits are checked, and a run knows its data again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.data.splits import present
from toolkit.runs.earlier_names import SPLITS as SPLITS_OF_VERSION_1

if TYPE_CHECKING:
    from datasets import DatasetDict

FINGERPRINTED = {now: former for former, now in SPLITS_OF_VERSION_1.items()}
"""Splits → their names in the fingerprint: those of version 1, so that older runs still match."""
DIGEST = np.dtype("V32")
"""A SHA-256 in an array."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)


def row_digest(row: Mapping[str, Any], names: Sequence[str]) -> bytes:
    """The SHA-256 of a row's task columns, as it stands in ``splits.parquet``."""
    return digest(row, names).hexdigest().encode()


def digest(row: Mapping[str, Any], names: Sequence[str]) -> hashlib._Hash:
    """The same as a hash object."""
    values = _ENCODER.encode([row[name] for name in names])
    return hashlib.sha256(values.encode("utf-8", "surrogatepass"))


def hexadecimal(digests: np.ndarray) -> Iterator[str]:
    """Digests as text, one after the other: all of them at once take much memory."""
    return (digest.tobytes().hex() for digest in digests)


def fingerprint(splits: DatasetDict, digests: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over split, row number and content of every row, in order."""
    total = hashlib.sha256()
    for split in present(splits):
        name = FINGERPRINTED.get(split, split)
        total.update(f"{name} {len(digests[split])}\n".encode())
        total.update(np.asarray(splits[split]["row_id"][:], dtype="<i8").tobytes())
        for one in hexadecimal(digests[split]):
            total.update(one.encode())
    return total.hexdigest()
