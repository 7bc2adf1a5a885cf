"""The baselines ``best-sentences`` and ``compressed-sentences``: extracts that are learned.

A ridge regression estimates how much each sentence of a text shares with its summary (ROUGE-L)
from its place, its length, its names and numbers, and how alike it is (cosine of TF-IDF) to the
whole text, to its first sentence and to training summaries. The sentences with the highest
estimates are taken, in the order of the text; after Kupiec, Pedersen and Chen, "A trainable
document summarizer" (SIGIR 1995).

``compressed-sentences`` leaves words out of these: a logistic regression estimates for each word,
from itself, its neighbours and its place, whether the summary has it (in a longest common
subsequence); after Knight and Marcu, "Summarization beyond sentence extraction" (2002). Its texts
can be ungrammatical: it shows what ROUGE gives to choosing words alone.

The number of sentences, and the probability from which on a word is kept, are tuned on training
rows by cross-validation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from toolkit.data import tables
from toolkit_summarization.overlap import alike, kept_words, words

if TYPE_CHECKING:
    import numpy as np
    from datasets import Dataset

    from toolkit import Baseline, Predictor

ROWS: Final = 1_500
"""At most so many training rows are learned from."""
SENTENCES: Final = 60
"""At most so many sentences of a text are considered: the first ones."""
COMMON: Final = 0.1
"""Words that occur in at least this share of all sentences are features of sentences."""
FOLDS: Final = 3
NUMBERS: Final = (1, 2, 3, 4)
KEPT: Final = (0.0, 0.15, 0.25, 0.35, 0.45)
"""Probabilities from which on a word is kept; 0 keeps all words."""

Probabilities = Sequence[Sequence[float]]
"""For each sentence of a text, the probability of each of its words that a summary keeps it."""


class Text(NamedTuple):
    """A text's sentences, and the words of each summary of it (none for a text to summarize)."""

    parts: tuple[str, ...]
    targets: tuple[list[str], ...] = ()

    @classmethod
    def of(cls, text: str, targets: Sequence[str] = ()) -> Text:
        """The sentences of a text, and the words of its summaries that have any."""
        from toolkit.metrics.texts import sentences

        parts = tuple(sentences(text)[:SENTENCES])
        return cls(parts, tuple(found for target in targets if (found := words(target))))

    def score(self, written: str) -> float:
        """ROUGE-L of a text against the best summary."""
        found = words(written)
        return max(alike(found, target) for target in self.targets)


class Choice(NamedTuple):
    """How many sentences are taken, and the least probability of a word that is kept."""

    number: int = 1
    kept: float = 0.0


