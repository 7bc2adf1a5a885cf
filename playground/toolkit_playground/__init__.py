"""The playground: a page that shows what an adapter changed. Brings ``toolkit playground``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def register_commands(app: typer.Typer) -> None:
    """Add the command; gradio is imported when it is called."""
    from toolkit_playground.command import playground

    app.command(name="playground")(playground)
