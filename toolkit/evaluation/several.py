"""Several trained models judged at once: a verdict for each, and no more false ones for it.

"Worth it" is an intersection–union test for one model (:mod:`toolkit.evaluation.verdict`): its
p-value is the largest of the paired tests against its rivals. Of several models some would look
worth it by chance alone, the more the longer the list is. Holm's procedure over these p-values
keeps the probability that any "worth it" is false at that of a single one.

Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
Statistics 6 (1979) 65-70.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolkit.evaluation.standing import ALPHA
from toolkit.evaluation.verdict import Verdict, rival_names
from toolkit.metrics.statistics import Comparison
from toolkit.runs.predictions import TRAINED, System

Judge = Callable[[Sequence[System], Mapping[str, Comparison]], Verdict]
"""Systems of which one was trained, and its comparisons with the others → its verdict."""


def holm(values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order of the values."""
    order = sorted(range(len(values)), key=lambda at: values[at])
    adjusted, highest = [math.nan] * len(values), 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - rank) * values[at]))
        adjusted[at] = highest
    return adjusted


def claim(found: Sequence[System], compared: Mapping[str, Comparison]) -> float:
    """The p-value of "better than the base and every baseline"; 1 where there is no test.

    A rival without a figure has none, and the verdict leaves it out too.
    """
    tested = [compared[name].p for name in rival_names(found) if name in compared]
    return max((p for p in tested if math.isfinite(p)), default=1.0)


def judged(
    found: Sequence[System],
    compared: Mapping[str, Mapping[str, Comparison]],
    judge: Judge,
) -> dict[str, tuple[Verdict, float]]:
    """The verdict on each trained system, with its adjusted p-value.

    Args:
        found: all systems.
        compared: trained system → its comparisons with the other systems.
        judge: gives the verdict on one.
    """
    others = [system for system in found if system.role not in TRAINED]
    ours = [system for system in found if system.role in TRAINED]
    single = [[system, *others] for system in ours]
    adjusted = holm([claim(s, compared[s[0].name]) for s in single])
    return {
        systems[0].name: (_corrected(judge(systems, compared[systems[0].name]), p, len(ours)), p)
        for systems, p in zip(single, adjusted, strict=True)
    }


def _corrected(verdict: Verdict, p: float, number: int) -> Verdict:
    """A verdict that does not say "worth it" where that is due to the number of models alone."""
    if not verdict.worth_it or p < ALPHA:
        return verdict
    rest = verdict.sentence.partition(": ")[2]
    return dataclasses.replace(
        verdict,
        worth_it=None,
        sentence=f"Cannot tell, as {number} models were judged at once: {rest} Of so many one may "
        f"look that good by chance (p = {p:.2g} after Holm's correction).",
    )


def document(verdicts: Mapping[str, tuple[Verdict, float]]) -> dict[str, Any]:
    """``models`` of the ``verdict`` in ``metrics.json``."""
    return {
        name: {"worth_it": verdict.worth_it, "sentence": verdict.sentence, "p": p}
        for name, (verdict, p) in verdicts.items()
    }


def caveats(verdicts: Mapping[str, tuple[Verdict, float]], first: str) -> list[str]:
    """A sentence on the verdicts of the other models."""
    words = {True: "worth it", False: "not worth it", None: "cannot tell"}
    listed = ", ".join(
        f"{name} ({words[verdict.worth_it]})" for name, (verdict, _) in verdicts.items()
    )
    return [
        f"{len(verdicts)} models were judged at once: {listed}; the verdict above is on {first}. "
        "That one of them is worth it was tested with Holm's correction for their number."
    ]
