"""Killed anywhere, resumed always? Kills and faults at random write operations of whole runs.

    python .ci/campaign/faults.py [--seed 16] [--kills 64] [--faults 16] [--only causal,two]

Each case is a run of ``toolkit run`` in a child process that is killed (SIGKILL), or meets a fault
of the machine, at one of its write operations: a file opened for writing, ``fsync``, a rename, a
removal, a folder made, and the beginning and the middle of a write by torch or safetensors, which
no audit hook sees (of those the file is left cut in half). The operations of an undisturbed run are
counted first, and the cases drawn uniformly from all of them. Then ``toolkit resume`` goes on,
until the run is finished; a quarter of the cases is killed a second time in it. What the run leaves
is compared with the undisturbed one: the weights and all other files by their bytes; metrics,
predictions, figures and learning curve by their values, without times. Nothing half-written may be
left, and all files must have the mode that the umask gives.

The children are forked from one process that has imported the libraries, so that a case takes
seconds; their reports have no charts. Two processes of one run are two forks with the environment
that torchrun gives. Needs the extra ``dev``; a full disk is a small tmpfs where that can be
mounted, and otherwise an error that the hook raises.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import errno
import importlib
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins"), str(ROOT / "playground")]
os.environ.setdefault("OMP_NUM_THREADS", "1")

from disturbed.children import MODULES, Child, import_all, run  # noqa: E402
from disturbed.comparison import content, differences  # noqa: E402
from disturbed.hooks import (  # noqa: E402
    Hook,
    clock_back,
    failing,
    kill,
    memory_out,
    no_more_descriptors,
)  # fmt: skip
from disturbed.kinds import KINDS, TASKS, Kind  # noqa: E402


@dataclass
class Case:
    """One disturbed run, and what came of it."""

    kind: str
    fault: str
    where: str
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Campaign:
    """The kinds of runs with their undisturbed results.

    Args:
        work: a folder for all runs.
        random: draws everything.
    """

    work: Path
    random: random.Random
    tasks: Path = field(init=False)
    data: Path = field(init=False)
    models: Path = field(init=False)
    wanted: dict[str, dict[str, Any]] = field(default_factory=dict)
    operations: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tasks, self.data = self.work / "tasks.py", self.work / "offers.csv"
        self.models = self.work / "models"
        self.tasks.write_text(TASKS)
        with self.data.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("text", "note", "good"))
            for n in range(2, 12):
                for colour in ("red", "blue", "green", "white"):
                    for good in ("cup", "lamp", "chair"):
                        writer.writerow((f"{colour} {good}, {n} pieces", f"{n} {good}s", good))

    def arguments(self, kind: Kind) -> list[str]:
        return ["run", f"{self.tasks}:{kind.task}", "--data", str(self.data), "--runs", "runs",
                "--model", str(self.models / kind.model), *kind.options]  # fmt: skip

    def undisturbed(self, name: str) -> None:
        """Run a kind without a fault, for its operations and its result."""
        kind = KINDS[name]
        if not (self.models / kind.model).is_dir():
            pid = os.fork()  # so that this process never computes: its forks must not hang
            if pid == 0:
                from toolkit.testing import models

                getattr(models, kind.model)(self.models / kind.model)
                os._exit(0)
            os.waitpid(pid, 0)
        folder = self.work / f"{name}-undisturbed"
        folder.mkdir()
        log = folder / "operations.txt"

        def count(rank: int) -> None:
            if rank == 0:
                Hook(str(folder / "runs"), None, kill, log.open("w")).install()

        ended = run(folder, self.arguments(kind), kind.processes, count, note_modules=True)
        if ended.code:
            raise SystemExit(f"an undisturbed run of {name} failed:\n{ended.error[-3000:]}")
        for module in (folder / MODULES).read_text().splitlines():
            with contextlib.suppress(Exception):  # what the next forks need not import
                importlib.import_module(module)
        self.wanted[name] = content(_run_of(folder))
        self.operations[name] = log.read_text().splitlines()
        if wrong := differences(_run_of(folder), self.wanted[name]):
            raise SystemExit(f"the undisturbed run of {name} is not whole: {wrong}")

    def case(self, name: str, fault: str, number: int, at: int | None = None) -> Case:
        """One disturbed run of a kind."""
        kind, started = KINDS[name], time.monotonic()
        operations = self.operations[name]
        # A fault that lasts would hinder a run that is done from tidying up, and nothing else.
        at = at or self.random.randint(1, int(0.9 * len(operations)))
        found = Case(name, fault, f"{at} of {len(operations)}: {_named(operations[at - 1])}")
        folder = self.work / f"{name}-{fault.replace(' ', '-')}-{number}"
        (folder / "runs").mkdir(parents=True)
        with _surroundings(fault, folder, self.random) as prepare:
            first = run(folder, self.arguments(kind), kind.processes,
                        lambda rank: prepare(rank, at))  # fmt: skip
        _check_end(found, fault, first)
        if fault == "kill" and self.random.random() < 0.25 and self._can_resume(folder):
            again = self.random.randint(1, max(1, len(operations) // 2))
            found.where += f"; and again at {again}"

            def killed(rank: int) -> None:
                if rank == 0:
                    Hook(str(folder / "runs"), again, kill).install()

            run(folder, ["resume", "--runs", "runs"], kind.processes, killed)
        if not found.wrong and not (first.code == 0 and fault == "clock set back"):
            arguments = ["resume", "--runs", "runs"]
            if not self._can_resume(folder):  # killed before its first file: nothing has begun
                arguments = self.arguments(kind)
            if self._unfinished(folder):
                last = run(folder, arguments, kind.processes)
                if last.code:
                    found.wrong.append(f"it did not go on: {last.error[-1500:]}")
        if not found.wrong:
            # A run that was killed after its last stage is finished, but for the owner's file.
            (_run_of(folder) / "running.json").unlink(missing_ok=True)
            found.wrong = differences(_run_of(folder), self.wanted[name])
        found.seconds = time.monotonic() - started
        if not found.wrong:
            shutil.rmtree(folder)
        return found

    def _can_resume(self, folder: Path) -> bool:
        return any(folder.glob("runs/*/*/run.json"))

    def _unfinished(self, folder: Path) -> bool:
        from toolkit.runs.run import Run

        runs = list(Run.all(folder / "runs"))
        return not runs or not runs[-1].finished


def _run_of(folder: Path) -> Path:
    return sorted(folder.glob("runs/*/*/run.json"))[-1].parent


def _named(operation: str) -> str:
    """An operation without what differs from run to run."""
    return re.sub(r"/[\w-]+/\d{8}-\d{6}-\w+(-\d+)?", "", re.sub(r"\.\d+\.tmp", ".tmp", operation))


def _check_end(case: Case, fault: str, ended: Child) -> None:
    """How the disturbed command must end: killed, or with one sentence and code 2."""
    if fault == "kill":
        if ended.code not in (-9, 0):
            case.wrong.append(f"ended by {ended.code}: {ended.error[-800:]}")
        return
    if fault == "clock set back" or ended.code == 0:  # a fault may come too late to be noticed
        if ended.code:
            case.wrong.append(f"ended by {ended.code}: {ended.error[-800:]}")
        return
    said = ended.error[ended.error.rfind("Error: ") :].strip()
    case.where += f" — {said[:160]}"
    if ended.code != 2 or "Traceback" in ended.error or "does not expect" in said:
        case.wrong.append(f"ended by {ended.code}, saying: {ended.error[-800:]}")
    elif "resume" not in said and "run folder" not in said:
        case.wrong.append(f"it does not say how to go on: {said[-400:]}")


FAULTS = (
    "disk full", "file-size limit", "no more descriptors", "out of memory", "torch out of memory",
    "read-only folder", "disk error", "clock set back",
)  # fmt: skip


class _surroundings:  # noqa: N801 – used as a function
    """A context in which a fault can come; gives what prepares a child: rank, operation → None."""

    def __init__(self, fault: str, folder: Path, drawn: random.Random) -> None:
        self.fault, self.folder, self.random = fault, folder, drawn
        self.mounted = False

    def __enter__(self) -> Callable[[int, int], None]:
        if self.fault == "disk full":
            size = self.random.choice((48, 128, 256, 512, 1024))
            self.mounted = _mount(self.folder / "runs", size)
        step = self.random.randint(1, 6)
        limit = self.random.choice((600, 3_000, 20_000, 60_000))
        return lambda rank, at: self.prepare(rank, at, step, limit) if rank == 0 else None

    def prepare(self, rank: int, at: int, step: int, limit: int) -> None:
        place = str(self.folder / "runs")
        if self.fault == "kill":
            Hook(place, at, kill).install()
        elif self.fault == "no more descriptors":
            Hook(place, at, no_more_descriptors).install()
        elif self.fault == "file-size limit":

            def limited() -> None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

            Hook(place, at, limited).install()
        elif self.fault == "clock set back":
            Hook(place, at, clock_back).install()
        elif self.fault == "out of memory":
            memory_out(step, MemoryError())
        elif self.fault == "torch out of memory":
            memory_out(step, RuntimeError(
                "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate "
                "memory: you tried to allocate 34359738368 bytes. Error code 12"
            ))  # fmt: skip
        elif not self.mounted:
            number = {"disk full": errno.ENOSPC, "read-only folder": errno.EROFS}.get(
                self.fault, errno.EIO
            )
            Hook(place, at, lambda: None, every=failing(number)).install()

    def __exit__(self, *_: object) -> None:
        if self.mounted:  # there is room again: what was written goes to the big disk
            kept = self.folder / "kept"
            shutil.copytree(self.folder / "runs", kept, symlinks=True)
            subprocess.run(["umount", str(self.folder / "runs")], check=True)
            shutil.rmtree(self.folder / "runs")
            kept.rename(self.folder / "runs")


def _mount(place: Path, kib: int) -> bool:
    """Whether a tmpfs of this size lies there now."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(place)], capture_output=True
    )
    return done.returncode == 0


