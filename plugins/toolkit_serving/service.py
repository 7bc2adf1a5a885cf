"""Between the routes and the engine: waiting for jobs, time limits, and clients that go away."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from toolkit.errors import ToolkitError
from toolkit_serving.engine import Closed, Engine, Full
from toolkit_serving.errors import ApiError
from toolkit_serving.jobs import Job, Writing
from toolkit_serving.remote import EngineError, RemoteEngine
from toolkit_serving.served import Fleet, Served
from toolkit_serving.telemetry import Telemetry


@dataclass(frozen=True)
class Limits:
    """What one request may take.

    Args:
        body: bytes of its body.
        receiving: seconds until its body is there.
        seconds: until it is answered.
        rows: rows of a prediction.
    """

    body: int = 2_000_000
    receiving: float = 30.0
    seconds: float = 300.0
    rows: int = 1000


class Service:
    """What the routes ask.

    Args:
        fleet: the models.
        engine: answers jobs.
        limits: what one request may take.
        telemetry: metrics and logs.
    """

    def __init__(
        self, fleet: Fleet, engine: Engine | RemoteEngine, limits: Limits, telemetry: Telemetry
    ) -> None:
        self.fleet = fleet
        self.engine = engine
        self.limits = limits
        self.telemetry = telemetry
        self.started = int(time.time())

    def writer(self, name: str) -> Served:
        """The run whose base and task stand behind a model's name; raises :class:`ApiError`."""
        writers = self.fleet.writers
        if name not in writers:
            known = ", ".join(writers) or "none, as these runs' models write no text"
            raise ApiError(
                404,
                f"the model {name[:100]!r} does not exist; there is {known}",
                param="model",
                code="model_not_found",
            )
        return writers[name]

    # -- jobs --------------------------------------------------------------------------------------
    def submit(self, jobs: Sequence[Job]) -> None:
        """Put all jobs of a request into the queue, or none.

        Raises:
            ApiError: 429 where the queue is full, 503 where the server is being stopped.
        """
        try:
            self.engine.submit(*jobs)
        except Full as error:
            self.telemetry.refused("queue")
            raise ApiError(
                429, str(error), code="rate_limit_exceeded", retry=error.seconds
            ) from error
        except Closed as error:
            raise ApiError(503, str(error), retry=1) from error

    async def answers(self, jobs: Sequence[Job], request: Request) -> None:
        """Submit jobs and wait for all of them.

        Raises:
            ApiError: they failed, took too long, or the client has gone.
        """
        self.submit(jobs)
        await self.wait(jobs, request)

    async def wait(self, jobs: Sequence[Job], request: Request) -> None:
        """Wait until all jobs are done; see :meth:`answers`."""
        gone = asyncio.ensure_future(disconnected(request))
        open_ = {job.done for job in jobs}
        try:
            async with asyncio.timeout(self.limits.seconds):
                while open_ and not gone.done():
                    await asyncio.wait({gone, *open_}, return_when=asyncio.FIRST_COMPLETED)
                    open_ = {one for one in open_ if not one.done()}
            if open_:
                self.telemetry.gone(jobs[0].model)
                raise ApiError(499, "the client closed the connection")
            for job in jobs:
                self._raise_failure(job.done.exception())
        except TimeoutError as error:
            self.telemetry.refused("time")
            sentence = f"the request took longer than {self.limits.seconds:g} s"
            raise ApiError(504, sentence) from error
        finally:
            for job in jobs:
                job.cancel()
            gone.cancel()

    async def pieces(
        self, jobs: Sequence[Writing], request: Request
    ) -> AsyncIterator[tuple[int, str]]:
        """The pieces of text of all jobs as they come, each with the index of its job.

        Raises:
            ApiError: as :meth:`answers`.
        """
        merged: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()

        for index, job in enumerate(jobs):
            job.receive = functools.partial(_numbered, merged, index)
        waiting = asyncio.ensure_future(self.wait(jobs, request))
        waiting.add_done_callback(lambda _: merged.put_nowait(None))
        try:
            while (event := await merged.get()) is not None:
                yield event
            await waiting
        finally:
            waiting.cancel()

    def _raise_failure(self, error: BaseException | None) -> None:
        if error is None:
            return
        if isinstance(error, EngineError):
            raise ApiError(502, str(error)) from error
        if isinstance(error, ToolkitError):
            raise ApiError(400, str(error)) from error
        self.telemetry.failed(error)
        raise ApiError(
            500, "the model failed on this request; the server's log has the reason"
        ) from error

    # -- the log -----------------------------------------------------------------------------------
    def note(self, request: Request, model: str, **texts: Any) -> None:
        """Keep which model a request asks, and its texts where they are logged."""
        request.state.model = model
        request.state.texts = texts if self.telemetry.log_texts else {}

    def written(self, request: Request, jobs: Sequence[Writing]) -> None:
        """Count the tokens of an answered request."""
        read = sum(len(job.prompt.ids) for job in jobs)
        made = sum(len(job.tokens) for job in jobs)
        self.telemetry.tokens(jobs[0].model, read, made)
        request.state.figures = {
            "prompt_tokens": read, "completion_tokens": made, **_waited(jobs),
            "first_token_seconds": round(min(job.first or 0.0 for job in jobs), 4),
        }  # fmt: skip
        if self.telemetry.log_texts:
            request.state.texts |= {"answers": [job.text.text for job in jobs]}

    def predicted(self, request: Request, job: Any) -> None:
        """Count the rows of an answered request."""
        self.telemetry.rows(job.model, len(job.rows))
        request.state.figures = {"rows": len(job.rows), **_waited([job])}
        if self.telemetry.log_texts:
            request.state.texts |= {"predictions": [one["prediction"] for one in job.answers]}


def _numbered(merged: asyncio.Queue[Any], index: int, piece: str) -> None:
    merged.put_nowait((index, piece))


def _waited(jobs: Sequence[Job]) -> dict[str, Any]:
    return {"queued_seconds": round(jobs[0].waited, 4), "batch": jobs[0].batch}


async def disconnected(request: Request) -> None:
    """Return once the client has closed the connection; the body must have been read."""
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            return
