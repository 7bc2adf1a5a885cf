"""How long ``toolkit augment`` takes for 20,000 reviews of a file, without a teacher, in seconds.

    python tests/benchmarks/augmenting.py [--reviews 20000] [--perturb 0.2]

The reviews are synthetic ones, written into a CSV first, with their stars alone: features, quality
and summaries have to come from the rules. Near duplicates are looked for, as by default. The clock
runs over the whole command, in a process of its own. Prints JSON; exits with 1 where it takes a
minute or more.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from toolkit_review_augmentation.generator import generate

ALLOWED = 60.0


def write(place: Path, number: int) -> None:
    """So many reviews as a file."""
    with place.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["review", "stars"])
        rows.writerows([review.text, review.stars] for review in generate(number, "train", seed=3))


def augment(data: Path, out: Path, perturb: float) -> float:
    """Seconds of the command."""
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "toolkit.cli", "augment", "review-augmentation",
         "--data", str(data), "--out", str(out), "--perturb", str(perturb)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviews", type=int, default=20_000)
    parser.add_argument("--perturb", type=float, default=0.2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "reviews.csv", Path(folder) / "made"
        write(data, arguments.reviews)
        seconds = augment(data, out, arguments.perturb)
        summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    print(json.dumps({
        "seconds": round(seconds, 1), "reviews": summary["reviews"], "examples":
        summary["examples"], "allowed": ALLOWED,
    }))  # fmt: skip
    sys.exit(seconds >= ALLOWED)


if __name__ == "__main__":
    main()
