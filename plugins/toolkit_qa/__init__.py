"""Extractive question answering: the plugin that marks the answer to a question in a text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from toolkit import hookimpl

if TYPE_CHECKING:
    import typer

    from toolkit import Task


@hookimpl
def register_tasks(register: Callable[[type[Task]], None]) -> None:
    """Register the task of this plugin."""
    from toolkit_qa.task import QuestionAnswering

    register(QuestionAnswering)


@hookimpl
def register_commands(app: typer.Typer) -> None:
    """Add the command ``toolkit together``."""
    from toolkit_qa.commands import together

    app.command(name="together")(together)
