"""People in votes and guesses: who they are outlives the page, and each has their own rows."""

from __future__ import annotations

from typing import Any

import pytest

from playground_site import Site
from playground_steps import choose_run, introduce, session, view

pytestmark = pytest.mark.slow


def test_a_name_is_asked_once(page: Any) -> None:
    view(page, "Guess")
    page.locator("#guess-card").get_by_text("Who are you?").wait_for()
    view(page, "Vote")
    page.click("#vote-next")
    page.locator("#vote-told [role=alert]", has_text="say who you are").wait_for()
    introduce(page, "eve")
    view(page, "Guess")
    page.wait_for_selector("#guess-card .tk-question")
    page.reload()
    page.wait_for_function(
        "() => document.querySelector('#person :is(input, textarea)')?.value === 'eve'"
    )
    view(page, "Guess")
    page.wait_for_selector("#guess-card .tk-question")


def test_two_people_guess_rows_in_their_own_order_and_both_count(browser: Any, site: Site) -> None:
    first = []
    for name in ("fay", "gus"):
        with session(browser, site.url) as page:
            introduce(page, name)
            choose_run(page, site.names["second"])
            view(page, "Guess")
            page.wait_for_selector("#guess-card .tk-question")
            page.wait_for_timeout(1500)  # the run's own row has taken the place of the one before
            first.append(page.locator("#guess-card .tk-question").inner_text())
            page.locator("#guess-number input").fill("50")
            page.click("#guess-give")
            page.locator("#guess-score").get_by_role("rowheader", name=name).wait_for()
    assert first[0] != first[1]
