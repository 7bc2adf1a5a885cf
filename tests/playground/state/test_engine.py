"""A run's model as the views use it: sides at once, refusals, and a stop that stops."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.errors import ModelError, UsageError
from toolkit.kinds import TextModel, Watch
from toolkit.runs.run import Run
from toolkit_playground.state import any_model
from toolkit_playground.state.conversation import prompt_ids
from toolkit_playground.state.engine import MOST_CHARACTERS, Engine
from toolkit_playground.state.texts import Text
from toolkit_playground.state.writing import own_settings

pytestmark = pytest.mark.slow

TEMPLATE = (
    "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)


@pytest.fixture(scope="module")
def engine(played: Path) -> Engine:
    return Engine(Run.open(played))


def row(engine: Engine, text: str = "red oak thing") -> dict[str, Any]:
    return {"row_id": 0, "text": text}


def write(engine: Engine, labels: list[str], stop: threading.Event, **generation: Any) -> Any:
    prompt = engine.prompt(row(engine))
    return engine.write([prompt] * len(labels), labels, generation=generation, stop=stop)


def test_sides_grow_and_end_as_each_would_alone(engine: Engine) -> None:
    labels = ["base", "adapter"]
    shown = list(write(engine, labels, threading.Event(), max_new_tokens=40))
    last: list[Text] = shown[-1]
    assert all(text.ended and not text.stopped for text in last)
    assert all(text.first is not None and text.seconds > 0 and text.rate for text in last)
    for side, text in zip(labels, last, strict=True):
        (alone,) = list(write(engine, [side], threading.Event(), max_new_tokens=40))[-1]
        assert text.text == alone.text and text.tokens == alone.tokens
    assert last[0].text != last[1].text


def test_any_of_the_models_stop_tokens_ends_a_text(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (free,) = list(write(engine, ["base"], threading.Event(), max_new_tokens=12))[-1]
    assert free.limit and free.tokens == 12
    written: list[int] = []
    model = engine.text_model
    watch = Watch(on_token=lambda index, token: written.append(token))
    prompt = engine.prompt(row(engine))
    model.write_texts([prompt], ["__base__"], generation={"max_new_tokens": 12}, watch=watch)
    stop = written[5]
    stops = (*model.limits.stops, stop)
    monkeypatch.setattr(model, "limits", dataclasses.replace(model.limits, stops=stops))
    monkeypatch.setattr(model.renderer, "stops", frozenset(stops))
    (text,) = list(write(engine, ["base"], threading.Event(), max_new_tokens=12))[-1]
    assert text.ended and not text.limit and not text.stopped
    assert text.tokens == written.index(stop) + 1
    assert text.text == engine._decoded(written[: text.tokens - 1])


def test_what_is_followed_is_what_a_prediction_reads(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A price is read from the distribution over numbers; a text that beams rate cannot be followed.
    assert engine.writes and not engine.follows
    settings = own_settings(engine, row(engine))
    assert settings.new_tokens == engine.answer_room and settings.seed == engine.run.info["seed"]
    monkeypatch.setattr(engine.text_model.task, "answer_tokens", lambda row: 3)
    assert own_settings(engine, row(engine)).new_tokens == 3
    model: Any = engine.text_model
    for beams, followed in ((1, True), (4, False)):
        generation = {**model.recipe.generation, "num_beams": beams}
        monkeypatch.setattr(
            model, "recipe", dataclasses.replace(model.recipe, generation=generation)
        )
        assert TextModel.reads_text.fget(model) is followed  # type: ignore[attr-defined]


def test_a_text_by_the_runs_settings_is_read_by_its_decoder(engine: Engine) -> None:
    (text,) = list(write(engine, ["adapter"], threading.Event(), max_new_tokens=6))[-1]
    (reading,) = engine.read_texts(row(engine), ["adapter"], [text])
    assert reading.side.label == "adapter" and reading.answer["raw"] == text.text
    assert isinstance(reading.answer["prediction"], float)


def test_a_text_that_nobody_reads_on_is_not_written_on(engine: Engine) -> None:
    told: list[int] = []
    kind: Any = engine.kind
    usual = kind.write_texts

    def counted(*arguments: Any, watch: Any, **keywords: Any) -> Any:
        heard = watch.on_token
        watch.on_token = lambda index, token: (told.append(token), heard(index, token))
        return usual(*arguments, watch=watch, **keywords)

    kind.write_texts = counted
    try:
        stop = threading.Event()
        texts = write(engine, ["base"], stop, max_new_tokens=4000, min_new_tokens=4000)
        while not told:
            next(texts)
        texts.close()  # as gradio does with a page that has gone
        there = len(told)
        assert stop.is_set() and there < 4000
        time.sleep(0.3)
        assert len(told) == there and not engine.lock.locked()
    finally:
        del kind.write_texts


def test_a_text_stopped_before_its_turn_is_never_begun(engine: Engine) -> None:
    stop = threading.Event()
    stop.set()
    (text,) = list(write(engine, ["base"], stop, max_new_tokens=20))[-1]
    assert text.tokens == 0 and text.ended and text.stopped


def test_what_is_too_long_is_refused_in_words(engine: Engine) -> None:
    with pytest.raises(UsageError, match="100,000 characters"):
        engine.prompt(row(engine, "x" * (MOST_CHARACTERS + 1)))
    prompt = engine.prompt(row(engine, "oak " * 400))
    with pytest.raises(UsageError, match="shorten it by about"):
        engine.check_length(prompt, engine.room, engine.answer_room)
    with pytest.raises(UsageError, match="no side 'nobody'"):
        engine.side("nobody")


def test_a_chat_goes_through_the_template_with_what_that_side_said(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = [{"user": "one", "base": "b1", "adapter": "a1"}, {"user": "two"}]
    kind: Any = engine.kind
    monkeypatch.setattr(kind.tokenizer, "chat_template", TEMPLATE)
    said = engine.shown(prompt_ids(engine, turns, "adapter", "be brief"))
    assert said.index("be brief") < said.index("a1") < said.index("two") and "b1" not in said
    assert said.rstrip().endswith("[assistant]")
    monkeypatch.setattr(kind.tokenizer, "chat_template", "{{ raise_exception('no system') }}")
    with pytest.raises(ModelError, match="chat template cannot be used: no system"):
        prompt_ids(engine, turns, "adapter", "be brief")
    alternating = TEMPLATE.replace(
        "{% for", "{{ raise_exception('no system') if messages[0].role == 'system' }}{% for", 1
    )
    monkeypatch.setattr(kind.tokenizer, "chat_template", alternating)
    assert "be brief" in engine.shown(prompt_ids(engine, turns, "adapter", "be brief"))


def test_a_chat_without_a_template_is_the_tasks_own_prompt(engine: Engine) -> None:
    turns = [{"user": "one", "base": "b1"}, {"user": "red oak thing"}]
    plain = prompt_ids(engine, turns, "base", "")
    assert plain == engine.prompt(row(engine))
    led = engine.shown(prompt_ids(engine, turns, "base", "Be fair."))
    assert led.endswith(engine.shown(plain).removeprefix("<s>")) and "Be fair." in led


def test_a_model_that_writes_no_text_has_no_prompts_and_no_room_for_answers(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tiny_tasks import TinyGoods
    from toolkit import Recipe
    from toolkit.kinds.registry import model_class

    recipe = Recipe("t", "t", str(tiny_bert), training={"max_length": 64}, lora={"r": 2})
    kind = model_class(TinyGoods)(TinyGoods(), recipe)
    monkeypatch.setattr(any_model, "open_run", lambda run: (kind.task, kind))
    run: Any = SimpleNamespace(path=tmp_path, info={"task": "tiny", "recipe": {"lora": {}}})
    engine = Engine(run)
    assert not engine.writes
    assert (engine.positions, engine.answer_room, engine.room) == (None, 0, 64)
    with pytest.raises(UsageError, match="writes no text"):
        engine.prompt({"row_id": 0, "text": "red cup", "good": "cup"})
