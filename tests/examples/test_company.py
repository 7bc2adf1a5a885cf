"""Four tasks as a company has them: short, within the contract, run, shown in the playground."""

from __future__ import annotations

import ast
import csv
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from toolkit import testing
from toolkit.plugins import discovery, task_file
from toolkit.plugins.contract import check
from toolkit.plugins.file_options import merged

COMPANY = Path(__file__).parents[2] / "examples" / "company"
LONGEST = 60
"""Lines of a task with everything that it ships but data."""
SHIPPED = {
    "routing.toml": ("routing.toml", "routing.py"),
    "tags.toml": ("tags.toml",),
    "estimate.toml": ("estimate.toml",),
    "invoice_fields.py": ("invoice_fields.py",),
}
every = pytest.mark.parametrize("name", SHIPPED)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    discovery.load.cache_clear()


def test_nothing_else_is_shipped() -> None:
    known = {file for files in SHIPPED.values() for file in files}
    found = {path.name for path in COMPANY.iterdir() if path.suffix not in (".csv", "")}
    assert found == known


@every
def test_a_task_is_short_and_uses_what_is_public(name: str) -> None:
    import toolkit

    texts = {file: (COMPANY / file).read_text(encoding="utf-8") for file in SHIPPED[name]}
    assert sum(len(text.splitlines()) for text in texts.values()) < LONGEST
    for file, text in texts.items():
        for node in ast.walk(ast.parse(text)) if file.endswith(".py") else ():
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("toolkit"):
                assert node.module == "toolkit" or node.module in toolkit.PUBLIC_MODULES


@every
def test_a_task_keeps_the_contract(name: str) -> None:
    task = task_file.load(COMPANY / name)
    results = check.check(task(), merged(task, {}))
    assert [f"{r.rule}: {r.message}" for r in results if not r.passed] == []
    assert task.synthetic


def test_the_queues_are_six_and_unbalanced() -> None:
    with (COMPANY / "tickets.csv").open(encoding="utf-8") as file:
        counts = Counter(row["queue"] for row in csv.DictReader(file))
    assert len(counts) == 6 and max(counts.values()) > 10 * min(counts.values())


@pytest.mark.slow
@every
def test_a_task_runs_and_is_shown(name: str, run_task: Callable[..., testing.FinishedRun]) -> None:
    from toolkit.pipeline.predict import open_run, read
    from toolkit.runs.run import Run
    from toolkit_playground.rendering import panels

    task = task_file.load(COMPANY / name)
    source = merged(task, {})
    finished = run_task(task, data=source.data, limit=200)
    systems = finished.metrics["systems"]
    assert {"adapter", "base"} <= set(systems) and len(systems) > 2
    origin = discovery.Plugin(task.name, "under test", "0", task.__module__, [task.name])
    with discovery.load().provided(task, origin):
        run = Run.open(finished.path)
        loaded, kind = open_run(run)
        text = "The VPN drops, the lamp is late: paint a kitchen of 20 square metres for 30 EUR."
        row = {"row_id": 1, loaded.input_columns()[0]: text}
        outputs = kind.predict([row], adapter=True)
        (answer,) = read(run, loaded, "adapter", outputs, [row])
    view = loaded.panel.view if loaded.panel else "text"
    shown = panels.Shown(
        "adapter", answer["prediction"], None, None, loaded.panel_data(outputs[0], row),
        answer["parsed"],
    )  # fmt: skip
    page = panels.draw(view, [shown])
    assert "adapter" in page and "tk-card" in page
