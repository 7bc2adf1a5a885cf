"""Export: a trained model in another form, and proof that it still answers as it was measured.

Brings ``toolkit export``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def register_commands(app: typer.Typer) -> None:
    """Add the command; what is heavy is imported when it is called."""
    from toolkit_export.command import export

    app.command(name="export")(export)
