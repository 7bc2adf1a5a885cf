"""Screenshots of the playground's views for the docs, at four widths, light and dark.

    python docs/screenshots.py RUN [RUN …] [--chat RUN] [--width 390] [--out docs/playground]

Serves copies of finished runs (so that votes and guesses leave no trace), does in each view what a
person would, and saves ``VIEW-WIDTH-SCHEME.webp``; of the second and further runs the prediction
alone, as ``prediction-TASK-WIDTH-SCHEME.webp``. Then the first run is served for a class, whose
teacher sees ``class-WIDTH-SCHEME.webp``. With ``--chat RUN``, Chat is that run's. Needs the extras
``playground`` and ``dev``, and Chromium.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from playground_site import serving  # noqa: E402
from playground_steps import choose_run, introduce, most_tokens, session, view  # noqa: E402

SIZES = {2560: 1440, 1440: 900, 820: 1180, 390: 844}
SCHEMES = ("light", "dark")
WAIT = 60_000
SAID = ("Solid oak dining table, seats six", "The same, but in pine")
SPOKEN = ("Name three things to look at when buying a used bicycle.",)


def compare(page: Any) -> None:
    """Compare on an example on which the base model does not stop after the answer."""
    page.locator("#compare-examples tbody tr").nth(1).locator("td").first.click()
    page.wait_for_timeout(800)
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")


def chat(page: Any, said: Sequence[str] = SAID) -> None:
    """Some turns with both sides."""
    for text in said:
        page.fill("#chat-message textarea", text)
        page.click("#chat-send")
        page.locator("#chat-trained").get_by_text(text, exact=True).wait_for()
        page.wait_for_function(
            "sent => { const a = document.querySelector('#chat-export a');"
            " return a && atob(a.href.split(',')[1]).includes(sent); }",
            arg=text,
        )


def prediction(page: Any) -> None:
    """The whole prediction, on the third example."""
    page.locator("#prediction-examples tbody tr").nth(2).locator("td").first.click()
    page.wait_for_timeout(800)
    page.click("#prediction-go")
    page.wait_for_selector("#prediction-out .tk-dist, #prediction-out .tk-cards")


def tokens(page: Any) -> None:
    """The first token of the adapter's answer, and another way on from there."""
    page.locator("#tokens-examples tbody tr").nth(1).locator("td").first.click()
    page.wait_for_timeout(800)
    page.click("#tokens-go")
    page.locator("#tokens-out .tk-card").nth(1).locator("button[data-at]").first.click()
    ways = page.locator("#tokens-detail .tk-card").nth(1).locator(".tk-way button")
    ways.nth(1).click()
    page.wait_for_selector("#tokens-ahead .tk-card")


def failures(page: Any) -> None:
    """The rows with the largest errors."""
    page.wait_for_selector("#failures-rows .tk-fail")


def step(page: Any) -> None:
    """A step of a new adapter, on the first training row."""
    page.get_by_label("A new adapter, as before training").check()
    page.click("#step-go")
    page.wait_for_selector("#step-out .tk-part")


def vote(page: Any) -> None:
    """A few votes, the last pair still blind."""
    introduce(page, "Ann")
    page.click("#vote-next")
    for count, choice in enumerate(("left", "right", "tie", "left", "right"), 1):
        page.wait_for_selector(f"#vote-{choice}:not([disabled])")  # the next pair comes by itself
        page.click(f"#vote-{choice}")
        page.wait_for_function(
            "n => document.querySelector('#vote-results summary')?.innerText"
            ".startsWith(`${n} vote`)", arg=count,
        )  # fmt: skip
    page.wait_for_selector("#vote-left:not([disabled])")


def guess(page: Any, name: str = "Ann") -> None:
    """A dozen guesses made from the length of the text."""
    introduce(page, name)
    page.wait_for_timeout(1500)  # until the card is of that name
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


def start(page: Any) -> None:
    """The form with a run's settings, and the line that it makes."""
    page.wait_for_selector("#run-about iframe")
    page.locator("#run-start button").first.click()
    page.wait_for_selector("#run-start-line pre")


def picker(page: Any) -> None:
    """The list of runs, open."""
    page.locator("#run summary").click()
    page.locator("#run .tk-picks").wait_for()


FURTHER: dict[str, tuple[str, Callable[[Any], None]]] = {
    "start": ("Run", start), "picker": ("Compare", picker),
}  # fmt: skip
"""Further pictures: the tab, and what is done there."""
VIEWS: dict[str, Callable[[Any], None]] = {
    "compare": compare, "chat": chat, "prediction": prediction, "tokens": tokens,
    "failures": failures, "step": step, "vote": vote, "guess": guess, "run": run,
}  # fmt: skip


