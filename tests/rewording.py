"""Texts said in other words, by rules: what a planted leak of a training row looks like.

Each change draws from the text itself, so the same text is always reworded alike. Words are
replaced by others of about the same meaning, clauses change places, words that carry little are
dropped, and numbers are written in another way. Strengths go from a few of these to all:

``light``
    numbers in another form, contractions, one word in eight replaced
``medium``
    every third word replaced that has a synonym here, clauses in another order
``heavy``
    every word replaced that has one, function words dropped, clauses in another order, a phrase
    put before
``drastic``
    as ``heavy``, with a third of all other words dropped too
"""

from __future__ import annotations

import re
import unicodedata
from random import Random

STRENGTHS = ("light", "medium", "heavy", "drastic")

_SYNONYMS = """
good great|bad poor|big large|small little|nice pleasant|beautiful lovely|happy glad|sad unhappy
easy simple|hard difficult|fast quick|slow sluggish|cheap inexpensive|expensive costly|old aged
new recent|strong powerful|weak feeble|funny amusing|boring dull|interesting engaging|smart clever
perfect flawless|terrible awful|excellent superb|wonderful marvellous|important significant
different distinct|similar alike|clear plain|clean tidy|dirty soiled|quiet silent|loud noisy
bright luminous|dark dim|rich lavish|fresh crisp|dry arid|soft supple|firm solid|sweet sugary
begin start|end finish|buy purchase|sell vend|get obtain|give provide|make create|use employ
show display|help assist|need require|want desire|like enjoy|love adore|hate detest|think believe
say state|tell inform|ask inquire|find discover|look glance|see notice|hear listen|feel sense
keep retain|leave depart|stay remain|try attempt|work function|play perform|change alter
choose select|fix repair|break shatter|build construct|grow expand|reduce lessen|improve enhance
contain include|offer present|allow permit|stop halt|learn study|propose suggest|result outcome
movie film|story tale|house home|room chamber|apartment flat|street road|city town|area district
kitchen cookhouse|bed bunk|price cost|product item|device gadget|sound audio|music tunes
speaker loudspeaker|phone telephone|picture image|car automobile|child kid|children kids
man gentleman|woman lady|doctor physician|patient client|pain ache|medicine medication|drug remedy
illness disease|job task|problem issue|question query|answer reply|idea notion|method approach
model system|network net|data information|training learning|paper article|performance results
wine vintage|flavor taste|flavors tastes|aroma scent|aromas scents|fruit berries|finish ending
palate mouth|oak wood|acidity tartness|restaurant eatery|food cuisine|place spot|located situated
near close|customer client|rating score|riverside waterfront|serves offers|coffee espresso
very really|really truly|also additionally|but yet|because since|however nevertheless|about around
often frequently|always constantly|never not\u00a0ever|quickly rapidly|maybe perhaps|almost nearly
many numerous|much plenty|few scarce|several various|some certain|every each|whole entire
enough sufficient|only just|still even\u00a0now|together jointly|today nowadays|years annums
website site|company firm|users members|information details|share disclose|collect gather
policy rule|personal private|service utility|security protection|third-party outside|game match
team squad|season campaign|points marks|group band|country nation|government state|war conflict
people folks|world globe|water liquid|church chapel|school academy|university college|law statute
table desk|chair seat|lamp light|shop store|box case|bag sack|used second-hand|wooden timber
size format|colour hue|color hue|quality grade|condition state|delivery shipping|year annum
"""
_OTHER_WORD: dict[str, str] = {}
for _pair in re.split(r"[|\n]", _SYNONYMS):
    if _pair.strip():
        _one, _two = _pair.strip().split(" ")
        _OTHER_WORD.setdefault(_one, _two.replace("\u00a0", " "))
        _OTHER_WORD.setdefault(_two.replace("\u00a0", " "), _one)

