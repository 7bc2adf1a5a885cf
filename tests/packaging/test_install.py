"""The wheel, the example plugin and a new package of each kind, in a clean environment, offline.

The environment's own packages are the wheel and the plugins alone; their dependencies are seen
through a path file, so that no index is asked. Sockets are closed to all of it. The wheel's own
program is started for what answers at once; checks, runs and the packages' tests begin warm.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import environments
import warm
from cli_runner import quick
from toolkit.plugins import scaffold

ROOT = Path(__file__).parents[2]
KINDS = sorted(scaffold.kinds())
TASKS = [*(f"new-{kind}" for kind in KINDS), "ticket-urgency"]

NO_NETWORK = """
import socket

def refuse(*arguments, **keywords):
    raise OSError("no network in this test")

socket.getaddrinfo = socket.create_connection = refuse
socket.socket.connect = socket.socket.connect_ex = refuse
"""

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True,
        check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of an environment with the wheel and the plugins."""
    folder = tmp_path_factory.mktemp("clean")
    site = environments.make(folder / "venv")
    (site / "sitecustomize.py").write_text(NO_NETWORK)
    for kind in KINDS:
        scaffold.create(f"new-{kind}", kind, folder / f"new-{kind}")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run(
        *pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-q",
        "-w", folder / "wheels", ROOT, ROOT / "examples" / "ticket-urgency",
        *(folder / f"new-{kind}" for kind in KINDS), cwd=folder,
    )  # fmt: skip
    run(
        *environments.pip(folder / "venv"), "install", "--no-deps", "--no-index",
        "-q", "--force-reinstall", *(folder / "wheels").glob("*.whl"), cwd=folder,
    )  # fmt: skip
    return folder / "venv" / "bin"


def test_the_tasks_are_there_and_come_from_the_environment(clean: Path) -> None:
    found = {
        task["name"] for task in json.loads(run(clean / "toolkit", "tasks", "--json", cwd=clean))
    }
    assert {*TASKS, "price-regression"} <= found
    code = "import toolkit, ticket_urgency; print(toolkit.__file__); print(ticket_urgency.__file__)"
    for place in run(clean / "python", "-c", code, cwd=clean).split():
        assert Path(place).is_relative_to(clean.parent)


def test_the_plugins_command_is_there(clean: Path) -> None:
    assert run(clean / "toolkit", "urgent", "The web shop is down.", cwd=clean).strip() == "3"


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_packages_own_tests_pass(clean: Path, kind: str) -> None:
    package = clean.parents[1] / f"new-{kind}"
    python = warm.python(clean.parent)
    shown = run(*python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=package)
    assert "2 passed" in shown


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_checked_and_runs_offline_with_the_model_that_comes_along(
    clean: Path, task: str, tmp_path: Path
) -> None:
    toolkit = [*warm.python(clean.parent), "-m", "toolkit.cli"]
    run(*toolkit, "check", task, cwd=tmp_path)
    shown = run(
        *toolkit, "run", task, "--limit", "80", "--json", "--runs", tmp_path / "runs",
        *quick(None), cwd=tmp_path,
    )  # fmt: skip
    metrics = json.loads(shown)
    model = json.loads(Path(metrics["run_path"], "run.json").read_text())["recipe"]["model"]
    assert model.startswith("embedded:")
    assert metrics["synthetic"] and len(metrics["systems"]) >= 4
    assert Path(metrics["run_path"], "report.html").is_file()
