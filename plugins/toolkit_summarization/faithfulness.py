"""How faithful a text is to structured fields: what it states, leaves out, mixes up and invents.

ROUGE hardly notices a wrong amount or date, which is one token of forty. So each field of the input
is searched for in the text, and each number and name of the text is searched for in the input.

* A field is **stated** if its value occurs in the text, as a whole and not as part of another
  number or word. If a field has two values, both must occur. A value that was not provided is
  stated if a sentence about the field has a negation. A yes or no is stated if a sentence contains
  the words of its label, with a negation for a no.
* It is **wrong** if the value occurs only in sentences about another field of the same sort, such
  as the deductible instead of the sum claimed, and not about this one (:data:`CUES`).
* It is **missing** if it is neither stated nor wrong.
* **Invented** are numbers, codes and names (capitals within a sentence) that the input lacks;
  neighbouring ones count once.

The score of a text is ``stated / (fields + invented)``. It compares surface forms: a paraphrased
value counts as missing, and a name at the very beginning of a sentence is not checked. The report
shows the score of the reference texts beside it as a control.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import regex

from toolkit.metrics import texts
from toolkit_summarization.claims_words import ABSENT

_LINE: Final = re.compile(r"([^:|\[\]]{1,40}):([^|]*)")
_BRACKETS: Final = re.compile(r"([^\W\d_][\w /-]{0,40})\[([^\[\]]*)\]")
_FACT: Final = regex.compile(
    r"[$€£]?\b\p{Lu}{0,3}[-/]?\d[\w,./:-]*\w|[$€£]?\d+"
    r"|\b\p{Lu}[\w'’-]*\p{Ll}[\w'’-]*|\b\p{Lu}{2,}\b"
)
_LABEL: Final = regex.compile(r"\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})|[\p{Lo}\p{M}]+|\d+")
"""Words of a label, also of one such as "familyFriendly"."""
_NEGATIONS: Final = re.compile(
    r"\b(not?|never|without|missing|unknown|lacks?|absent|supplied|open|isn't|aren't|non)\b", re.I
)
NOTHING: Final = ("", ABSENT, "n/a", "none", "unknown", "-")
"""Values of fields that were not filled in, in lower case."""

CUES: Final[dict[str, tuple[str, str]]] = {
    "claimant": ("person", r"claimant|filed|submitted|insured|lodged|reported by|policyholder"),
    "witness": ("person", r"witness|testi"),
    "adjuster": ("person", r"adjust|assess|handle"),
    "repairer": ("person", r"repair|contractor|restor"),
    "amount claimed": ("money", r"claimed|demand|compensation|\bsum\b|amount|asks|total|loss"),
    "excess": ("money", r"excess|deductible"),
    "date of loss": ("date", r"loss|cause|incident|occur|happen|place on|dated?"),
    "notified on": ("date", r"notif|inform|notice|report(ed)? on"),
    "location": ("place", r"place|location|\bin\b|\bat\b"),
    "policy no": ("code", r"policy"),
    "damaged": ("thing", r"damage"),
}
"""Label → its sort, and a regular expression for words of sentences about it."""

Field = tuple[str, str]
"""Label and value."""


class Checked(NamedTuple):
    """The result of a check: labels of fields by verdict, and spans of the text."""

    stated: tuple[str, ...]
    missing: tuple[str, ...]
    wrong: tuple[str, ...]
    invented: tuple[tuple[int, int], ...]
    """Start and end of each invented fact, in characters of the text."""
    found: tuple[tuple[int, int], ...]
    """Start and end of each occurrence of a field's value, in characters of the text."""

    @property
    def score(self) -> float:
        """``stated / (fields + invented)``, 0 to 1; 1 for a text without either."""
        fields = len(self.stated) + len(self.missing) + len(self.wrong)
        whole = fields + len(self.invented)
        return len(self.stated) / whole if whole else 1.0


@lru_cache(maxsize=20_000)
def parse(text: str) -> tuple[Field, ...]:
    """Parse the fields of an input: ``label: value | …`` or ``label[value], …``.

    The result is empty for other inputs, such as running text.
    """
    parts = text.split("|")
    if len(parts) > 1:
        matches = [_LINE.fullmatch(part.strip()) for part in parts]
        if all(matches):
            return tuple((m[1].strip(), m[2].strip()) for m in matches if m)
    bracketed = _BRACKETS.findall(text)
    rest = _BRACKETS.sub("", text).strip(" ,;\n")
    return tuple((label.strip(), value.strip()) for label, value in bracketed) if not rest else ()


