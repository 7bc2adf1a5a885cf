"""The page as it is built, without a model and without a browser."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("gradio", reason="the extra 'playground' brings gradio")

from cli_runner import environment
from toolkit import cli
from toolkit_playground import serve
from toolkit_playground.app import QUEUE

BUILT = """
import json, sys
from pathlib import Path
from toolkit_playground.app import build
from toolkit_playground.state.library import Library
demo = build(Library(Path(sys.argv[1])), Path(sys.argv[1]))
asking = [f.concurrency_limit for f in demo.fns.values() if f.concurrency_id == "model"]
named = [f for f in demo.fns.values() if f.api_visibility == "public" and f.api_name]
public = sorted(f.api_name for f in named)
print(json.dumps({"most": demo._queue.max_size, "asking": asking, "public": public}))
"""


def test_the_queue_is_bounded_and_the_model_is_asked_one_at_a_time(tmp_path: Path) -> None:
    # In a process of its own: gradio leaves event loops open. It warns of functions that it cannot
    # give what they take, as of one that stops a session whose tab was closed.
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning:gradio.utils", "-c", BUILT, str(tmp_path)],
        env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["most"] == QUEUE and len(found["asking"]) >= 4 and set(found["asking"]) == {1}
    assert found["public"] == ["chat", "compare", "prediction"]


def test_run_play_opens_the_playground_on_that_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    done = SimpleNamespace(path=tmp_path / "runs" / "task" / "id")
    monkeypatch.setattr("toolkit.pipeline.start.start", lambda *args, **keys: done)
    monkeypatch.setattr("toolkit.cli.run._go", lambda run, as_json, work: None)
    monkeypatch.setattr(serve, "serve", lambda names, **keys: opened.append((names, keys["runs"])))
    monkeypatch.setattr(
        "sys.argv", ["toolkit", "run", "price-regression", "--play", "--runs", str(tmp_path)]
    )
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code in (0, None) and opened == [([str(done.path)], tmp_path)]
