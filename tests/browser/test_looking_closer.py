"""Failures, Tokens and Step, as a person uses them: by mouse, and by keyboard alone."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import pytest

from playground_site import Site
from playground_steps import choose_run, view

pytestmark = pytest.mark.slow

SIZES = {1440: 1000, 390: 844}


def lines(site: Site, system: str, split: str = "test", run: str = "main") -> dict[int, Any]:
    place = site.folder(run) / "predictions" / f"{system}.jsonl"
    found = map(json.loads, place.read_text().splitlines())
    return {line["row_id"]: line for line in found if line["split"] == split}


def numbers(page: Any) -> list[int]:
    said = page.locator("#failures-rows .tk-fail .tk-quiet").all_inner_texts()
    return [int(re.search(r"row (\d+)", text).group(1)) for text in said]  # type: ignore[union-attr]


def choose(page: Any, box: str, label: str) -> None:
    """Choose from a list by the keyboard."""
    page.locator(f"#{box} input").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("option", name=re.compile(label)).first.wait_for()
    page.get_by_role("option", name=re.compile(label)).first.click()


def failures(page: Any) -> None:
    view(page, "Failures")
    page.wait_for_selector("#failures-rows .tk-fail")


def test_failures_are_sorted_paged_and_filtered(page: Any, site: Site) -> None:
    failures(page)
    errors = {n: line["metrics"]["mae"] for n, line in lines(site, "adapter").items()}
    worst = sorted(errors, key=lambda n: (-errors[n], n))
    assert numbers(page) == worst[:20]
    page.locator("#failures-next").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Rows 21 to").wait_for()
    assert numbers(page) == worst[20:40]
    theirs = {n: line["prediction"] for n, line in lines(site, "base").items()}
    apart = {
        n: abs(line["prediction"] - theirs[n]) for n, line in lines(site, "adapter").items()
    }  # fmt: skip
    choose(page, "failures-order", "^Disagreement of the adapter and the base")
    page.locator("#failures-rows .tk-fail-far").first.get_by_text("apart").wait_for()
    assert [apart[n] for n in numbers(page)] == sorted(apart.values(), reverse=True)[:20]
    choose(page, "failures-part", "^price: ")
    page.wait_for_function(
        "all => !document.querySelector('#failures-rows').innerText.includes(`of ${all} test`)",
        arg=len(errors),
    )
    part = page.locator("#failures-part input").input_value().split(" · ")[0]
    shown = page.locator("#failures-rows .tk-fail .tk-quiet").all_inner_texts()
    assert shown and all(part in text for text in shown)
    choose(page, "failures-split", "^validation")
    page.get_by_text("validation rows of run").wait_for()
    assert set(numbers(page)) <= set(lines(site, "adapter", "validation"))


def test_a_row_is_opened_by_one_key_with_all_answers(page: Any, site: Site) -> None:
    failures(page)
    row = numbers(page)[1]
    stored = {
        place.stem: lines(site, place.stem)[row]["prediction"]
        for place in (site.folder("main") / "predictions").glob("*.jsonl")
    }
    assert len(stored) > 4
    first = page.locator("#failures-rows button[data-view=prediction]").first
    first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("#prediction-out .tk-dist")
    asked = page.locator("#prediction-out .tk-asked").inner_text()
    assert f"test row {row}:" in asked
    said = page.locator("#prediction-out").inner_text()
    assert all(name in said for name in stored)
    page.wait_for_function("document.activeElement.id === 'prediction-go'")  # nobody is lost
    failures(page)
    page.locator(f"#failures-rows button[data-view=compare][data-row='{row}']").press("Enter")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")
    assert f"test row {row}:" in page.locator("#compare-out .tk-asked").inner_text()
    said = page.locator("#compare-out").inner_text()
    assert all(name in said for name in stored)
    failures(page)
    page.locator(f"#failures-rows button[data-view=tokens][data-row='{row}']").click()
    page.wait_for_selector("#tokens-out button[data-at]")
    assert f"test row {row}:" in page.locator("#tokens-out .tk-asked").inner_text()


def look(page: Any) -> None:
    view(page, "Tokens")
    page.click("#tokens-go")
    page.wait_for_selector("#tokens-out button[data-at]")


def test_a_token_is_looked_into_by_keyboard(page: Any, site: Site) -> None:
    look(page)
    base = page.locator("#tokens-out button[data-side=base]")
    assert base.count() >= 2
    base.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    detail = page.locator("#tokens-detail")
    detail.get_by_text(f"Token 2 of {base.count()} of the answer of base").wait_for()
    assert base.nth(1).get_attribute("aria-pressed") == "true"
    cards = detail.locator(".tk-card")
    assert cards.locator("h2").all_inner_texts() == ["base", "adapter"]
    written = cards.first.locator(".tk-way").first
    assert "written" in written.inner_text()
    share = written.locator("b").inner_text()
    assert base.nth(1).get_attribute("aria-label").endswith(share)
    # Another way: what base goes on with is its own greedy text from there.
    other = cards.first.locator(".tk-way button").nth(1)
    other.focus()
    page.keyboard.press("Enter")
    ahead = page.locator("#tokens-ahead .tk-card")
    ahead.wait_for()
    assert ahead.locator("mark").inner_text().strip() == other.inner_text().strip()
    page.get_by_role("tab", name="Tokens", exact=True).focus()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.dataset.side ?? document.activeElement.id")
        )
        if {"tokens-go", "base", "adapter"} <= reached:
            break
    assert {"tokens-go", "base", "adapter"} <= reached


def test_an_encoder_decoder_has_tokens_and_a_step_and_a_whole_model_no_step(
    page: Any, site: Site
) -> None:
    choose_run(page, site.names["notes"])
    page.locator("#about").get_by_text("A note on an offer").wait_for()
    look(page)
    page.locator("#tokens-out button[data-side=adapter]").first.click()
    page.wait_for_selector("#tokens-detail .tk-way")
    failures(page)
    assert "correct" in page.locator("#failures-rows").inner_text()
    view(page, "Step")
    page.click("#step-go")
    page.wait_for_selector("#step-out .tk-part")
    assert "encoder layer 0" in page.locator("#step-out").text_content()
    choose_run(page, site.names["whole"])
    page.get_by_role("tab", name="Step", exact=True).wait_for(state="hidden")
    assert page.get_by_role("tab", name="Tokens", exact=True).count() == 1


def test_a_step_is_explained_and_leaves_no_trace(page: Any, site: Site) -> None:
    folder = site.folder("main")
    before = {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*")
              if p.is_file()}  # fmt: skip
    look(page)
    answers = page.locator("#tokens-out .tk-tokens").all_inner_texts()
    labels = page.locator("#tokens-out button[data-at]").evaluate_all(
        "all => all.map(one => one.getAttribute('aria-label'))"
    )
    view(page, "Step")
    page.locator("#step-another").focus()
    page.keyboard.press("Enter")
    page.locator("#step-row").get_by_text("Answer to learn").wait_for()
    number = int(page.locator("#step-number input").input_value())
    assert number not in lines(site, "adapter")
    page.locator("#step-go").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#step-out .tk-part")
    said = page.locator("#step-out").inner_text()
    assert f"training row {number}" in said and "nats" in said and "0.009" in said
    assert page.locator("#step-out .tk-part").count() == 5
    assert page.locator("#step-out .wide svg").is_visible()
    page.get_by_label("A new adapter, as before training").check()
    page.click("#step-go")
    page.locator("#step-out").get_by_text("from a new adapter").wait_for()
    assert "changes B alone" in page.locator("#step-out").inner_text()
    page.locator("#step-number input").fill(str(next(iter(lines(site, "adapter")))))
    page.keyboard.press("Enter")
    page.locator("#step-row [role=alert]").get_by_text("none of the training rows").wait_for()
    # What the model answers, and how sure it is, is what it was; so is the run's folder.
    look(page)
    page.wait_for_timeout(500)
    assert page.locator("#tokens-out .tk-tokens").all_inner_texts() == answers
    assert labels == page.locator("#tokens-out button[data-at]").evaluate_all(
        "all => all.map(one => one.getAttribute('aria-label'))"
    )
    assert before == {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in before}


@pytest.fixture(scope="module")
def opened(kept: Any) -> Any:
    """All three views with what can be opened in them."""
    page = kept.page
    failures(page)
    look(page)
    page.locator("#tokens-out button[data-at]").first.click()
    page.locator("#tokens-detail .tk-way button").nth(1).click()
    page.wait_for_selector("#tokens-ahead .tk-card")
    page.locator("#tokens-out details").last.locator("summary").click()
    view(page, "Step")
    page.click("#step-go")
    page.wait_for_selector("#step-out .tk-part")
    page.locator("#step-out details summary").click()
    return kept


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", SIZES)
def test_axe_finds_nothing_amiss_in_what_was_looked_at(
    opened: Any, width: int, scheme: str
) -> None:
    opened.turn(width, SIZES[width], scheme)
    found = {}
    for name, shown in (
        ("Failures", "#failures-rows .tk-fail"),
        ("Tokens", "#tokens-ahead .tk-card"),
        ("Step", "#step-out details[open]"),
    ):
        opened.view(name)
        opened.page.locator(shown).first.wait_for()
        found[name] = opened.amiss()
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width, name
    assert opened.page.locator("#tokens-out details[open]").count() > 0
    assert {name: nodes for name, nodes in found.items() if nodes} == {}
