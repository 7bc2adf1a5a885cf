"""The memory estimate beside what is measured, for each architecture of the recipes.

    python tests/benchmarks/memory_estimate.py [ARCHITECTURE …] [--parameters 200] [--json FILE]

Each architecture is built at the wanted size with random weights, and loaded, scored and trained
in a process of its own by the toolkit's own code. What is measured is the highest resident memory
of that process (VmHWM, begun anew once the model is loaded) above what it holds before that.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins"), str(ROOT / "tests")]

from toolkit.system import environment  # noqa: E402

environment.prepare(offline=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("architectures", nargs="*")
    parser.add_argument("--parameters", type=float, default=200, help="millions, at least")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--phase", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.phase, Path(options.architectures[0]))))
        return
    from sized_models import SIZED

    rows = [compare(name, options.parameters) for name in options.architectures or SIZED]
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


def compare(name: str, millions: float) -> dict[str, Any]:
    """Estimate and measurements of one architecture, in MiB."""
    import sized_models

    with tempfile.TemporaryDirectory() as folder:
        place = sized_models.make(name, Path(folder) / "model", millions)
        expected, shape = estimated(name, place)
        measured: dict[str, float] = {}
        for phase in PHASES:
            measured |= in_its_own_process("--measure", name, "--phase", phase, str(place))
    ratios = {p: getattr(expected, f"{p}_peak") / 2**20 / measured[p] for p in PHASES}
    return {
        "architecture": name,
        "parameters": expected.parameters[1],
        "shape": [shape.length, shape.answer],
        "estimate": expected.document(),
        "measured": measured,
        "ratios": {phase: round(ratio, 3) for phase, ratio in ratios.items()},
    }


def estimated(name: str, model: Path) -> tuple[Any, Any]:
    """The estimate, and the shape of the rows that it is for."""
    from toolkit.preparation import memory

    kind, rows = made(name, model)
    shape = memory.Shape.of(
        kind.lengths(rows), kind.max_length, kind.written, own_limits=kind.own_limits
    )
    return memory.estimate(kind.task, kind.recipe, shape, head=kind.head_arguments()), shape


def in_its_own_process(*arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, *arguments], env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(name: str, phase: str, model: Path) -> dict[str, float]:
    """One phase in MiB, in a process that does nothing else."""
    kind, rows = made(name, model)
    warm_up(name, phase)
    before = resident()
    restart()
    kind.load()
    loading = highest() - before
    restart()  # of the file that is read only what is kept counts, the rest is the system's cache
    peak = PHASES[phase](kind, rows) - before
    return {f"{phase}_loading": round(loading, 1), phase: round(peak, 1)}


def made(name: str, model: Path) -> tuple[Any, Any]:
    """A kind that has loaded nothing yet, and the rows of its task."""
    import sized_models
    from toolkit.kinds.registry import model_class

    task, recipe = sized_models.SIZED[name].task(), sized_models.SIZED[name].recipe
    rows = task.load_rows(None)
    task.load_state(task.fit(rows))
    return model_class(task)(task, replace(recipe, model=str(model))), rows


def warm_up(name: str, phase: str) -> None:
    """Do the same with a model of one layer: libraries and their code are no part of a model."""
    import sized_models

    with tempfile.TemporaryDirectory() as folder:
        kind, rows = made(name, sized_models.SIZED[name].make(Path(folder) / "model", 1))
        kind.load()
        PHASES[phase](kind, rows)
        del kind
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


class _Trained(Exception):
    """Ends a training before its last step is judged."""


def trained(kind: Any, rows: Any) -> float:
    """Highest memory of two training steps, judging left out."""
    from datasets import DatasetDict

    from toolkit.kinds.watching import TrainingWatch

    seen: list[float] = []

    def stepped(step: int, steps: int, tokens: int) -> None:
        seen.append(highest())
        if step == steps:
            raise _Trained

    touched(kind, rows)
    few = rows.select(range(4))
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(_Trained):
        kind.train(
            DatasetDict({"train": few, "validation": few.select(range(2))}),
            checkpoints=Path(folder) / "checkpoints", adapter=Path(folder) / "adapter",
            watch=TrainingWatch(on_step=stepped),
        )  # fmt: skip
    return max(seen)


def touched(kind: Any, rows: Any) -> None:
    """Ask the base for one row, as a run does before: until then its file is only mapped."""
    kind.predict([dict(rows[0])], adapter=False)


def scored(kind: Any, rows: Any) -> float:
    """Highest memory of answering with an adapter (untrained: it weighs the same)."""
    from toolkit.models import adapters

    touched(kind, rows)
    if hasattr(kind, "trainable"):
        kind.tuned = kind.trainable().eval()
    else:
        kind.model = adapters.add_lora(
            kind.model, kind.recipe.lora, seed=0, task_type=kind.task_type
        ).eval()
        kind.has_adapter = True
    kind.predict([dict(row) for row in rows], adapter=True)
    return highest()


PHASES = {"training": trained, "scoring": scored}


def resident() -> float:
    """Resident memory now, in MiB."""
    return _status("VmRSS")


def highest() -> float:
    """Highest resident memory since :func:`restart`, in MiB."""
    return _status("VmHWM")


def restart() -> None:
    """Begin the highest anew."""
    Path("/proc/self/clear_refs").write_text("5")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["architecture        parameters  phase      estimate  measured  ratio"]
    lines += [
        f"{row['architecture']:<20}{row['parameters'] / 1e6:7.0f} M  {phase:<9}"
        f"{row['estimate'][f'{phase}_peak_mb']:9,.0f} {row['measured'][phase]:9,.0f}"
        f"  {row['ratios'][phase]:.3f}"
        for row in rows
        for phase in PHASES
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
