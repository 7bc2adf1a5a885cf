"""Which weights a base has: a digest that tells one base from another of the same shape.

An adapter fits every base of its architecture, and on any but its own it computes nonsense without
a word. Its ``toolkit.json`` has the digest of the base that it was trained on, and on another base
it is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from toolkit.errors import ModelError
from toolkit.models.paths import model_path

SAMPLE = 64
"""Bytes that are read at the beginning, in the middle and at the end of each tensor."""
_LARGEST_HEADER = 2**28


def digest(folder: Path) -> str | None:
    """SHA-256 over the names, types, shapes and samples of the tensors in a folder.

    Reading samples takes milliseconds where all of the weights would take seconds, and other
    weights (another training, a rounding to fewer bits) differ nearly everywhere. How tensors are
    spread over files makes no difference.

    Returns:
        ``None``: there are no safetensors, or they cannot be read.
    """
    total = hashlib.sha256()
    found: dict[str, bytes] = {}
    try:
        for file in sorted(folder.glob("*.safetensors")):
            found.update(_tensors(file))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    for name in sorted(found):
        total.update(f"{name}\n".encode("utf-8", "surrogateescape"))
        total.update(found[name])
    return total.hexdigest() if found else None


def _tensors(file: Path) -> Iterator[tuple[str, bytes]]:
    """The names of a file's tensors, each with what goes into the digest."""
    with file.open("rb") as content:
        length = int.from_bytes(content.read(8), "little")
        if length > _LARGEST_HEADER:
            raise ValueError("no safetensors")
        for name, tensor in json.loads(content.read(length)).items():
            if name != "__metadata__":
                start, end = tensor["data_offsets"]
                kind = f"{tensor['dtype']} {tensor['shape']} ".encode()
                yield name, kind + _samples(content, 8 + length + start, end - start)


def _samples(content: IO[bytes], start: int, size: int) -> bytes:
    found = b""
    for offset in (0, (size - SAMPLE) // 2, size - SAMPLE):
        content.seek(start + max(0, offset))
        found += content.read(min(SAMPLE, size))
    return found


def of(model: str) -> str | None:
    """The digest of a recipe's model, see :func:`digest`.

    A model of the Hub has one once its weights have been downloaded; this downloads nothing.
    """
    place = Path(model_path(model))
    found: Path | None = place if place.is_dir() else _downloaded(str(place))
    return None if found is None else digest(found)


def _downloaded(hub_id: str) -> Path | None:
    """The folder in the Hub's cache with a model's weights; ``None``: they are not there."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    for name in ("model.safetensors", "model.safetensors.index.json"):
        try:
            found = try_to_load_from_cache(hub_id, name)
        except HFValidationError:
            return None
        if isinstance(found, str):
            return Path(found).parent
    return None


def check(stored: Mapping[str, Any], model: str, folder: Path) -> None:
    """Raise :class:`ModelError` where an adapter was trained on other weights than a base has.

    Args:
        stored: the adapter's ``toolkit.json``; adapters of earlier versions name no weights.
        model: the base, as in a recipe.
        folder: of the adapter.
    """
    wanted = stored.get("base_weights")
    now = of(model) if wanted else None
    if now is not None and now != wanted:
        raise ModelError(
            f"the adapter in {folder} was trained on other weights than those of {model!r}: its "
            f"base was {stored.get('model')!r}, in the state of then; give that one, or train again"
        )
