"""The page for everybody: keyboard, screen readers, phones, the dark."""

from __future__ import annotations

import re
from typing import Any

import pytest

from playground_site import Site
from playground_steps import VIEWS, introduce, session, view

pytestmark = pytest.mark.slow

WIDTHS = {390: 844, 820: 1180, 1440: 1000, 2560: 1440}


@pytest.fixture(scope="module")
def filled(kept: Any) -> Any:
    """Something to see in every view, so that it is looked at as people see it."""
    page = kept.page
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")
    view(page, "Prediction")
    page.click("#prediction-go")
    page.wait_for_selector("#prediction-out .tk-dist")
    view(page, "Chat")
    page.locator("#chat-message textarea").fill("red oak thing")
    page.locator("#chat-message textarea").press("Enter")
    page.wait_for_selector("#chat-export a")
    introduce(page, "ann")
    view(page, "Vote")
    page.click("#vote-next")
    page.wait_for_selector("#vote-tie:not([disabled])")
    view(page, "Failures")
    page.wait_for_selector("#failures-rows .tk-fail")
    view(page, "Guess")
    page.wait_for_selector("#guess-card .tk-question")
    view(page, "Run")
    page.wait_for_selector("#run-about iframe")
    return kept


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_amiss_in_any_view(filled: Any, width: int, scheme: str) -> None:
    filled.turn(width, WIDTHS[width], scheme)
    found = {}
    for name in VIEWS:
        filled.view(name)
        found[name] = filled.amiss()
    assert {name: nodes for name, nodes in found.items() if nodes} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(filled: Any, scheme: str) -> None:
    filled.turn(390, WIDTHS[390], scheme)
    page = filled.page
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = sum(map(int, re.findall(r"\d+", paper)[:3])) < 200
    assert dark == (scheme == "dark")
    for name in VIEWS:
        filled.view(name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_comes_in_the_colours_that_its_reader_prefers(
    browser: Any, site: Site, scheme: str
) -> None:
    """From its first load on, where nothing has been turned."""
    with session(browser, site.url, color_scheme=scheme) as page:
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 200) == (scheme == "dark")


def test_every_control_has_a_name(page: Any) -> None:
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('input, textarea, button, select')]
        .filter(e => e.checkVisibility() && !(e.labels && e.labels.length) && !e.innerText.trim()
            && !e.getAttribute('aria-label') && !e.title && !e.placeholder)
        .map(e => e.outerHTML.slice(0, 160))"""
    )
    assert nameless == []


def test_the_keyboard_does_it_all(page: Any) -> None:
    """From the address bar: to the views by arrow keys, to the button by Tab, and Enter."""
    page.keyboard.press("Tab")
    reached = []
    for _ in range(60):
        here = page.evaluate(
            "() => { const e = document.activeElement; return [e.id, e.getAttribute('role'),"
            " e.innerText || '', getComputedStyle(e).outlineStyle]; }"
        )
        reached.append(here)
        if here[0] == "compare-go":
            break
        page.keyboard.press("Tab")
    assert reached[-1][0] == "compare-go", reached
    assert reached[-1][3] != "none"  # where the keyboard is can be seen
    page.keyboard.press("Enter")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")
    page.get_by_role("tab", name="Compare", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.locator("#chat-message textarea").wait_for()
