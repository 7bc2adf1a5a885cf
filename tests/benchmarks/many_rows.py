"""What grows with the rows: paired tests, predictions of a file, the report.

    python tests/benchmarks/many_rows.py [--rows 100000] [--predicted 1000000] [--reported 50000]

- Twenty comparisons of two systems on ``--rows`` rows, by the figures that are means and by others.
- ``--predicted`` rows through the chunks of ``toolkit predict --out``, by a model that answers at
  once: seconds, and the process's own memory, which must not grow with the rows.
- Scoring and reporting a run with ``--reported`` test rows: its size and seconds. The rows are
  those of a run of two training steps, repeated.

Prints JSON lines. Not part of the tests.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def peak_mb() -> float:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def own_mb() -> float:
    """The process's own memory now, in MiB: without pages of files, which the system may drop."""
    import psutil

    found = psutil.Process().memory_info()
    return float(found.rss - getattr(found, "shared", 0)) / 2**20


def compared(rows: int) -> None:
    """Twenty comparisons: five of each figure."""
    import numpy as np

    from toolkit.metrics import macro_f1, mae, r2, rmse
    from toolkit.metrics.statistics import paired

    draw = np.random.default_rng(0)
    true = draw.lognormal(3, 1, rows)
    classes = draw.integers(0, 5, rows)
    whole = 0.0
    for chosen in (mae(), rmse(), r2(), macro_f1(range(5))):
        counted = chosen.name == "macro_f1"
        answers = [_answers(draw, classes if counted else true, k, counted) for k in range(6)]
        of = classes if counted else true
        values = [
            [chosen.per_example(p, t) for p, t in zip(a.tolist(), of.tolist(), strict=True)]
            for a in answers
        ]
        started = time.perf_counter()
        for other in values[1:]:
            paired(chosen, values[0], other)
        seconds = time.perf_counter() - started
        whole += seconds
        print(json.dumps({"metric": chosen.name, "rows": rows, "comparisons": 5,
                          "seconds": round(seconds, 1)}), flush=True)  # fmt: skip
    print(json.dumps({"comparisons": 20, "rows": rows, "seconds": round(whole, 1),
                      "peak_memory_mb": round(peak_mb())}), flush=True)  # fmt: skip


def _answers(draw: Any, true: Any, number: int, counted: bool) -> Any:
    import numpy as np

    if counted:
        right = draw.random(true.size) < 0.8 - 0.002 * number
        return np.where(right, true, draw.integers(0, 5, true.size))
    return true * draw.lognormal(0, 0.3 + 0.005 * number, true.size)


def predicted(rows: int) -> None:
    """Rows of a CSV through the chunks of ``toolkit predict``; the model answers at once."""
    from toolkit import Source
    from toolkit.data.load import read
    from toolkit.pipeline import predict_file

    def answer(run: Any, task: Any, kind: Any, given: Any, *, adapter: bool) -> Any:
        return [{"row_id": r["row_id"], "input": r["text"], "prediction": 1.5} for r in given]

    def inputs(source: Any) -> Any:
        return read(source.data, source)

    model = SimpleNamespace(load_inputs=inputs)
    patched: Any = predict_file
    patched.open_run, patched.answered = lambda run, *, adapter: (model, None), answer
    run: Any = SimpleNamespace(id="20260101-000000-abc", info={"data": {}})
    with tempfile.TemporaryDirectory() as folder:
        for number in (rows // 10, rows):
            path = Path(folder) / f"{number}.csv"
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(["text"])
                writer.writerows([f"a text of row {n} " * 10] for n in range(number))
            for ending in ("jsonl", "csv", "parquet"):
                started, own = time.perf_counter(), [0.0]

                def watch(done: int, total: int, own: list[float] = own) -> None:
                    own[0] = max(own[0], own_mb())

                predict_file.predict_file(
                    run, Source(data=str(path)), Path(folder) / f"out.{ending}", progress=watch
                )
                print(json.dumps({"predicted": number, "as": ending,
                                  "seconds": round(time.perf_counter() - started, 1),
                                  "own_memory_mb": round(max(own[0], own_mb()))}),
                      flush=True)  # fmt: skip


def reported(rows: int) -> None:
    """The report of a run with many test rows."""
    from toolkit.evaluation.score import score
    from toolkit.pipeline.restore import load_task
    from toolkit.reporting.report import write
    from toolkit.runs.files import write_json
    from toolkit.runs.run import Run

    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "toolkit.cli", "run", "price-regression", "--limit", "400",
                   "--set", "training.max_steps=2", "--json"]  # fmt: skip
        subprocess.run(command, cwd=folder, check=True, capture_output=True, env=os.environ)
        (place,) = (found.parent for found in Path(folder).glob("runs/*/*/run.json"))
        _repeat(place, rows)
        run = Run.find(str(place), place.parent.parent)
        task = load_task(run)
        started = time.perf_counter()
        write_json(run.path / "metrics.json", score(run, task))
        scored = time.perf_counter()
        write(run, task)
        size = (run.path / "report.html").stat().st_size
        print(json.dumps({"test_rows": rows, "score_seconds": round(scored - started, 1),
                          "report_seconds": round(time.perf_counter() - scored, 1),
                          "report_mb": round(size / 2**20, 2),
                          "peak_memory_mb": round(peak_mb())}), flush=True)  # fmt: skip


def _repeat(place: Path, rows: int) -> None:
    """Repeat the test rows of a run, and their predictions, under new row numbers."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in (*place.glob("predictions/*.jsonl"), place / "data" / "heldout.jsonl"):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        with path.open("w", encoding="utf-8") as file:
            file.writelines(
                json.dumps(line, ensure_ascii=False) + "\n" for line in _repeated(lines, rows)
            )
    splits = place / "data" / "splits.parquet"
    table = pq.read_table(splits)
    pq.write_table(pa.Table.from_pylist(_repeated(table.to_pylist(), rows), table.schema), splits)


def _repeated(lines: list[dict[str, Any]], rows: int) -> list[dict[str, Any]]:
    """Lines of which those of the test split come so many times."""
    test = [line for line in lines if line.get("split", "test") == "test"]
    many = [line for line in lines if line.get("split", "test") != "test"]
    for number in range(rows):
        copy = dict(test[number % len(test)])
        copy["row_id"] = 1_000_000 + number
        if copy.get("group") is not None:
            copy["group"] = f"g{number}"
        many.append(copy)
    return many


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--predicted", type=int, default=1_000_000)
    parser.add_argument("--reported", type=int, default=50_000)
    given = parser.parse_args()
    for work, number in ((compared, given.rows), (predicted, given.predicted),
                         (reported, given.reported)):  # fmt: skip
        if number:
            work(number)


if __name__ == "__main__":
    main()
