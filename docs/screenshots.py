"""Screenshots of the playground's views for the docs, at two widths, light and dark.

    python docs/screenshots.py RUN [--out docs/playground]

Serves a copy of a finished run (so that votes and guesses leave no trace), does in each view what a
person would, and saves ``VIEW-WIDTH-SCHEME.webp``. Needs the extras ``playground`` and ``dev``, and
Chromium.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SIZES = {1440: 900, 390: 844}
SCHEMES = ("light", "dark")
WAIT = 60_000


def compare(page: Any) -> None:
    """An example on which the base goes on talking."""
    page.locator("#compare-examples tbody tr").nth(1).locator("td").first.click()
    page.wait_for_timeout(800)
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")


def chat(page: Any) -> None:
    """Two turns with both sides."""
    for text in ("Solid oak dining table, seats six", "The same, but in pine"):
        page.fill("#chat-message textarea", text)
        page.click("#chat-send")
        page.locator("#chat-adapter").get_by_text(text, exact=True).wait_for()
        page.wait_for_function(
            "said => { const a = document.querySelector('#chat-export a');"
            " return a && atob(a.href.split(',')[1]).includes(said); }",
            arg=text,
        )


def panel(page: Any) -> None:
    """The distribution over prices."""
    page.locator("#panel-examples tbody tr").nth(2).locator("td").first.click()
    page.wait_for_timeout(800)
    page.click("#panel-go")
    page.wait_for_selector("#panel-out .tk-dist")


def vote(page: Any) -> None:
    """A few votes, the last pair still blind."""
    for choice in ("left", "right", "tie", "left", "right"):
        page.click("#vote-next")
        page.wait_for_selector(f"#vote-{choice}:not([disabled])")
        page.click(f"#vote-{choice}")
        page.wait_for_selector("#vote-told .tk-notice")
    page.click("#vote-next")
    page.wait_for_selector("#vote-left:not([disabled])")


def guess(page: Any) -> None:
    """A dozen guesses of somebody who looks at the length of the text."""
    page.wait_for_selector("#guess-card .tk-question")
    for _ in range(12):
        text = page.locator("#guess-card .tk-question").inner_text()
        page.fill("#guess-number input", str(20 + len(text) // 3))
        page.click("#guess-give")
        page.wait_for_function(
            "old => !document.querySelector('#guess-card').innerText.includes(old)", arg=text
        )


def run(page: Any) -> None:
    """The report in the page."""
    page.wait_for_selector("#run-about iframe")
    page.wait_for_timeout(1500)


VIEWS: dict[str, Callable[[Any], None]] = {
    "compare": compare, "chat": chat, "panel": panel, "vote": vote, "guess": guess, "run": run,
}  # fmt: skip


def shoot(browser: Any, url: str, out: Path, width: int, scheme: str) -> None:
    """All views at one width, in one scheme."""
    from PIL import Image

    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]}, color_scheme=scheme
    )
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.goto(url)
    page.wait_for_selector("#about .tk-lede")
    for name, act in VIEWS.items():
        page.get_by_role("tab", name=name.capitalize(), exact=True).click()
        act(page)
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)
        picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
        picture.convert("RGB").save(
            out / f"{name}-{width}-{scheme}.webp", lossless=True, quality=60, method=3
        )
    context.close()


def main() -> None:
    """Serve a copy of the run and take the pictures."""
    sys.path[:0] = [str(ROOT / "tests")]
    from playwright.sync_api import sync_playwright

    from playground_site import serving

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "playground")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    info = json.loads((arguments.run / "run.json").read_text())
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "runs" / info["task"] / info["id"]
        shutil.copytree(arguments.run, copy)
        chromium = shutil.which("chromium")
        with serving(Path(name), str(copy)) as (url, _), sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for width in SIZES:
                for scheme in SCHEMES:
                    shoot(browser, url, arguments.out, width, scheme)
            browser.close()


if __name__ == "__main__":
    main()
