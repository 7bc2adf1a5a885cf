"""The one normal form in which texts and names of classes are compared.

Splits, leakage, duplicates and the names of classes all compare texts in this form, so that what is
a copy in one of them is a copy in the others.
"""

from __future__ import annotations

import re
import unicodedata

from toolkit.metrics import texts

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def normalized(text: str, *, fold_case: bool = True) -> str:
    """A text for comparison: Unicode's normal form C, without case, blanks made single.

    Two texts are equal in this form where Unicode calls them canonical caseless matches (The
    Unicode Standard, section 3.13, D145) and they differ in blanks alone.

    Args:
        text: any text.
        fold_case: whether case makes no difference.
    """
    if text.isascii():
        return " ".join((text.casefold() if fold_case else text).split())
    if fold_case:
        text = unicodedata.normalize("NFD", text).casefold()
    return " ".join(texts.normalized(text).split())


def class_key(name: str) -> str:
    """The name of a class for comparison: :func:`normalized`, widths and invisible marks aside.

    ``TRUE`` and ``True``, ``bar `` and ``Bar``, and ``Café`` in both Unicode forms have one key.
    """
    return normalized(_visible(name))


def word_key(text: str) -> str:
    """The words of a text for comparison: form KC, without case, punctuation and invisible marks.

    A text without words, such as ``:-)``, keeps its signs. ``1,250`` is ``1250``. A minus and a
    decimal point are punctuation: ``-5`` and ``5`` have one key, ``3.5`` and ``35`` do not.
    """
    plain = _THOUSANDS.sub("", normalized(_visible(text)))
    return " ".join(texts.words(plain)) or plain


def _visible(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    if plain.isascii():
        return plain
    return "".join(c for c in plain if unicodedata.category(c) != "Cf")
