"""The page as it is built, without a model and without a browser."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("gradio", reason="the extra 'playground' brings gradio")

from cli_runner import environment
from toolkit import cli
from toolkit.errors import UsageError
from toolkit_playground import serve
from toolkit_playground.app import QUEUE
from toolkit_playground.views import inputs, page
from toolkit_playground.views.chat import conversation, until


def visitor(name: str) -> Any:
    return SimpleNamespace(session_hash=name)


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
    # In a process of its own: gradio leaves event loops open.
    done = subprocess.run(
        [sys.executable, "-c", BUILT, str(tmp_path)], env=environment(), capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["most"] == QUEUE and len(found["asking"]) >= 4 and set(found["asking"]) == {1}
    assert found["public"] == ["chat", "compare", "panel"]


def test_a_stop_sign_is_of_one_session_and_one_view() -> None:
    sessions = page.Sessions()
    mine = sessions.begin(visitor("a"), "compare")
    other = sessions.begin(visitor("b"), "compare")
    chat = sessions.begin(visitor("a"), "chat")
    sessions.stop(visitor("a"), "compare")
    assert (mine.is_set(), other.is_set(), chat.is_set()) == (True, False, False)
    with sessions.sign(visitor("a"), "compare") as waiting:
        assert waiting is mine  # pressed while it still waited for its turn
    with sessions.sign(visitor("a"), "compare") as fresh:
        assert not fresh.is_set()
    sessions.leave(visitor("a"))
    assert chat.is_set() and not other.is_set()


def test_a_new_request_replaces_the_one_before() -> None:
    sessions = page.Sessions()
    before: threading.Event = sessions.begin(visitor("a"), "compare")
    assert not sessions.begin(visitor("a"), "compare").is_set() and before.is_set()


def test_sampling_is_greedy_unless_asked_and_nonsense_is_refused() -> None:
    assert inputs.generation(10, 0, 1, 0, 1) == {
        "max_new_tokens": 10, "num_beams": 1, "do_sample": False
    }  # fmt: skip
    sampled = inputs.generation(10, 0.7, 0.9, 40, 1.2)
    assert sampled["do_sample"] and sampled["repetition_penalty"] == 1.2
    for wrong in ((0, 0, 1, 0, 1), (10**6, 0, 1, 0, 1), (5, -1, 1, 0, 1), (5, 1, 0, 0, 1)):
        with pytest.raises(UsageError):
            inputs.generation(*wrong)


def test_each_side_of_a_chat_hears_only_itself() -> None:
    turns = [
        {"user": "one", "base": "b1", "adapter": "a1"}, {"user": "two", "base": "b2"},
        {"user": "three"},
    ]  # fmt: skip
    said = [m["content"] for m in conversation(turns, "adapter", " be brief ")]
    assert said == ["be brief", "one", "a1", "three"]
    # The adapter's box shows one, a1, two, three: its third message is the second turn.
    assert until(turns, 2, "adapter") == [turns[0], {"user": "two"}]
    assert until(turns, 3, "base") == [turns[0], {"user": "two"}]


def test_run_play_opens_the_playground_on_that_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    done = SimpleNamespace(path=tmp_path / "runs" / "task" / "id")
    monkeypatch.setattr("toolkit.pipeline.start.start", lambda *args, **keys: done)
    monkeypatch.setattr("toolkit.cli.run._go", lambda run, as_json: None)
    monkeypatch.setattr(serve, "serve", lambda names, **keys: opened.append((names, keys["runs"])))
    monkeypatch.setattr(
        "sys.argv", ["toolkit", "run", "price-regression", "--play", "--runs", str(tmp_path)]
    )
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code in (0, None) and opened == [([str(done.path)], tmp_path)]
