"""One answer, one raw text and one winner for a row, whoever is asked?

    python .ci/campaign/equality.py [--only text,spans] [--rows 1000] [--log FILE]

For each kind of task a tiny model is trained, with more than 200 rows of validation and test. Then
their answers by base and adapter are asked for, in processes that share nothing but the run's
folder: Compare and Prediction of a playground that is served for each of them (as programs ask it),
Compare as its page draws it, ``toolkit predict`` once with the adapter and once with the base; and
read from the run's predictions, from which its report is made. For each row the answers of both
sides, the texts that they were read from, and which side is nearer the reference must be the same:
written texts to the letter and their numbers within a millionth, figures of a head within 2e-5 and
one in the last digit that is shown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "plugins"), str(ROOT / "playground")]
os.environ.setdefault("OMP_NUM_THREADS", "1")

from toolkit.system import environment  # noqa: E402

environment.prepare(offline=True)

import equal_answers  # noqa: E402
import equal_kinds  # noqa: E402
from cli_runner import environment as surroundings  # noqa: E402
from playground_site import serving  # noqa: E402

ENDPOINTS = ("compare", "prediction")
FEWEST = 200
"""Rows of a kind below which the campaign has not shown what it is to show."""


def main() -> int:
    """Ask all kinds; 1 where two ways differ."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--only", default="", help="names of kinds, with commas")
    options.add_argument("--rows", type=int, default=equal_kinds.ROWS, help="rows of a run's data")
    options.add_argument("--log", type=Path, help="write the table here")
    given = options.parse_args()
    wanted = [part for part in given.only.split(",") if part] or list(equal_kinds.KINDS)
    started, lines, wrong = time.time(), [], []
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="toolkit-equal-") as folder:
            line, found = kind(name, Path(folder), given.rows)
        lines.append(line)
        wrong += [f"- {name}: {problem}" for problem in found]
        print(line, *found[:5], sep="\n", flush=True)
        head = (
            f"commit {_commit()}, {time.strftime('%Y-%m-%d %H:%M')}, {time.time() - started:.0f} s:"
            f" {len(wrong)} differences in {len(lines)} of {len(wanted)} kinds"
        )
        if given.log:  # after each kind, since all of them take a while
            text = "\n".join([head, "", *TABLE, *lines, "", *wrong]).rstrip() + "\n"
            given.log.write_text(text, encoding="utf-8")
    print(head)
    return int(bool(wrong))


TABLE = (
    "| kind | rows | base nearer | adapter nearer | equal | raw texts | differences |",
    "|---|---:|---:|---:|---:|---:|---:|",
)


def kind(name: str, folder: Path, rows: int) -> tuple[str, list[str]]:
    """A line of the table, and the differences."""
    of = equal_answers.asked(equal_kinds.trained(name, folder, rows))
    ways = {"report": equal_answers.stored(of)}
    for endpoint in ENDPOINTS:
        place = folder / endpoint
        place.mkdir()
        with serving(place, str(of.run.path)) as (url, _):
            ways[endpoint] = equal_answers.told(of, url, f"/{endpoint}")
    ways["page"] = _page(of, folder / "page.json")
    ways["predict"] = equal_answers.predicted(of, folder)
    found = equal_answers.differences(of, ways)
    if len(of.rows) < FEWEST:
        found.append(f"{len(of.rows)} rows are fewer than {FEWEST}")
    winners = [one.winner for one in ways["report"].values()]
    counts = [winners.count(one) for one in (*equal_answers.SIDES, equal_answers.EQUAL)]
    raw = sum(of.writes for one in ways["report"].values() for _ in one.sides)
    cells = (name, len(of.rows), *counts, raw, len(found))
    return f"| {' | '.join(map(str, cells))} |", found


def _page(of: equal_answers.Asked, out: Path) -> equal_answers.Answers:
    """Compare as it is drawn, by a process of its own."""
    place = Path(equal_answers.__file__)
    subprocess.run(
        [sys.executable, str(place), str(of.run.path), str(out)],
        env={**surroundings(), "HF_HUB_OFFLINE": "1"}, check=True,
    )  # fmt: skip
    return equal_answers.read(out.read_text(encoding="utf-8"))


def _commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
