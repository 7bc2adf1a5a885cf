"""What a file's ratings mean: words, stars, marks, percent, or numbered classes.

The scale is found from all values of the column (:func:`toolkit.data.label_scales.readings`) and
said with counts. Where two scales fit and mean different things, the file is refused with the
lines that tell them apart; ``--labels`` decides.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from toolkit import DataError, Source, UsageError
from toolkit.data import Profile, columns, label_scales, several_labels
from toolkit.data.label_scales import Labels, Scale
from toolkit.formatting import count
from toolkit_review_augmentation.instructions import SENTIMENTS, STARS, sentiment_of

Found = tuple[int, str]
"""Stars (0: not known) and the sentiment of a review."""

SHORT: Final[Mapping[str, str]] = {
    "neg": SENTIMENTS[0], "neu": SENTIMENTS[1], "pos": SENTIMENTS[2],
}  # fmt: skip
_DEGREE = re.compile(r"(?:very|extremely|highly|strongly|mostly|somewhat|slightly|weakly)[\s_-]+")
MOST_LEVELS = 41
"""Different numbers of a scale: tenths from 1 to 5."""
SHOWN = 6
"""Labels that a sentence names."""
NO_RATING, UNREADABLE = "no rating", "no rating that can be read"


@dataclass
class Reading:
    """How the labels of a column are read, found once and used for all files.

    Args:
        labels: what the user has said of them.
        scale: of the numbers that do not name the end of theirs; ``None``: they cannot be read.
        words: whether the labels are words, beside which numbers mean nothing.
    """

    labels: Labels
    scale: Scale | None = None
    words: bool = False
    _known: dict[Any, Found | str] = field(default_factory=dict, repr=False)

    def __call__(self, value: Any) -> Found | str:
        """Stars and sentiment of a rating, or the reason why it has none."""
        key = value if isinstance(value, str | int | float) else columns.tidy(value)
        if key not in self._known:
            self._known[key] = self._read(key)
        return self._known[key]

    def _read(self, value: Any) -> Found | str:
        text = columns.tidy(value)
        if not text:
            return NO_RATING
        said = self.labels.meaning(text)
        if said is not None:
            return _meant(said) if said else label_scales.LEFT_OUT
        word = word_of(text)
        if word is not None:
            return 0, word
        mark = None if self.words else label_scales.read_mark(text)
        if mark is None:
            return UNREADABLE
        if mark.of is not None and self.labels.ends is None:
            return _of_stars(5 * mark.number / mark.of)
        return _on(self.scale, mark.number) or UNREADABLE

    def as_dict(self) -> dict[str, Any]:
        """As JSON values, for ``source.chosen``."""
        scale = self.scale._asdict() | {"poles": list(self.scale.poles)} if self.scale else None
        return {"words": self.words, "scale": scale, "labels": dict(self.labels.meanings)}


def word_of(text: str) -> str | None:
    """The sentiment that a word names (``Positive``, ``very positive``, ``pos``), if any."""
    word = _DEGREE.sub("", " ".join(text.casefold().split()), count=1)
    return SHORT.get(word, word if word in SENTIMENTS else None)


def _of_stars(number: float) -> Found:
    """The nearest number of stars; a half is rounded up."""
    stars = min(max(math.floor(number + 0.5), STARS[0]), STARS[-1])
    return stars, sentiment_of(stars)


def _on(scale: Scale | None, number: float) -> Found | None:
    share = scale.share(number) if scale else None
    if scale is None or share is None:
        return None
    if scale.kind == "polarity":
        return 0, SENTIMENTS[round(2 * share)]
    return _of_stars(1 + 4 * share)


def _meant(meaning: str) -> Found:
    """Stars and sentiment of what the user says that a label means.

    Raises:
        UsageError: it is neither a sentiment nor a number of stars.
    """
    word = word_of(meaning)
    if word is not None:
        return 0, word
    mark = label_scales.read_mark(meaning)
    if mark and mark.of in (None, 5.0) and mark.number in STARS:
        return _of_stars(mark.number)
    raise UsageError(
        f"--labels: {meaning!r} is no meaning here; name negative, neutral, positive, or 1 to 5 "
        "stars, or nothing for rows to be left out ('0=')"
    )


# -- a column ------------------------------------------------------------------------------------


def fits(labels: Labels) -> Callable[[Profile], float]:
    """How well a column holds ratings: the share of its values that can be read as such.

    Numbers that fit no scale, and values that only ``--labels`` could explain, fit poorly: their
    column's name has to speak for them.

    Args:
        labels: what the user has said of the labels.
    """

    def fit(profile: Profile) -> float:
        if not profile.values:
            return 0.05
        if profile.identifies or profile.dates >= 0.5:
            return 0.0
        counts = Counter(profile.values)
        if labels:
            return max(0.1, _share(counts, [t for t in counts if labels.meaning(t) is not None]))
        words = [text for text in counts if word_of(text)]
        marks = {text: mark for text in counts if (mark := label_scales.read_mark(text))}
        bare = {mark.number for mark in marks.values() if mark.of is None}
        if bare and (not label_scales.readings(bare) or len(bare) > MOST_LEVELS):
            marks = {text: mark for text, mark in marks.items() if mark.of is not None}
        return max(0.2 if profile.of_classes else 0.02, _share(counts, [*words, *marks]))

    return fit


def _share(counts: Counter[str], of: Sequence[str]) -> float:
    return sum(counts[text] for text in of) / counts.total()


def find(source: Source, values: Iterable[Any], stars: bool) -> Reading:
    """How the values of a column are read; what was found is noted with counts.

    Args:
        source: its ``labels``; receives the notes.
        values: all of the training file.
        stars: whether the task needs stars, which classes such as 0 and 1 do not tell.

    Raises:
        DataError: the values fit no scale, or several that differ.
        UsageError: ``--labels`` cannot be used.
    """
    counts = Counter(filter(None, map(columns.tidy, values)))
    labels = source.meanings()
    for meaning in filter(None, labels.meanings.values()):
        _meant(meaning)
    _check_named(labels, counts)
    rest = {text: n for text, n in counts.items() if labels.meaning(text) is None}
    reading = Reading(labels)
    if rest:
        reading = _found(labels, rest, stars)
    outcomes = {text: reading(text) for text in counts}
    if stars and any(isinstance(one, tuple) and not one[0] for one in outcomes.values()):
        raise _without_stars(counts)
    if not any(isinstance(one, tuple) for one in outcomes.values()):
        raise _unreadable(counts)
    _tell(source, counts, outcomes, reading)
    unread = {text: n for text, n in counts.items() if outcomes[text] == UNREADABLE}
    if unread:
        source.note(f"ratings that cannot be read: {listed(_most(unread))}")
    return reading


def _check_named(labels: Labels, counts: Mapping[str, int]) -> None:
    known = {label_scales.label_key(text) for text in counts}
    absent = [label for label in labels.meanings if label not in known]
    if absent and len(absent) == len(labels.meanings):
        raise UsageError(
            f"no row has a label that --labels names ({', '.join(map(repr, absent[:SHOWN]))}); the "
            f"target holds {listed(counts)}"
        )


def _found(labels: Labels, counts: Mapping[str, int], stars: bool) -> Reading:
    """The reading of the labels whose meaning the user has not said."""
    total = sum(counts.values())
    if sum(n for text, n in counts.items() if word_of(text)) >= total / 2:
        return Reading(labels, words=True)
    marks = {text: label_scales.read_mark(text) for text in counts}
    if labels.ends is not None:
        return Reading(labels, Scale("levels", *labels.ends))
    bare = Counter[float]()
    for text, mark in marks.items():
        if mark is not None and mark.of is None:
            bare[mark.number] += counts[text]
    read = sum(n for text, n in counts.items() if marks[text] is not None)
    if read < total / 2 and not labels:
        raise _unreadable(counts)
    return Reading(labels, _scale(bare, stars) if bare else None)


def _scale(counts: Counter[float], stars: bool) -> Scale:
    """The one scale of bare numbers.

    Raises:
        DataError: they fit none, or several that mean different things.
    """
    fits = label_scales.readings(counts)
    if not fits:
        raise DataError(
            f"the ratings go from {min(counts):g} to {max(counts):g}; stars from 1 to 5, marks "
            "from 1 to 10 and percent (80 %) are read as they are: name the ends of another scale "
            f"with --labels {min(counts):g}..{max(counts):g} (0..100 for percent), or say what "
            "each label means, as in --labels '0=negative,2=neutral,4=positive'"
        )
    if len(counts) == 1:
        return fits[-1] if stars else fits[0]
    meanings: dict[tuple[Any, ...], Scale] = {}
    for scale in fits:
        meanings.setdefault(tuple(_seen(_on(scale, x), stars) for x in sorted(counts)), scale)
    if len(meanings) == 1:
        return fits[0]
    if 0 in counts and all(scale.low == 1 for scale in meanings.values()):
        raise DataError(
            f"{counts[0.0]:,} ratings are 0 in a column that goes to {max(counts):g}: no rating, "
            "or the worst one? Leave these rows out with --labels '0=', or read them as one star "
            "with --labels '0=1'"
        )
    named = {f"{x:g}": n for x, n in sorted(counts.items())}
    lines = dict.fromkeys(_line(scale, sorted(counts), stars) for scale in meanings.values())
    if len(lines) == 1:  # classes that may be levels: which stars they stand for is a decision
        raise _without_stars(named)
    raise DataError(
        f"the labels are {listed(named)}, which can be read in {count(len(lines), 'way')}; type "
        f"the one that is meant: {', or '.join(lines)}"
    )


def _seen(found: Found | None, stars: bool) -> Any:
    """What a task sees of a reading: stars, where it needs them, or the sentiment."""
    return found if stars or found is None else found[1]


def _line(scale: Scale, numbers: Sequence[float], stars: bool) -> str:
    """The ``--labels`` that stands for a scale."""
    meanings = []
    for number in numbers:
        found = _on(scale, number)
        if found is None:
            meanings.append((number, ""))
        elif stars and not found[0]:  # negative, neutral, positive as far apart as they can be
            meanings.append((number, str(STARS[2 * SENTIMENTS.index(found[1])])))
        else:
            meanings.append((number, str(found[0]) if stars else found[1]))
    return label_scales.labels_line(meanings)


# -- sentences -----------------------------------------------------------------------------------


def listed(counts: Mapping[str, int]) -> str:
    """Labels with their rows, the first of them."""
    shown = ", ".join(f"{text[:40]} ({n:,})" for text, n in [*counts.items()][:SHOWN])
    return shown + (f" and {len(counts) - SHOWN:,} more" if len(counts) > SHOWN else "")


def _most(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _without_stars(counts: Mapping[str, int]) -> DataError:
    worst_first = sorted(counts, key=_order)
    words = [word_of(text) for text in worst_first]
    if all(words):
        degrees = any(_DEGREE.match(text.casefold()) for text in worst_first)
        meant = [_stars_of(text, degrees) for text in worst_first]
    else:
        meant = {2: ["1", "5"], 3: ["1", "3", "5"]}.get(len(worst_first), [])
    what = (
        "words such as 'positive'"
        if any(words)
        else " and ".join(filter(None, (", ".join(worst_first[:-1][:SHOWN]), worst_first[-1])))
    )
    line = label_scales.labels_line([*zip(worst_first, meant, strict=True)]) if meant else ""
    return DataError(
        f"the target holds {what}, and this task needs stars from 1 to 5; review-sentiment takes "
        f"it as it is{f', or say which stars are meant: {line}' if line else ''}"
    )


def _stars_of(text: str, degrees: bool) -> str:
    """The stars that a word may stand for: the ends, unless stronger words are among the labels."""
    place = SENTIMENTS.index(word_of(text) or SENTIMENTS[1]) - 1
    strong = not degrees or _DEGREE.match(text.casefold()) is not None
    return str(3 + place * (2 if strong else 1))


def _order(text: str) -> tuple[float, str]:
    """From the worst to the best, for a line to type."""
    word, mark = word_of(text), label_scales.read_mark(text)
    place = SENTIMENTS.index(word) if word else mark.number if mark else 0.0
    return float(place), text


def _unreadable(counts: Mapping[str, int]) -> DataError:
    if sentence := several_labels.listed(counts):
        return DataError(sentence)
    common = _most(counts)
    line = label_scales.labels_line([(text, "MEANING") for text in [*common][:3]])
    return DataError(
        "the target holds neither stars nor sentiments (positive, neutral, negative): it holds "
        f"{listed(common) or 'nothing'}; name the column with the ratings with --target, or say "
        f"what its labels mean (negative, neutral, positive, or 1 to 5): {line}"
    )


def _tell(
    source: Source,
    counts: Mapping[str, int],
    outcomes: Mapping[str, Found | str],
    reading: Reading,
) -> None:
    """Note what each label was read as, with its rows, where that does not go without saying."""
    as_stars = {text: one[0] for text, one in outcomes.items() if isinstance(one, tuple)}
    plain = all(text == str(as_stars[text]) for text in as_stars)
    words = all(text.casefold() == outcomes[text][1] for text in as_stars if not as_stars[text])
    if plain or (reading.words and words and not reading.labels):
        return
    parts: dict[str, list[str]] = {}
    rows: Counter[str] = Counter()
    for text in sorted(counts, key=_order):
        one = outcomes[text]
        if isinstance(one, str):
            continue
        name = one[1] if not one[0] else f"{one[0]} star{'' if one[0] == 1 else 's'}"
        parts.setdefault(name, []).append(text)
        rows[name] += counts[text]
    shown = ", ".join(f"{_span(labels)} → {name} {rows[name]:,}" for name, labels in parts.items())
    marks = any(label_scales.read_mark(text) for text in as_stars)
    change = "" if reading.labels or not marks else " (change it with --labels)"
    source.note(f"the labels are read as {shown}{_explained(reading.scale)}{change}")


def _span(labels: Sequence[str]) -> str:
    if len(labels) <= 3:
        return ", ".join(label[:30] for label in labels)
    return f"{labels[0][:30]} … {labels[-1][:30]}"


def _explained(scale: Scale | None) -> str:
    if scale is None or scale.kind != "levels" or (scale.low, scale.high) == (1.0, 5.0):
        return ""
    if (scale.low, scale.high) == (1.0, 10.0):
        return "; marks to 10 are halved and rounded up to stars"
    return f"; the scale goes from {scale.low:g} to {scale.high:g}"
