"""How long ``toolkit tasks`` takes with 50 plugins installed, beside none; prints JSON.

python tests/benchmarks/many_plugins.py [PLUGINS] [TRIES]
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from distributions import install, wheel, works

ROOT = Path(__file__).parents[2]
LIMIT = 0.5
"""Seconds that a person waits without noticing."""


def measure(plugins: int, tries: int) -> dict[str, Any]:
    """Seconds of ``toolkit tasks --json``: on the clock and of CPU, the best and the median."""
    with tempfile.TemporaryDirectory() as folder:
        site, wheels = Path(folder, "site"), Path(folder)
        if plugins:
            install(site, [
                wheel(wheels, f"plugin-{number:03}", works(f"task-{number:03}"))
                for number in range(plugins)
            ])  # fmt: skip
        paths = [str(site), *(str(ROOT / part) for part in ("", "plugins", "playground"))]
        path = os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])
        clock, cpu, found = [], [], 0
        for _ in range(tries + 1):  # the first one writes the byte code
            before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "toolkit.cli", "tasks", "--json"],
                env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True,
            )  # fmt: skip
            clock.append(time.perf_counter() - started)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            names = {task["name"] for task in json.loads(done.stdout)}
            found = len([name for name in names if name.startswith("task-")])
    return {
        "plugins": plugins,
        "tasks_found": found,
        "seconds": {"best": min(clock[1:]), "median": statistics.median(clock[1:])},
        "cpu_seconds": {"best": min(cpu[1:]), "median": statistics.median(cpu[1:])},
    }


def main() -> None:
    """Measure and print."""
    given = [int(value) for value in sys.argv[1:3]]
    plugins, tries = [*given, *(50, 7)[len(given) :]]
    result = {"limit": LIMIT, "with": measure(plugins, tries), "without": measure(0, tries)}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
