"""Labels and ratings as files write them: what a value says, and on which scale a column stands.

One value: :func:`read_mark` reads ``4``, ``4/5``, ``4.0 out of 5 stars``, ``★★★☆☆`` and ``80 %``,
of which all but the first name the end of their scale. A column of bare numbers does not:
:func:`readings` lists the scales that people use and that all of its values fit, and where these
differ it is for the user to say what is meant, with ``--labels`` (:func:`parse_labels`).
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from toolkit.data import numbers
from toolkit.data.columns import tidy
from toolkit.data.normalization import class_key
from toolkit.errors import UsageError

# -- one value -----------------------------------------------------------------------------------


class Mark(NamedTuple):
    """A rating: its number, and the end of its scale where the value names it."""

    number: float
    of: float | None = None


FULL, HALF, HOLLOW = "★⭐🌟", "⯨⯪½", "☆✩✰"
_NUMBER = r"(?P<number>[-−–]?\s?[0-9]+(?:[.,][0-9]+)?)"
_OF = re.compile(
    rf"(?:rated\s+)?{_NUMBER}\s*+(?:stars?\s*+)?(?:/|out\s+of|of|von|sur|de|su)\s*+"
    r"(?P<of>[0-9]+(?:[.,][0-9]+)?)\s*+(?:stars?|points?|étoiles|estrellas|estrelas|sternen?)?\.?",
    re.IGNORECASE,
)
_PERCENT = re.compile(rf"{_NUMBER}\s*(?:%|percent|per cent|prozent)", re.IGNORECASE)
_STARS = re.compile(
    rf"{_NUMBER}\s*+-?\s*+(?:stars?|sterne?|étoiles?|estrellas?|estrelas?|[{FULL}])", re.IGNORECASE
)
_SHAPES = re.compile(rf"(?P<full>[{FULL}]*)(?P<half>[{HALF}]?)(?P<hollow>[{HOLLOW}]*)")
_SMALLEST_END = 2


def read_mark(value: Any) -> Mark | None:
    """The rating that a value states; ``None`` where it states none.

    ``4`` and ``4.0`` name no end of the scale. ``4/5``, ``4 out of 5``, ``8 of 10 points``,
    ``80 %`` and ``★★★☆☆`` do; a number of stars (``4 stars``, ``★★★``) is of five.
    """
    text = numbers.folded(tidy(value)).strip().replace("\ufe0f", "")
    bare = numbers.plain_number(text) if text else None
    if bare is not None:
        return Mark(bare) if math.isfinite(bare) else None
    if shapes := _SHAPES.fullmatch(text.replace(" ", "")):
        filled = len(shapes["full"]) + 0.5 * len(shapes["half"])
        total = len(shapes["full"]) + len(shapes["half"]) + len(shapes["hollow"])
        end = float(total) if shapes["hollow"] else 5.0
        return Mark(filled, end) if text and filled <= end else None
    if percent := _PERCENT.fullmatch(text):
        return _of(percent["number"], "100")
    if of := _OF.fullmatch(text):
        return _of(of["number"], of["of"])
    if stars := _STARS.fullmatch(text):
        return _of(stars["number"], "5")
    return None


def _of(number: str, end: str) -> Mark | None:
    found = float(re.sub(r"\s", "", number).translate(str.maketrans(",−–", ".--")))
    of = float(end.replace(",", "."))
    return Mark(found, of) if of >= _SMALLEST_END and 0 <= found <= of else None


# -- a column ------------------------------------------------------------------------------------


class Scale(NamedTuple):
    """What the numbers of a column mean.

    Args:
        kind: ``polarity``: each number of :attr:`poles` is a class, from negative to positive;
            ``levels``: the numbers go evenly from :attr:`low` to :attr:`high`.
        low: the worst.
        high: the best.
        poles: the numbers of a polarity: two (negative, positive) or three (neutral between them).
        without_zero: zero is no rating.
    """

    kind: str
    low: float
    high: float
    poles: tuple[float, ...] = ()
    without_zero: bool = False

    def share(self, number: float) -> float | None:
        """Where a number stands between the worst (0) and the best (1); ``None``: outside."""
        if self.without_zero and number == 0:
            return None
        if self.poles:
            at = self.poles.index(number) if number in self.poles else None
            return None if at is None else at / (len(self.poles) - 1)
        if not min(self.low, 0) <= number <= self.high:
            return None
        return max(0.0, (number - self.low) / (self.high - self.low))


POLARITIES = ((0.0, 1.0), (-1.0, 1.0), (-1.0, 0.0, 1.0), (0.0, 1.0, 2.0), (0.0, 2.0, 4.0),
              (0.0, 4.0))  # fmt: skip
"""How negative, (neutral,) positive are numbered: SST-2 and others 0/1, TweetEval 0/1/2,
Sentiment140 0/2/4 and 0/4, others -1/0/1."""


def readings(found: Iterable[float]) -> list[Scale]:
    """The scales that people use and that all numbers of a column fit.

    Args:
        found: the different numbers of the column.

    Returns:
        Several where the numbers do not tell (of 1 and 2 nobody can say whether they are stars or
        classes), none where they fit no common scale.
    """
    distinct = sorted(set(found))
    if not distinct:
        return []
    low, high, whole = distinct[0], distinct[-1], all(x == int(x) for x in distinct)
    fits: list[Scale] = []
    for poles in POLARITIES:
        # Zero and one may be all that a file has of 0/1/2; two of three others need both ends.
        ends = {poles[0], poles[-1]} <= set(distinct) or poles == (0.0, 1.0)
        if set(distinct) <= set(poles) and ends:
            fits.append(Scale("polarity", poles[0], poles[-1], poles))
    if low == 0 and high == 2 and len(distinct) == 2:  # 0 and 2: of 0/1/2, or of 0/2/4
        fits.append(Scale("polarity", 0.0, 4.0, (0.0, 2.0, 4.0)))
    if low == 0 and high == 4 and whole:
        fits.append(Scale("levels", 0.0, 4.0))
    if low == -2 and high == 2 and whole:
        fits.append(Scale("levels", -2.0, 2.0))
    if low == 0 and high == 3 and whole:
        fits += [Scale("levels", 0.0, 3.0), Scale("levels", 1.0, 5.0, without_zero=True)]
    if low == 0 and (4 < high <= 10) and not fits:
        end = 5.0 if high <= 5 else 10.0
        fits += [Scale("levels", 1.0, end, without_zero=True), Scale("levels", 1.0, end)]
    if low > 0 and high <= 10:
        fits += _from_one(high, whole)
    return fits


def _from_one(high: float, whole: bool) -> list[Scale]:
    """The scales that begin at 1 (or half a star) and may end where a column does."""
    five, ten = Scale("levels", 1.0, 5.0), Scale("levels", 1.0, 10.0)
    if high == 2 and whole:
        return [Scale("polarity", 1.0, 2.0, (1.0, 2.0)), five]
    if high == 3 and whole:
        return [Scale("polarity", 1.0, 3.0, (1.0, 2.0, 3.0)), five]
    if high <= 4:
        return [Scale("levels", 1.0, 4.0), five] if high == 4 else [five]
    if high <= 5:
        return [five]
    if high in (6, 7) and whole:
        return [Scale("levels", 1.0, high), ten]
    return [ten]


# -- what the user says --------------------------------------------------------------------------


@dataclass(frozen=True)
class Labels:
    """What ``--labels`` says.

    Args:
        meanings: the key of a label (:func:`label_key`) → what it means; empty: its rows are left
            out.
        ends: the worst and the best number of a scale; ``None`` where none are given.
    """

    meanings: Mapping[str, str] = field(default_factory=dict)
    ends: tuple[float, float] | None = None

    def __bool__(self) -> bool:
        return bool(self.meanings) or self.ends is not None

    def meaning(self, label: Any) -> str | None:
        """What a label of the file means; ``None`` where the user has not said it."""
        return self.meanings.get(label_key(label)) if self.meanings else None


LEFT_OUT = "a label that --labels leaves out"
"""The reason for which rows of a label without a meaning are left out."""
_RANGE = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*\.\.\s*(-?\d+(?:\.\d+)?)\s*")
HOW = (
    "--labels takes the labels of the file with what they mean, such as "
    "'0=negative,2=neutral,4=positive', or the ends of a scale, such as '0..100'"
)


def label_key(label: Any) -> str:
    """A label for comparison: ``0``, ``0.0`` and ``٠`` are one, and so are ``Yes`` and ``yes ``."""
    text = tidy(label)
    bare = numbers.plain_number(text)
    return f"{bare:g}" if bare is not None and math.isfinite(bare) else class_key(text)


def parse_labels(option: str | None) -> Labels:
    """The value of ``--labels``: ``LABEL=MEANING,…`` (quotes around a comma), or ``LOW..HIGH``.

    Raises:
        UsageError: it has neither form, or gives a label two meanings.
    """
    if not option or not option.strip():
        return Labels()
    if ends := _RANGE.fullmatch(option):
        low, high = float(ends[1]), float(ends[2])
        if low >= high:
            raise UsageError(f"--labels {option}: the first end must be the lower one; {HOW}")
        return Labels(ends=(low, high))
    meanings: dict[str, str] = {}
    for item in next(csv.reader([option], skipinitialspace=True)):
        label, equals, meaning = item.rpartition("=")
        if not equals or not label.strip():
            raise UsageError(f"--labels: {item.strip()!r} is no LABEL=MEANING; {HOW}")
        key = label_key(label)
        if meanings.get(key, meaning.strip()) != meaning.strip():
            raise UsageError(f"--labels gives {label.strip()!r} two meanings")
        meanings[key] = meaning.strip()
    return Labels(meanings)


def labels_line(meanings: Sequence[tuple[Any, str]]) -> str:
    """A ``--labels`` to type, from labels with their meanings."""
    items = [f"{_quoted(tidy(label))}={meaning}" for label, meaning in meanings]
    return f"--labels '{','.join(items)}'"


def labels_option(meanings: Mapping[str, Any]) -> str:
    """The value of ``--labels`` that stands for a table of labels and meanings.

    Raises:
        UsageError: a meaning has an equals sign in it, or a label is empty.
    """
    items = []
    for label, meaning in meanings.items():
        if not label.strip() or "=" in str(meaning):
            raise UsageError(f"labels: {label!r} = {meaning!r} is no label with its meaning")
        items.append(f"{label}={meaning}")
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(items)
    return text.getvalue()


def _quoted(label: str) -> str:
    return f'"{label}"' if "," in label else label
