"""What the columns of a file hold, judged by a sample of their values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any

from toolkit.data import tables
from toolkit.data.columns import plain, tidy
from toolkit.metrics import texts

if TYPE_CHECKING:
    from datasets import Dataset

LOOKED_AT = 2_000
"""Values of a column that are looked at, spread over the file."""
MOST_CLASSES, MOST_WORDS = 160, 4
"""The most values of a column of classes, such as the intents of a bank's customers, and the most
words that these have on average, where there are more than 50."""
IDENTIFIERS = frozenset("id uid uuid guid pid sku index key url unnamed number no".split())
"""Words in the names of columns that tell rows apart."""
_LINK = re.compile(r"(https?://|www\.)\S+|\S+\.(jpe?g|png|gif|webp)", re.IGNORECASE)
_DATE = re.compile(
    r"(?:[^\W\d]{2,10}\.?,?\s+)?"  # the day of the week
    r"(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{8}T\d{4,6}Z?"
    r"|\d{1,2}(?:st|nd|rd|th|\.)?[-\s]+[^\W\d]{3,10}\.?,?[-\s]+\d{2,4}"
    r"|[^\W\d]{3,10}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4})"
    r"(?:[ T,].*)?"
)
_CODE = re.compile(r"(?=\S*\d)[\w-]{8,}")
_NUMBER = re.compile(r"[-+−]?\d[\d.,'  ]*(e[-+]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Profile:
    """What a column holds. Shares are of the filled values that were looked at.

    Args:
        name: the column.
        cells: the values that were looked at, as texts, in the order of the rows.
        values: those of them that are not empty.
        distinct: the number of different values among them.
        length: characters, on average.
        words: words, on average; a character of a script without blanks counts as half a word.
        letters: the share of letters among the characters that are not blank.
        numbers: the share of values that are a bare number.
        links: of values that are addresses or names of pictures.
        dates: of values that are dates.
        codes: of values that are a code: letters or digits with no blank, and all different.
    """

    name: str
    cells: Sequence[str]
    values: Sequence[str]
    distinct: int
    length: float = 0.0
    words: float = 0.0
    letters: float = 0.0
    numbers: float = 0.0
    links: float = 0.0
    dates: float = 0.0
    codes: float = 0.0

    @property
    def filled(self) -> float:
        """The share of rows with a value."""
        return len(self.values) / len(self.cells) if self.cells else 0.0

    @property
    def constant(self) -> bool:
        """Whether all values are the same, or there are none."""
        return self.distinct < 2

    @property
    def written(self) -> bool:
        """Whether the values are words that a person wrote, rather than numbers or marks."""
        return self.letters >= 0.3 and max(self.links, self.dates, self.codes) < 0.5

    @property
    def of_classes(self) -> bool:
        """Whether a few values come again and again; of short words more than of numbers."""
        number = len(self.values)
        if number < 20:
            return False
        if self.distinct <= max(2, min(50, number / 10)):
            return True
        words = self.numbers < 0.5 and self.words <= MOST_WORDS
        return words and self.distinct <= min(MOST_CLASSES, number / 12)

    @property
    def free_text(self) -> bool:
        """Whether the values are texts of many words, most of them different."""
        return self.written and self.words >= 8 and self.distinct >= len(self.values) / 2

    @property
    def identifies(self) -> bool:
        """Whether the values tell rows apart and nothing else: codes, addresses, row numbers."""
        if max(self.links, self.codes) >= 0.5:
            return True
        if IDENTIFIERS & set(plain(self.name).split()) and self.distinct > 0.9 * len(self.values):
            return len(self.values) >= 20
        return self.numbers > 0.95 and len(self.values) >= 20 and self._counts_on()

    def _counts_on(self) -> bool:
        """Whether whole numbers go up by steps of about one size, as those of rows do."""
        if self.distinct < len(self.values) or not all(v.isdecimal() for v in self.values):
            return False
        steps = [after - before for before, after in pairwise(map(int, self.values))]
        return min(steps) > 0 and max(steps) <= 3 * min(steps)

    def sentence(self) -> str:
        """What the column holds, in a few words."""
        if not self.values:
            return "empty"
        if self.constant:
            return f"only {_short(self.values[0])}"
        if self.links >= 0.5:
            return "addresses"
        if self.dates >= 0.5:
            return "dates"
        if self.codes >= 0.5:
            return "codes"
        if self.of_classes:
            shown = ", ".join(_short(v) for v, _ in Counter(self.values).most_common(3))
            return f"{self.distinct} values such as {shown}"
        if self.numbers >= 0.8:
            return "numbers"
        return f"texts of about {max(1, round(self.words)):,} word{'s' * (self.words >= 1.5)}"


def _short(value: str) -> str:
    return repr(value if len(value) <= 24 else value[:23] + "…")


def profiles(dataset: Dataset, names: Sequence[str]) -> dict[str, Profile]:
    """The profiles of columns, from the same sample of rows for all of them.

    Rows without any value are left out: they say nothing on a column.
    """
    sampled = dataset.select(range(0, len(dataset), len(dataset) // LOOKED_AT + 1))
    rows = [[_text(row[name]) for name in names] for row in tables.rows(sampled, names)]
    filled = [row for row in rows if any(row)]
    return {name: profile(name, [row[at] for row in filled]) for at, name in enumerate(names)}


def profile(name: str, shown: Sequence[str]) -> Profile:
    """The profile of a column with these values, as texts."""
    filled = [value for value in shown if value]
    if not filled:
        return Profile(name, shown, (), 0)
    distinct = len(set(filled))
    return Profile(
        name, shown, filled, distinct,
        length=fmean(map(len, filled)),
        words=fmean(map(_words, filled)),
        letters=fmean(map(_letters, filled)),
        numbers=_share(_NUMBER, filled),
        links=_share(_LINK, filled),
        dates=_share(_DATE, filled),
        codes=_share(_CODE, filled) if distinct >= 0.9 * len(filled) and distinct >= 20 else 0.0,
    )  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(filter(None, map(tidy, value)))
    return tidy(value)


def _share(pattern: re.Pattern[str], values: Sequence[str]) -> float:
    return fmean(pattern.fullmatch(value) is not None for value in values)


def _letters(value: str) -> float:
    solid = "".join(value.split())
    return sum(map(str.isalpha, solid)) / len(solid) if solid else 0.0


def _words(value: str) -> float:
    blanks = len(value.split())
    if value.isascii():
        return blanks
    return blanks + (len(texts.spaced(value).split()) - blanks) / 2
