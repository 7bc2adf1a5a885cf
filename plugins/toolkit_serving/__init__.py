"""Serving: finished runs behind OpenAI's API and task endpoints. Brings ``toolkit serve``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def register_commands(app: typer.Typer) -> None:
    """Add the command; the web framework is imported when it is called."""
    from toolkit_serving.command import serve

    app.command(name="serve")(serve)
