"""Every layout of the zoo through every kind of task, and sixteen rows by heart.

    python .ci/campaign/zoo.py [--only gemma,bert/spans] [--part 1/2] [--log FILE]

Each case of ``tests/zoo.py`` is a whole run (``toolkit.testing.run``: data, checks before training
with the estimate of memory, baselines, base, three training steps, predictions, report), then the
adapter in plain PEFT with logits within 1e-3, ``toolkit report --verify``, and answers of base and
adapter in the playground's engine. Language models then learn 16 rows by heart: at least 15 exact
answers, and all of them end by themselves. The log is a table for the docs, one line a layout.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "plugins"), str(ROOT / "playground")]
os.environ.setdefault("OMP_NUM_THREADS", "1")

from toolkit.system import environment  # noqa: E402

environment.prepare(offline=True)

import zoo  # noqa: E402
from toolkit.testing.layouts import LAYOUTS  # noqa: E402

HEART = "by heart"


def main() -> int:
    """Run the cases; 1 where one fails."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--only", default="", help="parts of names (layout/task), with commas")
    options.add_argument("--part", default="1/1", help="such as 1/2: every second layout")
    options.add_argument("--log", type=Path, help="write the table here")
    given = options.parse_args()
    at, of = map(int, given.part.split("/"))
    wanted = [part for part in given.only.split(",") if part]
    started, commit = time.time(), _commit()
    results: dict[tuple[str, str], str] = {}
    work = Path(tempfile.mkdtemp(prefix="toolkit-zoo-"))
    for name in list(LAYOUTS)[at - 1 :: of]:
        for case, learns in _of(name):
            label = f"{case}{' ' + HEART if learns else ''}"
            if wanted and not any(part in label for part in wanted):
                continue
            key = (name, f"{case.task}, {HEART}" if learns else case.task)
            results[key] = _run(case, learns, work)
            print(f"{label}: {results[key]}", flush=True)
    shutil.rmtree(work, ignore_errors=True)
    failed = sum(not _good(found) for found in results.values())
    head = (
        f"commit {commit}, {time.strftime('%Y-%m-%d %H:%M')}, {time.time() - started:.0f} s: "
        f"{len(results) - failed} of {len(results)} cases passed"
    )
    print(head)
    if given.log:
        given.log.write_text(f"{head}\n\n{table(results)}", encoding="utf-8")
    return int(failed > 0)


def _of(name: str) -> list[tuple[zoo.Case, bool]]:
    """The cases of a layout, each of them once as a run and, where it writes texts, by heart."""
    cases = [zoo.Case(name, task) for task in zoo.fitting(name)]
    learned = [case for case in cases if case.task in zoo.LEARNED]
    return [*((case, False) for case in cases), *((case, True) for case in learned)]


def _run(case: zoo.Case, learns: bool, work: Path) -> str:
    """``passed`` with figures, or what is wrong."""
    folder = Path(tempfile.mkdtemp(dir=work))
    said = io.StringIO()
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            warnings.simplefilter("ignore")
            if not learns:
                return "passed: " + ", ".join(zoo.through(case, work / "models", folder))
            right, unended = zoo.by_heart(case, work / "models", folder)
        good = right >= zoo.ENOUGH and not unended
        return f"{'passed' if good else 'FAILED'}: {right} of 16 right, {unended} not ended"
    except Exception as error:
        return " ".join(f"FAILED: {type(error).__name__}: {error}".split())[:300]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _good(found: str) -> bool:
    return found.startswith("passed")


def _commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()


def table(results: dict[tuple[str, str], str]) -> str:
    """The results as Markdown: a line for each layout, a column for each task."""
    columns = list(dict.fromkeys(column for _, column in results))
    order = [*zoo.TASKS, *(f"{task}, {HEART}" for task in zoo.LEARNED)]
    columns.sort(key=order.index)
    lines = [f"| layout | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name in dict.fromkeys(name for name, _ in results):
        cells = [_cell(results.get((name, column))) for column in columns]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    wrong = [f"- `{n}`, {c}: {f}" for (n, c), f in results.items() if not _good(f)]
    return "\n".join([*lines, "", *wrong]).rstrip() + "\n"


def _cell(found: str | None) -> str:
    if found is None:
        return ""
    if "of 16 right" in found:
        return found.partition(": ")[2].partition(" of ")[0]
    return "yes" if _good(found) else "no"


if __name__ == "__main__":
    sys.exit(main())
