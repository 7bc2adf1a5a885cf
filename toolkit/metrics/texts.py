"""Words and sentences of texts in any script, by rules on Unicode properties.

What scores, baselines and checks count as a word or a sentence is defined here and nowhere else.
There is no dictionary and no model: characters are classified by the properties that the Unicode
Standard gives them (read with the library ``regex``). Words follow UAX #29 in that letters, digits
and combining marks stay together; a script that is written without blanks between words (Chinese,
Japanese, Thai, Lao, Khmer, Burmese) is taken character by character, as MLQA's evaluation (Lewis
et al. 2020, arXiv 1910.07475) and sacreBLEU's tokenizer ``zh`` do. Sentences end where UAX #29 has
them end, with two tailorings: no sentence ends after an initial or a title ("Mr."), and "!" and "?"
are no end before a small letter.

Limits: words of Chinese or Thai are single characters rather than words; Thai marks no end of a
sentence, so that a line of it is one sentence; stems are nobody's business here.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Any, Final

import regex

__all__ = [
    "leading",
    "normalized",
    "sentence_spans",
    "sentences",
    "spaced",
    "terms",
    "word_spans",
    "words",
]

_WIDE: Final = re.compile("[\uff01-\uffef]+")
"""Latin letters, digits, Katakana and Hangul in another width than their usual one."""


def normalized(text: str) -> str:
    """A text in Unicode's normal form C, so that texts that look the same are the same.

    Letters and digits of full width, and Katakana of half width, become the usual ones, which is
    the one part of form KC that changes no meaning ("m²" stays "m²").
    """
    if text.isascii():
        return text
    usual = _WIDE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    return unicodedata.normalize("NFC", usual)


# -- words -----------------------------------------------------------------------------------------
_UNBROKEN: Final = r"\p{Han}\p{Hiragana}\p{Katakana}\u30FC\p{Line_Break=SA}"
"""Scripts without blanks between words, as the content of a character class."""
_SINGLE: Final = (
    rf"(?=[{_UNBROKEN}])\X"
    r"|(?=\p{Emoji_Presentation}|\p{Regional_Indicator}|\p{Extended_Pictographic}\uFE0F)\X"
)
"""What is a word by itself: a character of such a script with its marks, or an emoji."""
_JOINED: Final = r"|[\u200C\u200D](?=\p{L})"
"""Joiners within words of Persian or Hindi."""

_WORD: Final = (
    rf"{_SINGLE}|[[\p{{L}}\p{{N}}]--[{_UNBROKEN}]]"
    rf"(?:[[\p{{L}}\p{{N}}\p{{M}}]--[{_UNBROKEN}]]{_JOINED})*"
)

_ASCII_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_ASCII_TERM: Final = {1: re.compile(r"\w+", re.ASCII), 2: re.compile(r"\w\w+", re.ASCII)}


@functools.cache
def _compiled(pattern: str) -> Any:
    """A pattern with set operations, compiled when it is needed first."""
    return regex.compile(pattern, regex.V1)


def words(text: str) -> list[str]:
    """The words of a text: runs of letters, digits and their marks; emoji; case is kept.

    On ASCII these are runs of letters and digits, as in the tokenizer of ``rouge-score``.
    """
    if text.isascii():
        return _ASCII_WORD.findall(text)
    found: list[str] = _compiled(_WORD).findall(normalized(text))
    return found


def word_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each of the :func:`words` of a text, in its characters as they are."""
    return [match.span() for match in _compiled(_WORD).finditer(text)]


def terms(text: str, *, shortest: int = 2) -> list[str]:
    """The words that TF-IDF columns are made of: a ``tokenizer`` for scikit-learn's vectorizers.

    On ASCII and on accented Latin these are the words of scikit-learn's own pattern; elsewhere
    marks stay with their letters, and characters of scripts without blanks and emoji are terms of
    their own, however short. Pass ``token_pattern=None`` beside it.

    Args:
        text: the text.
        shortest: words of fewer characters are left out: 2 as in scikit-learn, or 1.
    """
    more = "+" if shortest > 1 else "*"
    if text.isascii():
        return _ASCII_TERM[shortest].findall(text)
    letter = rf"[[\w\p{{N}}\p{{M}}]--[{_UNBROKEN}]]"
    found: list[str] = _compiled(f"{_SINGLE}|{letter}(?:{letter}{_JOINED}){more}").findall(
        normalized(text)
    )
    return found


def spaced(text: str) -> str:
    """A text in form C in which characters of scripts without blanks stand between blanks.

    For what splits at blanks: punctuation stays with the character before it, as it does with
    words elsewhere, and a text in other scripts stays as it is.
    """
    if text.isascii():
        return text
    found: str = _compiled(rf"(?=[{_UNBROKEN}])\X\p{{P}}*").sub(r" \g<0> ", normalized(text))
    return found


