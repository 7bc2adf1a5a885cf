"""Ten users at once on loopback: no error, flat memory, and every answer the right one.

    python tests/benchmarks/ten_users.py RUN [--users 10] [--seconds 120]

What each side says to each prompt is computed beforehand, greedily and one at a time. Then the
command serves the run in a process of its own, and users ask for base, adapter or both at random.
Prints JSON; exits with 1 on any error, any other answer, or memory that grows by more than a tenth.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from toolkit.system import environment

environment.prepare(offline=True)


def main() -> None:
    """Serve, ask, and judge."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from playground_load import Comparer, drive, expected, held_out_texts
    from playground_site import serving

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--users", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=120)
    arguments = parser.parse_args()
    answers = expected(arguments.run, held_out_texts(arguments.run))
    key = json.loads((arguments.run / "run.json").read_text())["id"]
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), str(arguments.run.resolve())) as (url, pid),
    ):
        users = [Comparer(url, number, key, answers) for number in range(arguments.users)]
        result = drive(pid, users, arguments.seconds)
    print(json.dumps(result, indent=1))
    sys.exit(int(bool(result["problems"])))


if __name__ == "__main__":
    main()