# -- the campaign ----------------------------------------------------------------------------------
def cases(campaign: Campaign, kinds: list[str], kills: int, faults: int) -> Iterator[Case]:
    """Kills drawn from the operations of all kinds together, then the other faults in turn."""
    for name in kinds:
        campaign.undisturbed(name)
        print(f"{name}: {len(campaign.operations[name])} write operations", flush=True)
    pool = [(name, at) for name in kinds for at in range(1, len(campaign.operations[name]) + 1)]
    chosen = campaign.random.sample(pool, min(kills, len(pool)))
    for number, (name, at) in enumerate(chosen, start=1):
        yield campaign.case(name, "kill", number, at)
    for number in range(1, faults + 1):
        name = campaign.random.choice(kinds)
        yield campaign.case(name, FAULTS[(number - 1) % len(FAULTS)], number)


def main() -> int:
    """Run the campaign; 1 where a run did not survive."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--kills", type=int, default=64)
    parser.add_argument("--faults", type=int, default=16)
    parser.add_argument("--only", default=",".join(KINDS), help="kinds, with commas")
    parser.add_argument("--log", type=Path, help="a table for the docs")
    options = parser.parse_args()
    import_all()
    work = Path(tempfile.mkdtemp(prefix="toolkit-faults-"))
    campaign = Campaign(work, random.Random(options.seed))
    print(f"seed {options.seed}, in {work}", flush=True)
    done = []
    for case in cases(campaign, options.only.split(","), options.kills, options.faults):
        done.append(case)
        verdict = "survived" if not case.wrong else "; ".join(case.wrong)
        print(
            f"{case.kind}, {case.fault} at {case.where} ({case.seconds:.0f} s): {verdict}",
            flush=True,
        )
    survived = sum(not case.wrong for case in done)
    print(f"{survived} of {len(done)} survived")
    if options.log is not None:
        options.log.write_text(table(done))
    if survived == len(done):
        shutil.rmtree(work)
    return int(survived < len(done))


def table(done: list[Case]) -> str:
    """The cases as Markdown."""
    lines = ["| run | fault | at the write operation | survived |", "|---|---|---|---|"]
    for case in done:
        where = case.where.replace("|", "\\|")
        lines.append(f"| {case.kind} | {case.fault} | {where} | {'no' if case.wrong else 'yes'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
