"""A payload in the rows and in every text of a run, opened in a browser: no script of it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostile_run import PAYLOAD, at, leaves, put
from playground_site import serving
from playground_steps import TIMEOUT, VIEWS, introduce, view
from toolkit.pipeline import compare, load_task
from toolkit.reporting import comparison, report
from toolkit.runs import Run, read_json
from toolkit.runs.contents import read_run

pytestmark = [
    pytest.mark.slow,
    # Names of three hundred characters leave a chart no room.
    pytest.mark.filterwarnings("ignore:constrained_layout not applied"),
]

KEPT = {
    "run.json": ("id", "task", "created", "backend", "source", "options", "head", "auto_class",
                 "stages", "record", "task_state", "task_options", "code"),
    "metrics.json": ("task", "run", "primary_metric"),
}  # fmt: skip
"""What others refer to: with another text there is no page; ``test_escaping.py`` tries these."""
NAMES = ("name", "role", "against", "best_baseline", "format", "a", "b", "metric", "system", "key",
         "model")  # fmt: skip
SHORT = "<img src=x onerror=window.hit=1>"
"""What a row and an input can hold without being too long for the tiny model."""
ENDED = """(wanted) => document.querySelector(wanted)
    || [...document.querySelectorAll(".tk-error")].some((e) => e.offsetParent)"""
"""Whether what was asked for is there, or a refusal in words."""
PROBE = """() => ({
    hit: window.hit ?? null,
    made: [...document.querySelectorAll("*")].filter((e) =>
        (e.tagName === "IMG" && e.getAttribute("src") === "x")
        || [...e.attributes].some((a) => /^on/.test(a.name) && /window.hit/.test(a.value)
            || /^\\s*javascript:/i.test(a.value))
        || (e.tagName === "SCRIPT" && /^window.hit/.test(e.textContent))).length,
    shown: document.body.innerText.includes("window.hit"),
})"""


@pytest.fixture(scope="module")
def hostile(played: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with the payload in its rows, its predictions and its JSON files."""
    import shutil

    runs = tmp_path_factory.mktemp("hostile") / "runs"
    path = runs / played.parent.name / played.name
    shutil.copytree(played, path)
    for name in ("run.json", "metrics.json", "data/preflight.json"):
        content = json.loads((path / name).read_text())
        for place in leaves(content):
            settings = place[0] == "recipe" and place[1] not in ("name", "summary")
            if place[0] not in KEPT.get(name, ()) and place[-1] not in NAMES and not settings:
                put(content, place, f"{at(content, place)}{PAYLOAD}")
        (path / name).write_text(json.dumps(content))
    for file in [path / "data" / "heldout.jsonl", *(path / "predictions").glob("*.jsonl")]:
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        for line in lines:
            for key in ("text", "raw"):
                if isinstance(line.get(key), str):
                    line[key] += SHORT
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    opened = context.new_page()
    opened.set_default_timeout(TIMEOUT)
    opened.on("dialog", lambda dialog: dialog.dismiss())
    yield opened
    context.close()


def check(tab: Any) -> bool:
    """Assert that nothing ran; whether the payload was there to be read."""
    found = tab.evaluate(PROBE)
    assert found["hit"] is None and found["made"] == 0, found
    return bool(found["shown"])


def test_the_report_and_the_comparison(hostile: Path, tab: Any, tmp_path: Path) -> None:
    run = Run.open(hostile)
    pages = report.pages(read_json(hostile / "metrics.json"), read_run(run), load_task(run))
    document = compare.compare([run, run], [load_task(run)] * 2)
    for place in leaves(document):
        if place[-1] not in NAMES:
            put(document, place, f"{at(document, place)}{PAYLOAD}")
    for name, page in (("a.html", pages["report.html"]), ("b.html", comparison.html(document))):
        (tmp_path / name).write_text(page)
        tab.goto((tmp_path / name).as_uri())
        tab.wait_for_timeout(200)
        assert check(tab), name


def test_the_playground(hostile: Path, tab: Any, tmp_path: Path) -> None:
    run = Run.open(hostile)
    shown_page = report.pages(read_json(hostile / "metrics.json"), read_run(run), load_task(run))
    (hostile / "report.html").write_text(shown_page["report.html"])
    shown = set()
    with serving(tmp_path, str(hostile), "--runs", str(hostile.parents[1])) as (url, _):
        tab.goto(url)
        tab.wait_for_selector("#about .tk-lede, #about .tk-notice")
        for name in VIEWS:
            view(tab, name)
            tab.wait_for_timeout(500)
            if name == "Compare":
                tab.locator("#compare-input-0 textarea").fill(SHORT)
                tab.click("#compare-go")
                tab.wait_for_function(ENDED, arg="#compare-out .tk-cards[aria-busy=false]")
            if name == "Vote":
                introduce(tab, "ann")
                tab.get_by_label("Sheet of 100").check()
                tab.click("#vote-next")
                tab.wait_for_function(ENDED, arg="#vote-tie:not([disabled])")
            if check(tab):
                shown.add(name)
    assert {"Vote", "Run"} & shown, shown
