"""What votes say: a sign test for two sides, Bradley–Terry strengths for more, agreement of voters.

Ties and "both bad" are shown and left out of the sign test; Bradley–Terry counts them as half a win
for each (Davidson's model without its tie parameter). Votes of one person on one row are taken for
independent draws, which the page says.
"""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.evaluation import preference_sheet
from toolkit.metrics.statistics import CONFIDENCE
from toolkit_playground.state.store import Vote


@dataclass(frozen=True)
class Duel:
    """How two sides did against each other.

    Args:
        a, b: the sides; ``a`` comes first in the order that was given.
        a_wins, b_wins, ties, both_bad: counts.
        share: of ``a`` among the decided votes, with the interval of :func:`always_valid`.
        p: two-sided sign test of "as often one as the other".
    """

    a: str
    b: str
    a_wins: int
    b_wins: int
    ties: int
    both_bad: int
    share: float
    low: float
    high: float
    p: float

    @property
    def decided(self) -> int:
        return self.a_wins + self.b_wins


def duels(votes: Sequence[Vote], order: Sequence[str]) -> list[Duel]:
    """All pairs of sides that met."""
    from scipy.stats import binomtest

    found = []
    sides = [*order, *sorted({s for v in votes for s in (v.left_side, v.right_side)} - set(order))]
    for b, a in itertools.combinations(sides, 2):
        met = [v for v in votes if {v.left_side, v.right_side} == {a, b}]
        if not met:
            continue
        won = Counter(v.winner or v.choice for v in met)
        decided = won[a] + won[b]
        share = won[a] / decided if decided else math.nan
        low, high = always_valid(won[a], decided)
        p = float(binomtest(won[a], decided).pvalue) if decided else 1.0
        found.append(
            Duel(
                a, b, won[a], won[b], won["tie"], won["both-bad"],
                share, low, high, p,
            )
        )  # fmt: skip
    return found


def always_valid(won: int, decided: int) -> tuple[float, float]:
    """A 95 % interval of a share that holds at all times together, however often one looks.

    People look at the results while they vote, and stop when they have seen enough: an interval for
    a number of votes that was set beforehand would miss the truth more often than it says. This one
    holds the shares under which the votes are not 20 times less likely than under a uniform
    mixture of all shares (Ville's inequality for the beta-binomial mixture).

    Source: H. Robbins, "Statistical methods related to the law of the iterated logarithm" (1970);
    S. Howard et al., "Time-uniform, nonparametric, nonasymptotic confidence sequences" (2021).

    Args:
        won: votes for one of two sides.
        decided: votes for either.
    """
    from scipy.optimize import brentq
    from scipy.special import betaln, xlog1py, xlogy

    if not decided:
        return 0.0, 1.0
    mixture = betaln(1 + won, 1 + decided - won)
    most = -math.log(1 - CONFIDENCE)

    def excess(share: float) -> float:
        here = xlogy(won, share) + xlog1py(decided - won, -share)
        return float(mixture - here) - most

    seen, tiny = won / decided, 1e-12
    # The votes are likeliest under the share that was seen: from there it falls to both sides.
    low = float(brentq(excess, tiny, min(seen, 1 - tiny))) if won else 0.0
    high = float(brentq(excess, max(seen, tiny), 1 - tiny)) if won < decided else 1.0
    return low, high


@dataclass(frozen=True)
class Strength:
    """A side's log-odds of beating the first side, with its 95 % interval."""

    side: str
    value: float
    low: float
    high: float


def strengths(votes: Sequence[Vote], order: Sequence[str]) -> list[Strength]:
    """Bradley–Terry strengths relative to the first side, for three sides or more.

    Maximum likelihood with a weak Gaussian prior (variance 25), which keeps sides that won or lost
    everything finite; the intervals are Wald's, from the information matrix.
    """
    import numpy as np
    from scipy.optimize import minimize
    from scipy.stats import norm

    met = {s for v in votes for s in (v.left_side, v.right_side)}
    sides = [s for s in order if s in met] + sorted(met - set(order))
    if len(sides) < 3:
        return []
    wins = np.zeros((len(sides), len(sides)))
    for vote in votes:
        i, j = sides.index(vote.left_side), sides.index(vote.right_side)
        left = {"left": 1.0, "right": 0.0}.get(vote.choice, 0.5)
        wins[i, j] += left
        wins[j, i] += 1 - left
    games = wins + wins.T

    def loss(free: Any) -> float:
        values = np.concatenate([[0.0], free])
        gaps = values[:, None] - values[None, :]
        return float((wins * np.logaddexp(0, -gaps)).sum() + (free**2).sum() / 50)

    fitted = minimize(loss, np.zeros(len(sides) - 1), method="BFGS").x
    values = np.concatenate([[0.0], fitted])
    chance = 1 / (1 + np.exp(-(values[:, None] - values[None, :])))
    weights = games * chance * (1 - chance)
    information = np.diag(weights.sum(1)) - weights
    covariance = np.linalg.inv(information[1:, 1:] + np.eye(len(sides) - 1) / 25)
    z = float(norm.ppf(0.5 + CONFIDENCE / 2))
    return [
        Strength(side, value, value - z * math.sqrt(var), value + z * math.sqrt(var))
        for side, value, var in zip(sides[1:], fitted.tolist(), np.diag(covariance), strict=True)
    ]


