"""``toolkit serve``: reads options and hands over; nothing heavy is imported here."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from toolkit.cli.run_options import Runs, TrustRemoteCode, TrustTaskFile


class Engine(StrEnum):
    """What computes the answers."""

    toolkit = "toolkit"
    vllm = "vllm"


def serve(
    runs_named: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Folders or IDs of finished runs, or NAME=RUN; else named as their tasks.",
        ),
    ],
    host: Annotated[
        str, typer.Option(help="Address to listen at; others than loopback need keys.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port.", show_default="a free one from 7860"),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="API keys, a line sha256:HEX each; more can be in TOOLKIT_SERVE_KEYS.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="A further name that clients reach the server by, as of a proxy. Repeatable.",
        ),
    ] = None,
    window: Annotated[
        float, typer.Option(min=0, max=10, help="Seconds that a request waits for others.")
    ] = 0.005,
    batch: Annotated[int, typer.Option(min=1, max=1024, help="Requests answered at once.")] = 32,
    queue: Annotated[
        int, typer.Option(min=1, help="Requests that may wait; further ones get 429.")
    ] = 128,
    max_body: Annotated[int, typer.Option(min=1000, help="Bytes of a request.")] = 2_000_000,
    max_rows: Annotated[int, typer.Option(min=1, help="Rows of a prediction.")] = 1000,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds until a request must be answered.")
    ] = 300,
    grace: Annotated[
        float, typer.Option(min=0, help="Seconds that running requests get when it is stopped.")
    ] = 60,
    engine: Annotated[
        Engine,
        typer.Option(help="vllm: print the command of vLLM's server, and start it if installed."),
    ] = Engine.toolkit,
    engine_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Task endpoints in front of this OpenAI-compatible server; its key is in "
            "TOOLKIT_ENGINE_KEY.",
        ),
    ] = None,
    log_texts: Annotated[
        bool, typer.Option("--log-texts", help="Log the texts of requests and answers too.")
    ] = False,
    trust_task_file: TrustTaskFile = False,
    trust_remote_code: TrustRemoteCode = False,
    runs: Runs = None,
) -> None:
    """Serve runs: OpenAI's API for what writes text, and an endpoint for each task."""
    from toolkit.system.listening import unbracketed
    from toolkit_serving import serve as serving

    serving.serve(
        runs_named,
        runs=runs,
        options=serving.Options(
            host=unbracketed(host), port=port, keys=keys, allow_hosts=allow_host or (),
            window=window, batch=batch, queue=queue, body=max_body, rows=max_rows,
            seconds=timeout, grace=grace,
            log_texts=log_texts, engine=engine.value, engine_url=engine_url,
        ),
    )  # fmt: skip
