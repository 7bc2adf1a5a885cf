"""One server for all tests of ``toolkit serve``: two tasks on one base, and one on an encoder."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
import uvicorn

import serving_fixtures
from serving_fixtures import Site
from toolkit.runs.run import Run
from toolkit.system import Console
from toolkit_playground.serve import free_port
from toolkit_serving import serve
from toolkit_serving.keys import Keys
from toolkit_serving.service import Service


@pytest.fixture(scope="session")
def served_runs(
    tmp_path_factory: pytest.TempPathFactory, tiny_qwen: Path, tiny_bert: Path
) -> dict[str, Path]:
    """The folders of the runs by their tasks' names; tests must not change them."""
    folder = tmp_path_factory.mktemp("served")
    return serving_fixtures.make_runs(folder, tiny_qwen, tiny_bert)


@pytest.fixture(scope="session")
def site(served_runs: dict[str, Path]) -> Iterator[Site]:
    """A server of all three runs, without keys, whose requests wait a moment for others."""
    chosen = [(name, Run.open(path)) for name, path in served_runs.items()]
    options = serve.Options(window=0.05, batch=16, queue=16)
    log = io.StringIO()
    app = serve.application(chosen, Keys(), options, Console(quiet=True))
    service: Service = app.state.service
    service.telemetry.file = log
    port = free_port("127.0.0.1", None)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield Site(service, f"http://127.0.0.1:{port}", log)
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(site: Site) -> Iterator[openai.OpenAI]:
    """OpenAI's own client."""
    with site.client() as made:
        yield made
