"""Clients of ``toolkit serve`` that know each answer beforehand: for benchmark and campaign."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOKENS = 32


@dataclass(frozen=True)
class Question:
    """A request and the only right answer to it.

    Args:
        path: the endpoint.
        body: what is sent.
        answer: the text, or the predictions, that must come back.
        rounding: by how much a figure may differ, as a share of it: what was seen without a server
            where other rows are in its batch.
    """

    path: str
    body: dict[str, Any]
    answer: Any
    rounding: float = 0.0


def questions(runs: Sequence[tuple[str, Path]], rows: int = 8) -> list[Question]:
    """Questions to the runs and to their base, each answered here by itself, without a server.

    Args:
        runs: the runs by the names that they are served under; all on one base.
        rows: held-out rows of each run that are asked.
    """
    from toolkit.kinds import TextModel
    from toolkit.pipeline import of_outputs
    from toolkit.runs import Run, read_jsonl
    from toolkit.system import Console
    from toolkit_serving import serve

    opened = [(name, Run.open(path)) for name, path in runs]
    fleet = serve.loaded(opened, Console(quiet=True))
    found = []
    for name, one in fleet.members.items():
        kind = one.kind
        assert isinstance(kind, TextModel)

        def predictions(given: Sequence[Any], one: Any = one) -> list[Any]:
            one.kind.select(one.adapter)
            outputs = one.kind.predict(given, adapter=True)
            answers = of_outputs(one.run, one.task, "adapter", outputs, given)
            return [answer["prediction"] for answer in answers]

        test = [r for r in read_jsonl(one.run.data / "heldout.jsonl") if r["split"] == "test"]
        asked = test[:rows]
        own = [{"row_id": 1, **{column: row[column] for column in one.columns}} for row in asked]
        alone = [predictions([row])[0] for row in own]
        rounding = _rounding(predictions, own, alone)
        for row, inputs, answer in zip(asked, own, alone, strict=True):
            ids = kind.prompt(row)
            for model in ("base", name):
                (made,) = kind.write_texts(
                    [ids], [fleet.side(model)], generation={"max_new_tokens": TOKENS}
                )
                body = {"model": model, "prompt": ids, "max_tokens": TOKENS}
                found.append(Question("/v1/completions", body, made.text))
            texts = [str(inputs[column]) for column in one.columns]
            body = {"rows": texts if len(texts) == 1 else [inputs]}
            found.append(Question(f"/tasks/{name}/predict", body, answer, rounding))
    return found


def _rounding(
    predictions: Callable[[Sequence[Any]], list[Any]],
    rows: Sequence[Any],
    alone: Sequence[Any],
    batches: int = 40,
) -> float:
    """The largest relative difference of a figure in batches with others, doubled; at least 1e-5.

    In float32 it is 1e-7 or so; in bfloat16, which has three digits, it can be half a percent.
    """
    draw, largest = random.Random(0), 0.0
    for _ in range(batches if isinstance(alone[0], float) else 0):
        picked = draw.sample(range(len(rows)), draw.randint(2, len(rows)))
        for place, said in zip(picked, predictions([rows[n] for n in picked]), strict=True):
            largest = max(largest, _apart(said, alone[place]))
    return max(1e-5, 2 * largest)


def _apart(said: float, wanted: float) -> float:
    return abs(said - wanted) / max(1.0, abs(wanted))


@dataclass
class Outcome:
    """What the clients saw.

    Args:
        seconds: of each answered request.
        errors: what went wrong.
        mixed: answers that were not the right ones.
        wall: seconds from the first request to the last answer.
    """

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    wall: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The figures, as JSON values."""
        ordered = sorted(self.seconds)
        return {
            "requests": len(ordered),
            "per_second": round(len(ordered) / self.wall, 2) if self.wall else 0.0,
            "p50_seconds": round(ordered[len(ordered) // 2], 4) if ordered else None,
            "p95_seconds": round(ordered[int(len(ordered) * 0.95)], 4) if ordered else None,
            "errors": self.errors[:5],
            "mixed": self.mixed[:5],
        }


def drive(
    url: str,
    asked: Sequence[Question],
    clients: int,
    *,
    requests: int | None = None,
    seconds: float | None = None,
) -> Outcome:
    """Ask at random, so many clients at once, each its next question after its last answer.

    Args:
        url: the server.
        asked: the questions.
        clients: how many at once.
        requests: stop after so many in all.
        seconds: or after so long.
    """
    outcome, lock = Outcome(), threading.Lock()
    left = [requests if requests is not None else 10**9]
    started = time.perf_counter()

    def more() -> bool:
        with lock:
            left[0] -= 1
            late = seconds is not None and time.perf_counter() - started >= seconds
            return left[0] >= 0 and not late

    threads = [
        threading.Thread(target=_client, args=(url, asked, number, more, outcome, lock))
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome.wall = time.perf_counter() - started
    return outcome


def _client(
    url: str, asked: Sequence[Question], seed: int, more: Any, outcome: Outcome, lock: Any
) -> None:
    import httpx

    choose = random.Random(seed)
    with httpx.Client(base_url=url, timeout=300) as client:
        while more():
            question = choose.choice(asked)
            began = time.perf_counter()
            try:
                reply = client.post(question.path, json=question.body)
                document = reply.json() if reply.status_code == 200 else None
            except Exception as error:
                document, reason = None, f"{type(error).__name__}: {error}"
            else:
                reason = f"{reply.status_code}: {reply.text[:200]}"
            took = time.perf_counter() - began
            with lock:
                if document is None:
                    outcome.errors.append(reason)
                    continue
                outcome.seconds.append(took)
                said = answer_of(document)
                if not same(said, question):
                    outcome.mixed.append(f"{said!r} and not {question.answer!r}")


def answer_of(document: dict[str, Any]) -> Any:
    """The text or the prediction of an answer."""
    if "choices" in document:
        return document["choices"][0]["text"]
    return document["predictions"][0]["prediction"]


def same(said: Any, question: Question) -> bool:
    """Whether an answer is the right one; figures may differ by the question's rounding."""
    wanted = question.answer
    if isinstance(said, float) and isinstance(wanted, int | float):
        return _apart(said, wanted) <= question.rounding
    return bool(said == wanted)
