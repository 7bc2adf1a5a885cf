"""Whether a file looks like questions on contexts, with answers that stand in them."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from toolkit.data import Profile, Wanted, guessing
from toolkit_qa.converting import COLUMNS, GUESSES

NESTED = {"place", *COLUMNS}
"""The columns of a file in SQuAD's form, as it is read."""
STANDING = 0.5
"""The share of answers that stand in their contexts from which on they are spans of them."""


def recognises(found: Mapping[str, Profile]) -> float:
    """How surely a file is one of questions, contexts and answers.

    Args:
        found: the profiles of the file's columns.
    """
    if set(found) >= NESTED:
        return 0.98
    held: dict[str, Profile] = {}
    for name in COLUMNS:
        fit = guessing.anything if name == "answers" else guessing.some_text
        taken = [profile.name for profile in held.values()]
        best = guessing.ranked(found, Wanted(name, GUESSES[name], fit), taken)
        if not best or not best[0].name:
            return 0.0
        held[name] = found[best[0].column]
    if held["context"].words < 2 * max(1.0, held["question"].words):
        return 0.0
    pairs = zip(held["context"].cells, held["answers"].cells, strict=True)
    stands = [_stands(answer, context) for context, answer in pairs if context and answer]
    return 0.95 if stands and fmean(stands) >= STANDING else 0.0


def _stands(answer: str, context: str) -> bool:
    """Whether an answer is in its context; SQuAD's lists of answers and starts are known."""
    if answer[:1] in "{[":
        return "answer_start" in answer or "text" in answer
    return answer.casefold() in context.casefold()
