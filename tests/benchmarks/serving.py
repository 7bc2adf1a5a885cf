"""Throughput and latency of ``toolkit serve`` at 1, 8 and 32 clients, against one at a time.

    python tests/benchmarks/serving.py NAME=RUN [NAME=RUN…] [--requests 200] [--clients 1 8 32]

The runs are causal language models on one base. Every answer is computed beforehand, by itself.
Then the same application serves them twice, each time in a process of its own: with batches, and
with a batch of one, which is ``generate`` for one request after the other. Prints JSON; exits with
1 on any error or any other answer.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from toolkit.system import environment

environment.prepare(offline=True)

from serving_fixtures import server  # noqa: E402
from serving_load import drive, questions  # noqa: E402

WAYS = {"batches": (), "one at a time": ("--batch", "1", "--window", "0")}


def main() -> int:
    """Measure; the exit code says whether every answer was right."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("runs", nargs="+", metavar="NAME=RUN")
    options.add_argument("--requests", type=int, default=200, help="requests at each step")
    options.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    options.add_argument("--rows", type=int, default=8, help="held-out rows of each run")
    given = options.parse_args()
    pairs = [one.partition("=") for one in given.runs]
    asked = questions([(name, Path(run)) for name, _, run in pairs], given.rows)
    found: dict[str, dict[str, object]] = {}
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for way, extra in WAYS.items():
            with server(*given.runs, *extra, log=Path(folder) / "log") as (url, _):
                drive(url, asked, 1, requests=len(asked))  # what is slow once only
                found[way] = {}
                for clients in given.clients:
                    outcome = drive(url, asked, clients, requests=given.requests)
                    wrong += len(outcome.errors) + len(outcome.mixed)
                    found[way][str(clients)] = outcome.as_dict()
    print(json.dumps({"questions": len(asked), **found}, indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
