"""What the console prints of long work where there is no live display."""

from __future__ import annotations

import pytest

from toolkit.system import console


def test_the_time_left_follows_from_the_speed_since_the_first_step(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(console.time, "perf_counter", lambda: now)
    shown = []
    with console.Console(live=False).track("training") as progress:
        # A first step that takes a minute, of a training resumed at step 500; then one a second.
        for second, done in ((60.0, 501), (80.0, 521), (100.0, 541)):
            now = second
            progress(done, 1001)
            shown.append(capsys.readouterr().err.strip())
    assert shown == [
        "training: 501/1001",
        "training: 521/1001, 8 min 00 s left",
        "training: 541/1001, 7 min 40 s left",
    ]
