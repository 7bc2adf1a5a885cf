"""Ways to summarize or report without a model of one's own.

``lead-1`` and ``lead-3`` take the first sentences, ``textrank`` the most central one by shared
words (Mihalcea and Tarau 2004: PageRank, here by networkx, over the cosines of TF-IDF vectors),
``embedding-central`` the one whose sentence embedding is nearest to the mean of all. ``template``
says each field of a claim in the plainest of words. ``nearest`` copies the target of the training
row that is most alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from toolkit import Baseline, MissingExtra
from toolkit.baselines import nearest, sentence_vectors
from toolkit.data import tables
from toolkit_summarization import faithfulness

if TYPE_CHECKING:
    import numpy as np
    from datasets import Dataset

    from toolkit import Predictor

_END = re.compile(r"((?<=[.!?])[\"'”’)]*)\s+(?=[\"'“‘(]?[A-Z0-9])")


def sentences(text: str) -> list[str]:
    """The sentences of a text, by end marks before capitals and by line ends."""
    return [part.strip() for part in _END.sub(r"\1\n", text).split("\n") if part.strip()]


def of_texts(column: str) -> Mapping[str, Baseline]:
    """The rungs for running text."""
    return {
        "lead-1": _each(column, lambda text: lead(text, 1)),
        "lead-3": _each(column, lambda text: lead(text, 3)),
        "textrank": _each(column, lambda text: " ".join(central(sentences(text), 1))),
        "embedding-central": _embedding_central(column),
    }


def of_fields(column: str, answer: str) -> Mapping[str, Baseline]:
    """The rungs for structured fields; on running text the template copies it."""
    return {"template": _each(column, template), "nearest": nearest(column, answer)}


def _each(column: str, write: Callable[[str], str]) -> Baseline:
    def fit(train: Dataset) -> Predictor:
        return lambda rows: [write(row[column]) for row in tables.rows(rows, [column])]

    return fit


def lead(text: str, number: int) -> str:
    """The first sentences."""
    return " ".join(sentences(text)[:number])


def template(text: str) -> str:
    """Each field as a sentence of its own, in the plainest words."""
    fields = faithfulness.parse(text)
    if not fields:
        return text
    said = []
    for label, value in fields:
        name = " ".join(re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", label)).lower()
        unknown = value.casefold() in faithfulness.NOTHING
        said.append(f"The {name} is {'not known' if unknown else value}.")
    return " ".join(said)


def central(parts: Sequence[str], number: int) -> list[str]:
    """The most central sentences by TextRank, in the order of the text."""
    if len(parts) <= number:
        return list(parts)
    try:
        import networkx
    except ImportError as error:
        raise MissingExtra("TextRank", "summarization") from error
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        vectors = TfidfVectorizer(stop_words="english").fit_transform(parts)
    except ValueError:  # nothing but stop words
        return list(parts[:number])
    alike = (vectors @ vectors.T).toarray()
    alike[range(len(parts)), range(len(parts))] = 0.0
    ranks = networkx.pagerank(networkx.from_numpy_array(alike))
    chosen = sorted(range(len(parts)), key=lambda at: (-ranks[at], at))[:number]
    return [parts[at] for at in sorted(chosen)]


def _embedding_central(column: str) -> Baseline:
    def fit(train: Dataset) -> Predictor:
        encode = sentence_vectors("The baseline embedding-central")

        def predict(rows: Dataset) -> list[str]:
            split = [sentences(row[column]) for row in tables.rows(rows, [column])]
            vectors = iter(encode([part for parts in split for part in parts]))
            return [_nearest_to_mean(parts, [next(vectors) for _ in parts]) for parts in split]

        return predict

    return fit


def _nearest_to_mean(parts: Sequence[str], vectors: Sequence[np.ndarray]) -> str:
    if not parts:
        return ""
    middle = sum(vectors[1:], vectors[0])
    return parts[max(range(len(parts)), key=lambda at: float(vectors[at] @ middle))]
