"""It looks finished at every width, and is used by the keyboard alone."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from playground_site import Site
from playground_steps import introduce, most_tokens, view

pytestmark = pytest.mark.slow

SIZES = {390: 844, 820: 1180, 1440: 900, 2560: 1440}


@pytest.mark.parametrize("width", SIZES)
def test_the_page_uses_its_width_and_the_message_box_is_in_sight(kept: Any, width: int) -> None:
    page = kept.page
    if "view=chat" not in page.url:
        page.goto(page.url.partition("?")[0] + "?view=chat")
    box = page.locator("#chat-message")
    box.wait_for()
    kept.turn(width, SIZES[width])
    found = box.bounding_box()
    assert found and found["y"] >= 0 and found["y"] + found["height"] <= SIZES[width]
    wide = page.locator("#views").bounding_box()
    assert wide and wide["width"] >= 0.9 * width
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_stop_is_lit_while_there_is_something_to_stop(page: Any, site: Site) -> None:
    stop = page.locator("#compare-stop")
    assert stop.is_disabled()
    most_tokens(page, "compare", 50)
    with site.held():
        page.click("#compare-go")
        page.wait_for_selector("#compare-stop:not([disabled])")
        page.locator("#compare-examples tbody tr").nth(1).locator("td").first.click()
        page.wait_for_selector("#compare-stop[disabled]")  # the answer was left
        page.click("#compare-go")
        page.wait_for_selector("#compare-stop:not([disabled])")
        page.click("#compare-stop")
        page.wait_for_selector("#compare-stop[disabled]")


def votes(site: Site) -> list[tuple[str, str]]:
    (store,) = (site.runs / ".playground").glob(f"{site.names['main']}.sqlite")
    connection = sqlite3.connect(store)
    found = connection.execute(
        "SELECT choice, left_side FROM votes WHERE voter = 'kim' ORDER BY id"
    ).fetchall()
    connection.close()
    return found


def test_a_vote_is_one_key(page: Any, site: Site) -> None:
    introduce(page, "kim")
    view(page, "Vote")
    page.locator("#tab-vote-button").focus()
    page.keyboard.press("n")
    for count, (key, choice) in enumerate(
        {"a": "left", "b": "right", "t": "tie", "x": "both-bad"}.items(), 1
    ):
        page.wait_for_selector(f"#vote-{choice}:not([disabled])")  # the next pair, by itself
        page.keyboard.press(key)
        page.locator("#vote-told").get_by_text("Kept.").wait_for()
        page.wait_for_function(
            "n => document.querySelector('#vote-results summary')?.innerText"
            ".startsWith(`${n} vote`)",
            arg=count,
        )
        assert votes(site)[-1][0] == choice and len(votes(site)) == count
    page.keyboard.press("z")
    page.locator("#vote-told").get_by_text("Undone").wait_for()
    assert [choice for choice, _ in votes(site)] == ["left", "right", "tie"]
    page.wait_for_selector("#vote-left:not([disabled])")
    page.keyboard.press("a")
    page.locator("#vote-told").get_by_text("Kept.").wait_for()
    page.get_by_label("Keys A, B, T, X, N, Z").uncheck()
    before = len(votes(site))
    page.wait_for_selector("#vote-left:not([disabled])")
    page.keyboard.press("b")  # the keys are off
    page.wait_for_timeout(500)
    assert len(votes(site)) == before == 4


def test_a_question_mark_shows_the_keys(page: Any) -> None:
    page.locator("#tab-compare-button").focus()
    page.keyboard.press("?")
    page.locator(".tk-keys dl").wait_for()
    page.locator("#compare-input-0 textarea").press("?")  # where text is typed it is a letter
    assert page.locator(".tk-keys[open]").count() == 1


def test_the_line_to_start_from_a_run(page: Any, site: Site) -> None:
    view(page, "Run")
    page.get_by_role("button", name="Start from here").click()
    shown = page.locator("#run-start-line pre")
    shown.wait_for()
    data = json.loads((site.folder("main") / "run.json").read_text())["source"]["data"]
    assert shown.inner_text().startswith(f"toolkit run price-regression --data {data}")
    page.locator("#run-start-form input[name=seed]").fill("7")
    page.locator("#run-start-line pre", has_text="--seed 7").wait_for()
    page.locator("#run-start-form summary").click()
    page.locator("#run-start-form input[name='training.max_steps']").fill("many")
    page.locator("#run-start-line [role=alert]").wait_for()
    page.locator("#run-start-form input[name='training.max_steps']").fill("40")
    page.locator("#run-start-line pre", has_text="training.max_steps=40").wait_for()
    assert page.locator("#run-start").get_by_role("button", name="Start", exact=True).count() == 0
