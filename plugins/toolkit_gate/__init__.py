"""The gate: is a new model no worse than the old one? Brings ``toolkit gate``, for pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def register_commands(app: typer.Typer) -> None:
    """Add the command; what is heavy is imported when it is called."""
    from toolkit_gate.command import gate

    app.command(name="gate")(gate)
