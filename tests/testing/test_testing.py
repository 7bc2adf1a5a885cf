"""``toolkit.testing``: what plugin authors' tests get, tried with pytest's own plugin tester."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tiny_tasks import TinyColours, TinyPrices
from toolkit import testing
from toolkit.plugins import discovery


def test_check_task_says_what_is_broken(check_task: Callable[..., None]) -> None:
    check_task(TinyColours)
    broken = type("Broken", (TinyPrices,), {"summary": ""})
    with pytest.raises(
        AssertionError, match=r"Broken breaks the contract:\nregistration:.*summary"
    ):
        check_task(broken)


@pytest.mark.slow
def test_run_task_runs_a_task_that_is_not_installed(
    run_task: Callable[..., testing.FinishedRun],
) -> None:
    finished = run_task(TinyPrices)
    assert {"adapter", "base", "median"} <= set(finished.metrics["systems"])
    lines = finished.predictions("median")
    assert len(lines) == 30 and {line["prediction"] for line in lines} == {lines[0]["prediction"]}
    assert TinyPrices.name not in discovery.load().tasks


def test_a_tiny_model_is_made_once_and_is_tiny(tiny_model: Callable[..., Path]) -> None:
    folder = tiny_model(TinyPrices)
    assert tiny_model(TinyColours) == folder
    assert (folder / "model.safetensors").stat().st_size < 500_000


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys, toolkit.testing\n"
        "sys.exit(', '.join({'torch', 'transformers', 'datasets'} & sys.modules.keys()) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_entry_point_is_declared() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    points: dict[str, Any] = project["entry-points"]["pytest11"]
    assert points == {"toolkit.testing": "toolkit.testing"}
