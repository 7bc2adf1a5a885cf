"""Search with a budget: better settings, more rows. Brings ``toolkit rows`` and ``sweep``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def register_commands(app: typer.Typer) -> None:
    """Add the commands; what they work with is imported when they are called."""
    from toolkit_search.rows_command import rows
    from toolkit_search.sweep_command import sweep

    app.command(name="rows")(rows)
    app.command(name="sweep")(sweep)
