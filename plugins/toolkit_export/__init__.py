"""Export: a trained model in another form, and proof that it still answers as it was measured.

Brings ``toolkit export``, and ``toolkit push``, which sends a model to the Hub.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def register_commands(app: typer.Typer) -> None:
    """Add the commands; what is heavy is imported when one is called."""
    from toolkit_export.command import export
    from toolkit_export.push_command import push

    app.command(name="export")(export)
    app.command(name="push")(push)
