"""``toolkit playground``: reads options and hands over; nothing heavy is imported here."""

from __future__ import annotations

from typing import Annotated

import typer

from toolkit.cli.run_options import Runs, TrustRemoteCode, TrustTaskFile


def playground(
    runs_named: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN",
            help="Folders or IDs of runs, the first of them shown; else the newest finished one. "
            "With --base: folders of adapters.",
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Without a run: the model that the adapters of the named folders are for.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Without a run: this model alone, a folder or Hub ID."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; others than loopback need --auth or --class.")
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
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="A further name under which browsers reach the page, as of a proxy. Repeatable.",
        ),
    ] = None,
    classroom: Annotated[
        bool,
        typer.Option(
            "--class",
            help="For a class: a QR code and a code to come in with, and a board; the teacher's "
            "address is printed. --host then needs no --auth.",
        ),
    ] = False,
    trust_task_file: TrustTaskFile = False,
    trust_remote_code: TrustRemoteCode = False,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the page in a browser.")
    ] = False,
    runs: Runs = None,
) -> None:
    """See what an adapter changed: compare, chat, vote, guess, and look at runs."""
    from toolkit_playground import serve

    serve.serve(
        runs_named or [],
        runs=runs,
        options=serve.Options(
            host=host,
            port=port,
            auth=auth,
            share=share,
            allow_hosts=allow_host or (),
            open_browser=open_browser,
            base=base,
            model=model,
            trust_remote_code=trust_remote_code,
            classroom=classroom,
        ),
    )