_FUNCTION_WORDS = frozenset(
    """a an the this that these those is are was were be been being am of to in on at by for with
    from as it its and or so such than then there here has have had do does did will would can could
    very just really quite also too""".split()
)
_CONTRACTIONS = {
    "do not": "don't", "does not": "doesn't", "did not": "didn't", "is not": "isn't",
    "are not": "aren't", "can not": "can't", "cannot": "can't", "will not": "won't",
    "it is": "it's", "that is": "that's", "i am": "i'm", "i have": "i've", "we are": "we're",
    "they are": "they're", "you are": "you're", "would not": "wouldn't", "was not": "wasn't",
}  # fmt: skip
_EXPANSIONS = {short: long for long, short in _CONTRACTIONS.items() if long != "can not"}
_DIGITS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_BEFORE = (
    "In short,", "To put it briefly,", "As far as one can tell,", "All in all,", "In other words,",
    "It should be said:",
)  # fmt: skip
_CLAUSE = re.compile(r"(?<=[.!?;])\s+|\s*[,;–]\s+|\s+-\s+")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_NUMBER = re.compile(
    rf"(?<![\w.,])\d+(?:,\d{{3}})*(?:\.\d+)?(?![\w.,]*\d)|\b(?i:{'|'.join(_DIGITS[2:])})\b"
)
_CONTRACTED, _EXPANDED = (
    re.compile(rf"\b(?i:{'|'.join(map(re.escape, table))})\b")
    for table in (_CONTRACTIONS, _EXPANSIONS)
)


def reworded(text: str, strength: str) -> str:
    """The text said in other words.

    Args:
        text: any text; the rules know English.
        strength: one of :data:`STRENGTHS`.
    """
    random = Random(f"{strength} {text}")
    level = STRENGTHS.index(strength)
    found = _other_contractions(_other_numbers(text))
    found = _synonyms(found, (0.125, 0.34, 1.0, 1.0)[level], random)
    if level >= 1:
        found = _other_order(found, random)
    if level >= 2:
        found = _without(found, 0.7, random, only=_FUNCTION_WORDS)
        found = f"{random.choice(_BEFORE)} {found}"
    if level >= 3:
        found = _without(found, 0.33, random)
    return found


def decomposed(text: str) -> str:
    """The text in form NFD: accents as marks of their own."""
    return unicodedata.normalize("NFD", text)


def wide(text: str) -> str:
    """The text in letters and digits of full width, which form NFKC makes usual ones."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def restyled(text: str) -> str:
    """Other case, other blanks, other quotation marks and no full stop at the end."""
    found = text.upper().replace(" ", "  ").replace('"', "”").replace("'", "’").rstrip(" .!?")
    return f"\t{found} \n"


def _other_numbers(text: str) -> str:
    """``1,250`` ↔ ``1250``, ``3`` ↔ ``three``, ``10%`` → ``10 percent``, ``$5`` → ``5 dollars``."""
    text = re.sub(r"\$\s?(\d[\d,.]*\d|\d)", r"\1 dollars", text)
    text = re.sub(r"(\d)\s?%", r"\1 percent", text)
    return _NUMBER.sub(_other_number, text)


def _other_number(match: re.Match[str]) -> str:
    found = match[0]
    if not found[0].isdigit():
        return str(_DIGITS.index(found.lower()))
    if "," in found:
        return found.replace(",", "")
    if "." in found:
        return f"{found}0"
    value = int(found)
    return f"{value:,}" if value >= 1000 else _DIGITS[value] if value <= 12 else found


def _other_contractions(text: str) -> str:
    found = _CONTRACTED.sub(lambda m: _CONTRACTIONS[m[0].lower()], text)
    return found if found != text else _EXPANDED.sub(lambda m: _EXPANSIONS[m[0].lower()], text)


def _synonyms(text: str, share: float, random: Random) -> str:
    def other(match: re.Match[str]) -> str:
        new = _OTHER_WORD.get(match[0].lower())
        if new is None or random.random() >= share:
            return match[0]
        return new.capitalize() if match[0][0].isupper() else new

    return _WORD.sub(other, text)


def _other_order(text: str, random: Random) -> str:
    """Clauses in another order: the second half first, and neighbours exchanged at random."""
    clauses = [clause.strip() for clause in _CLAUSE.split(text) if clause.strip()]
    if len(clauses) < 2:
        words = text.split(" ")
        cut = len(words) // 2
        return " ".join([*words[cut:], *words[:cut]]) if len(words) >= 8 else text
    cut = random.randrange(1, len(clauses))
    return ", ".join([*clauses[cut:], *clauses[:cut]])


def _without(text: str, share: float, random: Random, *, only: frozenset[str] | None = None) -> str:
    """Words dropped at random; at least three stay."""
    words = text.split(" ")
    kept = [
        word
        for word in words
        if (only is not None and word.lower() not in only) or random.random() >= share
    ]
    return " ".join(kept if len(kept) >= min(3, len(words)) else words)
