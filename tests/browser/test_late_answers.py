"""Answers that come late: a slow model writes while its run or its row is left."""

from __future__ import annotations

from typing import Any

import pytest

from playground_site import Site
from playground_steps import choose_run, exported, most_tokens, say, view

pytestmark = pytest.mark.slow

LATE = 2500
"""Milliseconds within which a piece that was on its way would have come."""


def test_a_conversation_is_of_one_run(page: Any, site: Site) -> None:
    view(page, "Chat")
    most_tokens(page, "chat", 50)
    with site.held():
        say(page, "red oak thing")
        page.locator("#chat-status").get_by_text("tokens/s").first.wait_for()  # it is writing
        choose_run(page, site.names["second"])
        page.get_by_text("red oak thing").first.wait_for(state="detached")
    page.wait_for_timeout(LATE)
    assert page.locator(".tk-message").count() == 0
    assert page.locator("#chat-export a").count() == 0
    assert page.locator("#chat-status").inner_text().strip() == ""
    say(page, "large silk thing")
    saved = exported(page, "silk")
    assert saved["run"] == site.names["second"]
    (turn,) = saved["turns"]
    assert turn["user"] == "large silk thing" and turn["asked"]["run"] == site.names["second"]
    assert turn["asked"]["generation"]["max_new_tokens"] == 50
    assert set(turn["asked"]["ended"]) == {"base", "adapter"}


def test_an_answer_goes_with_its_row(page: Any, site: Site) -> None:
    most_tokens(page, "compare", 50)
    with site.held():
        page.click("#compare-go")
        page.wait_for_selector("#compare-out .tk-cards[aria-busy=true]")
        page.locator("#compare-examples tbody tr").nth(3).locator("td").first.click()
        page.locator("#compare-out").get_by_text("Nothing compared yet").wait_for()
    page.wait_for_timeout(LATE)
    assert page.locator("#compare-out .tk-cards").count() == 0
    row = site.rows("validation")[3]
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-cards")
    asked = page.locator("#compare-out .tk-asked").inner_text()
    assert f"row {row['row_id']}:" in asked and site.names["main"] in asked


def test_what_is_asked_at_once_after_choosing_a_run_is_asked_of_that_run(
    page: Any, site: Site
) -> None:
    choose_run(page, site.names["second"])
    page.click("#compare-go")  # before the server has drawn that run
    asked = page.locator("#compare-out .tk-asked")
    asked.wait_for()
    assert site.names["second"] in asked.inner_text()
    page.wait_for_timeout(LATE)
    assert asked.count() == 1


def test_what_is_asked_at_once_after_clicking_rows_is_asked_of_the_last(
    page: Any, site: Site
) -> None:
    page.locator("#compare-examples tbody tr").nth(3).wait_for()
    for row in (1, 4, 3):
        page.locator("#compare-examples tbody tr").nth(row).locator("td").first.evaluate(
            "cell => cell.click()"
        )
    page.evaluate("document.querySelector('#compare-go').click()")
    asked = page.locator("#compare-out .tk-asked")
    asked.wait_for()
    page.wait_for_timeout(LATE)
    shown = page.input_value("#compare-input-0 textarea")
    row = site.rows("validation")[3]
    assert f"row {row['row_id']}:" in asked.inner_text() and shown in row["text"]


def pick(page: Any, site: Site, name: str) -> None:
    """Pick a run, and wait for nothing."""
    page.evaluate(
        "id => document.querySelector(`#run .tk-pick[data-run='${id}']`).click()", site.names[name]
    )


def test_what_is_asked_between_two_picks_is_not_asked_of_the_second(page: Any, site: Site) -> None:
    view(page, "Chat")
    page.fill("#chat-message textarea", "red oak thing")
    pick(page, site, "second")
    page.click("#chat-send")
    page.wait_for_timeout(50)  # the click has reached the page
    pick(page, site, "whole")
    page.wait_for_timeout(LATE)
    assert page.locator(".tk-message").count() == 0
    say(page, "large silk thing")
    saved = exported(page, "silk")
    assert saved["run"] == site.names["whole"] and len(saved["turns"]) == 1


def test_of_runs_that_are_picked_in_a_row_the_last_is_drawn(page: Any, site: Site) -> None:
    for name in ("second", "elsewhere", "whole"):
        pick(page, site, name)
    say(page, "red oak thing")
    assert exported(page, "oak")["run"] == site.names["whole"]
