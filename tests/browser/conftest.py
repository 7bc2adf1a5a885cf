"""A browser, and a site to visit; skipped where either cannot be had."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playground_site import Site, change, copy, plugin_in, serving
from playground_steps import session, view

sync_api = pytest.importorskip("playwright.sync_api", reason="the extra 'dev' brings playwright")
pytest.importorskip("gradio", reason="the extra 'playground' brings gradio")

SETTLED = """() => new Promise((done) => {
    const begun = performance.now();
    let changed = begun;
    const watch = new MutationObserver(() => { changed = performance.now(); });
    watch.observe(document, {
        subtree: true, childList: true, attributes: true, characterData: true,
    });
    const moving = () => document.getAnimations().some((one) =>
        one.playState === "running" && one.effect.getTiming().iterations !== Infinity);
    const look = () => {
        const now = performance.now();
        if ((now - changed < 150 || moving()) && now - begun < 3000) return setTimeout(look, 25);
        watch.disconnect();
        done();
    };
    look();
})"""
"""Until nothing has changed for a moment and no colour is on its way to another."""
AXE = """() => axe.run({resultTypes: ["violations"]}).then((found) => found.violations.flatMap(
    (one) => one.nodes.map(
        (node) => [one.id, one.impact, node.target, node.html.slice(0, 200)])))"""
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
    given = getattr(item, "funcargs", {})
    page = given.get("page") or getattr(given.get("kept"), "page", None)
    if report.when == "call" and report.failed and page is not None:
        with contextlib.suppress(sync_api.Error):
            report.sections.append(("page", f"{page.url}\n{page.inner_text('body')[:6000]}"))
    return report


@pytest.fixture
def page(browser: Any, site: Site) -> Iterator[Any]:
    """A fresh session on the site's first run."""
    with session(browser, site.url) as opened:
        yield opened


class Kept:
    """A page that many cases look at: it is loaded and filled once, and then only turned.

    Loading the page is most of what such a case costs. A case asks for its width and its colours,
    and the page is told of both as it is by a window that is resized, and by an evening.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self.axe = False

    def turn(self, width: int, height: int, scheme: str = "light") -> None:
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=scheme)
        self.page.wait_for_function(
            "dark => document.body.classList.contains('dark') === dark", arg=scheme == "dark"
        )
        self.settle()

    def view(self, name: str) -> None:
        view(self.page, name)
        self.settle()

    def settle(self) -> None:
        self.page.evaluate(SETTLED)

    def amiss(self) -> list[Any]:
        """What axe finds on the page as it is: rule, impact, place and HTML."""
        if not self.axe:  # half a megabyte, read by the page once
            axe = pytest.importorskip(
                "axe_playwright_python.sync_playwright", reason="the extra 'dev' brings axe"
            )
            self.page.evaluate(axe.Axe().axe_script)
            self.axe = True
        found: list[Any] = self.page.evaluate(AXE)
        return found


@pytest.fixture(scope="module")
def kept(browser: Any, site: Site) -> Iterator[Kept]:
    """A module's page to be turned, as a phone has loaded it; cases must leave it as they find it.

    What it shows is filled in by a fixture of the module, before its first case.
    """
    with session(browser, site.url, viewport={"width": 390, "height": 844}) as opened:
        yield Kept(opened)
