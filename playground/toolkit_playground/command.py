"""``toolkit playground``: reads options and hands over; nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def playground(
    runs_named: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN",
            help="Folders or IDs of runs, the first of them shown; else the newest finished one.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; others than loopback need --auth.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port.", show_default="a free one from 7860"),
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option(
            metavar="USER:PASSWORD|@FILE",
            help="Ask for a name and a password; @FILE holds such lines and stays out of the "
            "process list.",
        ),
    ] = None,
    share: Annotated[
        bool, typer.Option("--share", help="A public link through gradio.live; needs --auth.")
    ] = False,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the page in a browser.")
    ] = False,
    runs: Annotated[
        Path | None,
        typer.Option("--runs", help="Folder of the runs.", show_default="TOOLKIT_RUNS or runs"),
    ] = None,
) -> None:
    """See what an adapter changed: compare, chat, vote, guess, and look at runs."""
    from toolkit_playground import serve

    serve.serve(
        runs_named or [],
        runs=runs,
        options=serve.Options(
            host=host, port=port, auth=auth, share=share, open_browser=open_browser
        ),
    )
