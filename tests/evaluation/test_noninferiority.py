"""Whether a system is no worse than another: the burden is on the new one."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from toolkit.evaluation.noninferiority import judge
from toolkit.metrics import MAE, RMSE, Metric

SHARE = Metric("accuracy", lambda p, r: float(p == r))
CAMPAIGN = Path(__file__).parents[2] / ".ci" / "campaign" / "gate_errors.py"


def hits(share: float, rows: int) -> list[float]:
    return [float(number % 100 < round(100 * share)) for number in range(rows)]


@pytest.mark.parametrize(
    ("new", "old", "rows", "margin", "outcome"),
    [
        (0.9, 0.9, 2000, 0.02, "no worse"),
        (0.9, 0.9, 100, 0.02, "open"),
        (0.8, 0.9, 2000, 0.02, "worse"),
        (0.8, 0.9, 2000, 0.2, "no worse"),
        (0.95, 0.9, 2000, 0.02, "no worse"),
        (0.9, 0.9, 1, 0.5, "incomparable"),
    ],
)
def test_shares(new: float, old: float, rows: int, margin: float, outcome: str) -> None:
    assert judge(SHARE, hits(new, rows), hits(old, rows), margin).outcome == outcome


@pytest.mark.parametrize("metric", [MAE, RMSE], ids=lambda metric: metric.name)
@pytest.mark.parametrize(("factor", "outcome"), [(1.0, "no worse"), (1.3, "worse")])
def test_errors(metric: Metric, factor: float, outcome: str) -> None:
    random = np.random.default_rng(0)
    old = random.normal(size=800)
    new = (0.95 * old + 0.3 * random.normal(size=800)) * factor
    a, b = ([metric.per_example(float(x), 0.0) for x in each] for each in (new, old))
    found = judge(metric, a, b, 0.1)
    assert found.outcome == outcome
    assert found.room == pytest.approx(0.1 * metric.value(b))
    assert found.loss == pytest.approx(metric.value(a) - metric.value(b))


def test_the_old_figure_is_an_estimate_too() -> None:
    """A new one that is worse by just the margin in every row is never shown to be no worse."""
    old = np.abs(np.random.default_rng(1).normal(size=500)) + 0.1
    assert judge(MAE, (old * 1.0499).tolist(), old.tolist(), 0.05).outcome == "no worse"
    assert judge(MAE, (old * 1.0501).tolist(), old.tolist(), 0.05).outcome == "worse"


def test_the_campaign_counts_what_passes() -> None:
    spec = importlib.util.spec_from_file_location("gate_errors", CAMPAIGN)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    draw = module.shares
    good, wrong = (
        module.passes(module.SHARE, draw, 0.2, 400, worse, 20, 1)[0] for worse in (0.0, 0.4)
    )
    assert good == 1 and wrong == 0
