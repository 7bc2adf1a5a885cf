"""Runs and servers for the tests of ``toolkit serve``: several tasks on one tiny random model."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
import uvicorn

from cli_runner import environment, goods, write_csv
from quick_runs import CLASSES, PRICES, SUBJECTS, run_task
from toolkit.system.listening import free_port
from toolkit_serving import serve
from toolkit_serving.keys import Keys
from toolkit_serving.served import Fleet
from toolkit_serving.service import Service


@dataclass
class Site:
    """A server in this process."""

    service: Service
    url: str
    log: io.StringIO = field(default_factory=io.StringIO)

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0)


STARTED = "serving at "
"""How the line begins that names the server's address."""


def make_runs(folder: Path, decoder: Path, encoder: Path) -> dict[str, Path]:
    """Runs of two tasks on one decoder, and of one on an encoder."""
    data = write_csv(folder / "goods.csv", goods(rows=120))
    return {
        "kinds": run_task(folder, "kinds", SUBJECTS, data, decoder),
        "prices": run_task(folder, "prices", PRICES, data, decoder),
        "classes": run_task(folder, "classes", CLASSES, data, encoder),
    }


@contextlib.contextmanager
def running(fleet: Fleet, keys: Keys | None = None, **options: Any) -> Iterator[Site]:
    """A server in this process, of models that are loaded."""
    log = io.StringIO()
    app = serve.application(fleet, keys or Keys(), serve.Options(**options), log)
    port = free_port("127.0.0.1", None)
    config = uvicorn.Config(app, port=port, log_config=None, access_log=False)
    uvicorn_server = uvicorn.Server(config)
    thread = threading.Thread(target=uvicorn_server.run)
    thread.start()
    while not uvicorn_server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield Site(app.state.service, f"http://127.0.0.1:{port}", log)
    finally:
        uvicorn_server.should_exit = True
        thread.join(60)


@contextlib.contextmanager
def server(
    *arguments: str, log: Path, **variables: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """``toolkit serve …`` in a process of its own, which is ended by SIGTERM; with its address."""
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "toolkit.cli", "serve", *arguments],
            env={**environment(), **variables}, stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield address(process, log), process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def address(process: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> str:
    """The address that a server names once it listens."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        for line in log.read_text(encoding="utf-8").splitlines():
            if line.startswith(STARTED):
                return line.removeprefix(STARTED).split()[0]
        time.sleep(0.1)
    raise AssertionError(f"no server: {log.read_text(encoding='utf-8')}")


def log_lines(log: Path) -> list[dict[str, object]]:
    """The JSON lines of a server's log."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]
