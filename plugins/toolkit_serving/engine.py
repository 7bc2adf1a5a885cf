"""The one thread that has the models: requests that arrive together are answered in one batch.

PEFT's mixed batches hang hooks on the one model while they run, so two batches must never overlap.
"""

from __future__ import annotations

import collections
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.kinds import TextModel, Watch
from toolkit.pipeline import of_outputs
from toolkit_serving.jobs import Job, Predicting, Writing
from toolkit_serving.served import Fleet, Served


class Full(Exception):
    """Too many requests are waiting.

    Args:
        seconds: after which to try again.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many requests are waiting; try again in {seconds} s")
        self.seconds = seconds


class Closed(Exception):
    """The server is being stopped, or its model's thread has died."""


@dataclass(frozen=True)
class Batching:
    """How requests are gathered.

    Args:
        window: seconds that the first of them waits for others.
        most: requests in a batch; 1 answers them one at a time.
        queue: requests that may wait.
    """

    window: float = 0.005
    most: int = 32
    queue: int = 128


class Engine:
    """Answers jobs, in the order in which they come, batch by batch.

    Args:
        fleet: the models.
        batching: how requests are gathered.
        observe: called with each batch of jobs that is answered together and its seconds.
    """

    def __init__(
        self,
        fleet: Fleet,
        batching: Batching = Batching(),
        observe: Callable[[Sequence[Job], float], None] = lambda jobs, seconds: None,
    ) -> None:
        self.fleet = fleet
        self.batching = batching
        self.observe = observe
        self._waiting: collections.deque[Job] = collections.deque()
        self._changed = threading.Condition()
        self._closed = False
        self._running = False
        self._pace = 1.0
        """Seconds that a batch takes, averaged over the last ones."""
        self._thread = threading.Thread(target=self._work, name="serving-model", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether a batch is being answered, or something waits."""
        return self._running or bool(self._waiting)

    @property
    def ready(self) -> bool:
        """Whether requests are answered."""
        return self._thread.is_alive() and not self._closed

    def submit(self, *jobs: Job) -> None:
        """Put all jobs of a request into the queue, or none of them.

        Raises:
            Full: the queue is full.
            Closed: the server is being stopped.
        """
        with self._changed:
            if not self.ready:
                raise Closed("the server is being stopped")
            if self._waiting and len(self._waiting) + len(jobs) > self.batching.queue:
                batches = len(self._waiting) / self.batching.most
                raise Full(max(1, math.ceil(batches * self._pace)))
            self._waiting.extend(jobs)
            self._changed.notify()

    def close(self) -> None:
        """Finish what waits and what runs, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    # -- the thread --------------------------------------------------------------------------------
    def _work(self) -> None:
        while batch := self._next():
            started = time.perf_counter()
            for job in batch:
                job.waited, job.batch = started - job.queued, len(batch)
            for jobs, answer in self._groups(batch):
                self._answer(jobs, answer)
            self._pace += 0.2 * (time.perf_counter() - started - self._pace)
            self._running = False

    def _next(self) -> list[Job]:
        """The next batch; empty once the engine is closed and nothing waits."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return []
                until = self._waiting[0].queued + self.batching.window
                while len(self._waiting) < self.batching.most and not self._closed:
                    left = until - time.perf_counter()
                    if left <= 0:
                        break
                    self._changed.wait(left)
                count = min(self.batching.most, len(self._waiting))
                taken = [self._waiting.popleft() for _ in range(count)]
                if batch := [job for job in taken if not _dropped(job)]:
                    self._running = True
                    return batch

    def _groups(
        self, batch: Sequence[Job]
    ) -> list[tuple[Sequence[Any], Callable[[Sequence[Any]], None]]]:
        """What can be answered together: all texts, and the rows of one run by one system."""
        texts = [job for job in batch if isinstance(job, Writing)]
        groups: dict[tuple[str, bool], list[Predicting]] = {}
        for job in batch:
            if isinstance(job, Predicting):
                groups.setdefault((job.served.name, job.base), []).append(job)
        found: list[tuple[Sequence[Any], Callable[[Sequence[Any]], None]]] = []
        if texts:
            found.append((texts, self._write))
        return found + [(jobs, _predict) for jobs in groups.values()]

    def _answer(self, jobs: Sequence[Job], answer: Callable[[Sequence[Any]], None]) -> None:
        """Answer jobs together; where that fails, one by one, so that one spoils no other."""
        started = time.perf_counter()
        try:
            answer(jobs)
        except BaseException as error:  # whoever waits gets it; the thread goes on
            begun = any(isinstance(job, Writing) and job.tokens for job in jobs)
            if len(jobs) > 1 and not begun:
                for job in jobs:
                    self._answer([job], answer)
                return
            for job in jobs:
                job.finish(error)
        else:
            for job in jobs:
                job.finish()
        self.observe(jobs, time.perf_counter() - started)

    def _write(self, jobs: Sequence[Writing]) -> None:
        first = self.fleet.first
        assert first is not None and isinstance(first.kind, TextModel)
        model, stops = first.kind, first.kind.renderer.stops

        def on_token(index: int, token: int) -> None:
            jobs[index].on_token(token, stops)

        def ended(index: int) -> bool:
            return jobs[index].ended or jobs[index].cancelled.is_set()

        def scores(indices: Sequence[int], values: Any) -> Any:
            for place, index in enumerate(indices):
                if not jobs[index].scores.plain and not jobs[index].ended:
                    values[place] = jobs[index].scores(values[place])
            return values

        model.write_texts(
            [job.prompt.ids for job in jobs],
            [job.prompt.side for job in jobs],
            generation={
                "max_new_tokens": max(job.prompt.most for job in jobs),
                "do_sample": False,
                "num_beams": 1,
            },
            watch=Watch(
                on_token,
                ended=ended,
                scores=None if all(job.scores.plain for job in jobs) else scores,
            ),
        )
        for job in jobs:
            job.finish_text()


def _predict(jobs: Sequence[Predicting]) -> None:
    """Predict the rows of all jobs, which belong to one run and one system."""
    served, base = jobs[0].served, jobs[0].base
    rows = [row for job in jobs for row in job.rows]
    if isinstance(served.kind, TextModel) and not base:
        served.kind.select(served.adapter)
    outputs = served.kind.predict(rows, adapter=not base)
    at = 0
    for job in jobs:
        own = outputs[at : at + len(job.rows)]
        job.answers = answers_of(served, own, job.rows, base=base)
        at += len(job.rows)


def answers_of(
    served: Served, outputs: Sequence[Any], rows: Sequence[Any], *, base: bool
) -> list[dict[str, Any]]:
    """Predictions as ``toolkit predict`` gives them, with the probabilities of classes beside."""
    answers = of_outputs(served.run, served.task, served.system(base=base), outputs, rows)
    for answer, output in zip(answers, outputs, strict=True):
        labels = getattr(output, "labels", ())
        if labels:
            shares = output.probabilities.tolist()
            answer["probabilities"] = {
                str(label): share for label, share in zip(labels, shares, strict=True)
            }
    return answers


def _dropped(job: Job) -> bool:
    """Whether nobody waits for a job any more; it is marked as finished then."""
    if job.cancelled.is_set():
        job.finish(ToolkitError("the request was cancelled"))
        return True
    return False
