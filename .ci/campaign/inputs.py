"""Ten times as many odd inputs as the suite draws, and others each time.

    python .ci/campaign/inputs.py [--factor 10] [--log FILE]

The tests of ``tests/cli/test_any_input.py`` with more examples, and those beside them: any value
of any option, any content of any kind of file, any text for any pattern. An input that ends in an
error which the toolkit does not expect is printed, made smaller by Hypothesis. The log says when,
on which commit, how many and what was found.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = (
    "tests/cli/test_any_input.py",
    "tests/cli/test_bad_input.py",
    "tests/pipeline/test_failing_plugins.py",
    "tests/test_patterns.py",
)


def main() -> int:
    """Run the tests; the exit code is theirs."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--factor", type=int, default=10, help="times as many examples")
    options.add_argument("--log", type=Path, help="write what is printed here too")
    given = options.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    started = time.time()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal",
         "-p", "no:cacheprovider", "--tb=short", *TESTS],
        cwd=ROOT, env={**os.environ, "TOOLKIT_EXAMPLES": str(given.factor)},
        capture_output=True, text=True,
    )  # fmt: skip
    text = (
        f"commit {commit}, {time.strftime('%Y-%m-%d %H:%M')}, {given.factor} times the examples, "
        f"{time.time() - started:.0f} s, exit code {done.returncode}\n\n{done.stdout[-20_000:]}"
    )
    print(text)
    if given.log:
        given.log.write_text(text, encoding="utf-8")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
