"""``/v1``: OpenAI's API in front of the base and its adapters."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from toolkit_serving import logprobs, messages
from toolkit_serving.errors import ApiError
from toolkit_serving.jobs import Prompt, Writing
from toolkit_serving.sampling import Sampling
from toolkit_serving.schema import (
    ChatChoice,
    ChatCompletion,
    ChatMessage,
    ChatRequest,
    Completion,
    CompletionChoice,
    CompletionRequest,
    Failure,
    Generation,
    Model,
    Models,
    Usage,
)
from toolkit_serving.service import Service
from toolkit_serving.texts import Following

FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failure} for status in (400, 401, 404, 408, 413, 429, 500, 502, 503, 504)
}
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}
DONE = "[DONE]"


def router(service: Service) -> APIRouter:
    """The routes of OpenAI's API."""
    made = APIRouter(prefix="/v1", tags=["OpenAI"], responses=FAILURES)

    @made.get("/models")
    async def models() -> Models:
        """The base and the adapters on it."""
        return Models(data=[model_of(service, name) for name in service.fleet.writers])

    @made.get("/models/{name}")
    async def model(name: str) -> Model:
        """One of them."""
        service.writer(name)
        return model_of(service, name)

    @made.post("/chat/completions", response_model=ChatCompletion, responses=STREAMED)
    async def chat(body: ChatRequest, request: Request) -> Any:
        """Answer a conversation, by the model's chat template."""
        checked(body)
        served = service.writer(body.model)
        talk = [
            {"role": "system" if one.role == "developer" else one.role,
             "content": messages.content(
                 one.content if isinstance(one.content, str)
                 else [part.model_dump() for part in one.content])}
            for one in body.messages
        ]  # fmt: skip
        ids = messages.of_conversation(served, body.model, talk)
        wanted = body.max_completion_tokens or body.max_tokens
        top = (body.top_logprobs or 0) if body.logprobs else None
        if body.top_logprobs and not body.logprobs:
            raise ApiError(400, "top_logprobs needs logprobs to be true", param="top_logprobs")
        (job,) = jobs_of(service, body, [ids], wanted, top)
        service.note(request, body.model, prompt=talk)
        if body.streamed:
            return stream(Stream(service, request, body, [job], chat=True))
        await service.answers([job], request)
        service.written(request, [job])
        return ChatCompletion(
            id=f"chatcmpl-{uuid.uuid4().hex}",
            created=int(time.time()),
            model=body.model,
            choices=[
                ChatChoice(
                    index=0,
                    message=ChatMessage(content=job.text.text),
                    logprobs=logprobs.of_chat(served, job.scores.scored) if body.logprobs else None,
                    finish_reason=job.stop_reason,
                )
            ],
            usage=usage([job]),
        )

    @made.post("/completions", response_model=Completion, responses=STREAMED)
    async def completions(body: CompletionRequest, request: Request) -> Any:
        """Continue texts, or token ids, as they are."""
        checked(body)
        served = service.writer(body.model)
        prompts = [
            messages.of_text(served, one) if isinstance(one, str) else one for one in body.prompts
        ]
        jobs = jobs_of(service, body, prompts, body.max_tokens, body.logprobs)
        service.note(request, body.model, prompt=body.prompt)
        if body.streamed:
            return stream(Stream(service, request, body, jobs, chat=False))
        await service.answers(jobs, request)
        service.written(request, jobs)
        return Completion(
            id=f"cmpl-{uuid.uuid4().hex}",
            created=int(time.time()),
            model=body.model,
            choices=[
                CompletionChoice(
                    index=index,
                    text=job.text.text,
                    logprobs=None
                    if body.logprobs is None
                    else logprobs.of_completion(served, job.scores.scored),
                    finish_reason=job.stop_reason,
                )
                for index, job in enumerate(jobs)
            ],
            usage=usage(jobs),
        )

    return made


def model_of(service: Service, name: str) -> Model:
    """A served model as ``/v1/models`` shows it."""
    first = service.fleet.first
    assert first is not None
    root = str(first.run.info["recipe"]["model"])
    adapter = service.fleet.members.get(name)
    return Model(
        id=name,
        created=service.started,
        root=root if adapter is None else adapter.run.id,
        parent=None if adapter is None else root,
    )


def checked(body: Generation) -> None:
    """Refuse what is not done here; raises :class:`ApiError`."""
    if name := body.unsupported():
        raise ApiError(
            400, f"{name} is not supported by this server", param=name, code="unsupported_parameter"
        )
    if body.stream_options is not None and not body.streamed:
        raise ApiError(400, "stream_options needs stream to be true", param="stream_options")


