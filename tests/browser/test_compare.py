"""Compare: what is judged is what the run measured, and says so; the report beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground_site import Site
from playground_steps import most_tokens, view

pytestmark = pytest.mark.slow


def test_sides_answer_by_the_runs_own_decoder(page: Any, site: Site) -> None:
    """The answers to a stored row are those that the run was scored on."""
    row = site.rows("validation")[0]
    page.locator("#compare-examples tbody tr").first.locator("td").first.click()
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")
    said = page.locator("#compare-out .tk-said").all_inner_texts()
    for side, text in zip(("base", "adapter"), said, strict=True):
        place = site.folder("main") / "predictions" / f"{side}.jsonl"
        lines = [json.loads(line) for line in place.read_text().splitlines()]
        (line,) = [
            one for one in lines if one["split"] == "validation" and one["row_id"] == row["row_id"]
        ]
        shown = float(text.replace(",", "").replace("$", "").strip())
        assert shown == pytest.approx(line["prediction"], rel=1e-3, abs=1e-3), side
    words = " ".join(page.locator("#compare-out .tk-verdict").all_inner_texts())
    assert "✓" not in words and "right" not in words and ("nearer" in words or "equal" in words)
    asked = page.locator("#compare-out .tk-asked").inner_text()
    assert site.names["main"] in asked and f"row {row['row_id']}" in asked
    assert "own decoder" in asked


def test_raw_text_is_a_switch_and_is_not_judged(page: Any) -> None:
    most_tokens(page, "compare", 5)
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")
    asked = page.locator("#compare-out .tk-asked").inner_text()
    assert "raw text" in asked and "max_new_tokens 5" in asked
    assert page.locator("#compare-out .tk-verdict").count() == 0


def test_links_of_a_report_lead_to_places_in_it(page: Any) -> None:
    view(page, "Run")
    frame = page.frame_locator("#run-about iframe")
    links = frame.locator("a[href]")
    links.first.wait_for()
    before = frame.locator("h2").first.inner_text()
    links.last.click()
    page.wait_for_timeout(500)
    assert frame.locator("h2").first.inner_text() == before  # it is still the report
    assert frame.locator("a[href]:not([href^='about:srcdoc#'])").count() == 0
    assert frame.locator(":target").count() == 1
