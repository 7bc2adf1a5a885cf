"""Summarization and report writing: a one-sentence summary of an article, a report on a claim."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from toolkit import hookimpl

if TYPE_CHECKING:
    import typer

    from toolkit import Task


@hookimpl
def register_tasks(register: Callable[[type[Task]], None]) -> None:
    """Register the tasks of this plugin."""
    from toolkit_summarization.claim_task import ClaimReport
    from toolkit_summarization.task import Summarization

    for task in (Summarization, ClaimReport):
        register(task)


@hookimpl
def register_commands(app: typer.Typer) -> None:
    """Add the commands ``toolkit templates`` and ``toolkit sheet``."""
    from toolkit_summarization.commands import sheet, templates

    app.command(name="templates")(templates)
    app.command(name="sheet")(sheet)