def shoot(browser: Any, url: str, out: Path, width: int, scheme: str, others: list[Any]) -> None:
    """All views at one width, in one scheme, then the predictions of the other runs."""
    size = {"width": width, "height": SIZES[width]}
    with session(browser, url, viewport=size, color_scheme=scheme) as page:
        page.set_default_timeout(WAIT)
        for name, act in VIEWS.items():
            view(page, name.capitalize())
            act(page)
            save(page, out / f"{name}-{width}-{scheme}.webp")
        for name, (tab, act) in FURTHER.items():
            view(page, tab)
            act(page)
            save(page, out / f"{name}-{width}-{scheme}.webp")
        page.keyboard.press("Escape")
        for info in others:
            choose_run(page, info["id"])
            page.wait_for_timeout(4000)  # until its model is loaded and every view has followed
            view(page, "Prediction")
            prediction(page)
            save(page, out / f"prediction-{info['task']}-{width}-{scheme}.webp")


def shoot_chat(browser: Any, url: str, out: Path, width: int, scheme: str) -> None:
    """Chat with a model that speaks."""
    size = {"width": width, "height": SIZES[width]}
    with session(browser, url, viewport=size, color_scheme=scheme) as page:
        page.set_default_timeout(10 * WAIT)
        view(page, "Chat")
        most_tokens(page, "chat", 250)
        page.locator("#tab-chat").get_by_role("button", name=re.compile("^Sampling")).click()
        chat(page, SPOKEN)
        # In the window the message box sticks to the lower edge; in a picture of the whole page it
        # would cover what is there.
        page.add_style_tag(content=".tk-say { position: static !important }")
        save(page, out / f"chat-{width}-{scheme}.webp")


def shoot_class(browser: Any, url: str, place: Path, width: int, scheme: str) -> None:
    """What the teacher sees of a class of two.

    Args:
        browser: of Playwright.
        url: the teacher's link.
        place: of the picture.
        width, scheme: as of the other pictures.
    """
    size = {"width": width, "height": SIZES[width]}
    with session(browser, url, viewport=size, color_scheme=scheme) as page:
        page.set_default_timeout(WAIT)
        link = page.locator("#class-link a").get_attribute("href")
        for name in ("Ann", "Bo"):
            with session(browser, link, viewport=size) as pupil:
                pupil.set_default_timeout(WAIT)
                guess(pupil, name)
        page.locator("#class-names").get_by_text("Bo").first.wait_for()
        page.wait_for_timeout(4000)  # until the board has followed too
        save(page, place)


@contextmanager
def served(folder: Path, runs: Sequence[Path], *options: str) -> Iterator[tuple[str, Path]]:
    """A playground with copies of runs; its address, and what it writes."""
    place = Path(tempfile.mkdtemp(dir=folder))
    copies = []
    for run in runs:
        info = json.loads((run / "run.json").read_text())
        copies.append(str(shutil.copytree(run, place / "runs" / info["task"] / info["id"])))
    with serving(place, *copies, *options) as (url, _):
        yield url, place / "server.log"


def save(page: Any, place: Path) -> None:
    """The whole page as a small picture."""
    from PIL import Image

    page.mouse.move(0, 0)
    page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    picture.convert("RGB").save(place, lossless=True, quality=60, method=3)


def main() -> None:
    """Serve copies of the runs and take the pictures."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--width", type=int, choices=list(SIZES), action="append")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "playground")
    parser.add_argument("--chat", type=Path, help="a run whose model speaks, for Chat")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        infos = [json.loads((run / "run.json").read_text()) for run in arguments.runs]
        chromium = shutil.which("chromium")
        sizes = [(w, scheme) for w in arguments.width or SIZES for scheme in SCHEMES]
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for width, scheme in sizes:  # anew for each: votes and guesses stay with a run
                with served(Path(name), arguments.runs) as (url, _):
                    shoot(browser, url, arguments.out, width, scheme, infos[1:])
                with served(Path(name), arguments.runs[:1], "--class") as (_, log):
                    (url,) = re.findall(r"teacher \(for nobody else\): (\S+)", log.read_text())
                    place = arguments.out / f"class-{width}-{scheme}.webp"
                    shoot_class(browser, url, place, width, scheme)
            if arguments.chat:
                with served(Path(name), [arguments.chat]) as (url, _):
                    for width, scheme in sizes:
                        shoot_chat(browser, url, arguments.out, width, scheme)
            browser.close()


if __name__ == "__main__":
    main()
