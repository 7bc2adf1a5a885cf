"""The baseline ``learned-templates``: texts about fields, put together from training sentences.

Training texts are delexicalised (:mod:`~toolkit_summarization.delexicalising`) and cut into
*units*: a sentence that states facts for the first time, with the sentences after it that state
none. A unit is known by its new facts and the slots that it fills. For a new source

* units are chosen greedily, until its facts are stated: next comes the unit that training texts use
  most often where their source has its facts, with a bonus for units that state more of them;
* the wording of a unit is the one that is most like all wordings of it in training, by ROUGE-L
  (minimum Bayes risk; with few distinct wordings this is about the commonest one);
* the order of the units is that of their facts in training texts;
* facts whose label no training source has are stated plainly, at the end.

Which facts a sentence without their values is about ("The place of the loss is missing") is learned
too: by phrases that go with a fact (:func:`cues`). Two settings of the choice, the bonus and the
share of training texts below which a unit is left out, are tuned by cross-validation on training
rows (:func:`tuned`). For sources without fields the text of the nearest training row is taken.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from toolkit.baselines import nearest
from toolkit.data import tables
from toolkit_summarization.delexicalising import (
    Facts,
    Slot,
    delexicalise,
    fill,
    slots,
    slots_in,
    words_of,
)
from toolkit_summarization.overlap import alike, words

if TYPE_CHECKING:
    from datasets import Dataset

    from toolkit import Baseline, Predictor

WORDINGS: Final = 25
"""The commonest wordings of a unit that are compared."""
TUNED_ROWS: Final = 600
"""At most so many training rows are used to tune the settings."""
FOLDS: Final = 3
CUE: Final = 0.5
"""The least correlation (phi) between a phrase and a fact that it is a cue of."""


class Settings(NamedTuple):
    """How units are chosen."""

    bonus: float = 0.0
    """The exponent of the number of facts that a unit states."""
    least: float = 0.0
    """The share of training texts below which a unit is left out."""


SETTINGS: Final = tuple(
    itertools.starmap(Settings, itertools.product((0.0, 0.5, 1.0), (0.0, 0.1, 0.3)))
)


class Pair(NamedTuple):
    """The slots of a training source, and the texts about it, with and without their values."""

    given: tuple[Slot, ...]
    texts: tuple[str, ...]
    plain: tuple[str, ...]

    @classmethod
    def of(cls, source: str, texts: Iterable[str]) -> Pair:
        """A pair of a source and the texts about it."""
        given, several = tuple(slots(source)), tuple(text for text in texts if text)
        return cls(given, several, tuple(delexicalise(text, given) for text in several))


class Key(NamedTuple):
    """What a unit is known by: the facts that it states first, and all slots that it fills."""

    new: frozenset[str]
    needs: frozenset[str]


def learned_templates(column: str, answer: str) -> Baseline:
    """The baseline (see the module) for a column of sources and one of the texts about them.

    All texts of the column ``references`` are learned from, where the rows have it.
    """

    def fit(train: Dataset) -> Predictor:
        several = "references" if "references" in train.column_names else answer
        pairs = [
            Pair.of(row[column], [row[several]] if several == answer else row[several])
            for row in tables.rows(train, [column, several])
        ]
        pairs = [pair for pair in pairs if pair.given and pair.texts]
        write = Writer(pairs, tuned(pairs))
        otherwise = nearest(column, answer)(train)

        def predict(rows: Dataset) -> list[str]:
            found = [slots(row[column]) for row in tables.rows(rows, [column])]
            written = [write(given) if pairs and given else "" for given in found]
            if not all(written):
                instead = otherwise(rows)
                written = [text or other for text, other in zip(written, instead, strict=True)]
            return written

        return predict

    return fit


def tuned(pairs: Sequence[Pair]) -> Settings:
    """The settings with the best ROUGE-L by cross-validation; among equal ones the first.

    ROUGE-L is that of :mod:`~toolkit_summarization.overlap`.
    """
    few = pairs[:: len(pairs) // TUNED_ROWS + 1]
    if len(few) < 2 * FOLDS:
        return Settings()
    totals = dict.fromkeys(SETTINGS, 0.0)
    for fold in range(FOLDS):
        writer = Writer([pair for at, pair in enumerate(few) if at % FOLDS != fold], Settings())
        for pair in few[fold::FOLDS]:
            texts = [words(text) for text in pair.texts]
            for settings in SETTINGS:
                writer.settings = settings
                written = words(writer(pair.given))
                totals[settings] += max(alike(written, text) for text in texts)
    return max(SETTINGS, key=lambda settings: round(totals[settings], 6))


@dataclass
class Writer:
    """Writes a text about slots, from what it has learned of pairs of slots and texts."""

    pairs: Sequence[Pair]
    settings: Settings
    _chosen: dict[Key, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._facts = Facts((pair.given, pair.plain) for pair in self.pairs)
        self._labels = {slot.name for pair in self.pairs for slot in pair.given}
        plain = [pair.plain for pair in self.pairs]
        facts = [self._facts(pair.given) for pair in self.pairs]
        about = cues(facts, plain)
        self._wordings: defaultdict[Key, Counter[str]] = defaultdict(Counter)
        self._before: Counter[tuple[str, str]] = Counter()
        for known, texts in zip(facts, plain, strict=True):
            for text in texts:
                self._learn(units(text, known, about))
        self._shares = shares(self._wordings, facts, [len(pair.texts) for pair in self.pairs])

    def _learn(self, found: Sequence[tuple[Key, str]]) -> None:
        for key, text in found:
            self._wordings[key][text] += 1
        for (first, _), (second, _) in itertools.combinations(found, 2):
            self._before.update(itertools.product(first.new, second.new))

    def __call__(self, given: Sequence[Slot]) -> str:
        """The text about the slots of a source."""
        values = {slot.name: slot.value for slot in given}
        known = self._facts(given)
        keys = self._in_order(self._choose(frozenset(known)))
        texts = [fill(self._wording(key), values) for key in keys]
        stated = frozenset[str]().union(*(key.new for key in keys))
        strange = [
            slot for slot, fact in zip(given, known, strict=True)
            if fact not in stated and slot.name not in self._labels
        ]  # fmt: skip
        return " ".join([*texts, *(f"The {slot.name} is {slot.value}." for slot in strange)])

    def _choose(self, known: frozenset[str]) -> list[Key]:
        possible = [key for key in self._shares if key.new <= known and key.needs <= known]
        chosen, left = [], known
        while left:
            possible = [key for key in possible if key.new <= left]
            if not possible:
                break
            best = max(possible, key=self._rank)
            if self._shares[best] < self.settings.least:
                break
            chosen.append(best)
            left -= best.new
        return chosen

    def _rank(self, key: Key) -> tuple[float, int, list[str], list[str]]:
        value = self._shares[key] * len(key.new) ** self.settings.bonus
        return value, len(key.new), sorted(key.new), sorted(key.needs)

    def _in_order(self, keys: Sequence[Key]) -> list[Key]:
        """The units by the share of pairs of facts in which they come first in training texts."""

        def earlier(key: Key) -> float:
            pairs = [
                (self._before[a, b], self._before[b, a])
                for other in keys if other is not key
                for a in key.new for b in other.new
            ]  # fmt: skip
            return sum((first + 0.5) / (first + second + 1) for first, second in pairs) / (
                len(pairs) or 1
            )

        return sorted(keys, key=lambda key: (-round(earlier(key), 9), sorted(key.new)))

    def _wording(self, key: Key) -> str:
        if key not in self._chosen:
            self._chosen[key] = central_wording(self._wordings[key])
        return self._chosen[key]


def units(text: str, known: Sequence[str], about: Mapping[str, set[str]]) -> list[tuple[Key, str]]:
    """The units of a delexicalised text, in their order.

    Args:
        text: the text without values.
        known: the facts of its source.
        about: fact → phrases that are its cues.
    """
    from toolkit.metrics.texts import sentences

    found: list[tuple[Key, str]] = []
    stated: set[str] = set()
    lead: list[str] = []
    for sentence in sentences(text):
        phrases = set(_phrases(sentence))
        mentioned = set(slots_in(sentence))
        facts = mentioned | {f for f in known if f in about and about[f] & phrases}
        new = frozenset(facts - stated)
        stated |= facts
        if new:
            found.append((Key(new, frozenset(mentioned)), " ".join([*lead, sentence])))
            lead = []
        elif found:
            key, before = found[-1]
            found[-1] = (Key(key.new, key.needs | mentioned), f"{before} {sentence}")
        else:
            lead.append(sentence)
    return found


def _phrases(text: str) -> Iterable[str]:
    """Runs of one to four words of a text without values."""
    found = [word.strip(".,;:!?()\"'") for word in words_of(text).casefold().split()]
    for size in range(1, 5):
        for at in range(len(found) - size + 1):
            yield " ".join(found[at : at + size])


def cues(facts: Sequence[Sequence[str]], texts: Sequence[Sequence[str]]) -> dict[str, set[str]]:
    """Facts without a slot → phrases that stand in texts about them and hardly in others.

    A phrase is a cue where its correlation with the fact over all texts (phi) is at least
    :data:`CUE`, or where it is the best one and its correlation is positive.

    Args:
        facts: the facts of each source.
        texts: the texts without values about each source.
    """
    whole = sum(map(len, texts))
    has: Counter[str] = Counter()
    holds: Counter[str] = Counter()
    both: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for known, several in zip(facts, texts, strict=True):
        silent = [fact for fact in known if "=" in fact]
        for text in several:
            phrases = set(_phrases(text))
            holds.update(phrases)
            has.update(silent)
            for fact in silent:
                both[fact].update(phrases)
    found = {}
    for fact, counts in both.items():
        scored = {
            phrase: _phi(number, has[fact], holds[phrase], whole)
            for phrase, number in counts.items()
            if number >= min(3, has[fact])
        }
        least = min(CUE, max(scored.values(), default=0.0))
        found[fact] = {phrase for phrase, phi in scored.items() if phi >= least > 0.1}
    return found


def _phi(both: int, one: int, other: int, whole: int) -> float:
    """The correlation of two events that occur so often together, each, and at all."""
    spread = one * (whole - one) * other * (whole - other)
    return (both * whole - one * other) / spread**0.5 if spread else 0.0


def shares(
    wordings: Mapping[Key, Counter[str]], facts: Sequence[Sequence[str]], times: Sequence[int]
) -> dict[Key, float]:
    """Unit → the share of training texts that use it, of those whose source has its facts.

    Args:
        wordings: unit → its wordings.
        facts: the facts of each training source.
        times: the number of texts about each training source.
    """
    of_fact: defaultdict[str, set[int]] = defaultdict(set)
    kinds: Counter[frozenset[str]] = Counter()
    for known, number in zip(facts, times, strict=True):
        kinds[frozenset(known)] += number
    counts = list(kinds.values())
    for at, known_facts in enumerate(kinds):
        for fact in known_facts:
            of_fact[fact].add(at)
    found = {}
    for key, texts in wordings.items():
        places = set.intersection(*(of_fact[fact] for fact in key.new | key.needs))
        # One text more, so that a unit of a single source does not count as certain.
        found[key] = texts.total() / (1 + sum(counts[at] for at in places))
    return found


def central_wording(wordings: Counter[str]) -> str:
    """The wording that is most like all of them by ROUGE-L, each counted as often as it occurs."""
    ranked = sorted(wordings.items(), key=lambda item: (-item[1], item[0]))[:WORDINGS]
    if len(ranked) < 3:
        return ranked[0][0]
    plain = [words(words_of(text)) for text, _ in ranked]
    totals = [
        sum(n * alike(one, other) for other, (_, n) in zip(plain, ranked, strict=True))
        for one in plain
    ]
    return ranked[max(range(len(ranked)), key=lambda at: (round(totals[at], 9), -at))][0]
