"""What training gained: the trained model against its base, figure by figure, with intervals.

Also the perplexity per token of the right answers, where the kind can tell how likely a model
finds them, and the share of outputs that ended at the token limit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit import statistics, wording
from toolkit.systems import TRAINED, System
from toolkit.task import Metric

if TYPE_CHECKING:
    import numpy as np

Document = Mapping[str, Any]


def _per_token(losses: np.ndarray, tokens: np.ndarray, axis: int = -1) -> Any:
    import numpy as np

    return np.exp(losses.sum(axis=axis) / tokens.sum(axis=axis))


PERPLEXITY = Metric(
    "perplexity",
    lambda prediction, reference: None,
    _per_token,
    greater_is_better=False,
    label="Perplexity per token of the answers",
    format=".2f",
)
"""``exp`` of the mean loss of a token; a row's values are its summed loss and its tokens."""


def perplexity(system: System) -> dict[str, float | None] | None:
    """A system's perplexity on the test rows with its interval; ``None`` where it is not known."""
    values = _losses(system)
    return None if values is None else statistics.plain(statistics.interval(PERPLEXITY, values))


def perplexity_gain(ours: System | None, base: System | None) -> dict[str, Any] | None:
    """The trained model's perplexity minus its base's, on the same rows."""
    if ours is None or base is None:
        return None
    a, b = _losses(ours), _losses(base)
    if a is None or b is None:
        return None
    compared = statistics.plain(statistics.paired(PERPLEXITY, a, b))
    return {"a": ours.name, "b": base.name, "metric": PERPLEXITY.name, **compared}


def _losses(system: System) -> list[Sequence[float]] | None:
    found = [row.get("target_loss") for row in system.rows()]
    return None if not found or None in found else found  # type: ignore[return-value]


# -- the report's table ----------------------------------------------------------------------------
def table(doc: Document) -> list[dict[str, str]]:
    """Base, trained model, absolute and relative gain of each figure; empty without both."""
    names = {system["role"]: name for name, system in reversed(doc["systems"].items())}
    ours = next((names[role] for role in TRAINED if role in names), None)
    if ours is None or "base" not in names:
        return []
    base = names["base"]
    found = {
        entry["metric"]: entry
        for entry in doc["comparisons"]
        if (entry["a"], entry["b"]) == (ours, base)
    }
    lines = []
    for metric in doc["metrics"]:
        if metric["name"] in found:
            values = [doc["systems"][n]["metrics"][metric["name"]]["value"] for n in (base, ours)]
            lines.append(_line(metric, values, found[metric["name"]]))
    gain = doc.get("perplexity_gain")
    if gain:
        values = [doc["systems"][n]["perplexity"]["value"] for n in (base, ours)]
        described = {
            "label": PERPLEXITY.label, "format": PERPLEXITY.format, "unit": "",
            "greater_is_better": False,
        }  # fmt: skip
        lines.append(_line(described, values, gain))
    if any(doc["systems"][n]["hit_limit"] for n in (base, ours)):
        shares = [doc["systems"][n]["hit_limit"] / doc["systems"][n]["n"] for n in (base, ours)]
        lines.append(
            {
                "label": "Outputs that ended at the token limit",
                "base": f"{shares[0]:.1%}",
                "ours": f"{shares[1]:.1%}",
                "gain": wording.signed(shares[1] - shares[0], ".1%"),
                "span": wording.NOTHING,
                "relative": wording.NOTHING,
                "says": "",
            }
        )
    return lines


def _line(
    metric: Mapping[str, Any], values: Sequence[float | None], compared: Mapping[str, Any]
) -> dict[str, str]:
    before, after = values
    spec, unit = metric["format"], metric["unit"]
    low, high = compared["low"], compared["high"]
    says = "no clear difference"
    if low is not None and high is not None and (low > 0 or high < 0):
        says = "better" if (low > 0) == metric["greater_is_better"] else "worse"
    relative = None
    if before and after is not None and math.isfinite(before):
        relative = after / before - 1
    return {
        "label": metric["label"],
        "base": wording.figure(before, spec, unit),
        "ours": wording.figure(after, spec, unit),
        "gain": wording.signed(compared["difference"], spec, unit),
        "span": f"{wording.signed(low, spec)} to {wording.signed(high, spec)}",
        "relative": wording.NOTHING if relative is None else wording.signed(relative, ".1%"),
        "says": says,
    }
