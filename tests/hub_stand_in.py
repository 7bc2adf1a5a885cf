"""A local stand-in for the Hub's HTTP interface: repositories, revisions, commits, large files.

What ``huggingface_hub`` 1.x asks for a push, answered from memory. A test says by ``trouble`` what
goes wrong: it gets the path and the number of the request, and gives a status, seconds to wait, or
nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_" + "StandInTokenOfTheTests0123456789"


@dataclass
class Repository:
    """A repository: whether it is private, and the files of each revision."""

    private: bool
    revisions: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"main": {}})
    messages: list[str] = field(default_factory=list)


class HubStandIn:
    """The server.

    Attributes:
        repositories: by their names.
        trouble: a function of a request's path and its number among all, from 1 on.
        paths: of all requests.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}
        self.trouble: Callable[[str, int], int | float | None] = lambda path, number: None
        self.paths: list[str] = []
        outer, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def answer(self, status: int, content: Any = None, **headers: str) -> None:
                data = json.dumps({} if content is None else content).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            def handle_any(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(size)
                with lock:
                    outer.paths.append(self.path)
                    number = len(outer.paths)
                wrong = outer.trouble(self.path, number)
                if isinstance(wrong, float):
                    time.sleep(wrong)
                elif wrong == 0:
                    self.close_connection = True
                    return
                elif wrong:
                    self.answer(wrong, {"error": "in trouble"})
                    return
                known = self.headers.get("authorization") == f"Bearer {TOKEN}"
                if not known and not self.path.startswith("/large/"):
                    self.answer(401, {"error": "Invalid credentials"})
                    return
                with lock:
                    status, content = outer.reply(self.command, self.path.partition("?")[0], body)
                code = {"X_Error_Code": content["code"]} if "code" in content else {}
                self.answer(status, content, **code)

            do_GET = do_POST = do_PUT = do_HEAD = handle_any

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def reply(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Status and content of an answer."""
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path.startswith("/large/"):
            self.large[path.rpartition("/")[2]] = body
            return 200, {}
        if found := re.fullmatch(r"/([^/]+/[^/]+)\.git/info/lfs/objects/batch", path):
            return self._batch(json.loads(body))
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(\w+)/?(.*))?", path)
        if not found or found[1] not in self.repositories:
            return 404, {"error": "Repository not found", "code": "RepoNotFound"}
        repository, what, rest = self.repositories[found[1]], found[2], found[3]
        if what is None:
            return 200, {"id": found[1], "private": repository.private, "siblings": []}
        if what == "branch":
            known = rest in repository.revisions
            repository.revisions.setdefault(rest, {})
            return (409, {"error": "it exists"}) if known else (200, {})
        if rest not in repository.revisions:
            return 404, {"error": "Revision not found", "code": "RevisionNotFound"}
        if what == "preupload":
            return 200, {"files": [self._mode(one) for one in json.loads(body)["files"]]}
        assert what == "commit"
        return self._commit(found[1], repository, rest, body)

    def _create(self, asked: dict[str, Any]) -> tuple[int, Any]:
        name = f"{asked['organization']}/{asked['name']}"
        answer = {"url": f"{self.url}/{name}", "name": name}
        if name in self.repositories:
            return 409, {"error": "it exists", **answer}
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        self.repositories[name] = Repository(private)
        return 200, answer

    @staticmethod
    def _mode(file: dict[str, Any]) -> dict[str, Any]:
        large = file["path"].endswith((".safetensors", ".gguf", ".onnx"))
        mode = "lfs" if large else "regular"
        return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": None}

    def _batch(self, asked: dict[str, Any]) -> tuple[int, Any]:
        objects = [
            {**one, "actions": {"upload": {"href": f"{self.url}/large/{one['oid']}"}}}
            for one in asked["objects"]
        ]
        return 200, {"transfer": "basic", "objects": objects}

    def _commit(
        self, name: str, repository: Repository, revision: str, body: bytes
    ) -> tuple[int, Any]:
        files: dict[str, bytes] = {}
        for line in map(json.loads, body.decode().splitlines()):
            value = line["value"]
            if line["key"] == "header":
                repository.messages.append(value["summary"])
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            else:
                files[value["path"]] = self.large[value["oid"]]
        repository.revisions[revision].update(files)
        oid = hashlib.sha256(body).hexdigest()[:40]
        return 200, {"commitUrl": f"{self.url}/{name}/commit/{oid}", "commitOid": oid}