def jobs_of(
    service: Service,
    body: Generation,
    prompts: Sequence[Sequence[int]],
    wanted: int | None,
    top: int | None,
) -> list[Writing]:
    """A job for each prompt; nothing is submitted yet."""
    served = service.writer(body.model)
    model = messages.text_model(served)
    stops = model.renderer.stops
    side = service.fleet.side(body.model)
    made = []
    for number, ids in enumerate(prompts):
        sampling = Sampling(
            temperature=body.temperature or 0.0,
            top_p=1.0 if body.top_p is None else body.top_p,
            seed=None if body.seed is None else body.seed + number,
            top=top,
        )
        most = messages.room(served, ids, wanted)
        prompt = Prompt(body.model, side, ids, most, sampling, body.stops)
        text = Following(model.tokenizer, body.stops, stops)
        made.append(Writing(prompt, text))
    return made


def usage(jobs: Sequence[Writing]) -> Usage:
    """The tokens of a request's answers."""
    read = sum(len(job.prompt.ids) for job in jobs)
    written = sum(len(job.tokens) for job in jobs)
    return Usage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)


def stream(events: Stream) -> Response:
    """A response of server-sent events; a full queue is still answered with its own status."""
    events.submit()
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(events.lines(), media_type="text/event-stream", headers=headers)


class Stream:
    """The events of one streamed request.

    Args:
        service: answers its jobs.
        request: the request, by which a client that has gone is noticed.
        body: what was asked.
        jobs: one for each prompt.
        chat: whether the events are those of chat or of completions.
    """

    def __init__(
        self,
        service: Service,
        request: Request,
        body: ChatRequest | CompletionRequest,
        jobs: Sequence[Writing],
        *,
        chat: bool,
    ) -> None:
        self.service = service
        self.request = request
        self.body = body
        self.jobs = jobs
        self.chat = chat
        self.id = f"{'chatcmpl' if chat else 'cmpl'}-{uuid.uuid4().hex}"
        self.created = int(time.time())
        self.shown = [0] * len(jobs)
        """How many tokens of each answer have had their log probabilities sent."""

    def submit(self) -> None:
        """Put the jobs into the queue."""
        self.service.submit(self.jobs)

    async def lines(self) -> AsyncIterator[str]:
        """The events as they are sent."""
        ended = False
        try:
            if self.chat:
                yield self._event([{"index": 0, "delta": {"role": "assistant", "content": ""}}])
            async for index, piece in self.service.pieces(self.jobs, self.request):
                yield self._event([self._choice(index, piece)])
            for index, job in enumerate(self.jobs):
                yield self._event([self._choice(index, "", job.stop_reason)])
            if self.body.with_usage:
                yield self._event([], usage(self.jobs).model_dump())
            self.service.written(self.request, self.jobs)
            ended = True
            yield f"data: {DONE}\n\n"
        except ApiError as error:  # the status is sent already: the error is an event of its own
            ended = True
            yield f"data: {json.dumps(error.body())}\n\n"
        finally:
            for job in self.jobs:
                job.cancel()
            if not ended:  # the framework ends a stream that nobody reads
                self.service.telemetry.gone(self.body.model)

    def _choice(self, index: int, piece: str, reason: str | None = None) -> dict[str, Any]:
        key: dict[str, Any] = {"text": piece}
        if self.chat:
            key = {"delta": {"content": piece} if piece else {}}
        return {"index": index, **key, "logprobs": self._logprobs(index), "finish_reason": reason}

    def _logprobs(self, index: int) -> dict[str, Any] | None:
        """The log probabilities of the tokens since the last event."""
        job = self.jobs[index]
        if job.prompt.sampling.top is None:
            return None
        served = self.service.writer(self.body.model)
        scored = job.scores.scored
        start, end = self.shown[index], len(scored)
        self.shown[index] = end
        if self.chat:
            return logprobs.of_chat(served, scored[start:end]).model_dump()
        whole = logprobs.of_completion(served, scored[:end]).model_dump()
        return {name: values[start:] for name, values in whole.items()}

    def _event(self, choices: list[dict[str, Any]], used: dict[str, Any] | None = None) -> str:
        kind = "chat.completion.chunk" if self.chat else "text_completion"
        event = {
            "id": self.id, "object": kind, "created": self.created, "model": self.body.model,
            "choices": choices,
        }  # fmt: skip
        if self.body.with_usage:
            event["usage"] = used
        return f"data: {json.dumps(event, ensure_ascii=False)}\n\n"
