"""Chat: texts as they were written, Markdown on demand, and messages that are not lost."""

from __future__ import annotations

import re
from typing import Any

import pytest

from playground_site import Site
from playground_steps import choose_run, exported, say, view

pytestmark = pytest.mark.slow

CODE = "if a<b and c>d: List<String> x; <img src=http://192.0.2.1/x.png> **bold** {{value}} ${1}"
"""As HTML it loses half of its words, and makes a browser ask another machine."""


def test_what_is_said_is_shown_as_it_was_written(page: Any) -> None:
    say(page, CODE)  # the fixture fails where the page asks another machine
    turns = exported(page, "List<String>")["turns"]
    assert turns[0]["user"] == CODE
    for place in ("base", "trained"):
        assert page.locator(f"#chat-{place} .tk-user .tk-said").inner_text() == CODE
        assert page.locator(f"#chat-{place} img, #chat-{place} strong").count() == 0
    said = page.locator("#chat-base .tk-assistant .tk-said").inner_text()
    assert said.split() == (turns[0]["base"] or "…").split()
    page.locator("#chat-base").get_by_role("button", name="Edit").click()
    assert page.locator("#chat-base textarea").input_value() == CODE


def test_markdown_is_a_switch_that_brings_nothing_else_along(page: Any, site: Site) -> None:
    # What the tiny model writes is no Markdown: the page is given an answer that is.
    say(page, "red oak thing")
    exported(page, "red oak thing")
    page.get_by_label("Markdown").check()
    page.locator("#chat-base .tk-assistant .tk-markdown").wait_for()
    assert page.locator("#chat-base .tk-user .tk-markdown").count() == 0
    page.get_by_label("Markdown").uncheck()
    page.locator("#chat-base .tk-markdown").wait_for(state="detached")


def test_pictures_and_scripts_from_elsewhere_are_refused_by_the_browser(
    browser: Any, site: Site
) -> None:
    """Even where a text were to become HTML: the policy of the page keeps it from asking."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.url)
    refused = page.evaluate(
        """async () => {
            const told = [];
            document.addEventListener("securitypolicyviolation", e => told.push(e.blockedURI));
            const image = new Image();
            image.src = "http://192.0.2.1/x.png";
            document.body.append(image);
            const asked = await fetch("http://192.0.2.1/y").then(() => "sent", () => "refused");
            await new Promise(done => setTimeout(done, 300));
            return [asked, told.length];
        }"""
    )
    context.close()
    assert refused[0] == "refused" and refused[1] >= 2


def test_a_message_that_is_refused_goes_back_to_where_it_was_typed(page: Any) -> None:
    long = "oak " * 3000
    say(page, long)
    page.locator("#chat-status [role=alert]").wait_for()
    assert "too long" in page.locator("#chat-status").inner_text()
    page.wait_for_function("() => document.querySelector('#chat-message textarea').value")
    assert page.locator("#chat-message textarea").input_value() == long.strip()
    assert page.locator("#chat-base .tk-message").count() == 0


def test_a_fully_fine_tuned_run_is_talked_to(page: Any, site: Site) -> None:
    choose_run(page, site.names["whole"])
    view(page, "Chat")
    page.locator("#chat-trained h2", has_text="full").wait_for()
    say(page, "red oak thing")
    saved = exported(page, "red oak thing")
    assert saved["run"] == site.names["whole"] and set(saved["turns"][0]) >= {"base", "full"}
    assert page.locator("#chat-trained .tk-assistant").count() == 1
    assert re.search("Full model", page.locator("#chat-who").inner_text())


def test_a_preset_fills_the_controls_by_the_keyboard(page: Any) -> None:
    view(page, "Chat")
    tab = page.locator("#tab-chat")
    tab.get_by_role("button", name=re.compile("^Sampling")).click()
    heat = tab.get_by_label(re.compile("number input for Temperature")).first
    heat.wait_for()
    tab.get_by_role("button", name="Balanced", exact=True).focus()
    page.keyboard.press("Enter")
    tab.get_by_text("Balanced: temperature 0.7, top p 0.9.").wait_for()
    page.wait_for_function("() => location.search.includes('temperature=0.7')")
    assert heat.input_value() == "0.7" and "tokens=64" in page.url
    page.keyboard.press("Shift+Tab")  # to "Greedy"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    tab.get_by_text("As measured: greedy").wait_for()
    page.wait_for_function("() => !location.search.includes('tokens=64')")
    assert heat.input_value() == "0"
    page.reload()  # a preset stands in the address as what it has set
    tab.get_by_role("button", name=re.compile("^Sampling")).click()
    new = tab.get_by_label(re.compile("number input for Most new tokens")).first
    new.wait_for()
    assert f"tokens={new.input_value()}&" in page.url and int(new.get_attribute("max")) > 64
