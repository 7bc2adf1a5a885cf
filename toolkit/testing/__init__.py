"""For the tests of plugins: the contract's check, a run in seconds, and tiny models of each kind.

pytest finds it by itself (entry point ``pytest11``); its fixtures are

- ``check_task(MyTask)`` fails with the messages of ``toolkit check``, where a rule is broken
- ``run_task(MyTask)`` → :class:`FinishedRun`, a real run with a tiny random model
- ``tiny_model(MyTask)`` → the folder of that model

:func:`check` and :func:`run` do the same as functions; :func:`build_layout` makes tiny models that
are laid out as Llama, Gemma, T5 or DeBERTa are, see :data:`LAYOUTS`. The author of a kind takes a
task of it through all that fit, by :func:`layouts_for` and :func:`through`. Nothing heavy is
imported until one of them is used.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.testing.finished import FinishedRun, run
from toolkit.testing.layouts import LAYOUTS, build_layout
from toolkit.testing.matrix import layouts_for, through

if TYPE_CHECKING:
    from toolkit.task import Task

__all__ = [
    "LAYOUTS",
    "FinishedRun",
    "build_layout",
    "check",
    "check_task",
    "layouts_for",
    "run",
    "run_task",
    "through",
    "tiny_model",
]


def check(task: type[Task], data: str | Path | None = None) -> None:
    """Raise ``AssertionError`` unless a task keeps every rule of the contract.

    Args:
        task: the task's class; it need not be installed.
        data: a file to check it with; its own data by default.
    """
    from toolkit.data.source import Source
    from toolkit.plugins import discovery
    from toolkit.plugins.contract import check as checking
    from toolkit.system import environment

    environment.prepare(offline=True)
    discovery.load()  # a plugin may bring the task's kind
    results = checking.check(task(), Source(data=str(data) if data else None))
    broken = [f"{r.rule}: {r.message}" for r in results if not r.passed and r.reached]
    if broken:
        raise AssertionError(f"{task.__name__} breaks the contract:\n" + "\n".join(broken))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[type[Task]], Path]:
    """``tiny_model(MyTask)``: the folder of a tiny random model of the task's kind."""
    folder = tmp_path_factory.mktemp("toolkit-models")

    def model_folder(task: type[Task]) -> Path:
        from toolkit.plugins import discovery
        from toolkit.system import environment
        from toolkit.testing import models

        environment.prepare(offline=True)
        discovery.load()
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
