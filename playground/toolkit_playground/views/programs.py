"""What programs ask, as with ``gradio_client``: named parameters, and answers as plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any

import gradio as gr
from gradio.events import api

from toolkit import Row
from toolkit.errors import UsageError
from toolkit_playground.state.conversation import has_template, prompt_ids
from toolkit_playground.state.engine import Engine, Reading
from toolkit_playground.state.inputs import inputs_of, read_row
from toolkit_playground.state.sides import own_labels, resolve_sides
from toolkit_playground.state.texts import Text, ending
from toolkit_playground.state.writing import checked_prompt, own_settings, sampling, write
from toolkit_playground.views.page import MODEL_QUEUE, Page

VIEW = "programs"
QUEUE = {name: MODEL_QUEUE[name] for name in ("concurrency_id", "concurrency_limit")}
Answer = dict[str, Any]


def build(page: Page) -> None:
    """The three questions that programs may ask: ``compare``, ``chat`` and ``prediction``."""

    def compare(
        request: gr.Request, input: str = "", run: str = "", sides: list[str] = [],  # noqa: A002, B006
        inputs: dict[str, str] = {}, row_id: int = 0, raw: bool = False,  # noqa: B006
        max_new_tokens: int = 64, temperature: float = 0.0, top_p: float = 1.0, top_k: int = 0,
        repetition_penalty: float = 1.0, seed: int = 0,
    ) -> Iterator[dict[str, Any]]:  # fmt: skip
        """Answers of the sides to one input, by the run's own decoder and limits.

        Args:
            request: whose it is.
            input: the text of a task with one input.
            run: the run's ID; empty: the one that the page opens on.
            sides: such as ``base`` and ``adapter``; empty: both.
            inputs: texts by the names of the task's inputs, instead of ``input``.
            row_id: a validation row of the run, instead of both.
            raw: text as the model writes it by the settings that follow.
            max_new_tokens, temperature, top_p, top_k, repetition_penalty, seed: those of raw text.
        """
        engine, labels = chosen(page, run, sides)
        row = asked_row(page, engine, input, inputs, row_id)
        found: Answer = {"run": engine.run.id, "row_id": row_id or None, "raw": raw}
        if not (raw or engine.follows):
            readings = engine.predict(row, labels)
            yield {**found, "answers": [read_answer(one) for one in readings]}
            return
        settings = own_settings(engine, row)
        if raw:
            settings = sampling(max_new_tokens, temperature, top_p, top_k, repetition_penalty, seed)
        found |= {"generation": dict(settings.generation), "seed": settings.seed}
        prompts = [checked_prompt(engine, row, settings)] * len(labels)
        with page.sessions.stoppable(request, VIEW) as stop:
            for texts in write(engine, prompts, labels, settings, stop):
                written = [text_answer(*one) for one in zip(labels, texts, strict=True)]
                if not raw and all(text.ended and not text.stopped for text in texts):
                    readings = engine.read_texts(row, labels, texts)
                    written = [
                        {**read_answer(one), **text}
                        for one, text in zip(readings, written, strict=True)
                    ]
                yield {**found, "answers": written}

    def chat(
        request: gr.Request, message: str, run: str = "", sides: list[str] = [],  # noqa: B006
        system: str = "", history: list[dict[str, str]] = [], max_new_tokens: int = 64,  # noqa: B006
        temperature: float = 0.0, top_p: float = 1.0, top_k: int = 0,
        repetition_penalty: float = 1.0, seed: int = 0,
    ) -> Iterator[dict[str, Any]]:  # fmt: skip
        """The sides' answers to a message.

        Args:
            request: whose it is.
            message: what is said.
            run: the run's ID; empty: the one that the page opens on.
            sides: such as ``base`` and ``adapter``; empty: both.
            system: a system prompt.
            history: earlier turns: ``user``, and each side's label → its answer.
            max_new_tokens, temperature, top_p, top_k, repetition_penalty, seed: how it is written.
        """
        engine, labels = chosen(page, run, sides)
        if not message.strip():
            raise UsageError("the message is empty")
        settings = sampling(max_new_tokens, temperature, top_p, top_k, repetition_penalty, seed)
        turns = [*history, {"user": message}]
        prompts = [prompt_ids(engine, turns, label, system) for label in labels]
        for prompt in prompts:
            engine.check_length(prompt, engine.positions, settings.new_tokens)
        found: Answer = {
            "run": engine.run.id, "system": system, "history_sent": has_template(engine),
            "generation": dict(settings.generation), "seed": settings.seed,
        }  # fmt: skip
        with page.sessions.stoppable(request, VIEW) as stop:
            for texts in write(engine, prompts, labels, settings, stop):
                written = [text_answer(*one) for one in zip(labels, texts, strict=True)]
                yield {**found, "answers": written}

    def prediction(
        input: str = "", run: str = "", sides: list[str] = [],  # noqa: A002, B006
        inputs: dict[str, str] = {}, row_id: int = 0,  # noqa: B006
    ) -> dict[str, Any]:  # fmt: skip
        """All of what the sides predict, as plain data; see ``compare`` for the parameters."""
        engine, labels = chosen(page, run, sides)
        row = asked_row(page, engine, input, inputs, row_id)
        answers = [
            {**read_answer(one), "data": one.side.task.panel_data(one.output, row)}
            for one in engine.predict(row, labels)
        ]
        view = engine.task.panel.view if engine.task.panel else "text"
        return {"run": engine.run.id, "row_id": row_id or None, "view": view, "answers": answers}

    for name, function in (("compare", compare), ("chat", chat)):
        api(_told_pieces(function), api_name=name, **QUEUE)
    api(_told(prediction), api_name="prediction", **QUEUE)


def chosen(page: Page, run: str, sides: Sequence[str]) -> tuple[Engine, list[str]]:
    """The model of a run and the labels of its sides; raises :class:`UsageError`."""
    engine = page.engine(run or page.library.first())
    return engine, resolve_sides(page.library, engine, sides or own_labels(engine.run))


def asked_row(
    page: Page, engine: Engine, text: str, inputs: Mapping[str, str], row_id: int
) -> Row:  # fmt: skip
    """The row that a program asks about: a stored one, or one made of its texts."""
    names = list(inputs_of(engine.task))
    if row_id:
        for row in page.library.held_out(engine.run, "validation"):
            if row["row_id"] == row_id:
                return row
        raise UsageError(f"run {engine.run.id} keeps no validation row {row_id}")
    if unknown := sorted(set(inputs) - set(names)):
        raise UsageError(f"{engine.task.name} has no input {unknown[0]!r}; {', '.join(names)}")
    texts = [inputs.get(name, text if at == 0 else "") for at, name in enumerate(names)]
    if any(not isinstance(one, str) for one in texts):
        raise UsageError("inputs are texts")
    return read_row(engine.task, None, texts)[0]


def text_answer(label: str, text: Text) -> Answer:
    """What a side has written so far."""
    return {
        "side": label, "text": text.text, "tokens": text.tokens, "seconds": text.seconds,
        "ended": ending(text),
    }  # fmt: skip


def read_answer(reading: Reading) -> Answer:
    """What a side predicts."""
    return {"side": reading.side.label, "seconds": reading.seconds, **reading.answer}


def _told(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose refusals reach the program as sentences."""

    @wraps(function)
    def whole(*values: Any, **named: Any) -> Any:
        try:
            return function(*values, **named)
        except Exception as error:
            raise _refusal(error) from error

    return whole


def _told_pieces(function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    @wraps(function)
    def pieces(*values: Any, **named: Any) -> Iterator[Any]:
        try:
            yield from function(*values, **named)
        except Exception as error:
            raise _refusal(error) from error

    return pieces


def _refusal(error: Exception) -> gr.Error:
    text = " ".join(str(error).split())[:600]
    return gr.Error(text or type(error).__name__, print_exception=False)
