"""Ticket urgency: an example of a plugin with a task and a command."""

from toolkit import hookimpl


@hookimpl
def register_tasks(register):
    from ticket_urgency.task import TicketUrgency

    register(TicketUrgency)


@hookimpl
def register_commands(app):
    from ticket_urgency.commands import urgent

    app.command(name="urgent")(urgent)
