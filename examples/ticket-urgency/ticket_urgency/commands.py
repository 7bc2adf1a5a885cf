"""``toolkit urgent``: the rule of thumb as a command that the plugin adds."""

import typer

from ticket_urgency.rule import urgency


def urgent(text: str) -> None:
    """Say by a rule of thumb how urgent a ticket is, from 1 to 3."""
    typer.echo(urgency(text))
