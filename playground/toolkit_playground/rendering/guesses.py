"""A question to guess, and how a person's guesses compare with the run's systems, as HTML."""

from __future__ import annotations

from markupsafe import Markup

from toolkit import Metric, Row, Task, formatting
from toolkit.evaluation import human_guesses
from toolkit_playground.rendering import html
from toolkit_playground.rendering.html import fill, joined
from toolkit_playground.state.guesses import PERSON, Line, Standing, figures
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
    """The systems and the people as a table, and what the run's own ``human`` system needs."""
    if found is None:
        return html.empty(
            "No guesses yet",
            f"After {human_guesses.ENOUGH} guessed rows there is a system “{human_guesses.NAME}” "
            "in this run's report, with an interval.",
        )
    metric = found.metric
    head = ["System", metric.label or metric.name, "95 %", "Rows", "The model on those rows"]
    table = html.table(
        head,
        [
            [_named(line), *figures(metric, line), f"{len(line.values):,}", _beside(metric, line)]
            for line in found.lines
        ],
        f"{formatting.count(found.people, 'person')}, "
        f"{formatting.count(found.rows, 'guessed row')}",
    )
    place = (
        f"{formatting.count(found.needed, 'more row')} until guesses are in the report."
        if found.needed > 0
        else f"The guesses are the run's system “{human_guesses.NAME}” and stand in its report, "
        f"with {formatting.count(found.rows, 'row')}; of several people's guesses on a row one is "
        "drawn."
    )
    mine = PERSON - found.mine
    yours = f" After {mine} more of your own guesses everybody sees your line." if mine > 0 else ""
    return table + html.notice(place + yours)


def _named(line: Line) -> str:
    return f"{line.name} (the best)" if line.kind == "best" else line.name


def _beside(metric: Metric, line: Line) -> str:
    """What the trained model has on a person's rows, which are not those of the systems."""
    if line.kind == "system" or line.beside is None:
        return "–"
    return formatting.figure(metric.value(list(line.beside)), metric.format, metric.unit)
