"""What people press in the playground and what the server sends, in every order.

    python .ci/campaign/orders.py [--factor 10]

The state machine of ``tests/orders.py``, which simulates gradio's page and its queue. It is no part
of the suite: one order that it finds (a question in Chat, then a comparison, both right after
another run was chosen) has not been followed to a fault of the page or of the simulation.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the state machine; the exit code is pytest's."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--factor", type=int, default=10, help="times as many examples")
    given = options.parse_args()
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/orders.py"],
        cwd=ROOT, env={**os.environ, "TOOLKIT_EXAMPLES": str(given.factor)},
    ).returncode  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
