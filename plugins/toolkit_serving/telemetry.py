"""What is counted and logged: Prometheus metrics of each model, and a JSON line a request.

Lines hold no texts of requests or answers unless they are asked for.
"""

from __future__ import annotations

import datetime
import functools
import json
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from toolkit.system import redacted
from toolkit_serving.jobs import Job

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
BATCH = (1, 2, 4, 8, 16, 32, 64)
NO_MODEL = "none"
"""The label of requests that name no model that is served."""


class Telemetry:
    """Metrics in a registry of their own, and the log.

    Args:
        models: the names that are served; other names make no series of their own.
        log_texts: write the texts of requests and answers into the log.
        file: where lines go; standard error by default.
    """

    def __init__(
        self, models: Sequence[str], *, log_texts: bool = False, file: TextIO | None = None
    ) -> None:
        self.models = frozenset(models)
        self.log_texts = log_texts
        self.file = file or sys.stderr
        self.registry = CollectorRegistry()
        self._lock = threading.Lock()
        kept = functools.partial(_metric, registry=self.registry)
        self._requests: Counter = kept(
            Counter, "requests", "Requests.", ("model", "route", "status")
        )
        self._seconds: Histogram = kept(
            Histogram, "request_seconds", "Seconds of requests.", ("model", "route"),
            buckets=SECONDS,
        )  # fmt: skip
        self._tokens: Counter = kept(
            Counter, "tokens", "Tokens read (prompt) and written (completion).", ("model", "kind")
        )
        self._rows: Counter = kept(Counter, "rows", "Rows predicted.", ("model",))
        self._batch: Histogram = kept(
            Histogram, "batch_jobs", "Jobs answered together.", buckets=BATCH
        )
        self._batch_seconds: Histogram = kept(
            Histogram, "batch_seconds", "Seconds of batches.", buckets=SECONDS
        )
        self._refused: Counter = kept(Counter, "refused", "Requests refused.", ("by",))
        self._gone: Counter = kept(Counter, "cancelled", "Clients that went away.", ("model",))
        self._failures: Counter = kept(Counter, "failures", "Requests the model failed on.")
        self._waiting: Gauge = kept(Gauge, "queue_jobs", "Jobs that wait.")
        for model in models:  # series are there from the start, so that rates are right
            for kind in ("prompt", "completion"):
                self._tokens.labels(model, kind)

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        """Read the length of the queue from now on by calling ``waiting``."""
        self._waiting.set_function(waiting)

    def request(self, model: str | None, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        label = model if model in self.models else NO_MODEL
        self._requests.labels(label, route, status).inc()
        self._seconds.labels(label, route).observe(seconds)

    def tokens(self, model: str, read: int, written: int) -> None:
        """Count tokens."""
        self._tokens.labels(model, "prompt").inc(read)
        self._tokens.labels(model, "completion").inc(written)

    def rows(self, model: str, count: int) -> None:
        """Count predicted rows."""
        self._rows.labels(model).inc(count)

    def batch(self, jobs: Sequence[Job], seconds: float) -> None:
        """Count a batch."""
        self._batch.observe(len(jobs))
        self._batch_seconds.observe(seconds)

    def refused(self, by: str) -> None:
        """Count a request that was refused."""
        self._refused.labels(by).inc()

    def gone(self, model: str) -> None:
        """Count a client that went away."""
        self._gone.labels(model).inc()

    def failed(self, error: BaseException) -> None:
        """Log why the model failed: the kind of error and the places, but no text of a request."""
        self._failures.inc()
        places = [f"{f.filename}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
        reason = {"reason": str(error)} if self.log_texts else {}
        self.log("failure", error=type(error).__name__, places=places[-6:], **reason)

    def log(self, event: str, **values: Any) -> None:
        """Write one line."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, **values}, ensure_ascii=False, default=str)
        with self._lock:
            self.file.write(redacted(line) + "\n")
            self.file.flush()


def _metric(
    kind: Any,
    name: str,
    about: str,
    labels: Sequence[str] = (),
    *,
    registry: CollectorRegistry,
    **options: Any,
) -> Any:
    """A metric of a registry, under the toolkit's own prefix."""
    return kind(name, about, labels, namespace="toolkit", registry=registry, **options)


def figures(state: Any) -> Mapping[str, Any]:
    """What a request's state holds for its line: model, figures, and texts where they are logged.

    Args:
        state: the ``state`` of the request's scope.
    """
    found = {"model": state.get("model"), **state.get("figures", {})}
    return found | ({"texts": state["texts"]} if state.get("texts") else {})
