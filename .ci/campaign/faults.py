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
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins"), str(ROOT / "playground")]
os.environ.setdefault("OMP_NUM_THREADS", "1")
MODULES = "modules.txt"
PATIENCE = 400
"""Seconds after which a child counts as hanging."""

TASKS = """
from typing import Any, ClassVar

from toolkit import (
    CausalLMTask, Generated, Metric, Recipe, Row, Seq2SeqLMTask, SequenceClassificationTask,
    Source, classification_metrics,
)

TRAINING = {"num_train_epochs": 1, "eval_strategy": "steps", "eval_steps": 2, "save_steps": 2,
            "per_device_train_batch_size": 16, "logging_steps": 1, "bf16": False,
            "report_to": "none", "learning_rate": 0.02}
LORA = {"r": 2, "lora_dropout": 0.1, "target_modules": "all-linear"}
RECIPES = (Recipe("small", "for the campaign", "none", {**TRAINING, "max_length": 64}, LORA),)


def exact(prediction: str, reference: str) -> float:
    return float(prediction == reference)


def shared(prediction: str, reference: str) -> float:
    return len(set(prediction) & set(reference)) / max(1, len(set(prediction) | set(reference)))


class Written:
    columns: ClassVar = {"text": "an offer", "note": "a note on it"}
    answer = "note"
    metrics = (Metric("shared", shared), Metric("exact", exact))
    primary_metric = "shared"
    recipes = RECIPES

    def fallback(self) -> str:
        return "nothing"

    def reference(self, row: Row) -> str:
        return str(row["note"])

    def postprocess(self, output: Generated, row: Row) -> str | None:
        return output.text.strip() or None

    def baselines(self) -> Any:
        return {"same": lambda train: lambda rows: ["one cup"] * len(rows),
                "first": lambda train: lambda rows: [str(row["text"])[:4] for row in rows]}


class Notes(Written, CausalLMTask):
    api_version = 2
    name = "fault-notes"
    summary = "Notes on offers, by a language model"
    options: ClassVar = {**CausalLMTask.options, "ensemble": 2}

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"prompt": str(row["text"]), "completion": row.get("note") or ""}


class Short(Written, Seq2SeqLMTask):
    api_version = 2
    name = "fault-short"
    summary = "Notes on offers, by an encoder and decoder"
    options: ClassVar = {**Seq2SeqLMTask.options, "ensemble": 2}
    recipes = (
        Recipe("small", "for the campaign", "none", {**TRAINING, "max_target_length": 16}, LORA),
    )

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": row["text"], "text_target": row.get("note") or ""}


class Goods(SequenceClassificationTask):
    api_version = 2
    name = "fault-goods"
    summary = "What is offered, by an encoder"
    columns: ClassVar = {"text": "an offer", "good": "what it is"}
    answer = "good"
    classes = ("cup", "lamp", "chair")
    metrics = classification_metrics(classes)
    primary_metric = "accuracy"
    recipes = (
        Recipe("small", "for the campaign", "none", {**TRAINING, "max_length": 32}, LORA),
        Recipe("full", "for the campaign", "none", {**TRAINING, "max_length": 32}, None),
    )

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": row["text"], "label": row.get("good")}

    def reference(self, row: Row) -> str:
        return str(row["good"])

    def baselines(self) -> Any:
        return {"cups": lambda train: lambda rows: ["cup"] * len(rows)}
"""


@dataclass(frozen=True)
class Kind:
    """One kind of run that the campaign disturbs.

    Args:
        task: the class of its task, in :data:`TASKS`.
        model: the tiny random model of :mod:`toolkit.testing.models`.
        options: further arguments of ``toolkit run``.
        processes: how many processes the run has.
    """

    task: str
    model: str
    options: tuple[str, ...] = ()
    processes: int = 1


BRIEF = ("--set", "generation.max_new_tokens=4")
KINDS = {
    "causal": Kind("Notes", "llama", (*BRIEF, "--seeds", "2")),
    "seq2seq": Kind("Short", "t5", (*BRIEF, "--seeds", "2")),
    "encoder": Kind("Goods", "bert", ("--seeds", "2", "--recipe", "full")),
    "encoder-lora": Kind("Goods", "bert", ("--recipe", "small")),
    "two": Kind("Notes", "llama", (*BRIEF, "--set", "training.per_device_train_batch_size=8"), 2),
}


