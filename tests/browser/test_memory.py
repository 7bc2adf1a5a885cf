"""The address and what is kept: places are found again, and nobody sees another's texts."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from playground_site import Site
from playground_steps import choose_run, exported, introduce, most_tokens, say, session, view

pytestmark = pytest.mark.slow


def place(page: Any, name: str) -> list[str]:
    """Values of a name in the page's address."""
    return parse_qs(urlsplit(page.url).query).get(name, [])


def wait_for_place(page: Any, name: str, value: str = "") -> None:
    page.wait_for_function(
        "([n, v]) => { const f = new URLSearchParams(location.search).get(n);"
        " return f && (!v || f === v); }", arg=[name, value],
    )  # fmt: skip


def test_run_view_row_and_settings_are_found_again(page: Any, site: Site) -> None:
    page.locator("#compare-examples tbody tr").nth(2).locator("td").first.click()
    row = site.rows("validation")[2]
    wait_for_place(page, "row", str(row["row_id"]))
    most_tokens(page, "compare", 7)
    wait_for_place(page, "tokens", "7")
    page.reload()
    page.wait_for_function(
        "t => document.querySelector('#compare-input-0 textarea')?.value === t", arg=row["text"]
    )
    page.get_by_role("button", name=re.compile("^Raw text")).first.click()
    assert page.locator("#compare-raw input").is_checked()
    box = page.locator("#tab-compare").get_by_label(re.compile("number input for Most new tok"))
    assert box.first.input_value() == "7"
    choose_run(page, site.names["second"])
    wait_for_place(page, "run", site.names["second"])
    assert place(page, "row") == []
    view(page, "Prediction")
    wait_for_place(page, "view", "prediction")
    page.go_back()
    page.locator("#tab-compare-button[aria-selected=true]").wait_for()
    page.go_back()
    wait_for_place(page, "run", site.names["main"])
    page.wait_for_function(
        "id => document.querySelector('#run .tk-now')?.dataset.run === id", arg=site.names["main"]
    )


def test_an_address_of_nonsense_leads_to_the_first_run(browser: Any, site: Site) -> None:
    odd = "?run=../../etc&view=none&row=-1&tokens=1e999&temperature=x&comparison=%3Cb%3E&sides=a"
    with session(browser, site.url + "/" + odd) as page:
        assert page.locator("#run .tk-now").get_attribute("data-run") == site.names["main"]
        page.click("#compare-go")
        page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")


def test_a_conversation_is_kept_named_shared_and_deleted(browser: Any, site: Site) -> None:
    with session(browser, site.url) as page, session(browser, site.url) as other:
        say(page, "red oak thing")
        exported(page, "red oak thing")
        wait_for_place(page, "conversation")
        page.reload()
        page.locator("#chat-base").get_by_text("red oak thing", exact=True).wait_for()
        link = page.url
        page.get_by_role("button", name="Kept conversations").click()
        page.locator("#chat-kept-name :is(input, textarea)").fill("about oak")
        page.click("#chat-kept-rename")
        page.wait_for_function(
            "() => document.querySelector('#chat-kept-list input').value.startsWith('about oak')"
        )
        other.goto(link)  # not shared: another browser with the link sees none of it
        other.locator("#chat-kept-told [role=alert]", has_text="not shared").wait_for(
            state="attached"
        )
        assert other.locator(".tk-message").count() == 0
        assert "red oak" not in other.content()
        page.click("#chat-kept-share")
        page.locator("#chat-kept-told a", has_text="about oak").wait_for()
        shared = page.evaluate("document.querySelector('#chat-kept-told a').href")
        other.goto(shared)
        other.locator("#chat-base").get_by_text("red oak thing", exact=True).wait_for()
        say(other, "large silk thing")  # goes on as a copy of their own
        exported(other, "silk")
        (theirs,) = place(page, "conversation")
        other.wait_for_function("theirs => !location.search.includes(theirs)", arg=theirs)
        assert place(other, "conversation")
        page.click("#chat-kept-delete")
        page.locator("#chat-kept-told").get_by_text("Deleted.").wait_for()
        other.goto(shared)
        other.locator("#chat-kept-told [role=alert]").wait_for(state="attached")
        assert other.locator(".tk-message").count() == 0


def test_a_comparison_is_found_again_with_its_input(page: Any) -> None:
    page.locator("#compare-input-0 textarea").fill("my own <b>text</b>")
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")
    wait_for_place(page, "comparison")
    before = page.locator("#compare-out .tk-said").all_inner_texts()
    page.reload()
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")
    assert page.locator("#compare-out .tk-said").all_inner_texts() == before
    assert page.locator("#compare-input-0 textarea").input_value() == "my own <b>text</b>"
    assert "my own <b>text</b>" in page.locator("#compare-out .tk-asked").inner_text()


def test_what_one_types_to_vote_on_is_in_nobody_elses_export(browser: Any, site: Site) -> None:
    secret = "a steel thing of my own"
    with session(browser, site.url) as page, session(browser, site.url) as other:
        introduce(page, "hal")
        view(page, "Vote")
        page.get_by_label("My own input").check()
        page.locator("#vote-own textarea").fill(secret)
        page.click("#vote-next")
        page.wait_for_selector("#vote-tie:not([disabled])")
        page.click("#vote-tie")
        page.locator("#vote-told").get_by_text("Kept.").wait_for()
        links = (
            "[...document.querySelectorAll('#vote-results a')].map(a => atob(a.href.split(',')[1]))"
        )
        assert any(secret in text for text in page.evaluate(links))
        other.reload()
        view(other, "Vote")
        other.wait_for_selector("#vote-results a", state="attached")
        assert not any(secret in text for text in other.evaluate(links))
        assert secret not in other.content()
