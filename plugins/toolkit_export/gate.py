"""The gate: whether an export answers as the adapter that it was made of.

Three things must hold. It reads the same tokens and ends at the same ones; its figure is not worse
by more than the margin; and its logits are nearer to the adapter's than to the base's: where the
metric is at its floor, or no row happens to change, they still show that what was learned is there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit import Metric, formatting
from toolkit.evaluation import noninferiority
from toolkit.metrics import statistics
from toolkit.runs import predictions as stored
from toolkit_export.answers import Answers

if TYPE_CHECKING:
    import numpy as np

EXACT, ROUNDED = 0.005, 0.25
"""How far the export's logits may be from the adapter's, as a share of how far training has moved
them from the base's (root mean squares): where both compute in float32, and where one of them is
rounded to 16 bits or 8. An adapter that is merged at half its scale is off by a half; layers that
have changed places may be off by a fiftieth. Unchanged exports in float32 are off by 1e-5."""
NOISE = 1e-5
"""The share of the logits' spread by which float32 rounds them, whatever training has moved."""
NOTHING = 1e-6
"""Logits that training has moved by less have stayed as they were."""
SAME = 1e-3
"""The relative difference up to which two numbers are the same answer, as for ``--verify``."""


@dataclass(frozen=True)
class Measured:
    """What the gate has measured.

    Args:
        document: the figures, as they stand in the record.
        reasons: why the export is refused, a sentence each; empty: it is not.
    """

    document: Mapping[str, Any]
    reasons: Sequence[str]


def measure(
    metric: Metric,
    ours: Answers,
    base: Sequence[np.ndarray],
    theirs: Answers,
    *,
    margin: float,
    groups: Sequence[str] | None,
    measured: Sequence[Any],
    exact: bool,
    reading: Mapping[str, Any] | None = None,
) -> Measured:
    """Compare an export with the adapter that it was made of, on the same rows.

    Args:
        metric: the task's primary metric.
        ours: the adapter's answers.
        base: the logits of the untouched base, for the rows of ``ours.logits``.
        theirs: the export's answers.
        margin: the share of the adapter's figure by which the export may be worse.
        groups: the group of each row; ``None``: each is one of its own.
        measured: the predictions of the rows that the run has stored; ``None`` where it has none.
        exact: whether both compute in float32.
        reading: how the export's runtime reads by itself, see :func:`answers.own_reading`.
    """
    judged = noninferiority.judge(metric, theirs.values, ours.values, margin, groups=groups)
    figures = [statistics.metric_value(metric, one.values) for one in (ours, theirs)]
    differing = sum(a != b for a, b in zip(ours.tokens, theirs.tokens, strict=True))
    known = [
        (then, now)
        for then, now in zip(measured, theirs.predictions, strict=True)
        if then is not None
    ]
    document: dict[str, Any] = {
        "rows": len(ours.values),
        "groups": judged.compared.groups,
        "metric": metric.name,
        "greater_is_better": metric.greater_is_better,
        "margin": margin,
        "adapter": statistics.known(figures[0]),
        "export": statistics.known(figures[1]),
        "difference": statistics.as_json(judged.compared),
        "equal_answers": _equal(list(zip(ours.predictions, theirs.predictions, strict=True))),
        "equal_to_measured": _equal(known),
        "logits": _logits(ours.logits, base, theirs.logits),
        "inputs": {"rows": len(ours.tokens), "different": differing},
        "stops": {"adapter": list(ours.stops), "export": list(theirs.stops)},
        "same_chat_template": ours.chat == theirs.chat,
        **({"runtime_reads": dict(reading)} if reading is not None else {}),
    }
    reasons = [
        *_input_reasons(document),
        *_figure_reasons(metric, judged, figures),
        *_logit_reasons(document["logits"], EXACT if exact else ROUNDED),
    ]
    if logits := document["logits"]:
        document["logits"] = {
            name: statistics.known(value) if isinstance(value, float) else value
            for name, value in logits.items()
        }
    return Measured(document, reasons)


