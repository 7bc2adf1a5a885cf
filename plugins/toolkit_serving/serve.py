"""Starting the server: what can be refused at once, the models, and the port."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from toolkit.errors import MissingExtra, ToolkitError, UsageError
from toolkit.runs import Run, runs_folder
from toolkit.system import Console, environment
from toolkit.system.doors import Names
from toolkit.system.listening import bracketed, free_port, is_loopback
from toolkit_serving import keys

if TYPE_CHECKING:
    from fastapi import FastAPI

    from toolkit_serving.keys import Keys
    from toolkit_serving.served import Fleet


@dataclass(frozen=True)
class Options:
    """How runs are served; see the command's help."""

    host: str = "127.0.0.1"
    port: int | None = None
    keys: Path | None = None
    allow_hosts: Sequence[str] = ()
    window: float = 0.005
    batch: int = 32
    queue: int = 128
    body: int = 2_000_000
    receiving: float = 30.0
    seconds: float = 300.0
    rows: int = 1000
    log_texts: bool = False
    grace: float = 60.0
    engine: str = "toolkit"
    engine_url: str | None = None


def serve(given: Sequence[str], *, runs: Path | None, options: Options) -> None:
    """Serve runs until a signal; what runs then is finished.

    Raises:
        UsageError: no such run, no free port, or a server for others without a key.
        MissingExtra: the web framework is not installed.
    """
    found = keys.read(options.keys)
    if not found and not is_loopback(options.host):
        raise UsageError(
            f"--host {options.host} lets others in: give keys, with --keys FILE or the environment "
            f"variable {keys.VARIABLE}"
        )
    try:
        import fastapi  # noqa: F401
        import prometheus_client  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise MissingExtra("toolkit serve", "serving") from error
    from toolkit_serving import served

    environment.prepare(offline=True, serves=True)
    folder = runs_folder(runs)
    chosen = served.named(given, folder)
    console = Console(quiet=False)
    if options.engine == "vllm":
        _vllm(chosen, folder, options, console)
        return
    port = free_port(options.host, options.port)
    if options.engine_url:
        from toolkit_serving import remote

        fleet = remote.load(chosen)
    else:
        fleet = loaded(chosen, console)
    app = application(fleet, found, options)
    config = uvicorn.Config(
        app, host=options.host, port=port, log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=int(options.grace), timeout_keep_alive=30,
    )  # fmt: skip
    console.say(f"serving at http://{bracketed(options.host)}:{port} (stop with Ctrl-C)")
    for number in (signal.SIGINT, signal.SIGTERM):
        # The server stops by itself, and raises the signal once more when it has.
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run()
    console.say("stopped")


def _vllm(
    chosen: Sequence[tuple[str, Run]], folder: Path, options: Options, console: Console
) -> None:
    """Print vLLM's command, and become its server where it is installed."""
    from toolkit_serving import vllm

    arguments = vllm.command(chosen, folder, host=options.host, port=options.port)
    typer.echo(vllm.shown(arguments))
    vllm.start(arguments)
    console.say("vLLM is not installed here; run the command where it is")


def loaded(chosen: Sequence[tuple[str, Run]], console: Console) -> Fleet:
    """Load the models of runs, and say what is served under which name."""
    from toolkit_serving import served

    started = time.perf_counter()
    fleet = served.load(chosen)
    for one in fleet.members.values():
        console.say(f"{one.name}: run {one.run.id}, {one.task.name}")
    console.say(f"loaded in {time.perf_counter() - started:.1f} s")
    return fleet


def application(fleet: Fleet, found: Keys, options: Options, log: TextIO | None = None) -> FastAPI:
    """The application around loaded models; its ``state.service`` answers without HTTP.

    Args:
        fleet: the models.
        found: the keys that are let in; none lets everybody in.
        options: how they are served.
        log: where the log goes; standard error by default.
    """
    from toolkit_serving.app import build
    from toolkit_serving.engine import Batching, Engine
    from toolkit_serving.remote import RemoteEngine
    from toolkit_serving.service import Limits, Service
    from toolkit_serving.telemetry import Telemetry

    models = list(dict.fromkeys([*fleet.writers, *fleet.members]))
    telemetry = Telemetry(models, log_texts=options.log_texts, file=log)
    batching = Batching(options.window, options.batch, options.queue)
    engine: Engine | RemoteEngine
    if options.engine_url:
        engine = RemoteEngine(fleet, options.engine_url, batching, telemetry.batch, options.seconds)
        try:
            engine.check()
        except ToolkitError:
            engine.close()
            raise
    else:
        engine = Engine(fleet, batching, telemetry.batch)
    telemetry.watch_queue(lambda: engine.waiting)
    limits = Limits(options.body, options.receiving, options.seconds, options.rows)
    service = Service(fleet, engine, limits, telemetry)
    app = build(service, found, Names(options.host, options.allow_hosts))
    app.state.service = service

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        from fastapi.concurrency import run_in_threadpool

        yield
        await run_in_threadpool(engine.close)

    app.router.lifespan_context = lifespan
    return app
