"""A playground served by the command in a process of its own, with some runs that are broken."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli_runner import environment

HOLD = "hold"
"""A file beside the runs: while it is there, no answer is written beyond its first token."""
ANGRY = """
import pathlib
import time

from toolkit import Panel, hookimpl
from toolkit.kinds.watching import Watch
from toolkit_price_regression.task import PriceRegression

begin = Watch.__init__


def slowly(self, on_token, stopped, *others, **named):
    # A tiny model writes hundreds of tokens at once: it is slowed, so that a text is seen to grow.
    # What is asked while it writes must not depend on how fast anybody is: see Site.held.
    hold = pathlib.Path(%r)
    asked = 0

    def stopped_later():
        nonlocal asked
        asked += 1
        time.sleep(0.005 if asked < 60 else 0.05)
        while hold.exists() and not stopped():
            time.sleep(0.01)
        return stopped()

    begin(self, on_token, stopped_later, *others, **named)


Watch.__init__ = slowly


class AngryPrices(PriceRegression):
    name = "angry-prices"

    def panel_data(self, output, row):
        raise RuntimeError("no panel today")


class MarkedPrices(PriceRegression):
    name = "marked-prices"
    panel = Panel(inputs={"text": "Offer"}, view="text")

    def panel_data(self, output, row):
        offer = row["text"]
        return {
            "text": "says " + output.text, "marks": [{"start": 0, "end": 4, "note": "a note"}],
            "source": offer, "source_marks": [{"start": 0, "end": 3, "kind": "missing"}],
        }


@hookimpl
def register_tasks(register):
    register(AngryPrices)
    register(MarkedPrices)
"""


ORDER = ("whole", "notes", "second", "live", "marked", "angry", "broken", "elsewhere", "main")
"""The site's runs, the newest last."""
SOCKETS = "sockets.jsonl"
WITNESS = """
import json, sys

def witness(event, arguments):
    host, port = None, None
    if event == "socket.getaddrinfo":
        host, port = arguments[0], arguments[1]
    elif event in ("socket.connect", "socket.bind"):
        if not isinstance(arguments[1], tuple):
            return
        host, port = arguments[1][:2]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    with open(%r, "a") as file:
        file.write(json.dumps([event, host, port]) + chr(10))

sys.addaudithook(witness)
"""
"""An audit hook that records every address that the server looks up, connects or binds to."""


@dataclass
class Site:
    """A served playground.

    Args:
        url: where.
        runs: its runs folder.
        names: what the tests call its runs → their IDs.
    """

    url: str
    runs: Path
    names: dict[str, str]

    def folder(self, name: str) -> Path:
        (path,) = self.runs.glob(f"*/{self.names[name]}")
        return path

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Answers that are begun do not end before the block does, unless they are stopped.

        Only so a test can be sure that something is still being written when it goes on: on a fast
        machine an answer is done, and on a slow one drawn, before a browser has looked.
        """
        hold = self.runs.parent / HOLD
        hold.touch()
        try:
            yield
        finally:
            hold.unlink()

    def rows(self, split: str) -> list[dict[str, Any]]:
        text = (self.folder("main") / "data" / "heldout.jsonl").read_text()
        return [row for row in map(json.loads, text.splitlines()) if row["split"] == split]


def copy(played: Path, runs: Path, name: str, task: str) -> str:
    """A copy of a run with another ID and task; its day is its place in :data:`ORDER`."""
    day = ORDER.index(name) + 1
    run_id = f"2026010{day}-000000-{name}"
    target = runs / task / run_id
    shutil.copytree(played, target)

    def rename(info: dict[str, Any]) -> None:
        info.update(id=run_id, task=task, created=f"2026-01-0{day}T00:00:00+00:00")

    change(target, rename)
    return run_id


def change(folder: Path, change: Any) -> None:
    place = folder / "run.json"
    info = json.loads(place.read_text())
    change(info)
    place.write_text(json.dumps(info))


def plugin_in(folder: Path) -> None:
    """An installed third-party plugin, which never imports gradio."""
    info = folder / "angry-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "angry.py").write_text(ANGRY % str(folder.parent / HOLD))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: angry\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[toolkit]\nangry = angry\n")


@contextlib.contextmanager
def serving(folder: Path, *arguments: str, plugin: Path | None = None) -> Iterator[tuple[str, int]]:
    """``toolkit playground …`` until the block ends; gives its address and process number."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    surroundings = environment()
    if plugin:
        surroundings["PYTHONPATH"] += f":{plugin}"
    witness = folder / "witness"
    witness.mkdir()
    (witness / "sitecustomize.py").write_text(WITNESS % str(folder / SOCKETS))
    surroundings["PYTHONPATH"] += f":{witness}"
    log = (folder / "server.log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "-m", "toolkit.cli", "playground", *arguments, "--port", str(port)],
        cwd=folder, env=surroundings, stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            # the last line of what the server says comes after its first answer
            if _answers(f"{url}/config") and "stop it with" in (folder / "server.log").read_text():
                break
            if process.poll() is not None:
                break
            time.sleep(0.5)
        else:
            pytest.fail("the playground did not start")
        assert process.poll() is None, (folder / "server.log").read_text()
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError as refused:  # it wants a password, so it is there
        refused.close()
    except OSError:
        return False
    return True