@lru_cache(maxsize=50_000)
def check(source: str, text: str) -> Checked | None:
    """Check a text against the fields of its source; ``None`` if the source has no fields."""
    fields = parse(source)
    if not fields:
        return None
    sentences = texts.sentences(text)
    sorts = {label: CUES[label][0] for label, _ in fields if label in CUES}
    stated: list[str] = []
    missing: list[str] = []
    wrong: list[str] = []
    occurrences: list[tuple[int, int]] = []
    for label, value in fields:
        spans = places(value, text)
        occurrences += spans
        verdict = _verdict(label, value, sentences, sorts, bool(spans))
        {"stated": stated, "missing": missing, "wrong": wrong}[verdict].append(label)
    invented = tuple(facts(source, text)[1])
    return Checked(tuple(stated), tuple(missing), tuple(wrong), invented, tuple(occurrences))


def _verdict(
    label: str, value: str, sentences: Sequence[str], sorts: dict[str, str], occurs: bool
) -> str:
    """Whether a field is ``stated``, ``missing`` or ``wrong`` (see the module).

    Args:
        sorts: label → sort, for the fields of the input in :data:`CUES`.
        occurs: whether the value occurs in the text.
    """
    if value.casefold() in NOTHING:
        return "stated" if _mentioned(label, sentences, negated=True) else "missing"
    if value.casefold() in ("yes", "no") and not occurs:
        negated = value.casefold() == "no"
        return "stated" if _mentioned(label, sentences, negated=negated) else "missing"
    if not occurs:
        return "missing"
    holding = [s for s in sentences if places(value, s)]
    rivals = [o for o, sort in sorts.items() if o != label and sort == sorts.get(label)]
    for sentence in holding:
        mine = label in CUES and re.search(CUES[label][1], sentence, re.I)
        theirs = any(re.search(CUES[other][1], sentence, re.I) for other in rivals)
        if mine or not theirs:
            return "stated"
    return "wrong" if holding else "stated"


def _mentioned(label: str, sentences: Sequence[str], *, negated: bool) -> bool:
    """Whether a sentence is about a field and has a negation, or has none."""
    cue = CUES[label][1] if label in CUES else None
    words = [word for word in label_words(label) if not word.isdigit()]
    for sentence in sentences:
        lower = sentence.casefold()
        about = re.search(cue, lower, re.I) if cue else None
        named = bool(words) and all(word in lower for word in words)
        if (about or named) and (bool(_NEGATIONS.search(sentence)) == negated):
            return True
    return False


def label_words(label: str) -> list[str]:
    """The words of a label in small letters: "familyFriendly" has two."""
    return [word.casefold() for word in _LABEL.findall(texts.normalized(label))]


@lru_cache(maxsize=20_000)
def _pattern(value: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, value.split()))
    return re.compile(rf"(?<![\w$€£])(?<![\d][.,])(?:{words})(?!\w)(?![.,]\d)", re.I)


def places(value: str, text: str) -> list[tuple[int, int]]:
    """Start and end of each place where a value occurs as a whole."""
    return [match.span() for match in _pattern(value).finditer(text)] if value.strip() else []


def facts(source: str, text: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Find the numbers, codes and names of a text.

    Returns:
        Start and end of those that the source has, and of those that it lacks; neighbouring ones
        that it lacks are merged.
    """
    supported: list[tuple[int, int]] = []
    lacking: list[tuple[int, int]] = []
    known = {piece.casefold() for piece in re.findall(r"[^\s|\[\]:,;]+", source)}
    known |= {piece.rstrip(".,").casefold() for piece in re.findall(r"[^\s|\[\];]+", source)}
    known |= {word.casefold() for word in re.findall(r"\w+", source)}
    for match in _FACT.finditer(text):
        piece = match.group().rstrip(".,:;")
        end = match.start() + len(piece)
        bare = re.sub(r"['’]s$", "", piece).casefold()
        first = _first_of_sentence(text, match.start()) and not any(c.isdigit() for c in piece)
        if bare in known or places(piece, source):
            if not first:
                supported.append((match.start(), end))
        elif first:
            continue
        elif lacking and not text[lacking[-1][1] : match.start()].strip(" ,-/"):
            lacking[-1] = (lacking[-1][0], end)
        else:
            lacking.append((match.start(), end))
    return supported, lacking


def _first_of_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip(" \"'“(")
    return not before or before[-1] in ".!?:\n。！？।؟۔"
