"""The script that measures backends on a GPU runs on a CPU too."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cli_runner import ROOT, environment


@pytest.mark.slow
def test_the_benchmark_of_backends_runs_on_a_cpu() -> None:
    pytest.importorskip("bitsandbytes")
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/benchmarks/backends_speed.py"), "--parameters", "2",
         "--steps", "4", "--batch", "2", "--words", "40", "--rounds", "1"],
        env=environment(), capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert {"hardware", "versions", "results"} <= found.keys()
    for mode in ("lora", "qlora"):
        plain, ours = (found["results"][f"{mode} {s}"] for s in ("plain-trl", "transformers"))
        assert plain["tokens_per_second"] > 0 and ours["tokens_per_second"] > 0
        # The same rows, settings and steps: the held-out losses belong together.
        assert ours["held_out_loss"] == pytest.approx(plain["held_out_loss"], rel=0.05)
