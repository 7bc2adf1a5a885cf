"""View "Guess": a person guesses test rows; after a few dozen they are one of the run's systems."""

from __future__ import annotations

from typing import Any

import gradio as gr

from toolkit.errors import UsageError
from toolkit.evaluation import human_guesses
from toolkit.pipeline import load_task
from toolkit_playground.rendering import guesses, html
from toolkit_playground.state.guesses import (
    HumanSystem,
    Question,
    guessable,
    keep,
    next_question,
    standing,
)
from toolkit_playground.views.page import QUIET, Page, block, no_run


def build(page: Page) -> None:
    """The view's components and what they do."""
    library, human = page.library, HumanSystem()
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
        try:
            run = library.find(key)
            following = next_question(library, run)
            text, box = show_row(page, key, following)
            return [text, box, "", guesses.standing(standing(library, run)), following]
        except Exception as error:
            return [html.failure(error, "guessing"), gr.Number(interactive=False), "", "", None]

    page.follow(outputs, values)

    def guess(
        key: str | None, value: float | None, now: Question | None, request: gr.Request
    ) -> list[Any]:
        try:
            if now is None or now.run != key:
                raise UsageError("choose a row first: press Another one")
            run = library.find(key)
            answer = keep(library, run, now, value, str(request.session_hash or "")[:8])
            line, found = html.notice(answer), standing(library, run)
            if found and found.count >= human_guesses.ENOUGH:
                human.update(library, run)
                if run.id in human.problems:
                    line += html.failure(human.problems[run.id], "writing your guesses")
            following = next_question(library, run)
            text, box = show_row(page, key, following)
            return [text, box, line, guesses.standing(found), following]
        except Exception as error:  # one session's trouble is shown there and nowhere else
            return [gr.skip(), gr.skip(), html.failure(error, "guessing"), gr.skip(), gr.skip()]

    def another(key: str | None, now: Question | None) -> list[Any]:
        if key is None:
            return [no_run(), gr.Number(value=None, interactive=False), "", gr.skip(), None]
        following = next_question(library, library.find(key), after=now)
        text, box = show_row(page, key, following)
        return [text, box, "", gr.skip(), following]

    first = {**QUIET, "concurrency_limit": 4}
    gr.on([give.click, number.submit], guess, [page.chosen, number, question], outputs, **first)
    other.click(another, [page.chosen, question], outputs, **first)


def show_row(page: Page, key: str, question: Question | None) -> tuple[str, gr.Number]:
    """The question, and the box for the answer."""
    run = page.library.find(key)
    task = load_task(run)
    rows = human_guesses.rows(run)
    if not guessable(task, rows):
        text = f"The answers of {task.name} are no numbers; vote on its texts instead."
        return html.empty("Nothing to guess here", text), gr.Number(interactive=False)
    if question is None:
        done = html.empty("All done", "Every test row of this run has been guessed.")
        return done, gr.Number(value=None, interactive=False)
    unit = task.metric().unit
    label = f"Your guess{f', {unit}' if unit else ''}"
    box = gr.Number(value=None, interactive=True, label=label)
    return guesses.question(task, rows[question.row_id]), box
