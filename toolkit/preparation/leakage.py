"""Leakage: targets that stand in their own texts, so that a model copies instead of learning."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toolkit.data.normalization import normalized
from toolkit.formatting import is_number

SHUFFLES = 5
SHOWN = 10
_WITHOUT_BLANKS = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Letters of scripts that put no blanks between words (Thai, Lao, Khmer, kana, Han): each counts
as a word, so that a target is found within a sentence."""
_IN_TEXT = re.compile(r"[0-9]+(?:[.,][0-9]+)*")


@dataclass(frozen=True)
class Leak:
    """How often a row's target stands in its text, and how often it would by chance.

    Args:
        rows: rows searched.
        found: rows whose target stands in the text.
        chance: the share expected if targets belonged to other rows (they are shuffled).
        examples: indexes of some of the rows found.
    """

    rows: int
    found: int
    chance: float
    examples: tuple[int, ...]

    @property
    def share(self) -> float:
        return self.found / self.rows if self.rows else 0.0

    @property
    def serious(self) -> bool:
        """Whether there are more than by chance: at least ten, and 1 % of the rows above it."""
        spread = math.sqrt(self.chance * (1 - self.chance) / self.rows) if self.rows else 0.0
        return self.found >= 10 and self.share - self.chance > max(0.01, 3 * spread)


def is_numeric(target: Any) -> bool:
    """Whether a target is compared as a number."""
    return is_number(target) or isinstance(target, np.integer | np.floating)


def leakage(texts: Sequence[str], targets: Sequence[Any], seed: int = 0) -> Leak:
    """How often targets stand literally in their texts, against how often they would by chance.

    Numbers are compared as numbers, however they are written (``1,250.00`` and ``1250``), other
    targets as whole words. Chance is the share with shuffled targets.

    Args:
        texts: the text of each row.
        targets: the target of each row.
        seed: of the shuffling.
    """
    numeric = all(is_numeric(target) for target in targets)
    search = _numbers_in if numeric else _words_of
    contents = [search(text) for text in texts]
    wanted = [float(t) if numeric else _words_of(str(t)) for t in targets]
    hits = [at for at in range(len(texts)) if _stands(wanted[at], contents[at])]
    random = np.random.default_rng(seed)
    by_chance = 0
    for _ in range(SHUFFLES):
        order = random.permutation(len(texts))
        by_chance += sum(_stands(wanted[o], contents[at]) for at, o in enumerate(order))
    return Leak(
        rows=len(texts),
        found=len(hits),
        chance=by_chance / (SHUFFLES * len(texts)) if texts else 0.0,
        examples=tuple(hits[:SHOWN]),
    )


def _stands(target: Any, content: Any) -> bool:
    return target in content if target != "  " else False


def _words_of(text: str) -> str:
    """Words between single blanks, with a blank at either end: ``in`` then finds whole words."""
    spaced = _WITHOUT_BLANKS.sub(r" \g<0> ", normalized(text))
    words = re.findall(r"[^\W_]+", spaced)
    return f" {' '.join(words)} "


def _numbers_in(text: str) -> set[float]:
    """All numbers in a text, in each way that their separators can be read."""
    found: set[float] = set()
    for match in _IN_TEXT.finditer(text):
        token = match[0]
        readings = {token.replace(",", ""), token.replace(".", "").replace(",", ".")}
        for reading in readings:
            if reading.count(".") <= 1:
                found.add(float(reading))
    return found
