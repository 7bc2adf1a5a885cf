"""What all tests share: a quiet offline environment, and two tiny random models."""

from __future__ import annotations

import gc
import os
import tempfile

from toolkit.system import environment

environment.prepare(offline=True)  # before anything imports transformers or datasets
os.environ.pop("TOOLKIT_RUNS", None)
# The user's own record of task files stays the user's.
os.environ["TOOLKIT_STATE"] = tempfile.mkdtemp(prefix="toolkit-state-")
if "PYTEST_XDIST_WORKER" in os.environ:  # a core for each worker, also for what its tests start
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import shutil  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

import file_tasks  # noqa: E402
from cli_runner import goods, quick, write_csv  # noqa: E402
from in_process import command  # noqa: E402
from toolkit.evaluation import latency  # noqa: E402

# The same fixtures as plugin authors have, whether or not the toolkit is installed here.
pytest_plugins = ["toolkit.testing"]

# The same examples every time, and no time limit, because the machine may be busy.
settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")

# A run in this process times four answers after as many that warm up, not forty: a fifth of a tiny
# run's time, and how long an answer of a tiny model takes is of no use to anybody.
latency.QUESTIONS = 4


def pytest_collection_finish() -> None:
    """Leave out of each garbage collection what is there for good.

    Thousands of tests and all libraries are a million objects: two seconds for each full
    collection, of which every training asks for one.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _tasks_of_files_end_with_their_test() -> Iterator[None]:
    with file_tasks.forgotten():
        yield


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of two layers; its tokenizer has a token for every number from 0 to 999."""
    from toolkit.testing import models

    return models.llama(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture(scope="session")
def tiny_qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen2 of two layers, whose tokenizer has a chat template and splits numbers."""
    from toolkit.testing import models

    return models.qwen(tmp_path_factory.mktemp("models") / "tiny-qwen")


@pytest.fixture(scope="session")
def tiny_t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random T5 of two layers a side, whose tokenizer is that of the random Llama."""
    from toolkit.testing import models

    return models.t5(tmp_path_factory.mktemp("models") / "tiny-t5")


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of two layers without a head, whose word pieces are characters and words."""
    from toolkit.testing import models

    return models.bert(tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path) -> Path:
    """A finished run; its adapter answers otherwise than its base. Tests must not change it.

    At a rate of 0.03 it ends each answer at once, from 0.006 down some answers are the base's. At
    this one it writes a word or many, by the machine's arithmetic; tests that need an answer to be
    long wait for the base's, which is never ended.
    """
    folder = tmp_path_factory.mktemp("played")
    data = write_csv(folder / "goods.csv", goods(rows=400))
    learning = ["--set", "training.learning_rate=0.009", "--set", "training.max_steps=12"]
    command(
        folder, "run", "price-regression", "--data", str(data), *quick(tiny_llama), *learning
    )  # fmt: skip
    (run,) = (folder / "runs" / "price-regression").iterdir()
    return run


@pytest.fixture(scope="session")
def played_notes(tmp_path_factory: pytest.TempPathFactory, tiny_t5: Path) -> Path:
    """A finished run of an encoder–decoder (``notes.py``); tests must not change it."""
    folder = tmp_path_factory.mktemp("played-notes")
    task = shutil.copy(Path(__file__).parent / "notes.py", folder)
    learning = ["--set", "training.learning_rate=0.03", "--set", "training.max_steps=12"]
    command(
        folder, "run", str(task), *quick(tiny_t5), *learning,
        "--set", "training.eval_strategy=steps", "--set", "training.max_target_length=24",
    )  # fmt: skip
    (run,) = (folder / "runs" / "notes").iterdir()
    return run


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without charts: to draw those of a run takes as long as its training."""
    monkeypatch.setattr("toolkit.reporting.page_charts.draw", lambda *arguments: {})