def agreement(votes: Sequence[Vote]) -> list[preference_sheet.Agreement]:
    """How far each two voters agree on the rows of the evaluation sheet that both judged."""
    judged: dict[str, dict[int, str]] = {}
    for vote in votes:
        if vote.sheet and vote.row_id is not None:
            judged.setdefault(vote.voter, {})[vote.row_id] = vote.winner or vote.choice
    return preference_sheet.agreement(judged)


@dataclass(frozen=True)
class Unanimity:
    """How far all voters together agree on the sheet.

    Args:
        voters: who has judged a row that another has judged too.
        rows: how many rows two or more have judged.
        alpha: Krippendorff's alpha of their choices; NaN where all are one and the same.
    """

    voters: int
    rows: int
    alpha: float


def unanimity(votes: Sequence[Vote]) -> Unanimity | None:
    """The agreement of all voters of the sheet; ``None`` where no two have judged the same row.

    Source: K. Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), nominal data with
    missing values.
    """
    judged: dict[int, dict[str, str]] = {}
    for vote in votes:
        if vote.sheet and vote.row_id is not None:
            judged.setdefault(vote.row_id, {})[vote.voter] = vote.winner or vote.choice
    shared = [found for found in judged.values() if len(found) > 1]
    if not shared:
        return None
    voters = {voter for found in shared for voter in found}
    alpha = krippendorff([list(found.values()) for found in shared])
    return Unanimity(len(voters), len(shared), alpha)


def krippendorff(units: Sequence[Sequence[str]]) -> float:
    """Alpha for nominal data; each unit holds the two or more values that it was given."""
    totals: Counter[str] = Counter(value for unit in units for value in unit)
    count = sum(totals.values())
    apart = sum(
        (len(unit) ** 2 - sum(n * n for n in Counter(unit).values())) / (len(unit) - 1)
        for unit in units
    )
    by_chance = count**2 - sum(n * n for n in totals.values())
    return 1 - (count - 1) * apart / by_chance if by_chance else math.nan


TRAINABLE = ("train", "own")
"""Where an input may come from of which a preference is trained on."""


@dataclass(frozen=True)
class Preferences:
    """Preference data of votes.

    Args:
        pairs: ``prompt``, ``chosen`` and ``rejected`` as TRL's DPO trainer reads them, without
            special tokens: texts, or (where the prompt is a conversation) messages.
        left_out: why a vote is not among them → how many.
    """

    pairs: Sequence[Mapping[str, Any]]
    left_out: Mapping[str, int]


def preferences(votes: Sequence[Vote]) -> Preferences:
    """The votes that may be trained on."""
    pairs: list[dict[str, Any]] = []
    left_out: Counter[str] = Counter()
    for vote in votes:
        reason = _unfit(vote)
        if reason:
            left_out[reason] += 1
            continue
        texts = (vote.left_text, vote.right_text)
        chosen, rejected = texts if vote.choice == "left" else texts[::-1]
        prompt = json.loads(vote.example)
        if isinstance(prompt, str):
            pairs.append({"prompt": prompt, "chosen": chosen, "rejected": rejected})
        else:
            pairs.append({"prompt": prompt, "chosen": _said(chosen), "rejected": _said(rejected)})
    return Preferences(pairs, left_out)


def _unfit(vote: Vote) -> str:
    """Why a vote is no preference to train on; empty: it is one."""
    if vote.winner is None or vote.left_text == vote.right_text:
        return "undecided"
    if not vote.split:
        return "of an earlier version, which has not noted where the row comes from"
    if vote.split not in TRAINABLE:
        return f"on {vote.split} rows, which are kept for measuring"
    if not vote.written:
        return "on predictions that are no text of the model"
    if vote.left_cut or vote.right_cut:
        return "with an answer that the limit has cut"
    return ""


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]
