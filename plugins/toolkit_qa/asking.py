"""Types of questions, and the sentences and spans of a context that could answer them.

Everything here is rules on words: the baselines and slices that use it need no model.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from toolkit.metrics import texts

TYPES: Final = ("who", "when", "where", "how many", "which", "what", "why", "how")

_TYPE_PATTERNS: Final = (
    ("how many", r"how (many|much)|(what|which) (number|amount|percentage|proportion)"),
    ("when", r"when|(what|which) (\w+ )?(year|date|day|month|century|decade|time)\b"),
    ("where", r"where|(what|which) (\w+ )?(town|city|country|place|state|region|continent)\b"),
    ("who", r"who|whom|whose"),
    ("why", r"why|for what (reason|purpose)"),
    ("which", r"which"),
    ("what", r"what"),
    ("how", r"how"),
)

MONTHS: Final = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
)
_SMALL: Final = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|"
    "hundred|thousand|million|billion"
)
_CAPITAL: Final = r"(?:[A-Z]\.|[A-Z][\w’'-]+)"
_NAME: Final = rf"{_CAPITAL}(?: (?:(?:of|the|and|de|von|van) )?{_CAPITAL})*"
_LEAD: Final = r"(?:The|A|An|In|At|On|It|Its|By|From|Each|Few|There|Today|Above|This|These|He|She)"
_YEAR: Final = r"(?:1\d{3}|20\d{2})s?"
_DATE: Final = rf"\b(?:\d{{1,2}} )?(?:{MONTHS})(?: \d{{1,2}}\b)?(?:,? {_YEAR})?\b|\b{_YEAR}\b"
_NUMBER: Final = rf"\b\d[\d,.]*\d\b|\b\d\b|\b(?:{_SMALL})(?:[ -](?:{_SMALL}))*\b"
_STOP: Final = frozenset(
    "a an and are as at be by can could did do does for from had has have how in into is it its "
    "many much of on or that the their there they this to was were what when where which who whom "
    "whose why will with would".split()
)


@dataclass(frozen=True)
class Span:
    """A part of a context: characters from ``start`` up to, not including, ``end``."""

    start: int
    end: int

    def of(self, context: str) -> str:
        """The text of the span."""
        return context[self.start : self.end]


def question_type(question: str) -> str:
    """The type of a question by its first question word (:data:`TYPES`), or ``other``."""
    text = question.casefold()
    matches = [(m.start(), at, name) for at, (name, m) in enumerate(_first_of_each(text)) if m]
    return min(matches)[2] if matches else "other"


def _first_of_each(text: str) -> list[tuple[str, re.Match[str] | None]]:
    return [(name, re.search(rf"\b(?:{pattern})\b", text)) for name, pattern in _TYPE_PATTERNS]


def sentences(context: str) -> list[Span]:
    """Split a context into sentences, at final punctuation and at line breaks."""
    return [Span(start, end) for start, end in texts.sentence_spans(context)]


def words(text: str) -> list[str]:
    """The stems of a text's words, in lower case and without stop words."""
    lowered = texts.words(text.casefold())
    return [_stem(word) for word in lowered if word not in _STOP]


def _stem(word: str) -> str:
    """A word without its English ending: a rough rule, applied to question and context alike."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def word_spans(context: str) -> list[Span]:
    """The span of every word of a context."""
    found: list[Span] = []
    for start, end in texts.word_spans(context):
        if found and found[-1].end == start - 1 and context[start - 1] in ".,’'-":
            found[-1] = Span(found[-1].start, end)  # "3.5", "don't"
        else:
            found.append(Span(start, end))
    return found


def candidates(context: str, wanted: str) -> list[Span]:
    """Spans that could answer a question of a type, found by rules; none for other types.

    Args:
        wanted: the type of the question (see :func:`question_type`).
    """
    find: dict[str, Callable[[str], list[Span]]] = {
        "who": _people,
        "when": lambda text: _matches(_DATE, text),
        "where": _places,
        "how many": _numbers,
        "which": _things,
        "what": _things,
    }
    return find[wanted](context) if wanted in find else []


def _matches(pattern: str, text: str) -> list[Span]:
    return [Span(m.start(), m.end()) for m in re.finditer(pattern, text)]


def names(context: str) -> list[Span]:
    """Runs of capitalised words, without an article or preposition that begins the sentence."""
    found = []
    for match in re.finditer(_NAME, context):
        lead = re.match(rf"{_LEAD}(?: |$)", match[0])
        start = match.start() + (lead.end() if lead else 0)
        if start < match.end():
            found.append(Span(start, match.end()))
    return found


def _people(context: str) -> list[Span]:
    """Names of at least two words; all names if there are none."""
    others = [n for n in names(context) if not re.search(rf"\b(?:{MONTHS})\b", n.of(context))]
    long = [name for name in others if " " in name.of(context)]
    return long or others


def _places(context: str) -> list[Span]:
    """Names after a preposition of place; all names if there are none."""
    others = [n for n in names(context) if not re.search(rf"\b(?:{MONTHS})\b", n.of(context))]
    near = [n for n in others if re.search(r"\b(?:in|at|from|of|near|to)\s+$", context[: n.start])]
    return near or others


def _numbers(context: str) -> list[Span]:
    """Numbers outside dates; all numbers if there are none."""
    dates = _matches(_DATE, context)
    return [
        number
        for number in _matches(_NUMBER, context)
        if not any(date.start <= number.start < date.end for date in dates)
    ] or _matches(_NUMBER, context)


def _things(context: str) -> list[Span]:
    """Names, words after "a" or "an", and the last words of a sentence ("of pale marble.")."""
    word = r"[^\W\d]+"
    set_off = (
        rf"\b(?:[Aa]n?) ({word})\b|\b(?:of|in|are|is|by|the) ({word}(?: {word})?)[.!?](?:\s|$)"
    )
    ends = [
        Span(m.start(m.lastindex or 0), m.end(m.lastindex or 0))
        for m in re.finditer(set_off, context)
    ]
    return [*names(context), *ends]
