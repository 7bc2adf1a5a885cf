"""What a person does in the playground, for browser tests and for screenshots."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

TIMEOUT = 60_000
VIEWS = (
    "Compare", "Chat", "Prediction", "Tokens", "Failures", "Step", "Vote", "Guess", "Run",
)  # fmt: skip


@contextmanager
def session(browser: Any, url: str, **options: Any) -> Iterator[Any]:
    """A session of its own; it fails if the page requests anything from another machine."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 1000}, **options})
    opened = context.new_page()
    opened.set_default_timeout(TIMEOUT)
    foreign: list[str] = []
    opened.on("request", lambda r: foreign.append(r.url) if "127.0.0.1" not in r.url else None)
    opened.goto(url)
    opened.wait_for_selector("#about .tk-lede, #about .tk-empty")
    yield opened
    assert [u for u in foreign if not u.startswith(("data:", "blob:", "about:"))] == []
    context.close()


def view(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def most_tokens(page: Any, place: str, count: int) -> None:
    """Set "Most new tokens" of the view that is open, and ask for raw text where it is a choice.

    What is folded away is drawn when it is opened, and takes what is typed only a moment later, by
    which no person is caught: so it is set until the address has it.
    """
    tab = page.locator(f"#tab-{place}")
    tab.get_by_role("button", name=re.compile("^(Sampling|Raw text)")).click()
    box = tab.get_by_label(re.compile("number input for Most new tokens")).first
    box.wait_for()
    raw = tab.locator(f"#{place}-raw input")
    wanted = [f"tokens={count}", *(["raw=1"] if raw.count() else [])]
    for _ in range(20):
        if raw.count():
            raw.uncheck()
            raw.check()
        box.fill("1")
        box.fill(str(count))
        box.press("Tab")
        page.wait_for_timeout(300)
        said = page.url.partition("?")[2].split("&")
        if all(one in said for one in wanted) and box.input_value() == str(count):
            return
    raise AssertionError(f"{page.url} has not {wanted}")


def introduce(page: Any, name: str) -> None:
    """Say who votes and guesses."""
    box = page.locator("#person input, #person textarea").first
    box.fill(name)
    box.press("Tab")


def say(page: Any, text: str) -> None:
    view(page, "Chat")
    page.locator("#chat-message textarea").fill(text)
    page.locator("#chat-message textarea").press("Enter")


def exported(page: Any, holding: str) -> Any:
    """The conversation that can be saved, once it has a text in it."""
    page.wait_for_function(
        "said => { const a = document.querySelector('#chat-export a');"
        " return a && atob(a.href.split(',')[1]).includes(said); }", arg=holding,
    )  # fmt: skip
    link = page.locator("#chat-export a").get_attribute("href")
    return json.loads(base64.b64decode(link.split(",")[1]))


def texts(page: Any) -> list[str]:
    return [t.strip() for t in page.locator("#compare-out .tk-said").all_inner_texts()]


def beside(page: Any, run_id: str) -> None:
    """Choose another run's adapter in Compare."""
    page.locator("#compare-others input").click()
    page.get_by_role("option", name=re.compile(run_id)).click()
    page.keyboard.press("Escape")


def choose_run(page: Any, run_id: str) -> None:
    page.locator("#run summary").click()
    page.locator("#run input[type=search]").fill(run_id)
    page.locator(f"#run .tk-pick[data-run='{run_id}']").click()
