"""Ten minutes of ``toolkit serve`` at eight clients: flat memory, no error, no mixed answer.

    python .ci/campaign/serving.py NAME=RUN [NAME=RUN…] [--clients 8] [--seconds 600] [--log FILE]

The runs are causal language models on one base; every answer is computed beforehand. A figure may
differ by what other rows in its batch change without a server too: next to nothing in a run with
``training.bf16=false``, more in bfloat16. Half of the clients' neighbours leave in the middle of a
stream, so that cancelling is part of it. Prints JSON; exits with 1 on any error, any other answer,
or memory that grows by more than a tenth after the first tenth of the time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from serving_fixtures import server  # noqa: E402
from serving_load import Question, drive, questions  # noqa: E402

GROWTH = 1.1
SAMPLES = 20


def leave(url: str, asked: list[Question], until: threading.Event, seen: list[int]) -> None:
    """Begin streams and go away after the first event, again and again."""
    import httpx

    texts = [one for one in asked if one.path == "/v1/completions"]
    while not until.is_set():
        for question in texts:
            body = {**question.body, "stream": True, "max_tokens": 200}
            with httpx.stream("POST", url + question.path, json=body, timeout=60) as reply:
                next(reply.iter_lines(), None)
            seen.append(reply.status_code)
            if until.wait(0.5):
                return


def campaign(runs: list[str], clients: int, seconds: float, rows: int = 8) -> dict[str, Any]:
    """Serve, ask and measure; ``problems`` is empty where all is well."""
    import psutil

    pairs = [one.partition("=") for one in runs]
    asked = questions([(name, Path(run)) for name, _, run in pairs], rows)
    memory: list[float] = []
    left: list[int] = []
    ended = threading.Event()
    with (
        tempfile.TemporaryDirectory() as folder,
        server(*runs, log=Path(folder) / "log") as (url, process),
    ):
        measured = psutil.Process(process.pid)
        drive(url, asked, 1, requests=len(asked))

        def measure() -> None:
            time.sleep(seconds / 10)
            while not ended.is_set():
                memory.append(measured.memory_info().rss / 1e6)
                ended.wait(seconds / SAMPLES)

        threads = [
            threading.Thread(target=measure, daemon=True),
            threading.Thread(target=leave, args=(url, asked, ended, left), daemon=True),
        ]
        for thread in threads:
            thread.start()
        outcome = drive(url, asked, clients, seconds=seconds)
        ended.set()
        for thread in threads:
            thread.join()
    growth = max(memory[-3:]) / max(memory[:3])
    problems = [*outcome.errors, *outcome.mixed]
    if growth > GROWTH:
        problems.append(f"memory grew to {growth:.2f} times what it was")
    if not left or set(left) != {200}:
        problems.append(f"streams that were left had the statuses {sorted(set(left))}")
    return {
        "clients": clients, **outcome.as_dict(), "left": len(left),
        "rounding": max(one.rounding for one in asked),
        "megabytes": [round(one) for one in memory],
        "growth": round(growth, 3), "problems": problems[:10],
    }  # fmt: skip


def main() -> int:
    """Run it; the exit code says whether all was well."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("runs", nargs="+", metavar="NAME=RUN")
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--seconds", type=float, default=600)
    options.add_argument("--log", type=Path, help="write what is printed here too")
    given = options.parse_args()
    found = campaign(given.runs, given.clients, given.seconds)
    text = json.dumps(found, indent=1, ensure_ascii=False)
    print(text)
    if given.log:
        given.log.write_text(text + "\n", encoding="utf-8")
    return 1 if found["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
