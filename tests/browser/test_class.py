"""A class: from the link on the teacher's screen to the board, and a name that is removed."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from playground_site import Site, copy, serving
from playground_steps import introduce, session
from toolkit_playground.state.store import Store

pytestmark = pytest.mark.slow

WIDTHS = {390: 844, 1440: 1000}
REFUSED = """async at => {
    const answer = await fetch("/gradio_api/run/predict", {
        method: "POST", headers: { "content-type": "application/json" },
        body: JSON.stringify({ fn_index: at, data: [null], session_hash: "pupil",
                               event_data: { who: "fay" } }) });
    return answer.text();
}"""


@pytest.fixture(scope="module")
def site(played: Path, tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Site]:
    """A playground for a class; its address is the teacher's own."""
    folder = tmp_path_factory.mktemp("class")
    runs = folder / "runs"
    made = Site("", runs, {"main": copy(played, runs, "main", "price-regression")})
    with serving(folder, str(made.folder("main")), "--runs", str(runs), "--class") as (url, _):
        said = (folder / "server.log").read_text()
        (made.url,) = re.findall(r"teacher \(for nobody else\): (\S+)", said)
        assert made.url.startswith(f"{url}/?teacher=") and f"class: {url}/?run=" in said
        yield made


def link_of(page: Any) -> str:
    """The link that the class reads on the teacher's screen."""
    page.locator("#class-link svg").wait_for()
    found: str = page.locator("#class-link a").get_attribute("href")
    return found


def test_a_class_guesses_and_a_name_is_removed(browser: Any, site: Site) -> None:
    with session(browser, site.url) as teacher:
        teacher.locator("#class-board").get_by_text("No guesses yet").wait_for()
        assert "teacher=" not in teacher.url and "view=class" in teacher.url
        link = link_of(teacher)
        asked = parse_qs(urlsplit(link).query)
        assert asked["run"] == [site.names["main"]] and asked["view"] == ["guess"]
        with session(browser, link) as pupil:
            assert "class=" not in pupil.url
            assert not pupil.get_by_role("tab", name="Class", exact=True).is_visible()
            introduce(pupil, "fay")
            guess(pupil, 50)
            pupil.locator("#guess-told .tk-notice").wait_for()
            # The teacher's screen follows by itself.
            teacher.locator("#class-board").get_by_text("fay (1)").wait_for()
            teacher.locator("#class-names").get_by_text("typed, not verified").wait_for()

            places = [f["id"] for f in config(pupil)["dependencies"]
                      if any(event == "remove" for _, event in f["targets"])]  # fmt: skip
            said = pupil.evaluate(REFUSED, places[0])
            assert "Only the teacher removes names" in said, said

            teacher.get_by_role("button", name="Remove fay").click()
            teacher.locator("#class-told").get_by_text("“fay” counts no longer.").wait_for()
            teacher.locator("#class-board").get_by_text("No guesses yet").wait_for()
            guess(pupil, 60)
            told = pupil.locator("#guess-told [role=alert]")
            told.get_by_text("The teacher has removed the name “fay”").wait_for()
            introduce(pupil, "gus")
            pupil.wait_for_selector("#guess-card .tk-question")
            pupil.wait_for_function(
                "() => !document.querySelector('#guess-told')?.innerText.trim()"
            )
            guess(pupil, 70)
            teacher.locator("#class-board").get_by_text("gus (1)").wait_for()
            assert teacher.locator("#class-board").get_by_text("fay").count() == 0
            teacher.get_by_role("button", name="Bring back fay").click()
            teacher.locator("#class-board").get_by_text("fay (1)").wait_for()


def guess(page: Any, value: int) -> None:
    page.wait_for_selector("#guess-card .tk-question")
    page.locator("#guess-number input").fill(str(value))
    page.click("#guess-give")


def config(page: Any) -> Any:
    return json.loads(page.evaluate("() => fetch('/config').then(answer => answer.text())"))


def test_without_the_code_there_is_a_form_for_it(browser: Any, site: Site) -> None:
    address = f"http://{urlsplit(site.url).netloc}"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{address}/config", timeout=20)
    with session(browser, site.url) as teacher:
        code = parse_qs(urlsplit(link_of(teacher)).query)["class"][0]
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    page.get_by_label("Code").fill("nonsense")
    page.keyboard.press("Enter")
    page.get_by_text("does not fit").wait_for()
    page.get_by_label("Code").fill(f" {code.upper()} ")
    page.keyboard.press("Enter")
    page.locator("#guess-card").get_by_text("Who are you?").wait_for()
    assert "view=guess" in page.url and code not in page.url
    context.close()


def test_the_class_votes_where_the_link_leads_to_votes(browser: Any, site: Site) -> None:
    with session(browser, site.url) as teacher:
        link_of(teacher)
        teacher.locator("#class-leads").get_by_label("Vote").check()
        teacher.locator("#class-board").get_by_text("No votes yet").wait_for()
        assert parse_qs(urlsplit(link_of(teacher)).query)["view"] == ["vote"]
        teacher.locator("#class-leads").get_by_label("Guess").check()
        teacher.locator("#class-link a[href*='view=guess']").wait_for()


@pytest.fixture(scope="module")
def screen(kept: Any, site: Site) -> Any:
    """The teacher's screen with a full board: systems, a class, and one name of some length."""
    store = Store(site.runs / ".playground" / f"{site.names['main']}.sqlite")
    rows = site.rows("test")
    for number in range(12):
        name = f"person {number} with a name of some length" if number % 2 else f"p{number}"
        for row in rows[: 6 + number]:
            store.guess(name, row["row_id"], row["price"] + 3 * number, 1.0)
    kept.page.locator("#class-board").get_by_text("the best so far").wait_for()
    kept.page.locator("#class-names").get_by_role("button", name="Remove p10").wait_for()
    return kept


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_teachers_screen_suits_everybody(screen: Any, width: int, scheme: str) -> None:
    screen.turn(width, WIDTHS[width], scheme)
    assert screen.amiss() == []
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= width
