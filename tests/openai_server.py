"""A local server of OpenAI's protocol that answers by a script: rightly, wrongly, or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100}
Script = Callable[[int, dict[str, Any]], tuple[int, Any]]


def chat(
    content: Any, usage: Any = USAGE, ended: str = "stop", **more: Any
) -> tuple[int, dict[str, Any]]:
    """Status and body of a chat completion."""
    message = {"role": "assistant", "content": content, **more}
    return 200, {"choices": [{"message": message, "finish_reason": ended}], "usage": usage}


class Server:
    """Answers by a script: a function from (number of the request, body) to (status, reply).

    A status of 0 cuts the connection; a reply with the key ``after`` of such an integer status has
    that header, one with ``stall`` sends a byte and then nothing for so many seconds.
    """

    def __init__(self, script: Script) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.paths: list[str] = []
        self.times: list[float] = []
        outer, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with lock:
                    outer.bodies.append(body)
                    outer.paths.append(self.path)
                    outer.keys.append(self.headers.get("authorization"))
                    outer.times.append(time.monotonic())
                    number = len(outer.bodies)
                status, reply = script(number, body)
                if status == 0:
                    self.close_connection = True
                    return
                after = reply.pop("after", "0") if isinstance(reply, dict) else "0"
                stall = reply.pop("stall", 0) if isinstance(reply, dict) else 0
                data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
                self.send_response(status)
                if status == 429:
                    self.send_header("retry-after", after)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                if stall:
                    self.wfile.write(data[:1])
                    self.wfile.flush()
                    time.sleep(stall)
                    self.close_connection = True
                    return
                self.wfile.write(data)

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def odd(content: str) -> dict[str, tuple[int, Any]]:
    """What servers send instead of a good reply, by a name for each.

    Args:
        content: what a good reply would say.
    """
    good = chat(content)[1]
    return {
        "no JSON": (200, b"<html>busy</html>"),
        "broken JSON": (200, json.dumps(good).encode()[:-20]),
        "bytes": (200, b"\xff\xfe\x00"),
        "a list": (200, []),
        "no choices": (200, {"choices": []}),
        "choices of texts": (200, {"choices": [content]}),
        "a bare-string message": (200, {"choices": [{"message": content}]}),
        "no message": (200, {"choices": [{"message": None}]}),
        "content of numbers": (200, {"choices": [{"message": {"content": 7}}]}),
        "an error in a good reply": (200, {"error": {"message": "overloaded"}}),
        "nesting": (200, b'{"choices": ' + b"[" * 100_000),
        "a huge number": (200, b'{"choices": ' + b"9" * 10_000 + b"}"),
        "a rate limit": (429, {"error": {"message": "slow down"}, "after": "0"}),
        "retry-after: -5": (429, {"after": "-5"}),
        "retry-after: nan": (429, {"after": "nan"}),
        "retry-after: a day of 1994": (429, {"after": "Sun, 06 Nov 1994 08:49:37 GMT"}),
        "retry-after: words": (429, {"after": "soon"}),
        "a server error": (500, b"Traceback"),
        "overload": (503, {"error": "a bare string"}),
        "a cut connection": (0, {}),
    }
