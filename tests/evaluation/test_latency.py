"""How long single answers take: with progress, and with an end where they take long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from toolkit.evaluation import latency


class Clock:
    """A model that takes a second for an answer, on a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        self.now, self.seconds = 0.0, seconds
        monkeypatch.setattr(latency.time, "perf_counter", lambda: self.now)

    def predict(self, rows: Sequence[Any], *, adapter: bool) -> None:
        self.now += self.seconds


@pytest.mark.parametrize(("seconds", "number"), [(1.0, 40), (10.0, 9), (500.0, 5)])
def test_timing_ends(monkeypatch: pytest.MonkeyPatch, seconds: float, number: int) -> None:
    seen: list[tuple[int, int]] = []
    model: Any = Clock(monkeypatch, seconds)
    monkeypatch.setattr(latency, "QUESTIONS", 40)  # the tests' own runs time fewer, see conftest.py
    found = latency.measure(model, [{}] * 100, lambda *at: seen.append(at))
    assert found["single_seconds"] == [seconds] * number
    assert seen == [(at, 44) for at in range(1, number + 5)]
