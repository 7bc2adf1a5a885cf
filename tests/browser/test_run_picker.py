"""Choosing a run among many: by words, by menus, by the mouse and by the keyboard alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playground_site import Site
from playground_steps import session

pytestmark = pytest.mark.slow

MANY = 500


@pytest.fixture(scope="module")
def many(site: Site) -> Iterator[list[str]]:
    """Hundreds of further runs of another task, of which nothing is there but ``run.json``."""
    plain = json.loads((site.folder("main") / "run.json").read_text())
    made: list[Path] = []
    for number in range(MANY):
        name = f"20250101-{number:06d}-{number:06x}"
        place = site.runs / "many" / name
        place.mkdir(parents=True)
        recipe = {**plain["recipe"], "model": f"/models/tiny-{number % 7}"}
        command = f"toolkit run many.py --set training.max_steps={number}"
        info = {**plain, "id": name, "task": "many", "recipe": recipe, "command": command,
                "created": f"2025-01-01T{number // 60:02d}:{number % 60:02d}:00+00:00"}  # fmt: skip
        (place / "run.json").write_text(json.dumps(info))
        made.append(place)
    yield [place.name for place in made]
    for place in made:
        (place / "run.json").unlink()
        place.rmdir()
    (site.runs / "many").rmdir()


def visible(page: Any) -> list[str]:
    found: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('#run .tk-pick')].filter(e => e.checkVisibility())"
        ".map(e => e.dataset.run)"
    )
    return found


def test_a_run_is_found_among_hundreds(browser: Any, site: Site, many: list[str]) -> None:
    with session(browser, site.url) as page:
        assert page.locator("#run .tk-now").get_attribute("data-run") == site.names["main"]
        page.locator("#run summary").click()
        listed = visible(page)
        assert len(listed) > MANY and listed[0] == site.names["main"]
        assert listed.index(many[-1]) < listed.index(many[0])  # the newest first
        search = page.locator("#run input[type=search]")
        search.fill("many max_steps=417")
        assert visible(page) == [many[417]]
        assert "1 of" in page.locator("#run [role=status]").inner_text()
        search.fill("")
        page.locator("#run select[data-by=model]").select_option("tiny-3")
        assert visible(page) == [name for i, name in enumerate(many) if i % 7 == 3][::-1]
        page.locator("#run select[data-by=model]").select_option("")
        page.locator("#run select[data-by=verdict]").select_option("not worth it")
        assert site.names["main"] in visible(page) and not set(many) & set(visible(page))
        page.keyboard.press("Escape")
        assert page.locator("#run details[open]").count() == 0


def test_the_keyboard_chooses_a_run(page: Any, site: Site) -> None:
    page.locator("#run summary").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.type === 'search'")
    page.keyboard.type(site.names["second"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "id => document.querySelector('#run .tk-now').dataset.run === id", arg=site.names["second"]
    )
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-asked")
    assert site.names["second"] in page.locator("#compare-out .tk-asked").inner_text()
