"""``toolkit push``: reads options, lists what leaves, and hands over; nothing heavy is imported."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.cli.run_options import Json, Runs, TrustTaskFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.system import Console
    from toolkit_export.hub import Hub
    from toolkit_export.hub_files import Piece


class What(StrEnum):
    """What of a run is pushed."""

    adapter = "adapter"
    merged = "merged"
    gguf = "gguf"
    onnx = "onnx"


def push(
    run_name: Annotated[str, typer.Argument(metavar="RUN", help="Folder or ID of a run.")],
    to: Annotated[str, typer.Option("--to", metavar="OWNER/NAME", help="The repository.")],
    what: Annotated[
        What,
        typer.Option(help="The adapter (or fully trained model), or an export that is there."),
    ] = What.adapter,
    public: Annotated[
        bool, typer.Option("--public", help="Everybody sees it; else it is private.")
    ] = False,
    with_rows: Annotated[
        bool,
        typer.Option(
            "--with-rows",
            help="Also send the few rows of the data by which the toolkit checks an adapter.",
        ),
    ] = False,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow",
            help="Push each step that a run in progress saves, as revision step-N, and the "
            "adapter at its end.",
        ),
    ] = False,
    steps: Annotated[
        bool,
        typer.Option(
            "--steps",
            help="Also push the steps that a run has kept (toolkit run --keep-steps), each as "
            "revision step-N.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would leave, and end.")
    ] = False,
    trust_task_file: TrustTaskFile = False,
    runs: Runs = None,
    as_json: Json = False,
) -> None:
    """Send a run's model to the Hub, with a card that has its figures; what leaves is listed."""
    from toolkit.errors import UsageError
    from toolkit.runs import Run, runs_folder
    from toolkit.system import Console, environment
    from toolkit_export import push as pushing
    from toolkit_export.hub import Hub, token

    environment.prepare(offline=False)
    console = Console(quiet=as_json)
    run = Run.find(run_name, runs_folder(runs))
    options = pushing.Options(what.value, public=public, rows=with_rows)
    if follow and what is not What.adapter:
        raise UsageError("--follow pushes adapters; leave --what out")
    if steps and (follow or what is not What.adapter):
        raise UsageError("--steps goes with the adapter of a finished run")
    found = [] if follow else pushing.pieces(run, to, options)
    of_step = pushing.of_a_step(run) if follow or steps else None
    if dry_run:
        _list(console, to, found, of_step, public=public)
        return
    hub = Hub(to, token(), say=console.note)
    _list(console, hub.address, found, of_step, public=public)
    if follow:
        _agreed(console, hub, f"Push each step of run {run.id}", yes)
        records = pushing.follow(run, hub, options, console)
    else:
        _agreed(console, hub, "Push them", yes)
        records = [pushing.send(run, hub, found, options)]
        console.say(f"pushed: {records[0]['commit']}")
        if steps:
            records += pushing.send_steps(run, hub, options, console)
    if as_json:
        typer.echo(json.dumps(records if follow or steps else records[0]))


def _list(
    console: Console, to: str, found: Sequence[Piece], of_step: Sequence[str] | None, *,
    public: bool,
) -> None:  # fmt: skip
    """What leaves; ``of_step`` are the files of each step, where steps are pushed."""
    console.heading(f"What leaves, to {to} ({'for everybody' if public else 'private'})")
    for one in found:
        note = f"  {one.note}" if one.note else ""
        console.say(f"  {one.name:<32} {one.size / 2**20:9.2f} MiB{note}")
    if of_step is not None:
        names = ", ".join(of_step) or "the card, and the adapter's weights and configuration"
        console.say(f"  of each step, as revision step-N: {names}")
        if not found:
            console.say("  at the end, as main: the card and the adapter's folder")


def _agreed(console: Console, hub: Hub, question: str, yes: bool) -> None:
    """Ask, unless that was said already.

    Raises:
        UsageError: nobody can be asked, or the answer is no.
    """
    import sys

    from toolkit.errors import UsageError

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: look at --dry-run, then say --yes")
    if not typer.confirm(f"{question} to {hub.address}?"):
        raise UsageError("nothing was pushed")
