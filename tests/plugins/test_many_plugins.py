"""With 50 plugins installed the toolkit still answers at once.

What is counted is function calls and not seconds: their number is the same on every machine,
whatever else runs there. The seconds are in ``tests/benchmarks/many_plugins.py``.
"""

from __future__ import annotations

import os
import pstats
import subprocess
import sys
from pathlib import Path

from distributions import install, wheel, works

ROOT = Path(__file__).parents[2]


def calls(folder: Path, plugins: int) -> int:
    """Python functions that ``toolkit tasks --json`` calls with so many plugins installed."""
    folder.mkdir()
    site, profile = folder / "site", folder / "profile"
    names = [f"{number:03}" for number in range(plugins)]
    if names:
        made = [wheel(folder, f"plugin-{name}", works(f"task-{name}")) for name in names]
        install(site, made)
    places = [site, *(ROOT / part for part in ("", "plugins", "playground"))]
    path = os.pathsep.join([*map(str, places), os.environ.get("PYTHONPATH", "")])
    profiled = [sys.executable, "-m", "cProfile", "-o", str(profile)]
    command = [*profiled, "-m", "toolkit.cli", "tasks", "--json"]
    environment = {**os.environ, "PYTHONPATH": path}
    for _ in range(2):  # the first one compiles the modules
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        )  # fmt: skip
    assert all(f'"task-{name}"' in done.stdout for name in names)
    stats = pstats.Stats(str(profile))
    return int(stats.total_calls)  # type: ignore[attr-defined]


def test_fifty_plugins_cost_little_and_each_as_much_as_the_other(tmp_path: Path) -> None:
    none, some, many = (calls(tmp_path / str(count), count) for count in (0, 25, 50))
    assert many < 1.5 * none, (none, many)
    assert many - none < 2.2 * (some - none), (none, some, many)  # no plugin looks at all others
