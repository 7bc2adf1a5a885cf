"""For the tests of plugins: the contract's check, a run in seconds, and tiny models of each kind.

pytest finds it by itself (entry point ``pytest11``); its fixtures are

- ``check_task(MyTask)`` fails with the messages of ``toolkit check``, where a rule is broken
- ``run_task(MyTask)`` → :class:`FinishedRun`, a real run with a tiny random model
- ``tiny_model(MyTask)`` → the folder of that model

:func:`check` and :func:`run` do the same as functions; :func:`build_layout` makes tiny models that
are laid out as Llama, Gemma, T5 or DeBERTa are, see :data:`LAYOUTS`. Nothing heavy is imported
until one of them is used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.testing.layouts import LAYOUTS, build_layout

if TYPE_CHECKING:
    from toolkit.task import Task

__all__ = [
    "LAYOUTS",
    "FinishedRun",
    "build_layout",
    "check",
    "check_task",
    "run",
    "run_task",
    "tiny_model",
]


@dataclass(frozen=True)
class FinishedRun:
    """A finished run.

    Args:
        path: its folder.
        metrics: the content of ``metrics.json``.
    """

    path: Path
    metrics: Mapping[str, Any]

    def predictions(self, system: str) -> list[dict[str, Any]]:
        """The lines of ``predictions/SYSTEM.jsonl``, one a held-out row."""
        from toolkit.runs.files import read_jsonl

        return read_jsonl(self.path / "predictions" / f"{system}.jsonl")


def check(task: type[Task], data: str | Path | None = None) -> None:
    """Raise ``AssertionError`` unless a task keeps every rule of the contract.

    Args:
        task: the task's class; it need not be installed.
        data: a file to check it with; its own data by default.
    """
    from toolkit.data.source import Source
    from toolkit.plugins.contract import check as checking
    from toolkit.system import environment

    environment.prepare(offline=True)
    results = checking.check(task(), Source(data=str(data) if data else None))
    broken = [f"{r.rule}: {r.message}" for r in results if not r.passed and r.reached]
    if broken:
        raise AssertionError(f"{task.__name__} breaks the contract:\n" + "\n".join(broken))


def run(
    task: type[Task],
    folder: Path,
    *,
    model: str | Path | None = None,
    data: str | Path | None = None,
    limit: int | None = 80,
    steps: int = 2,
) -> FinishedRun:
    """A real run of a few training steps, from data to report.

    Args:
        task: the task's class; it need not be installed.
        folder: where the run, and the tiny model if none is given, are put.
        model: a folder with a model; a tiny random one of the task's kind by default.
        data: a file instead of the task's own data.
        limit: rows that are used; ``None``: all.
        steps: training steps.
    """
    from toolkit.data.source import Source
    from toolkit.pipeline import start
    from toolkit.pipeline.run import execute
    from toolkit.plugins import discovery, recipes, registration
    from toolkit.runs.files import read_json
    from toolkit.system import environment
    from toolkit.system.console import Console
    from toolkit.testing import models

    environment.prepare(offline=True)
    registration.check_registration(task)
    origin = discovery.Plugin(task.name, "under test", "0", task.__module__, [task.name])
    with discovery.load().provided(task, origin):
        recipe = recipes.resolve(
            task,
            model=str(model or models.tiny(task, folder / "models")),
            sets=[f"{key}={value}" for key, value in _quick(task, steps).items()],
        )
        started = start.start(
            task,
            dataclasses.replace(recipe, quantization=None),
            Source(data=str(data) if data else None, limit=limit),
            runs=folder / "runs",
            options={"seed": 0, "seeds": 1, "store_data": True},
        )
        finished = execute(started, Console(quiet=True))
    return FinishedRun(finished.path, read_json(finished.path / "metrics.json"))


def _quick(task: type[Task], steps: int) -> dict[str, Any]:
    """``--set`` fields with which a run ends in seconds on any machine."""
    longest = int(task.recipes[0].training.get("max_length") or 512)
    settings: dict[str, Any] = {
        "training.max_steps": steps,
        "training.eval_strategy": "steps",
        "training.eval_steps": steps,
        "training.save_steps": steps,
        "training.per_device_train_batch_size": 4,
        "training.bf16": "false",
        "training.report_to": "none",
        "training.max_length": min(longest, 512),
        "training.model_init_kwargs": "none",
    }
    return settings


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[type[Task]], Path]:
    """``tiny_model(MyTask)``: the folder of a tiny random model of the task's kind."""
    folder = tmp_path_factory.mktemp("toolkit-models")

    def model_folder(task: type[Task]) -> Path:
        from toolkit.system import environment
        from toolkit.testing import models

        environment.prepare(offline=True)
        return models.tiny(task, folder)

    return model_folder


@pytest.fixture
def check_task() -> Callable[..., None]:
    """``check_task(MyTask, data=None)``, see :func:`check`."""
    return check


@pytest.fixture
def run_task(
    tmp_path: Path, tiny_model: Callable[[type[Task]], Path]
) -> Callable[..., FinishedRun]:
    """``run_task(MyTask, data=None, limit=80, steps=2)``, see :func:`run`."""

    def finished(task: type[Task], **options: Any) -> FinishedRun:
        if not options.get("model"):
            options["model"] = tiny_model(task)
        return run(task, tmp_path, **options)

    return finished
