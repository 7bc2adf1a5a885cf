"""A question to guess, and how a person's guesses compare with the run's systems, as HTML."""

from __future__ import annotations

from markupsafe import Markup

from toolkit import Row, Task, formatting
from toolkit.evaluation import human_guesses
from toolkit_playground.rendering import html
from toolkit_playground.rendering.html import fill, joined
from toolkit_playground.state.guesses import Standing, figures
from toolkit_playground.state.inputs import inputs_of


def question(task: Task, row: Row) -> Markup:
    """A row's inputs with their labels."""
    parts = joined(
        fill(
            '<p class="tk-quiet">{}</p><p class="tk-question">{}</p>',
            label,
            str(row.get(name, "")),
        )
        for name, label in inputs_of(task).items()
    )
    return fill('<section class="tk-card tk-plain">{}</section>', parts)


def standing(found: Standing | None) -> Markup:
    """The systems as a table, and how many guesses the run's own ``human`` system needs."""
    if found is None:
        return html.empty(
            "No guesses yet",
            f"After {human_guesses.ENOUGH} guesses you are one of this run's systems, with an "
            "interval, in its report too.",
        )
    metric = found.metric
    table = html.table(
        ["System", metric.label or metric.name, "95 %"],
        [[name, *figures(metric, values, found.groups)] for name, values in found.systems],
        f"On {formatting.count(found.count, 'guessed row')}",
    )
    place = (
        f"{found.needed} more until your guesses are in the report."
        if found.needed > 0
        else f"Your guesses are the run's system “{human_guesses.NAME}” and stand in its report, "
        f"with {found.count} rows."
    )
    return table + html.notice(place)