def _equal(pairs: Sequence[tuple[Any, Any]]) -> float | None:
    """The share of pairs of equal answers; ``None`` where there are no pairs."""
    if not pairs:
        return None
    return sum(stored.same(a, b, SAME) for a, b in pairs) / len(pairs)


# -- logits ----------------------------------------------------------------------------------------
def _logits(
    ours: Sequence[np.ndarray], base: Sequence[np.ndarray], theirs: Sequence[np.ndarray]
) -> dict[str, Any] | None:
    """How far the export's logits are from the adapter's, and those from the base's.

    ``None`` where they cannot be compared, since they are of other tokens.
    """
    import numpy as np

    if not ours or any(a.shape != b.shape for a, b in zip(ours, theirs, strict=True)):
        return None
    alike = all(a.shape == b.shape for a, b in zip(ours, base, strict=True))
    return {
        "rows": len(ours),
        "largest_difference": _largest(ours, theirs),
        "difference": _spread(ours, theirs),
        "changed_by_training": _spread(ours, base) if alike else None,
        "spread": float(np.concatenate([one.ravel() for one in ours]).std()),
    }


def _largest(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> float:
    return max(float(abs(x - y).max()) for x, y in zip(a, b, strict=True))


def _spread(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> float:
    """The root mean square of all differences."""
    total = sum(float(((x - y) ** 2).sum()) for x, y in zip(a, b, strict=True))
    return math.sqrt(total / max(1, sum(x.size for x in a)))


# -- reasons ---------------------------------------------------------------------------------------
def _input_reasons(document: Mapping[str, Any]) -> list[str]:
    reasons = []
    if different := document["inputs"]["different"]:
        reasons.append(
            f"it reads other tokens than the adapter for {different:,} of {document['rows']:,} "
            "rows (its chat template or its tokenizer differs)"
        )
    if not document["same_chat_template"]:
        reasons.append("its chat template does not write a conversation as the adapter's does")
    ours, theirs = (document["stops"][name] for name in ("adapter", "export"))
    if ours != theirs:
        reasons.append(f"its texts end at the tokens {theirs}, and the adapter's at {ours}")
    own = document.get("runtime_reads") or {"different": 0, "ends": ours}
    if different := own["different"]:
        reasons.append(
            f"its runtime reads {different:,} of {document['rows']:,} rows as other tokens than "
            "the tokenizer in it"
        )
    if missing := sorted({*ours} - {*own["ends"]}):
        reasons.append(f"its runtime does not end a text at the tokens {missing}")
    return reasons


def _figure_reasons(
    metric: Metric, judged: noninferiority.Judgement, figures: Sequence[float]
) -> list[str]:
    if not math.isfinite(judged.loss):
        return [f"{metric.name} is undefined on these rows, so that nothing shows what it is worth"]
    if judged.loss <= judged.room:
        return []
    ours, theirs, room = (
        formatting.figure(value, metric.format, metric.unit) for value in (*figures, judged.room)
    )
    return [
        f"its {metric.label or metric.name} is {theirs}, and the adapter's {ours}: worse by more "
        f"than the margin of {room}"
    ]


def _logit_reasons(logits: Mapping[str, Any] | None, most: float) -> list[str]:
    if logits is None:
        return ["its logits are of other tokens or classes than the adapter's"]
    if not math.isfinite(logits["difference"]):
        return ["its logits are NaN or infinite"]
    moved, by = logits["changed_by_training"], "of what training has moved them"
    if moved is None or moved < NOTHING:  # the best of training may be what it began from
        moved, by = logits["spread"], "of their spread"
    if logits["difference"] <= max(most * moved, NOISE * logits["spread"]):
        return []
    share = logits["difference"] / moved if moved else math.inf
    return [
        f"its logits are off the adapter's by {share:.2f} {by} (at most {most} is let through): "
        "what was learned is not in it"
    ]