def learned_extract(column: str, answer: str, *, compress: bool) -> Baseline:
    """The baseline (see the module) for a column of texts and one of their summaries.

    Args:
        column: the column of the texts.
        answer: the column of the summaries; all of ``references`` count where the rows have it.
        compress: whether words are left out of the sentences.
    """

    def fit(train: Dataset) -> Predictor:
        several = "references" if "references" in train.column_names else answer
        few = train.select(range(0, len(train), len(train) // (ROWS + 1) + 1))
        texts = [
            Text.of(row[column], [row[several]] if several == answer else row[several])
            for row in tables.rows(few, [column, several])
        ]
        texts = [text for text in texts if text.parts and text.targets]
        if len(texts) < FOLDS:
            return lambda rows: [
                " ".join(Text.of(row[column]).parts[:1]) for row in tables.rows(rows, [column])
            ]
        choice = tuned(texts, compress=compress)
        ranker = Ranker(texts)
        compressor = Compressor(texts) if choice.kept else None

        def predict(rows: Dataset) -> list[str]:
            found = [Text.of(row[column]) for row in tables.rows(rows, [column])]
            keep: Sequence[Probabilities] = compressor(found) if compressor else [()] * len(found)
            return [
                extract(text, values, probabilities, choice)
                for text, values, probabilities in zip(found, ranker(found), keep, strict=True)
            ]

        return predict

    return fit


def tuned(texts: Sequence[Text], *, compress: bool) -> Choice:
    """The choice with the highest mean ROUGE-L by cross-validation; of equal ones the first."""
    choices = list(
        itertools.starmap(Choice, itertools.product(NUMBERS, KEPT if compress else (0.0,)))
    )
    totals = dict.fromkeys(choices, 0.0)
    for fold in range(FOLDS):
        held = texts[fold::FOLDS]
        rest = [text for at, text in enumerate(texts) if at % FOLDS != fold]
        keep: Sequence[Probabilities] = Compressor(rest)(held) if compress else [()] * len(held)
        for text, values, probabilities in zip(held, Ranker(rest)(held), keep, strict=True):
            for choice in choices:
                totals[choice] += text.score(extract(text, values, probabilities, choice))
    return max(choices, key=lambda choice: round(totals[choice], 6))


def extract(text: Text, values: np.ndarray, keep: Probabilities, choice: Choice) -> str:
    """The sentences with the highest estimates, without words that are not to be kept.

    Args:
        text: the text.
        values: the estimate of each sentence.
        keep: the probabilities of the words; unused where all are kept.
        choice: how many sentences, and from which probability on words are kept.
    """
    best = sorted(range(len(text.parts)), key=lambda at: (-values[at], at))[: choice.number]
    shown = []
    for at in sorted(best):
        tokens = text.parts[at].split()
        if choice.kept:
            tokens = [t for t, p in zip(tokens, keep[at], strict=True) if p >= choice.kept]
        shown += tokens
    # Where no word is kept, the best sentence is taken whole.
    return " ".join(shown) or (text.parts[best[0]] if best else "")


# -- sentences -------------------------------------------------------------------------------------
class Ranker:
    """Estimates of how much sentences share with a summary, learned from texts with summaries.

    Of the words only those that occur in a tenth of all sentences are features ("we propose"):
    others would teach it what the training texts are about.
    """

    def __init__(self, texts: Sequence[Text]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import Ridge
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self._tfidf = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+")
        self._tfidf.fit([*(part for text in texts for part in text.parts), "a"])
        targets = self._tfidf.transform([" ".join(one) for text in texts for one in text.targets])
        self._usual = _unit(targets.mean(axis=0))
        self._common = _common([part for text in texts for part in text.parts])
        worth = [Text((), text.targets).score(part) for text in texts for part in text.parts]
        self._model = make_pipeline(StandardScaler(), Ridge(alpha=30.0))
        self._model.fit(self._features(texts), worth)

    def __call__(self, texts: Sequence[Text]) -> list[np.ndarray]:
        """The estimates of each text's sentences."""
        import numpy as np

        ends = np.cumsum([len(text.parts) for text in texts])
        whole = self._features(texts)
        values = self._model.predict(whole) if len(whole) else np.zeros(0)
        return list(np.split(values, ends[:-1]))

    def _features(self, texts: Sequence[Text]) -> np.ndarray:
        """A row of figures for each sentence of the texts."""
        import numpy as np

        figures = [_figures(text.parts, at) for text in texts for at in range(len(text.parts))]
        if not figures:
            return np.zeros((0, 0))
        vectors = self._tfidf.transform([part for text in texts for part in text.parts])
        starts = np.repeat(
            np.cumsum([0, *(len(text.parts) for text in texts[:-1])]),
            [len(text.parts) for text in texts],
        )
        of_text = _sums(vectors, [len(text.parts) for text in texts])
        likeness = [
            vectors.multiply(of_text).sum(axis=1),
            vectors.multiply(vectors[starts]).sum(axis=1),
            vectors @ self._usual,
        ]
        columns = [np.asarray(column).reshape(-1, 1) for column in likeness]
        common = self._common([part for text in texts for part in text.parts])
        return np.hstack([np.asarray(figures, dtype=float), *columns, common])


def _common(parts: Sequence[str]) -> Callable[[Sequence[str]], np.ndarray]:
    """Which of the words that many sentences have stand in a sentence; learned from sentences."""
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(token_pattern=r"\w+", binary=True).fit([*parts, "a"])
    often = counter.transform(parts).mean(axis=0).A1 >= COMMON
    columns = np.flatnonzero(often)
    return lambda given: counter.transform(given)[:, columns].toarray()


def _sums(vectors: Any, sizes: Sequence[int]) -> Any:
    """For each row of a sparse matrix, the unit vector of the sum of its text's rows."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.preprocessing import normalize

    owner = np.repeat(np.arange(len(sizes)), sizes)
    member = csr_matrix((np.ones(len(owner)), (owner, np.arange(len(owner)))))
    return normalize(member @ vectors)[owner]


def _unit(vector: Any) -> np.ndarray:
    import numpy as np

    flat: np.ndarray = np.asarray(vector).ravel()
    return flat / (np.linalg.norm(flat) or 1.0)


def _figures(parts: Sequence[str], at: int) -> list[float]:
    """Figures of a sentence: its place, its length, its names and numbers."""
    tokens = parts[at].split()
    length = len(tokens)
    capitals = sum(token[:1].isupper() for token in tokens[1:])
    digits = sum(any(map(str.isdigit, token)) for token in tokens)
    return [
        at / len(parts), 1 / (at + 1), float(at == 0), float(at == 1), float(at == len(parts) - 1),
        math.log(1 + length), float(length < 6), capitals / length, digits / length,
    ]  # fmt: skip


# -- words -----------------------------------------------------------------------------------------
class Compressor:
    """The probability that a summary keeps a word of a sentence, learned from texts.

    It learns from the two sentences of each text that share most with its summary.
    """

    def __init__(self, texts: Sequence[Text]) -> None:
        from sklearn.linear_model import LogisticRegression

        found: list[dict[str, str]] = []
        kept: list[bool] = []
        for text in texts:
            shared, target = _best_pair(text)
            plain = [_plain(token) for at in shared for token in text.parts[at].split()]
            same = kept_words(plain, target)
            kept += [place in same for place in range(len(plain))]
            found += [features for at in shared for features in _of_words(text.parts, at)]
        self._model = None
        if len(set(kept)) == 2:
            model = LogisticRegression(solver="liblinear")
            self._model = model.fit(_hashed(found), kept)

    def __call__(self, texts: Sequence[Text]) -> list[list[list[float]]]:
        """The probabilities of the words of each sentence of each text."""
        counts = [[len(part.split()) for part in text.parts] for text in texts]
        found = [
            features
            for text in texts
            for at in range(len(text.parts))
            for features in _of_words(text.parts, at)
        ]
        if self._model is None or not found:
            return [[[1.0] * count for count in one] for one in counts]
        flat = iter(self._model.predict_proba(_hashed(found))[:, 1].tolist())
        return [[[next(flat) for _ in range(count)] for count in one] for one in counts]


def _best_pair(text: Text) -> tuple[list[int], list[str]]:
    """The places of the two sentences that share most with a summary, and that summary."""
    plain = [words(part) for part in text.parts]
    worth = {
        target_at: sorted((-alike(part, target), at) for at, part in enumerate(plain))
        for target_at, target in enumerate(text.targets)
    }
    target_at = min(worth, key=lambda at: worth[at][0][0])
    return sorted(at for _, at in worth[target_at][:2]), text.targets[target_at]


def _plain(token: str) -> str:
    return " ".join(words(token))


def _of_words(parts: Sequence[str], at: int) -> list[dict[str, str]]:
    """The features of each word of a sentence: itself, its neighbours, its shape and place."""
    tokens = parts[at].split()
    plain = ["<", *map(_plain, tokens), ">"]
    return [
        {
            "word": plain[place + 1],
            "before": plain[place],
            "after": plain[place + 2],
            "pair": f"{plain[place]} {plain[place + 1]}",
            "other pair": f"{plain[place + 1]} {plain[place + 2]}",
            "shape": (shape := _shape(token)),
            "sentence": str(min(at, 3)),
            "place": f"{shape} {min(place, 4)}",
            "last": "" if token[-1].isalnum() else token[-1],
            "from the end": str(min(len(tokens) - place, 4)),
        }
        for place, token in enumerate(tokens)
    ]


def _shape(token: str) -> str:
    if any(map(str.isdigit, token)):
        return "number"
    return "name" if token[:1].isupper() else "word"


def _hashed(features: Iterable[dict[str, str]]) -> Any:
    from sklearn.feature_extraction import FeatureHasher

    return FeatureHasher(2**18, alternate_sign=False).transform(features)
