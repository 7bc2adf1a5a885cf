"""Does ``toolkit rows`` see ahead? From a quarter of the rows, what all of them give.

    python .ci/campaign/rows.py --data FOLDER --runs FOLDER [--only wine,catalogue] [--seeds 3]
    python .ci/campaign/rows.py --table

Each set is split and trained on with several seeds: with growing shares up to a quarter, from which
a law is fitted, and with all rows, which the law has not seen. Counted is how often the 80 %
interval holds the adapter's figure with all rows, and how wide it is beside the gap between adapter
and best baseline there. Figures are kept in ``docs/more-rows.json`` as soon as they are there; what
has figures is not run again. The second command writes the table of ``docs/how-to/rows.md``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from kept import Kept, filled

ROOT = Path(__file__).resolve().parents[2]
FIGURES = Kept(ROOT / "docs" / "more-rows.json")
PAGE = ROOT / "docs" / "how-to" / "rows.md"
MARK = "<!-- table -->"
SHARES = (0.03125, 0.0625, 0.125, 0.25, 1.0)
SEEN = 0.25
"""The largest share that the law is fitted to."""


@dataclass(frozen=True)
class Set:
    """A data set and the task that it is tried with.

    Args:
        name: in the table.
        task: of ``toolkit rows``.
        options: of it; ``{data}`` is the folder of public data sets.
    """

    name: str
    task: str
    options: Sequence[str] = ()


SETS = (
    Set("sentiment", "review-sentiment"),
    Set("catalogue", "price-regression-encoder", ("--limit", "3000")),
    Set("wine", "price-regression-encoder", ("--data", "{data}/wine/wine.csv")),
    Set("airbnb_boston", "price-regression-encoder",
        ("--data", "{data}/airbnb_boston/listings.csv")),
    Set("druglib", "review-rating",
        ("--data", "{data}/druglib/reviews.csv",
         "--text", "benefitsReview,sideEffectsReview,commentsReview", "--target", "rating",
         "--group", "urlDrugName")),
)  # fmt: skip


def main() -> int:
    """Run what has no figures, or write the table; 1 where a run failed."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, help="folder of public data sets")
    options.add_argument("--runs", type=Path, default=Path("runs-rows"))
    options.add_argument("--only", default="", help="names of sets, with commas")
    options.add_argument("--seeds", type=int, default=3, help="repetitions of each set")
    options.add_argument("--table", action="store_true", help="write the table and end")
    given = options.parse_args()
    if given.table:
        text = filled(PAGE.read_text(encoding="utf-8"), MARK, table(FIGURES.read()))
        PAGE.write_text(text, encoding="utf-8")
        return 0
    wanted = [part for part in given.only.split(",") if part]
    failed = 0
    for seed in range(given.seeds):
        for entry in SETS:
            key = f"{entry.name}/{seed}"
            if (wanted and entry.name not in wanted) or key in FIGURES.read():
                continue
            failed += not _run(entry, seed, key, given.data, given.runs.resolve())
    return int(failed > 0)


def _run(entry: Set, seed: int, key: str, data: Path | None, runs: Path) -> bool:
    """Train on the shares and keep the figures; whether it ended well."""
    out = runs / entry.name / str(seed)
    filled = [one.replace("{data}", str(data)) for one in entry.options]
    started = time.time()
    print(f"{key}: {time.strftime('%H:%M')}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "toolkit", "rows", entry.task, *filled, "--seed", str(seed),
         "--shares", ",".join(map(str, SHARES)), "--runs", str(runs), "--out", str(out)],
        cwd=ROOT,
    )  # fmt: skip
    if done.returncode:
        print(f"{key}: exit code {done.returncode}", flush=True)
        return False
    document = json.loads((out / "rows.json").read_text(encoding="utf-8"))
    FIGURES.keep(key, figures(document, round((time.time() - started) / 60, 1)))
    return True


def figures(document: Mapping[str, Any], minutes: float) -> dict[str, Any]:
    """What a law of the small shares says of all rows, beside what they gave."""
    from toolkit_search import power_law

    better = bool(document["metric"]["greater_is_better"])
    total = document["rows"]
    curves = {
        kind: {one["rows"]: one["value"] for one in system["figures"]}
        for kind, system in document["systems"].items()
    }
    ours, theirs = curves["adapter"], curves["baseline"]
    seen = {rows: value for rows, value in ours.items() if rows <= 1.02 * SEEN * total}
    law = power_law.fit(list(seen), list(seen.values()), greater_is_better=better)
    low, high = law.interval(total, 0.8)
    return {
        "metric": document["metric"]["label"], "rows": total, "minutes": minutes,
        "synthetic": document["synthetic"], "seen": seen,
        "expected": law.expected(total), "low": low, "high": high,
        "adapter": ours[max(ours)], "baseline": theirs[max(theirs)],
    }  # fmt: skip


def _covered(row: Mapping[str, Any]) -> bool:
    return bool(row["low"] <= row["adapter"] <= row["high"])


def _share(row: Mapping[str, Any]) -> float:
    """The interval's width as a share of the gap between adapter and baseline."""
    gap = abs(row["adapter"] - row["baseline"])
    return float((row["high"] - row["low"]) / gap) if gap else float("inf")


def table(found: Mapping[str, Any]) -> str:
    """A line for each set and seed, and what comes of them together."""
    lines = [
        "| Data, seed | Rows | Metric | A quarter | Expected of all (80 %) | All | Best baseline "
        "| In it | Width / gap |",
        "|---|---:|---|---:|---|---:|---:|---|---:|",
    ]
    for key, row in sorted(found.items()):
        last = row["seen"][max(row["seen"], key=int)]
        lines.append(
            f"| {key.replace('/', ', ')} | {row['rows']:,} | {row['metric']} | {last:.3g} "
            f"| {row['expected']:.3g} ({row['low']:.3g} to {row['high']:.3g}) "
            f"| {row['adapter']:.3g} | {row['baseline']:.3g} "
            f"| {'yes' if _covered(row) else 'no'} | {_share(row):.2g} |"
        )
    covered = sum(map(_covered, found.values()))
    narrow = sum(_share(row) <= 0.5 for row in found.values())
    lines.append(
        f"\n{covered} of {len(found)} intervals hold the figure; {narrow} are no wider than half "
        "the gap."
    )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
