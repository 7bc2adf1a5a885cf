"""One server for all tests of ``toolkit serve``: two tasks on one base, and one on an encoder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

import serving_fixtures
from serving_fixtures import Site
from toolkit.runs.run import Run
from toolkit.system import Console
from toolkit_serving import serve
from toolkit_serving.served import Fleet


@pytest.fixture(scope="session")
def served_runs(
    tmp_path_factory: pytest.TempPathFactory, tiny_qwen: Path, tiny_bert: Path
) -> dict[str, Path]:
    """The folders of the runs by their tasks' names; tests must not change them."""
    folder = tmp_path_factory.mktemp("served")
    return serving_fixtures.make_runs(folder, tiny_qwen, tiny_bert)


@pytest.fixture(scope="session")
def fleet(served_runs: dict[str, Path]) -> Fleet:
    """The models of all three runs."""
    chosen = [(name, Run.open(path)) for name, path in served_runs.items()]
    return serve.loaded(chosen, Console(quiet=True))


@pytest.fixture(scope="session")
def site(fleet: Fleet) -> Iterator[Site]:
    """A server of them without keys, whose requests wait a moment for others."""
    with serving_fixtures.running(fleet, window=0.05, batch=16, queue=64) as made:
        yield made


@pytest.fixture
def client(site: Site) -> Iterator[openai.OpenAI]:
    """OpenAI's own client."""
    with site.client() as made:
        yield made
