"""A browser, and a site to visit; skipped where either cannot be had."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playground_site import Site, change, copy, plugin_in, serving
from playground_steps import session

sync_api = pytest.importorskip("playwright.sync_api", reason="the extra 'dev' brings playwright")
pytest.importorskip("gradio", reason="the extra 'playground' brings gradio")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here; on Debian: apt-get install chromium")
    with sync_api.sync_playwright() as play:
        launched = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def site(
    played: Path,
    played_notes: Path,
    tiny_qwen: Path,
    tmp_path_factory: pytest.TempPathFactory,
    browser: Any,
) -> Iterator[Site]:
    """The run of ``played`` and copies of it, each amiss in its own way."""
    folder = tmp_path_factory.mktemp("site")
    runs = folder / "runs"
    names = {
        name: copy(played, runs, name, task)
        for name, task in (
            ("main", "price-regression"), ("elsewhere", "price-regression"),
            ("broken", "price-regression"), ("live", "price-regression"),
            ("angry", "angry-prices"), ("marked", "marked-prices"), ("second", "price-regression"),
            ("whole", "price-regression"),
        )
    }  # fmt: skip
    names["notes"] = copy(played_notes, runs, "notes", "notes")
    made = Site("", runs, names)
    change(made.folder("elsewhere"), lambda info: info["recipe"].update(model=str(tiny_qwen)))
    (made.folder("broken") / "adapter" / "toolkit.json").unlink()

    def unfinish(info: dict[str, Any]) -> None:
        for stage in ("predict", "score", "report"):
            del info["stages"][stage]
        info["stages"]["train"] = {"state": "running", "seconds": 1.0}

    change(made.folder("live"), unfinish)
    # What was trained is called otherwise where all of the model was.
    change(made.folder("whole"), lambda info: info["recipe"].update(lora=None))
    plugin_in(folder / "plugin")
    given = [str(made.folder("main")), str(made.folder("elsewhere"))]
    with serving(folder, *given, "--runs", str(runs), plugin=folder / "plugin") as (url, _):
        made.url = url
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed test says what stood on its page: most of them fail for what was not there."""
    report: Any = yield
    page = getattr(item, "funcargs", {}).get("page")
    if report.when == "call" and report.failed and page is not None:
        with contextlib.suppress(sync_api.Error):
            report.sections.append(("page", f"{page.url}\n{page.inner_text('body')[:6000]}"))
    return report


@pytest.fixture
def page(browser: Any, site: Site) -> Iterator[Any]:
    """A fresh session on the site's first run."""
    with session(browser, site.url) as opened:
        yield opened
