"""The languages of texts: by py3langid where it is installed, else their scripts.

py3langid is Lui and Baldwin's langid.py (ACL 2012 System Demonstrations) with its model of 97
languages. It knows no texts of a few words, so that texts are joined until they are long enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.util import find_spec

import regex

LOOKED_AT = 200
"""Texts whose language is looked at."""
LONG = 80
"""Characters that are judged together."""
LEAST = 0.05
"""The share of texts from which on a language is named."""
NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech",
    "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew",
    "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "ms": "Malay",
    "nl": "Dutch", "no": "Norwegian", "nb": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovene", "sr": "Serbian",
    "sv": "Swedish", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tr": "Turkish",
    "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
SCRIPTS = ("Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Bengali", "Tamil",
           "Telugu", "Thai", "Han", "Hiragana", "Katakana", "Hangul")  # fmt: skip


def of(texts: Sequence[str]) -> dict[str, float]:
    """Language (or script, where no library is there that knows languages) → its share."""
    some = [text for text in texts[:: len(texts) // LOOKED_AT + 1] if text.strip()]
    if not some:
        return {}
    counts = Counter(_languages(some) if find_spec("py3langid") else map(_script, some))
    total = counts.total()
    return {name: n / total for name, n in counts.most_common() if name and n >= LEAST * total}


def _languages(texts: Iterable[str]) -> list[str]:
    import py3langid

    found, held = [], ""
    for text in texts:
        held = f"{held} {text}" if held else text
        if len(held) >= LONG:
            code = str(py3langid.classify(held)[0])
            found.append(NAMES.get(code, code))
            held = ""
    return found or ([NAMES.get(c := str(py3langid.classify(held)[0]), c)] if held else [])


def _script(text: str) -> str:
    """The script of most letters of a text, as ``Latin script``; empty for a text without any."""
    counts = {name: len(regex.findall(rf"\p{{Script={name}}}", text)) for name in SCRIPTS}
    best = max(counts, key=lambda name: counts[name])
    return f"{best} script" if counts[best] else ""