# -- in the child ----------------------------------------------------------------------------------
@dataclass
class Hook:
    """Counts the write operations below a folder, and does something at one of them.

    Args:
        folder: the runs folder.
        at: the number of the operation; ``None``: only count.
        act: what happens there.
        log: gets a line for each operation.
    """

    folder: str
    at: int | None
    act: Callable[[], None]
    log: Any = None
    every: Callable[[str], None] | None = None
    count: int = 0
    busy: bool = False

    def install(self) -> None:
        sys.addaudithook(self.audit)
        self._wrap_fsync()
        self._wrap_torch()
        self._wrap_safetensors()

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.busy or event not in EVENTS:
            return
        path = EVENTS[event](arguments)
        if path is not None:
            self.operation(event.removeprefix("os."), path)

    def operation(self, what: str, path: str, cut: Callable[[], None] | None = None) -> None:
        """Note an operation; at the chosen one act, with a file cut in half before, if wanted."""
        if not path.startswith(self.folder) or self.busy:
            return
        self.busy = True
        try:
            if self.log is not None:
                self.log.write(f"{what} {path[len(self.folder) :]}\n")
                self.log.flush()
            self.count += 1
            if self.at == self.count:
                if cut is not None:
                    cut()
                self.act()
        finally:
            self.busy = False
        if self.every is not None and self.at is not None and self.count >= self.at:
            self.every(path)

    def _wrap_fsync(self) -> None:
        before = os.fsync

        def fsync(descriptor: Any) -> None:
            number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
            self.operation("fsync", os.readlink(f"/proc/self/fd/{number}"))
            before(descriptor)

        os.fsync = fsync

    def _wrap_torch(self) -> None:
        import torch

        before = torch.save

        def save(value: Any, place: Any, *rest: Any, **more: Any) -> None:
            path = os.path.abspath(place) if isinstance(place, str | Path) else ""
            self.operation("torch begins", path)
            before(value, place, *rest, **more)
            self.operation("torch is halfway", path, lambda: _halve(path))

        torch.save = save

    def _wrap_safetensors(self) -> None:
        import safetensors.torch as module

        before = module.serialize_file

        def serialize(tensors: Any, place: Any, *rest: Any, **more: Any) -> None:
            path = os.path.abspath(place)
            self.operation("safetensors begins", path)
            before(tensors, place, *rest, **more)
            self.operation("safetensors is halfway", path, lambda: _halve(path))

        module.serialize_file = serialize


def _halve(path: str) -> None:
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) // 2)


def _place(path: Any, folder: Any = None) -> str | None:
    """The absolute path of an operation's argument, which may be relative to an open folder."""
    if isinstance(path, int):
        return None
    name = os.fsdecode(path)
    if isinstance(folder, int) and folder >= 0 and not os.path.isabs(name):
        name = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name)
    return os.path.abspath(name)


def _opened(arguments: tuple[Any, ...]) -> str | None:
    path, mode, flags = arguments
    if isinstance(path, str) and os.path.isdir(path):
        return None
    writing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) if isinstance(flags, int) else 0
    return _place(path) if writing or any(c in (mode or "") for c in "wax+") else None


EVENTS: dict[str, Callable[[tuple[Any, ...]], str | None]] = {
    "open": _opened,
    "os.rename": lambda a: _place(a[1], a[3]),
    "os.remove": lambda a: _place(a[0], a[1]),
    "os.rmdir": lambda a: _place(a[0], a[1]),
    "os.mkdir": lambda a: None if a[2] < 0 and os.path.isdir(a[0]) else _place(a[0], a[2]),
    "os.chmod": lambda a: _place(a[0], a[2]),
    "os.utime": lambda a: _place(a[0], a[3]),
    "os.truncate": lambda a: _place(a[0]),
}
"""An audit event that writes → the path that it writes at."""


