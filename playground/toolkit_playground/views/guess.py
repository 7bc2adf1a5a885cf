"""View "Guess": a person guesses test rows; after a few dozen they are one of the run's systems."""

from __future__ import annotations

from typing import Any

import gradio as gr

from toolkit import formatting
from toolkit.errors import UsageError
from toolkit.evaluation import human_guesses
from toolkit.pipeline import load_task
from toolkit_playground.rendering import guesses, html
from toolkit_playground.state.guesses import (
    Question,
    guessable,
    keep,
    next_question,
    standing,
)
from toolkit_playground.views.page import QUIET, Page, block, no_run


def build(page: Page) -> None:
    """The view's components and what they do."""
    library, human = page.library, page.human
    with gr.Row(elem_classes=["tk-split", "tk-wide"]):
        with gr.Column(elem_classes="tk-one"):
            card = block("guess-card")
            with gr.Row(elem_classes="tk-ask"):
                number = gr.Number(label="Your guess", value=None, elem_id="guess-number", scale=3)
                give = gr.Button("Guess", variant="primary", elem_id="guess-give", scale=1,
                                 min_width=110)  # fmt: skip
                other = gr.Button("Another one", elem_id="guess-skip", scale=1, min_width=110)
            message = block("guess-told")
        with gr.Column(elem_classes="tk-two"):
            score = block("guess-score")
    question = gr.State(None)
    outputs = [card, number, message, score, question]

    def values(key: str | None) -> list[Any]:
        if key is None:
            return [no_run(), gr.Number(value=None, interactive=False), "", "", None]
        return ["", gr.Number(value=None, interactive=False), "", "", None]

    page.follow(outputs, values)

    def begin(request: gr.Request, key: str | None, name: str) -> list[Any]:
        """The next row of this person, in this run."""
        if key is None:
            return values(key)
        closed = gr.Number(value=None, interactive=False)
        try:
            run = library.find(key)
            try:
                voter = library.roster(run).join(request, name)
            except UsageError as unknown:
                text = html.empty("Who are you?", formatting.sentence(str(unknown)))
                return [text, closed, "", guesses.standing(standing(library, run, None)), None]
            following = next_question(library, run, voter)
            shown, box = show_row(page, key, following)
            return [shown, box, "", guesses.standing(standing(library, run, voter)), following]
        except Exception as error:
            return [html.failure(error, "guessing"), closed, "", "", None]

    page.personal.append((begin, outputs))

    def guess(
        request: gr.Request, key: str | None, value: float | None, now: Question | None, name: str
    ) -> list[Any]:
        try:
            voter = library.roster(library.find(key)).join(request, name)
            if now is None or now.run != key:
                raise UsageError("choose a row first: press Another one")
            run = library.find(key)
            answer = keep(library, run, now, value, voter)
            line, found = html.notice(answer), standing(library, run, voter)
            if found and found.needed <= 0:
                human.update(library, run)
                if run.id in human.problems:
                    line += html.failure(human.problems[run.id], "writing your guesses")
            following = next_question(library, run, voter)
            text, box = show_row(page, key, following)
            return [text, box, line, guesses.standing(found), following]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            return [gr.skip(), gr.skip(), html.failure(error, "guessing"), gr.skip(), gr.skip()]

    def another(request: gr.Request, key: str | None, now: Question | None, name: str) -> list[Any]:
        if key is None:
            return [*values(key)[:3], gr.skip(), None]
        try:
            run = library.find(key)
            voter = library.roster(run).join(request, name)
            following = next_question(library, run, voter, after=now)
            text, box = show_row(page, key, following)
            return [text, box, "", gr.skip(), following]
        except Exception as error:
            return [gr.skip(), gr.skip(), html.failure(error, "guessing"), gr.skip(), gr.skip()]

    first = {**QUIET, "concurrency_limit": 4}
    gr.on([give.click, number.submit], guess, [page.chosen, number, question, page.person],
          outputs, **first)  # fmt: skip
    other.click(another, [page.chosen, question, page.person], outputs, **first)


def show_row(page: Page, key: str, question: Question | None) -> tuple[str, gr.Number]:
    """The question, and the box for the answer."""
    run = page.library.find(key)
    task = load_task(run)
    rows = human_guesses.rows(run)
    if not guessable(task, rows):
        text = f"The answers of {task.name} are no numbers; vote on its texts instead."
        return html.empty("Nothing to guess here", text), gr.Number(interactive=False)
    if question is None:
        done = html.empty("All done", "You have guessed every test row of this run.")
        return done, gr.Number(value=None, interactive=False)
    unit = task.metric().unit
    label = f"Your guess{f', {unit}' if unit else ''}"
    box = gr.Number(value=None, interactive=True, label=label)
    return guesses.question(task, rows[question.row_id]), box
