"""The teacher's screen as HTML: the link, the board, the names; and the door of the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from toolkit import formatting
from toolkit.evaluation import human_guesses
from toolkit_playground.rendering import html, qr
from toolkit_playground.rendering.html import NOTHING, fill, joined
from toolkit_playground.state.classroom import CLASS, Classroom
from toolkit_playground.state.guesses import FEW, Line, Standing, figures
from toolkit_playground.state.roster import Person

SCRIPT = Path(__file__).with_name("classroom.js").read_text(encoding="utf-8")
"""Tells the page which name is to be removed or brought back: the events ``remove``, ``undo``."""
MOST_LISTED = 200
"""Names that are listed, the newest."""
MOST_BEGUN = 60
HIDES = fill("<style>#tab-{}-button {{display: none}}</style>", CLASS)
"""Hides the tab from everybody but the teacher, whom alone it shows something."""
DOOR = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>The class's code</title>
<style>:root {{ color-scheme: light dark }} body {{ font: 1.1rem/1.5 system-ui, sans-serif;
margin: 0; padding: 12vh 1.2rem; }} form {{ max-width: 24rem; margin: auto; }}
input, button {{ font: inherit;
padding: 0.5rem; width: 100%; box-sizing: border-box; margin: 0.4rem 0; }}</style></head>
<body><main><form action="./" method="get"><h1>adapter-toolkit playground</h1>
<p role="status">{}</p><label>Code <input name="{}" autofocus required autocomplete="off"
autocapitalize="none" spellcheck="false" maxlength="40"></label><button>Go in</button></form></main>
</body></html>"""


def door_page(*, wrong: bool = False) -> Markup:
    """What somebody sees who comes without the code."""
    said = "This code does not fit. " if wrong else ""
    return fill(DOOR, f"{said}The code of the class stands on the teacher's screen.", CLASS)


def link(room: Classroom) -> Markup:
    """The link for the class: to scan, to open, and to type."""
    if not room.run:
        return html.empty("No run", "Choose a run at the top of the page.")
    found = room.link()
    short = room.base.removeprefix("http://")
    typed = (
        fill("<p>or type <strong>{}</strong> and log in</p>", short)
        if room.logins
        else fill(
            "<p>or type <strong>{}</strong> and the code <strong>{}</strong></p>", short, room.code
        )
    )
    return fill(
        '<section class="tk-join" aria-label="How the class comes in">{}<div>'
        '<p><a class="tk-download" href="{}">The link for the class</a></p>{}</div></section>',
        qr.code(found, f"QR code of {found}"), found, typed,
    )  # fmt: skip


# -- the board ---------------------------------------------------------------------------------
def board(found: Standing | None) -> Markup:
    """Systems and people in one order, to be read from the last row of a room."""
    if found is None:
        return html.empty("No guesses yet", "The board fills as the class guesses.")
    metric = found.metric
    sign = -1 if metric.greater_is_better else 1
    values = {id(line): float(metric.value(list(line.values))) for line in found.lines}
    lines = sorted(found.lines, key=lambda line: sign * values[id(line)])
    # One system that is far off must not make all other lengths look the same.
    sizes = sorted(map(abs, values.values()))
    widest = min(sizes[-1], 3 * sizes[len(sizes) // 2]) or 1.0
    rows = joined(_place(found, line, min(1.0, abs(values[id(line)]) / widest)) for line in lines)
    better = "more is better" if metric.greater_is_better else "less is better"
    caption = f"{metric.label or metric.name}, {better}"
    return fill(
        '<div class="tk-board tk-table" tabindex="0" role="group" aria-label="{0}"><table>'
        '<caption>{0}</caption><thead><tr><th scope="col">Who</th><th scope="col">{1}</th>'
        '<th scope="col">Rows</th><th scope="col">The model on those rows</th></tr></thead>'
        "<tbody>{2}</tbody></table></div>{3}",
        caption, metric.label or metric.name, rows, _below(found),
    )  # fmt: skip


def _place(found: Standing, line: Line, share: float) -> Markup:
    metric = found.metric
    name = {"class": "the class's mean", "best": f"{line.name} – the best so far"}.get(
        line.kind, line.name
    )
    beside = "–"
    if line.kind != "system" and line.beside is not None:
        beside = formatting.figure(metric.value(list(line.beside)), metric.format, metric.unit)
    figure = formatting.figure(metric.value(list(line.values)), metric.format, metric.unit)
    spread = NOTHING
    if line.kind == "class" and len(line.values) >= FEW:
        spread = fill(" <small>{}</small>", figures(metric, line)[1])
    return fill(
        '<tr class="tk-{kind}"><th scope="row">{name}</th><td><b>{figure}</b>{spread}'
        '<span class="tk-length" style="width:{share:.1f}%" aria-hidden="true"></span></td>'
        "<td>{rows:,}</td><td>{beside}</td></tr>",
        kind=line.kind, name=name, figure=figure, spread=spread, share=100 * share,
        rows=len(line.values), beside=beside,
    )  # fmt: skip


def _below(found: Standing) -> Markup:
    parts = []
    if found.begun:
        named = sorted(found.begun.items(), key=lambda one: (-one[1], one[0]))[:MOST_BEGUN]
        said = ", ".join(f"{name} ({count})" for name, count in named)
        parts.append(html.notice(f"On their way to {FEW} guesses: {said}."))
    people = formatting.count(found.people, "person")
    rows = formatting.count(found.rows, "row")
    needed = (
        f"; {found.needed} more until the run has its system “{human_guesses.NAME}”"
        if found.needed > 0
        else ""
    )
    parts.append(
        html.notice(
            f"{people} {'has' if found.people == 1 else 'have'} guessed {rows}{needed}. Systems "
            "are measured on all of these rows, people on their own. With few rows the best is "
            "often the luckiest; the view Guess has the intervals."
        )
    )
    return joined(parts)


# -- the names ---------------------------------------------------------------------------------
def names(people: Sequence[Person], given: Mapping[str, int]) -> Markup:
    """Everybody who has said a name, with a button that removes it.

    Args:
        people: the newest first.
        given: key of a name → votes and guesses about the chosen run.
    """
    if not people:
        return html.empty("Nobody yet", "Names appear here when they are typed.")
    lines = joined(_named(person, given.get(person.name, 0)) for person in people[:MOST_LISTED])
    more = NOTHING
    if len(people) > MOST_LISTED:
        more = html.notice(f"{len(people) - MOST_LISTED:,} older names are not listed.")
    return fill('<ul class="tk-people">{}</ul>{}', lines, more)


def _named(person: Person, given: int) -> Markup:
    kind = "login" if person.verified else "typed, not verified"
    event, does = ("undo", "Bring back") if person.removed else ("remove", "Remove")
    state = fill(" <em>removed</em>") if person.removed else NOTHING
    return fill(
        '<li><span class="tk-who">{name}{state}</span> <span class="tk-tag">{kind}</span> '
        '<span class="tk-quiet">{given}</span> <button type="button" class="tk-copy" '
        'data-event="{event}" data-name="{name}" aria-label="{does} {name}">{does}</button></li>',
        name=person.name, state=state, kind=kind, given=formatting.count(given, "answer"),
        event=event, does=does,
    )  # fmt: skip
