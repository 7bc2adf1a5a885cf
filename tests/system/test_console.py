"""What the console prints of long work where there is no live display."""

from __future__ import annotations

import contextlib
import io
import sys
import types

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


def test_in_a_notebook_progress_is_one_line_that_is_drawn_anew(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    class Handle:
        def update(self, content: dict[str, str], raw: bool) -> None:
            drawn.append(content["text/plain"])

    shown = types.SimpleNamespace(display=lambda *given, **named: Handle())
    monkeypatch.setitem(sys.modules, "IPython.display", shown)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    made = console.Console()
    with (
        contextlib.redirect_stdout(io.StringIO()) as taken,  # as a training does
        made.track("training") as progress,
    ):
        progress.detail = "loss 2.5"
        for step in range(1, 5):
            progress(step, 4)
        made.note("a note")
    assert taken.getvalue() == ""
    output = capsys.readouterr()
    assert output.out == "  a note\n" and output.err == ""
    assert len(drawn) == 3, "drawn at most four times a second, and at the end"
    assert drawn[-2].startswith(f"  training {'█' * 28} 4/4, loss 2.5") and drawn[-1] == ""


def test_a_console_within_silence_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with console.silent():
        console.Console().say("hush")
        with console.silent(False):
            console.Console().warn("hush")
    console.Console().say("heard")
    output = capsys.readouterr()
    assert output.out == "" and output.err == "heard\n"
