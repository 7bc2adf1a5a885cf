"""A run's model in memory, answering for all sessions: one base, its adapters, one at a time.

PEFT's mixed batches hang hooks on the one model while they run, so two must never overlap; the
lock keeps them apart whatever the pages do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit import Generated, Row, Task
from toolkit.errors import RunError, ToolkitError, UsageError
from toolkit.kinds import BASE, OneStep, Place, TextModel, Watch, follow, one_step
from toolkit.pipeline import base_of, load_task, read
from toolkit.runs import Run, present_models, trained_models
from toolkit_playground.state import any_model
from toolkit_playground.state.texts import Text, Writing

REFRESH, SLOWEST = 0.06, 0.3
"""Seconds between the first two looks at a text that is being written, and between later ones.

Each is a piece that the browser draws, and nothing tells the server when it has: a slow browser
that gets more than it can draw would come to each press of a button only after all that waits.
"""
SLOWING = 1.15
STANDING = 1.0
"""Seconds after which a text that has not grown is shown again, with its time."""
MOST_CHARACTERS = 100_000
"""Longer inputs are refused before they are tokenized."""
MOST_NEW_TOKENS = 131_072
"""New tokens of a text whose model has no limit of its own."""
BASE_LABEL = "base"


@dataclass(frozen=True)
class Side:
    """One way to answer: the base, or an adapter on it.

    Args:
        label: what people read.
        name: PEFT's name of the adapter, ``__base__`` for none.
        run: whose decoder and intervals read the answers.
        system: its name in that run's ladder.
        task: that run's task, with its settings and facts.
    """

    label: str
    name: str
    run: Run
    system: str
    task: Task


@dataclass
class Reading:
    """What one side makes of a row: the prediction that counts, and what the panel draws."""

    side: Side
    answer: Mapping[str, Any]
    output: Any
    seconds: float


class Engine:
    """The base of a run with its adapters.

    Args:
        run: a run whose training is done.
        most: new tokens that one text may have, below the model's own limit.
    """

    def __init__(self, run: Run, most: int | None = None) -> None:
        self.run = run
        self._most = most or MOST_NEW_TOKENS
        self.lock = threading.Lock()
        self.task, self.kind = any_model.opened(run)
        self.sides: dict[str, Side] = {}
        self.problems: dict[str, str] = {}
        self._put(Side(BASE_LABEL, BASE, run, "base", self.task))
        if any_model.is_free(run):
            self._put_free()
            return
        first, *others = present_models(run)
        self._put(Side(first.system, "default", run, first.system, self.task))
        for model in others:
            folder, name = run.path / model.folder, model.system.replace(".", "-")
            if (folder / "toolkit.json").is_file():
                self._add(Side(model.system, name, run, model.system, self.task), folder)

    @property
    def writes(self) -> bool:
        """Whether the model writes text that can be followed."""
        return isinstance(self.kind, TextModel)

    @property
    def text_model(self) -> TextModel:
        """The model of a run that writes text; raises :class:`UsageError` for any other."""
        if not isinstance(self.kind, TextModel):
            raise UsageError("this run's model writes no text")
        return self.kind

    @property
    def follows(self) -> bool:
        """Whether a prediction can be followed as it is written: it reads that text alone."""
        return isinstance(self.kind, TextModel) and self.kind.reads_text

    @property
    def room(self) -> int:
        """Tokens that prompt and answer may have together, as in training and within the model."""
        limits = [limit for limit in (self.kind.max_length, self.positions) if limit]
        return min(limits, default=MOST_CHARACTERS)

    @property
    def positions(self) -> int | None:
        """Tokens that the model has room for; ``None``: it does not say, or writes no text."""
        return self.text_model.positions if self.writes else None

    @property
    def most_new_tokens(self) -> int:
        """New tokens that may be asked for: those that the model has room for."""
        return min(self.positions or MOST_NEW_TOKENS, self._most)

    # -- sides -------------------------------------------------------------------------------------
    def _put(self, side: Side) -> None:
        self.sides[side.label] = side

    def _put_free(self) -> None:
        """The adapters of a model without a run."""
        for number, label in enumerate(any_model.labels(self.run)):
            name = f"free-{number}" if number else "default"
            side = Side(label, name, self.run, label, self.task)
            if number:
                self._add(side, any_model.folder_of(self.run, number))
            else:
                self._put(side)

    def _add(self, side: Side, folder: Any) -> None:
        try:
            self.kind.add_adapter(folder, side.name)
        except ToolkitError as error:
            self.problems[side.label] = str(error)
        else:
            self._put(side)

    def add_run(self, run: Run) -> str:
        """Put another run's adapter on this base; gives its label, or raises in words."""
        label = f"adapter of {run.id}"
        with self.lock:
            if label in self.sides:
                return label
            if not run.done("train"):
                raise RunError(f"run {run.id} has no adapter yet")
            if base_of(run) != base_of(self.run):
                raise UsageError(
                    f"the adapter of run {run.id} is for another base "
                    f"({run.info['recipe']['model']}, not {self.run.info['recipe']['model']}); "
                    "choose that run at the top to see it by itself"
                )
            name = f"run-{run.id}".replace(".", "-")
            self.kind.add_adapter(run.adapter, name)
            self._put(Side(label, name, run, trained_models(run)[0].system, load_task(run)))
        return label

    def side(self, label: str) -> Side:
        if label not in self.sides:
            raise UsageError(f"there is no side {label!r}; there are {', '.join(self.sides)}")
        return self.sides[label]

    # -- prompts -----------------------------------------------------------------------------------
    def prompt(self, row: Row) -> list[int]:
        """Token ids of a row's prompt, of which nothing is left out."""
        if sum(len(str(value)) for value in row.values()) > MOST_CHARACTERS:
            raise UsageError(f"the input has more than {MOST_CHARACTERS:,} characters; shorten it")
        example = self.task.format_example(row)
        return list(self.text_model.renderer.prompt(example))

    def plain_prompt(self, row: Row) -> Any:
        """A row's prompt without special tokens: a text, or the messages of a conversation."""
        example = self.task.format_example(row)
        return example["prompt"] if "prompt" in example else example["text"]

    def check_length(self, prompt: Sequence[int], room: int | None, new: int) -> None:
        """Refuse, in words, a prompt that leaves no room for its answer."""
        if self.kind.own_limits:
            new = 0  # the answer is counted apart from what is read
        if room is not None and len(prompt) + new > room:
            raise UsageError(
                f"the input is too long: its prompt has {len(prompt):,} tokens, and with {new} for "
                f"the answer the model takes {max(0, room - new):,}; shorten it by about "
                f"{len(prompt) + new - room:,} tokens"
            )

    def shown(self, prompt: Sequence[int]) -> str:
        """A prompt's text exactly as the model gets it, special tokens and all."""
        return str(self.kind.tokenizer.decode(list(prompt), skip_special_tokens=False))

    # -- writing -----------------------------------------------------------------------------------
    def write(
        self,
        prompts: Sequence[Sequence[int]],
        labels: Sequence[str],
        *,
        generation: Mapping[str, Any],
        seed: int = 0,
        until: Sequence[str] = (),
        stop: threading.Event,
    ) -> Iterator[list[Text]]:
        """Let each side continue its prompt, all at once; gives what there is until all have ended.

        Stops when ``stop`` is set, and when nobody reads on; a text that holds one of ``until``
        ends before it.
        """
        names = [self.side(label).name for label in labels]
        model = self.text_model
        writing = Writing(len(prompts), model.renderer.stops, tuple(until), self._decoded)
        failed: list[BaseException] = []
        done = threading.Event()

        def work() -> None:
            try:
                with self.lock:
                    if stop.is_set():
                        return
                    _seed(seed)
                    writing.started = time.perf_counter()
                    model.write_texts(
                        prompts, names, generation=generation,
                        watch=Watch(writing.on_token, stop.is_set, writing.holds_end),
                    )  # fmt: skip
            except BaseException as error:  # it is raised where it can be shown
                failed.append(error)
            finally:
                done.set()

        limit = int(generation.get("max_new_tokens", MOST_NEW_TOKENS))
        threading.Thread(target=work, name="playground-writing", daemon=True).start()
        pause, shown, at = REFRESH, -1, 0.0
        try:
            while not done.wait(pause):
                tokens, now = sum(map(len, writing.ids)), time.perf_counter()
                if tokens == shown and now - at < STANDING:
                    continue
                shown, at, pause = tokens, now, min(SLOWEST, pause * SLOWING)
                yield writing.texts(limit, ended=False, stopped=False)
            if failed:
                raise failed[0]
            yield writing.texts(limit, ended=True, stopped=stop.is_set())
        finally:
            stop.set()  # nobody reads on: the worker must not go on either
            done.wait()

    def _decoded(self, ids: Sequence[int]) -> str:
        return str(self.kind.tokenizer.decode(ids, skip_special_tokens=True))

    # -- looking into it ---------------------------------------------------------------------------
    def follow(
        self,
        prompt: Sequence[int],
        labels: Sequence[str],
        *,
        limit: int,
        given: Sequence[Sequence[int]] | None = None,
        goes_on: bool = True,
        stop: threading.Event,
    ) -> list[list[Place]]:
        """What each side expects at each place of a text; see :func:`toolkit.kinds.follow`."""
        names = [self.side(label).name for label in labels]
        with self.lock:
            return follow(
                self.text_model, [prompt] * len(labels), names, limit=limit, given=given,
                goes_on=goes_on, stopped=stop.is_set,
            )  # fmt: skip

    def one_step(self, row: Row, *, fresh: bool) -> OneStep:
        """One training step of the run's adapter, undone; see :func:`toolkit.kinds.one_step`."""
        adapter = self.side(trained_label(self.run)).name
        with self.lock:
            return one_step(self.text_model, row, adapter=adapter, fresh=fresh)

    # -- predicting --------------------------------------------------------------------------------
    def predict(self, row: Row, labels: Sequence[str]) -> list[Reading]:
        """What each side predicts for a row, by the decoder and interval of its run."""
        if self.writes:
            self.check_length(self.prompt(row), self.room, self.answer_room)
        readings = []
        for label in labels:
            side = self.side(label)
            with self.lock:
                if side.name != BASE:
                    self.kind.select(side.name)
                started = time.perf_counter()
                output = self.kind.predict([row], adapter=side.name != BASE)[0]
                seconds = time.perf_counter() - started
            readings.append(self._reading(side, output, row, seconds))
        return readings

    def read_texts(self, row: Row, labels: Sequence[str], texts: Sequence[Text]) -> list[Reading]:
        """What each side predicts with the text that it wrote by the run's own settings."""
        return [
            self._reading(
                self.side(label), Generated(text.text, text.tokens, text.limit), row, text.seconds
            )
            for label, text in zip(labels, texts, strict=True)
        ]  # fmt: skip

    @staticmethod
    def _reading(side: Side, output: Any, row: Row, seconds: float) -> Reading:
        answer = read(side.run, side.task, side.system, [output], [row])[0]
        return Reading(side, answer, output, seconds)

    @property
    def answer_room(self) -> int:
        """Tokens that an answer may have, as in the run; 0 where no text is written."""
        return self.text_model.answer_room if self.writes else 0


def trained_label(run: Run) -> str:
    """What was trained: the adapter, or (with a recipe without LoRA) the full model."""
    return trained_models(run)[0].system


def _seed(seed: int) -> None:
    import torch

    torch.manual_seed(seed)