def leading(text: str, number: int) -> str:
    """The first words of a text with their punctuation, on one line.

    Words are what stands between blanks, and characters of scripts that are written without them.
    """
    if text.isascii():
        return " ".join(text.split()[:number])
    piece = rf"(?=[{_UNBROKEN}])\X\p{{P}}*|(?:(?![{_UNBROKEN}])\S)+"
    ends = [0, *(match.end() for match in _compiled(piece).finditer(text))]
    return " ".join(text[: ends[min(number, len(ends) - 1)]].split())


# -- sentences -------------------------------------------------------------------------------------
_LINE: Final = re.compile("[^\n\r\x85\u2028\u2029]+")

_STOPS: Final = r"[[\p{Sentence_Break=STerm}།༎]--[!?]]|．(?!\d)"
"""Ends of sentences that need no blank behind them: 。！？ and the like, danda, Arabic ؟."""
_END: Final = (
    rf"(?P<free>[.!?]*(?:{_STOPS})(?:[.!?\uFE0F]|{_STOPS})*[\p{{Pe}}\p{{Pf}}\"']*)"
    r"|(?P<mark>[.!?]+)(?P<close>[\p{Pe}\p{Pf}\p{Pi}\"']*(?:\[\d+\])*(?:[ \u00A0\u202F]»(?!\w))?)"
    r"(?=\s|$)"
)
"""An end of a sentence with the quotes and brackets that belong to it."""
_NEXT: Final = r"\s*(?P<open>[\p{Ps}\p{Pi}\p{Pf}\p{Pd}\"'¿¡•*]*\s?)(?P<first>\S?)"

_TITLES: Final = (
    # English; then French, German, Spanish, Portuguese, Italian, Dutch; Russian; Hindi
    "Mr|Mrs|Ms|Messrs|Dr|St|Prof|Gen|Lt|Capt|Sgt|Rev|Gov|Sen|e\\.g|i\\.e|cf|vs"
    "|Mme|Mlle|MM|Mgr|Hr|Hrn|bzw|vgl|Sr|Sra|Srta|Sres|Dña|Sig|Dott|dhr|mevr"
    "|ул|им|пр|проф|акад|гр|тов|(?<!\\d\\s)г|डॉ|श्री"
)
_LETTERED: Final = "class|grade|group|level|model|part|plan|section|size|type|vitamin"
"""What is told apart by single letters, which are no initials then."""
_SHORT: Final = (
    rf"(?<![\w\p{{M}}])(?:{_TITLES}"
    rf"|(?<!(?:\d|{_LETTERED})\s)(?<![°º])[[\p{{Lu}}\p{{Lt}}\p{{Lo}}]--[{_UNBROKEN}]]\p{{M}}*)$"
)
"""What a full stop shortens and does not end: titles and initials (but "60 W.", "class A.")."""
_COUNT: Final = re.compile(r"(?<![\w.])(?:Nos?|Nr|Fig|Figs|Vol|pp?|Art|Abs|№)$")
"""What a full stop shortens where a number follows."""
_ORDINAL: Final = re.compile(r"(?<!\d)\d{1,2}$")
_GERMAN: Final = re.compile(
    r"\s+(?:Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November"
    r"|Dezember|Jahrhunderts?)\b"
)


def sentences(text: str, *, casual: bool = False) -> list[str]:
    """The sentences of a text, as they stand in it; a line break ends one too.

    Args:
        casual: whether a sentence may begin with a small letter, as in reviews; a text without any
            capital is read so in any case.
    """
    return [text[start:end] for start, end in sentence_spans(text, casual=casual)]


def sentence_spans(text: str, *, casual: bool = False) -> list[tuple[int, int]]:
    """Start and end of each sentence, in characters and without blanks around it.

    Args:
        casual: as of :func:`sentences`.
    """
    casual = casual or not _compiled(r"\p{Lu}").search(text)
    spans: list[tuple[int, int]] = []
    for line in _LINE.finditer(text):
        start = line.start()
        for match in _compiled(_END).finditer(text, line.start(), line.end()):
            if _ends(text, start, match, line.end(), casual):
                spans.append((start, match.end()))
                start = match.end()
        spans.append((start, line.end()))
    return [trimmed for start, end in spans if (trimmed := _trimmed(text, start, end))]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    end -= len(inner) - len(inner.rstrip())
    return (start, end) if start < end else None


def _ends(text: str, start: int, match: Any, line_end: int, casual: bool) -> bool:
    """Whether a mark ends the sentence that began at ``start``."""
    if match["free"]:
        return True
    following = _compiled(_NEXT).match(text, match.end(), line_end)
    first, opening = following["first"], following["open"]
    if not first:
        return True
    small = first.islower() and not set(opening) & set("¿¡")
    if small and (match["close"] or not casual):
        return False
    if match["mark"] != "." or match["close"]:
        return True
    before = text[start : match.start()]
    if before.strip().isdigit():  # the number of an item, "1. First"
        return False
    if _ORDINAL.search(before) and _GERMAN.match(text, match.end()):
        return False
    if first.isdigit():
        return not _COUNT.search(before)
    if not first.isalpha():
        return True
    return not _compiled(f"(?i:{_SHORT})" if first.islower() else _SHORT).search(before)