def kill() -> None:
    """End this process as ``kill -9`` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def no_more_descriptors() -> None:
    """Let this process open no further file."""
    used = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (used - 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )


def failing(number: int) -> Callable[[str], None]:
    """What makes every operation fail with this error."""

    def fail(path: str) -> None:
        raise OSError(number, os.strerror(number), path)

    return fail


def clock_back() -> None:
    """Two days ago, for Python, and for the times of the checkpoints that are saved from now on."""
    import transformers.trainer as module

    now, rotate = time.time, module.rotate_checkpoints
    time.time = lambda: now() - 172_800

    def rotated(output_dir: str, *rest: Any, **more: Any) -> None:
        newest = max(Path(output_dir).glob("checkpoint-*"), key=lambda p: int(p.name[11:]))
        os.utime(newest, (now() - 172_800,) * 2)
        rotate(output_dir, *rest, **more)

    module.rotate_checkpoints = rotated


def memory_out(step: int, error: BaseException) -> None:
    """The training step of this number has no memory."""
    from transformers import Trainer

    before, seen = Trainer.training_step, [0]

    def training_step(*arguments: Any, **more: Any) -> Any:
        seen[0] += 1
        if seen[0] == step:
            raise error
        return before(*arguments, **more)

    Trainer.training_step = training_step


# -- runs ------------------------------------------------------------------------------------------
def import_all() -> None:
    """What the first run imports at its beginning; the rest is imported after it, see MODULES."""
    from toolkit.system import environment

    environment.prepare(offline=True)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    for name in ("torch", "transformers", "peft", "trl", "datasets", "toolkit.cli"):
        importlib.import_module(name)
    import torch

    torch.set_num_threads(1)


@dataclass
class Child:
    """What a forked command has left."""

    code: int
    error: str


def run(
    folder: Path,
    arguments: list[str],
    processes: int = 1,
    prepare: Callable[[int], None] = lambda rank: None,
    note_modules: bool = False,
) -> Child:
    """``toolkit ARGUMENTS`` in forks of this process, all but the first without a hook."""
    from toolkit.cli import main

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "output.txt"
    children = []
    for rank in range(processes):
        pid = os.fork()
        if pid == 0:
            code = 99
            try:
                os.setpgid(0, 0)
                out = os.open(
                    log if rank == 0 else os.devnull, os.O_CREAT | os.O_WRONLY | os.O_TRUNC
                )
                os.dup2(out, 1)
                os.dup2(out, 2)
                os.chdir(folder)
                if processes > 1:
                    os.environ.update(
                        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes),
                        LOCAL_WORLD_SIZE=str(processes), MASTER_ADDR="127.0.0.1",
                        MASTER_PORT=str(port),
                    )  # fmt: skip
                sys.argv = ["toolkit", *arguments]
                sys.modules["matplotlib"] = None  # type: ignore[assignment]  # no charts: seconds
                prepare(rank)
                main()
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 0
                if code == 0 and rank == 0 and note_modules:
                    (folder / MODULES).write_text("\n".join(sys.modules))
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        children.append(pid)
    return Child(_wait(children), log.read_text(errors="replace"))


def _wait(children: list[int]) -> int:
    """The exit code of the first; where one ends badly the others are ended, as torchrun does."""
    codes: dict[int, int] = {}
    deadline = time.monotonic() + PATIENCE
    while len(codes) < len(children):
        for pid in children:
            if pid not in codes:
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    codes[pid] = os.waitstatus_to_exitcode(status)
        late = time.monotonic() > deadline
        if late or any(codes.values()):
            time.sleep(0.2)
            for pid in children:
                if pid not in codes:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    codes[pid] = 98 if late else -9
        time.sleep(0.01)
    return codes[children[0]] or next((code for code in codes.values() if code), 0)


# -- comparing -------------------------------------------------------------------------------------
TIMES = re.compile(
    r"seconds|runtime|per_second|_mb$|_percent$|^id$|^run$|^created$|^timings$|^speed$|^memory"
    r"|minutes|^resumed_from_step$|free_mb|^command$|^hardware$|per_minute|wait|^record$|price"
)
"""Keys of values that differ between two undisturbed runs."""
OF_A_RUN = ("report.html", "report.md", "README.md", "lines.json", "run.json")
"""Files that hold times or the number of the run; that they are there is compared."""


def settled(value: Any) -> Any:
    """A value of JSON without what differs between two undisturbed runs."""
    if isinstance(value, dict):
        return {k: settled(v) for k, v in value.items() if not TIMES.search(k)}
    return [settled(v) for v in value] if isinstance(value, list) else value


def content(run_folder: Path) -> dict[str, Any]:
    """What a run has left: each file → its bytes, or its values without times."""
    found: dict[str, Any] = {}
    for path in sorted(p for p in run_folder.rglob("*") if not p.is_dir()):
        name = path.relative_to(run_folder).as_posix()
        if name in OF_A_RUN:
            found[name] = "there"
        elif path.suffix == ".json" and path.name not in ("tokenizer.json", "adapter_config.json"):
            found[name] = settled(json.loads(path.read_text()))
        elif path.suffix == ".jsonl":
            found[name] = [settled(json.loads(line)) for line in path.read_text().splitlines()]
        else:
            found[name] = path.read_bytes()
    info = json.loads((run_folder / "run.json").read_text())
    found["stages"] = {name: stage["state"] for name, stage in info["stages"].items()}
    found["figures of training"] = settled(info["training"])
    found["systems"] = info["record"]["systems"]
    return found


def differences(run_folder: Path, wanted: dict[str, Any]) -> list[str]:
    """How a run differs from the undisturbed one."""
    from toolkit.runs import record
    from toolkit.runs.run import Run

    there = content(run_folder)
    wrong = [f"{name} is missing" for name in wanted.keys() - there.keys()]
    wrong += [f"{name} is left over" for name in there.keys() - wanted.keys()]
    wrong += [
        f"{name} differs: {_first_difference(there[name], wanted[name])}"
        for name in sorted(wanted.keys() & there.keys())
        if there[name] != wanted[name]
    ]
    wrong += record.changed(Run.open(run_folder)).values()
    umask = os.umask(0)
    os.umask(umask)
    wrong += [
        f"{path.name} has the mode {path.stat().st_mode & 0o777:o}"
        for path in run_folder.rglob("*")
        if path.is_file() and path.stat().st_mode & 0o777 != 0o666 & ~umask
    ]
    if not isinstance(json.loads((run_folder / "run.json").read_text()).get("speed"), dict):
        wrong.append("the speed was not measured")
    return wrong


def _first_difference(a: Any, b: Any, where: str = "") -> str:
    if isinstance(a, dict) and isinstance(b, dict):
        for key in [*b, *a]:
            if a.get(key) != b.get(key):
                return _first_difference(a.get(key), b.get(key), f"{where}.{key}")
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for at, (x, y) in enumerate(zip(a, b, strict=True)):
            if x != y:
                return _first_difference(x, y, f"{where}[{at}]")
    return f"{where} is {a!r:.120}, not {b!r:.120}"


# -- cases -----------------------------------------------------------------------------------------
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
