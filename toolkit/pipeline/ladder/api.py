"""A model of an API answers the held-out rows, zero-shot and few-shot."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import DataError
from toolkit.evaluation.outputs import Answered, store_outputs
from toolkit.evaluation.predict import held_out_rows
from toolkit.evaluation.prediction_files import absent
from toolkit.formatting import count
from toolkit.kinds.language.outputs import Generated
from toolkit.kinds.language.task import LanguageTask
from toolkit.models.endpoint import Budget, Endpoint, OverBudget, Reply, Unanswered
from toolkit.pipeline.ladder import prompts
from toolkit.pipeline.ladder.named import Asking, Rung
from toolkit.task import Row

if TYPE_CHECKING:
    from toolkit.pipeline.context import RunContext

CACHE = ".answers.sqlite"
ROOM = 64
"""Tokens that an answer of a chat model may have at least: many begin with a sentence."""
PATHS = {"chat": "chat/completions", "text": "completions"}


def predict(
    context: RunContext,
    rung: Rung,
    asking: Asking,
    budget: Budget,
    shots: Sequence[Row],
    name: str,
) -> None:
    """Ask an API for the held-out rows, and write its predictions.

    Rows are asked in random order, so that those which a cap leaves are a sample of all.

    Args:
        context: the run.
        rung: the model.
        asking: how it is asked.
        budget: what may be spent by all.
        shots: solved examples before each prompt.
        name: the name of the system.

    Raises:
        DataError: address, model or key are wrong, or nothing is answered.
        UsageError: the task's prompts cannot be sent.
    """
    held = held_out_rows(context.task, context.prepared.splits)
    rows = [row for split in held for row in held[split]]
    where = [split for split in held for _ in held[split]]
    private = not context.run.info.get("options", {}).get("store_data", True)
    settings = asking.settings(rung.of, cache=None if private else _cache(context, asking))
    before = budget.spent
    started = time.perf_counter()
    with context.console.track(name) as progress:
        asked = _Asked(context, rung, asking, Endpoint(settings, budget), shots)
        try:
            replies = asked.all(rows, progress)
        finally:
            asked.endpoint.close()
    seconds = time.perf_counter() - started
    places = [at for at in range(len(rows)) if at in replies]
    told = {**asked.counted(replies), "spent": round(budget.spent - before, 6)}
    told["currency"] = context.recipe.cost.get("currency", "$")
    told["model"], told["address"] = rung.of, settings.place
    if not any(where[at] == "test" for at in places):
        reason = f"no test row was answered: {asked.why or 'the cost cap is reached'}"
        absent(context.run, name, reason, "api")
        context.console.warn(f"{name}: left out, {reason}")
        return
    answered = Answered(
        [rows[at] for at in places], [where[at] for at in places],
        [_generated(replies[at]) for at in places],
    )  # fmt: skip
    note = sentence(told, len(shots), asked.why)
    entry = store_outputs(
        context.run, context.task, answered, name, "api", seconds=seconds,
        decoder=context.decoder, readable=_readable(context.task), note=note,
        further={"api": told},
    )  # fmt: skip
    context.note_result(entry, name, seconds)
    context.console.note(f"{name}: {note}")


def _cache(context: RunContext, asking: Asking) -> Path:
    return Path(asking.cache) if asking.cache else context.run.path.parent.parent / CACHE


def _readable(task: Any) -> list[str]:
    """The decoders that need no distribution, which no API gives."""
    hidden: frozenset[str] = getattr(task, "distribution_decoders", frozenset())
    return [name for name in task.decoders() if name not in hidden]


def _generated(reply: Reply) -> Generated:
    return Generated(
        text=reply.text, tokens=reply.written or 0, hit_limit=reply.hit_limit, seconds=reply.seconds
    )


class _Asked:
    """The questions of one system.

    Attributes:
        why: why the last row without an answer has none; empty: all have one.
    """

    def __init__(
        self, context: RunContext, rung: Rung, asking: Asking, endpoint: Endpoint,
        shots: Sequence[Row],
    ) -> None:  # fmt: skip
        assert isinstance(context.task, LanguageTask)
        self.context, self.rung, self.asking = context, rung, asking
        self.task: LanguageTask = context.task
        self.endpoint, self.shots = endpoint, shots
        self.room = int(context.model.written or ROOM)
        self.why = ""
        self._stop = threading.Event()

    def all(self, rows: Sequence[Row], progress: Callable[[int, int], None]) -> dict[int, Reply]:
        """The replies by the rows' places; rows without an answer are left out."""
        order = list(range(len(rows)))
        random.Random(self.context.seed).shuffle(order)
        bodies = {at: self._body(rows[at]) for at in order}  # what cannot be sent is refused first
        found: dict[int, Reply] = {}
        wrong: list[DataError] = []
        done = 0

        def one(at: int) -> None:
            nonlocal done
            if self._stop.is_set():
                return
            try:
                found[at] = self.endpoint.ask(PATHS[self.rung.kind], bodies[at])
            except OverBudget as error:
                self.why = str(error)
                self._stop.set()
            except Unanswered as error:
                self.why = str(error)
            except DataError as error:
                wrong.append(error)
                self._stop.set()
            done += 1
            progress(done, len(rows))

        pool = ThreadPoolExecutor(self.asking.parallel, "toolkit-api")
        try:
            for outcome in [pool.submit(one, at) for at in order]:
                outcome.result()
        finally:  # also where a person stops it
            self._stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
        if wrong and not found:
            raise wrong[0]
        if wrong:
            self.why = str(wrong[0])
        return found

    def _body(self, row: Row) -> dict[str, Any]:
        own = self.task.answer_tokens(row)
        if self.rung.kind == "text":
            body = prompts.text(self.task, row, self.shots)
            most = min(self.room, own or self.room)
        else:
            body = prompts.chat(self.task, row, self.shots)
            most = max(ROOM, min(self.room, own or self.room))
        return {**body, "max_tokens": self.asking.max_tokens or most}

    def counted(self, replies: dict[int, Reply]) -> dict[str, Any]:
        """What became of the questions, and what a thousand answers cost."""
        settings = self.endpoint.settings
        costs = [
            settings.cost(r.read, r.written)
            for r in replies.values()
            if r.read is not None and r.written is not None
        ]
        priced = bool(costs) and bool(settings.price_in or settings.price_out)
        held = sum(map(len, held_out_rows(self.task, self.context.prepared.splits).values()))
        return {
            "questions": held,
            "answered": len(replies),
            "from_cache": sum(reply.cached for reply in replies.values()),
            "refused": sum(reply.refused for reply in replies.values()),
            "tokens_read": sum(reply.read or 0 for reply in replies.values()),
            "tokens_written": sum(reply.written or 0 for reply in replies.values()),
            "price_per_1000": round(1000 * sum(costs) / len(costs), 6) if priced else None,
        }


def sentence(told: dict[str, Any], shots: int, why: str) -> str:
    """What the report says beside the name of the system."""
    missing = told["questions"] - told["answered"]
    price, currency = told["price_per_1000"], told["currency"]
    parts = [
        f"{told['model']} at {told['address']}",
        f"{count(shots, 'solved example')} in the prompt" if shots else "",
        f"{currency}{price:,.4g} for 1,000 answers" if price is not None else "",
        f"{told['refused']:,} refused" if told["refused"] else "",
        f"{missing:,} of {told['questions']:,} rows without an answer ({why}), which do not count"
        if missing
        else "",
    ]
    return ", ".join(part for part in parts if part)
