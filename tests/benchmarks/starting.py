"""From the loaded model to the page: how long the playground takes to start, in seconds.

    python tests/benchmarks/starting.py RUN [--rounds 5]

Each round starts the command in a process of its own. The clock runs from the line that says that
the model is loaded until the whole page has been answered. Prints JSON; exits with 1 where the
median is three seconds or more.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ALLOWED = 3.0


def start(run: Path) -> tuple[float, float]:
    """Seconds from the loaded model to the page, and from the command to the page."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "toolkit.cli", "playground", str(run)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    loaded = None
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "model loaded" in line:
                loaded = time.perf_counter()
            if line.startswith("playground: "):
                url = line.split()[1]
                break
        for path in ("/", "/config"):
            with urllib.request.urlopen(url + path, timeout=30) as answer:
                assert answer.status == 200 and answer.read()
        there = time.perf_counter()
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert loaded is not None
    return there - loaded, there - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    times = [start(arguments.run.resolve()) for _ in range(arguments.rounds)]
    after, whole = (statistics.median(part) for part in zip(*times, strict=True))
    print(json.dumps({
        "after_model_loaded": round(after, 2), "all": [round(a, 2) for a, _ in times],
        "from_the_command": round(whole, 2), "allowed": ALLOWED,
    }, indent=1))  # fmt: skip
    sys.exit(int(after >= ALLOWED))


if __name__ == "__main__":
    main()
