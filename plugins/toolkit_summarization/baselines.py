"""Baselines of both tasks: summaries and reports without a trained language model.

``lead-1`` and ``lead-3`` take the first sentences, ``textrank`` the most central one by shared
words (Mihalcea and Tarau 2004: PageRank, here by networkx, over the cosines of TF-IDF vectors),
``embedding-central`` the one whose sentence embedding is nearest to the mean of all. ``template``
states each field of a claim in a fixed sentence. ``nearest`` copies the target of the most similar
training row. Three learn from training rows: ``learned-templates`` (for structured fields;
:mod:`~toolkit_summarization.learned_templates`), ``best-sentences`` and ``compressed-sentences``
(for running text; :mod:`~toolkit_summarization.learned_extracts`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from toolkit import Baseline, MissingExtra
from toolkit.baselines import nearest, sentence_vectors
from toolkit.data import tables
from toolkit.metrics.texts import sentences, terms
from toolkit_summarization import faithfulness
from toolkit_summarization.delexicalising import fields_of

if TYPE_CHECKING:
    import numpy as np
    from datasets import Dataset

    from toolkit import Predictor


def ladder(column: str, answer: str, *, structured: bool) -> Mapping[str, Baseline]:
    """The baselines by name, for structured fields or for running text.

    Args:
        column: the input column.
        answer: the target column.
        structured: whether the inputs have fields.
    """
    from toolkit_summarization.learned_extracts import learned_extract
    from toolkit_summarization.learned_templates import learned_templates

    if structured:
        return {
            "template": _each(column, template),
            "nearest": nearest(column, answer),
            "learned-templates": learned_templates(column, answer),
        }
    return {
        "lead-1": _each(column, lambda text: lead(text, 1)),
        "lead-3": _each(column, lambda text: lead(text, 3)),
        "textrank": _each(column, lambda text: " ".join(central(sentences(text), 1))),
        "embedding-central": _embedding_central(column),
        "nearest": nearest(column, answer),
        "best-sentences": learned_extract(column, answer, compress=False),
        "compressed-sentences": learned_extract(column, answer, compress=True),
    }


def _each(column: str, write: Callable[[str], str]) -> Baseline:
    """A baseline that applies a function to the input of each row and learns nothing."""

    def fit(train: Dataset) -> Predictor:
        return lambda rows: [write(row[column]) for row in tables.rows(rows, [column])]

    return fit


def lead(text: str, number: int) -> str:
    """The first ``number`` sentences of a text."""
    return " ".join(sentences(text)[:number])


def template(text: str) -> str:
    """State each field in a sentence of its own ("The excess is $300."); copy running text."""
    fields = fields_of(text)
    if not fields:
        return text
    stated = []
    for label, value in fields:
        name = " ".join(faithfulness.label_words(label))
        unknown = value.casefold() in faithfulness.NOTHING
        stated.append(f"The {name} is {'not known' if unknown else value}.")
    return " ".join(stated)


def central(parts: Sequence[str], number: int) -> list[str]:
    """The ``number`` most central sentences by TextRank, in the order of the text."""
    if len(parts) <= number:
        return list(parts)
    try:
        import networkx
    except ImportError as error:
        raise MissingExtra("TextRank", "summarization") from error
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        vectors = TfidfVectorizer(
            stop_words="english", tokenizer=terms, token_pattern=None
        ).fit_transform(parts)
    except ValueError:  # only stop words, which are English ones
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
