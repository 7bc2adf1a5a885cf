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

from cli_runner import environment, goods, quick, write_csv
from toolkit.system.listening import free_port
from toolkit_serving import serve
from toolkit_serving.keys import Keys
from toolkit_serving.served import Fleet
from toolkit_serving.service import Service

SUBJECTS = """
kind = "causal-lm"
name = "kinds"
summary = "The first word of a title"
prompt = "{title}\\n\\nKind:"
target = "kind"
metrics = ["exact_match"]
"""
PRICES = """
kind = "causal-lm"
name = "prices"
summary = "What a title costs"
prompt = "How much is {title}?"
target = "price"
metrics = ["exact_match"]
"""
CLASSES = """
kind = "sequence-classification"
name = "classes"
summary = "The first word of a title, by an encoder"
text = "title"
target = "kind"
"""


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


def run_task(folder: Path, name: str, text: str, data: Path, model: Path) -> Path:
    """A finished run of a task in a TOML file; gives its folder."""
    from toolkit.data.source import Source
    from toolkit.pipeline import start
    from toolkit.pipeline.run import execute
    from toolkit.plugins import lookup, recipes
    from toolkit.system.console import Console

    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    found = lookup.find(str(file))
    sets = [value for key, value in zip(quick(None)[::2], quick(None)[1::2], strict=True)]
    recipe = recipes.resolve(found, model=str(model), sets=[*sets, "training.learning_rate=0.02"])
    started = start.start(
        found, recipe, Source(data=str(data), limit=60), runs=folder / "runs",
        options={"seed": 0, "seeds": 1, "store_data": True},
    )  # fmt: skip
    return execute(started, Console(quiet=True)).path


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
