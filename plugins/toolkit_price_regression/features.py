"""Features of a text for the baselines: its words, its lengths and counts, its quantities."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from toolkit.metrics.texts import spaced
from toolkit_price_regression.quantities import table

Array = npt.NDArray[np.float64]

_WORD: Final = r"(?u)\d+(?:[.,]\d+)*|[^\W\d_]+"
"""Numbers are tokens apart from their units, so that "500ml" and "500 ml" are one bigram."""


def _spaced(text: str) -> str:
    """A text in small letters, with characters of scripts without blanks apart."""
    return spaced(text).lower()


def vectorizer(texts: list[str], min_df: int = 2, **weighting: Any) -> Any:
    """Fit TF-IDF weights of words and pairs of words; of characters if no word can be used."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    settings = {"sublinear_tf": True, "max_features": 200_000, **weighting}
    try:
        return TfidfVectorizer(
            token_pattern=_WORD,
            preprocessor=_spaced,
            ngram_range=(1, 2),
            min_df=min_df if len(texts) >= 200 else 1,
            **settings,
        ).fit(texts)
    except ValueError:  # no word at all, or none that occurs twice
        return TfidfVectorizer(analyzer="char", **settings).fit(texts)


def shape(texts: Sequence[str]) -> Array:
    """Eight counts and lengths of each text, shape (texts, 8); logarithms of the long-tailed."""
    rows = []
    for text in texts:
        words = text.split()
        numbers = [float(number) for number in re.findall(r"\d{1,9}(?:\.\d{1,4})?", text)]
        rows.append(
            [
                np.log1p(len(text)),
                np.log1p(len(words)),
                len(text) / max(len(words), 1),
                np.log1p(len(numbers)),
                np.log1p(max(numbers, default=0.0)),
                sum(character.isdigit() for character in text) / max(len(text), 1),
                sum(character.isupper() for character in text) / max(len(text), 1),
                np.log1p(sum(character in ",.;:!?-/" for character in text)),
            ]
        )
    return np.asarray(rows, dtype=np.float64).reshape(-1, 8)


def amounts(texts: Sequence[str]) -> Array:
    """Parsed quantities, shape (texts, 2 × dimensions); 0 if absent, which a tree can split off."""
    return np.nan_to_num(table(texts), nan=0.0)
