"""Prepare 400,000 rows: seconds and peak memory of the whole data stage of price regression.

    python tests/benchmarks/prepare_400k.py [--rows 400000]

A CSV of that many listings is made in a temporary folder; a fresh process then reads it, splits it
and looks it over (preflight without a tokenizer). Prints one JSON object. Not part of the tests.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

WORDS = [
    "solid", "oak", "table", "chair", "lamp", "vintage", "steel", "kettle",
    "lens", "bicycle", "leather", "sofa", "cotton", "rug", "set", "of",
    "new", "used", "boxed", "repaired", "small", "large", "heavy", "light",
    "compact", "garden", "kitchen", "office", "children",
]  # fmt: skip

PREPARE = """
import json, resource, sys, time
started = time.perf_counter()
from toolkit.preparation import preflight
from toolkit.preparation.prepare import Source, prepare
from toolkit_price_regression.task import PriceRegression

task = PriceRegression()
prepared = prepare(task, Source(data=sys.argv[1]))
seconds = time.perf_counter() - started
task.facts = task.learn(prepared.splits["train"])
found = preflight.check(task, prepared)
print(json.dumps({
    "rows": sum(prepared.sizes.values()),
    "left_out": sum(map(len, prepared.left_out.values())),
    "prepare_seconds": round(seconds, 1),
    "seconds": round(time.perf_counter() - started, 1),
    "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
}))
"""


def write_listings(path: Path, rows: int) -> None:
    """Listings of about 400 characters, a tenth of them seen before, some without a price."""
    draw = random.Random(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "name", "description", "category", "price"))
        description = ""
        for number in range(rows):
            if draw.random() >= 0.1 or not description:
                description = " ".join(draw.choices(WORDS, k=60)) + f", lot {number}"
            price = f"${draw.randint(1, 5000):,}.00" if number % 100 else ""
            name = " ".join(draw.choices(WORDS, k=4))
            writer.writerow((number, name, description, draw.choice(WORDS[:20]), price))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "listings.csv"
        write_listings(path, rows)
        size = path.stat().st_size
        done = subprocess.run(
            [sys.executable, "-c", PREPARE, str(path)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        sys.exit(done.stderr)
    print(json.dumps({**json.loads(done.stdout), "file_mb": round(size / 2**20)}))


if __name__ == "__main__":
    main()
