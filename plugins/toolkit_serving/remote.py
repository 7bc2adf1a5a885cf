"""Task endpoints in front of another OpenAI-compatible server, such as vLLM's.

The prompts are rendered here, by the tokenizer and template that the adapters were trained with,
and sent as token ids; the answers are decoded here, with the run's decoder and intervals. So the
other server need only continue tokens, and it holds the weights.
"""

from __future__ import annotations

import concurrent.futures
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolkit import Generated, Row
from toolkit.errors import ToolkitError, UsageError
from toolkit.kinds import TextModel
from toolkit.pipeline import load_task, make_kind
from toolkit.runs import Run
from toolkit.system import hide
from toolkit_serving import messages
from toolkit_serving.engine import Batching, Closed, Full, answers_of
from toolkit_serving.jobs import Job, Predicting
from toolkit_serving.served import BASE_NAME, Fleet, Served

VARIABLE = "TOOLKIT_ENGINE_KEY"
"""The environment variable with the other server's key."""
SENT = {"max_new_tokens", "repetition_penalty"}
"""Fields of a recipe's ``[generation]`` that such a server is told."""
GREEDY: Mapping[str, Any] = {"do_sample": False, "num_beams": 1}
"""Fields that mean what is done in any case."""


class EngineError(ToolkitError):
    """The other server does not answer, or not as it should."""


def load(runs: Sequence[tuple[str, Run]]) -> Fleet:
    """Runs with their tokenizers, but without weights.

    Raises:
        UsageError: a run cannot be answered by a server that continues text.
    """
    members = {}
    for name, run in runs:
        if not run.done("train"):
            raise UsageError(f"run {run.id} has no adapter yet; go on: toolkit resume {run.path}")
        kind = make_kind(run, load_task(run))
        members[name] = Served(name, run, kind.task, kind)
        if reason := unfit(members[name]):
            raise UsageError(f"{name} cannot be answered through --engine-url: {reason}")
    return Fleet(members)


def unfit(served: Served) -> str:
    """Why a server that continues text cannot answer a run; empty: it can."""
    if not isinstance(served.kind, TextModel):
        return "its model is an encoder, which writes no text"
    decoder = served.decoder(base=False)
    if decoder in getattr(served.task, "distribution_decoders", ()):
        return (
            f"its decoder {decoder!r} reads the probabilities of numbers, of which such a server "
            "tells too few"
        )
    settings = served.kind.recipe.generation
    other = [k for k, v in settings.items() if k not in SENT and GREEDY.get(k, ...) != v]
    return f"its recipe sets generation.{other[0]}" if other else ""


class RemoteEngine:
    """Has the interface of :class:`toolkit_serving.engine.Engine`, and no model.

    Args:
        fleet: the runs.
        url: the other server's address, with or without ``/v1``.
        batching: how many requests are sent at once, and how many may wait.
        observe: called with each answered request and its seconds.
        timeout: seconds that the other server may take.
    """

    def __init__(
        self,
        fleet: Fleet,
        url: str,
        batching: Batching,
        observe: Callable[[Sequence[Job], float], None],
        timeout: float = 300,
    ) -> None:
        import httpx

        self.fleet = fleet
        self.batching = batching
        self.observe = observe
        key = os.environ.get(VARIABLE)
        if key:
            hide(key)
        self._client = httpx.Client(
            base_url=f"{url.rstrip('/').removesuffix('/v1')}/v1/",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=timeout,
        )
        self._pool = concurrent.futures.ThreadPoolExecutor(batching.most, "serving-remote")
        self._lock = threading.Lock()
        self._open = 0
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many requests wait, besides those that are being answered."""
        return max(0, self._open - self.batching.most)

    @property
    def busy(self) -> bool:
        """Whether a request is being answered."""
        return self._open > 0

    @property
    def ready(self) -> bool:
        """Whether requests are taken, and the other server answers."""
        if self._closed:
            return False
        try:
            self.check()
        except (EngineError, UsageError):
            return False
        return True

    def check(self) -> None:
        """Ask the other server for its models.

        Raises:
            EngineError: it does not answer.
            UsageError: it has no model of one of the runs' names.
        """
        found = {str(one.get("id")) for one in self._asked("GET", "models").get("data", ())}
        missing = [name for name in self.fleet.members if name not in found]
        if missing:
            raise UsageError(
                f"the server at {self._client.base_url} has no model {missing[0]!r}, only "
                f"{', '.join(sorted(found)) or 'none'}: name the runs as its models, with NAME=RUN"
            )

    def submit(self, *jobs: Job) -> None:
        """Send jobs on; raises :class:`Full` and :class:`Closed` as the engine does."""
        with self._lock:
            if self._closed:
                raise Closed("the server is being stopped")
            if self._open + len(jobs) > self.batching.queue + self.batching.most:
                raise Full(1)
            self._open += len(jobs)
        for job in jobs:
            self._pool.submit(self._work, job)

    def close(self) -> None:
        """Finish what is being answered."""
        self._closed = True
        self._pool.shutdown()
        self._client.close()

    # -- the threads -------------------------------------------------------------------------------
    def _work(self, job: Job) -> None:
        started = time.perf_counter()
        job.waited, job.batch = started - job.queued, 1
        try:
            assert isinstance(job, Predicting)
            if not job.cancelled.is_set():
                outputs = self.outputs(job.served, job.rows, base=job.base)
                job.answers = answers_of(job.served, outputs, job.rows, base=job.base)
            job.finish()
        except BaseException as error:  # whoever waits gets it
            job.finish(error)
        finally:
            with self._lock:
                self._open -= 1
            self.observe([job], time.perf_counter() - started)

    def outputs(self, served: Served, rows: Sequence[Row], *, base: bool) -> list[Generated]:
        """What the other server writes for rows, those with the same limit in one request."""
        model, task = messages.text_model(served), served.task
        prompts = [model.prompt(row) for row in rows]
        settings = served.kind.recipe.generation
        most = int(settings.get("max_new_tokens", model.answer_room))
        groups: dict[int, list[int]] = {}
        for place, (row, prompt) in enumerate(zip(rows, prompts, strict=True)):
            limit = getattr(task, "answer_tokens", lambda row: None)(row)
            room = messages.room(served, prompt, None)
            groups.setdefault(min(most, room, limit or most), []).append(place)
        found: dict[int, Generated] = {}
        for limit, places in groups.items():
            body = {
                "model": BASE_NAME if base else served.name,
                "prompt": [prompts[place] for place in places],
                "max_tokens": limit,
                "temperature": 0,
                "stop_token_ids": sorted(model.renderer.stops),  # vLLM's own field
            }
            if "repetition_penalty" in settings:
                body["repetition_penalty"] = settings["repetition_penalty"]
            choices = self._asked("POST", "completions", body).get("choices", ())
            if len(choices) != len(places):
                raise EngineError("the engine gave another number of answers than prompts")
            for choice in choices:
                found[places[int(choice["index"])]] = Generated(
                    text=str(choice["text"]), hit_limit=choice.get("finish_reason") == "length"
                )
        return [found[place] for place in range(len(rows))]

    def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        import httpx

        try:
            answer = self._client.request(method, path, json=body)
            found: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise EngineError(
                f"the engine at {self._client.base_url} does not answer: {type(error).__name__}"
            ) from error
        if answer.status_code != 200:
            message = (found.get("error") or found).get("message", "no reason given")
            if answer.status_code == 400:
                raise ToolkitError(f"the engine refuses: {message}")
            raise EngineError(f"the engine answers {answer.status_code}: {message}")
        return found
