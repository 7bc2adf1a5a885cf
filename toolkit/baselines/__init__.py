"""Ready-made baselines: cheap ways to do a task. A task may also write its own.

``ready_made`` has the functions that a task names; ``text_models`` the linear models behind them,
tuned by cross-validation, and ``embeddings`` the sentence encoder. All is public here.
"""

from toolkit.baselines.embeddings import sentence_encoder, sentence_vectors
from toolkit.baselines.ready_made import (
    EMBEDDED_ROWS,
    Text,
    embeddings_logistic,
    embeddings_ridge,
    first_words,
    median,
    most_frequent,
    nearest,
    nearest_sentence,
    tfidf_logistic,
    tfidf_ridge,
)
from toolkit.baselines.text_models import (
    Features,
    Fold,
    characters,
    classifier,
    folds,
    ngrams,
    one_thread,
    regressor,
    sample,
    words,
)

__all__ = [
    "EMBEDDED_ROWS",
    "Features",
    "Fold",
    "Text",
    "characters",
    "classifier",
    "embeddings_logistic",
    "embeddings_ridge",
    "first_words",
    "folds",
    "median",
    "most_frequent",
    "nearest",
    "nearest_sentence",
    "ngrams",
    "one_thread",
    "regressor",
    "sample",
    "sentence_encoder",
    "sentence_vectors",
    "tfidf_logistic",
    "tfidf_ridge",
    "words",
]
