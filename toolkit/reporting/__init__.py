"""Pages made from ``metrics.json``: the report, the comparison of runs, the model card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.reporting import context as context
    from toolkit.reporting import examples as examples
    from toolkit.reporting import page as page
    from toolkit.reporting import report as report
    from toolkit.reporting import run_details as run_details
    from toolkit.reporting import step_charts as step_charts
    from toolkit.reporting import svg as svg
    from toolkit.reporting import training_charts as training_charts

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "context",
        "examples",
        "page",
        "report",
        "run_details",
        "step_charts",
        "svg",
        "training_charts",
    ],
)
