"""With 50 plugins installed the toolkit still answers at once."""

from __future__ import annotations

import importlib.util
from pathlib import Path

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "many_plugins.py"


def test_fifty_plugins_cost_no_more_than_half_of_what_none_cost() -> None:
    """A ratio, both sides in one run: how fast the machine is decides nothing."""
    spec = importlib.util.spec_from_file_location("many_plugins", BENCHMARK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    many, none = module.measure(50, tries=4), module.measure(0, tries=4)
    assert many["tasks_found"] == 50
    # CPU time: on the clock other programs of the machine count too.
    assert many["cpu_seconds"]["best"] < 1.5 * none["cpu_seconds"]["best"], (many, none)
