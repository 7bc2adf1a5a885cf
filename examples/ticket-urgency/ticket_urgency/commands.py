"""``toolkit urgent``: the rule by itself, as a command of the plugin's own."""

import typer

from ticket_urgency.rule import urgency


def urgent(text: str) -> None:
    """Say by a rule of thumb how urgent a ticket is, from 1 to 3."""
    typer.echo(urgency(text))
