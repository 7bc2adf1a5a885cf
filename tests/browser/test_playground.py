"""The playground as a person meets it, on a run that was really trained."""

from __future__ import annotations

import base64
import csv
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from cli_runner import environment, goods, quick, write_csv
from playground_site import serving
from playground_steps import TIMEOUT, beside, choose_run, introduce, most_tokens, texts, view

pytestmark = pytest.mark.slow

HELD = 50
"""Tokens of an answer that is held while a test goes on: when it ends is the test's to say, so it
need not be long; what is written after it was let go is waited for."""


def test_compare_streams_both_sides_and_they_differ(page: Any) -> None:
    most_tokens(page, "compare", 100)
    page.click("#compare-go")
    grown: list[list[int]] = []
    while page.locator("#compare-out .tk-cards[aria-busy=false]").count() == 0:
        grown.append([len(t) for t in texts(page)])
        time.sleep(0.02)
        assert len(grown) < 2000
    lengths = [pair for pair in grown if len(pair) == 2]
    assert len({tuple(pair) for pair in lengths}) >= 2  # seen while they were written
    base, adapter = texts(page)
    assert base != adapter and page.locator("#compare-out mark").count() > 0
    foot = page.locator("#compare-out .tk-foot").first.inner_text()
    assert re.search(r"\d+ tokens? · [\d.]+ s · \d+ tokens/s", foot.replace("\xa0", " "))
    page.get_by_text("The exact prompt").click()
    prompt = page.locator("#compare-out pre").inner_text()
    assert page.locator("#compare-input-0 textarea").input_value() in prompt
    assert page.locator("#compare-out .tk-verdict").count() == 0  # raw text is not judged


def test_another_runs_adapter_stands_beside_the_first(page: Any, site: Any) -> None:
    label = f"adapter of {site.names['second']}"
    beside(page, site.names["second"])
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")
    heads = page.locator("#compare-out h2").all_inner_texts()
    assert heads == ["base", "adapter", label]
    base, adapter, second = texts(page)
    assert base != adapter == second  # the copy of a run has its adapter


def test_an_example_brings_its_gold_answer_and_own_text_has_none(page: Any, site: Any) -> None:
    wanted = site.rows("validation")[2]
    page.locator("#compare-examples tbody tr").nth(2).locator("td").first.click()
    box = page.locator("#compare-input-0 textarea")
    page.wait_for_function(
        "text => document.querySelector('#compare-input-0 textarea').value === text",
        arg=wanted["text"],
    )
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")
    assert str(round(wanted["price"])) in page.locator("#compare-out .tk-gold").inner_text()
    box.fill("something of my own")
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-gold", state="detached")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")


def test_what_is_asked_while_an_answer_is_written_is_answered(page: Any, site: Any) -> None:
    page.locator("#compare-examples tbody tr").nth(2).locator("td").first.click()
    most_tokens(page, "compare", HELD)
    with site.held():
        page.click("#compare-go")
        page.wait_for_selector("#compare-out .tk-gold")
        page.wait_for_selector("#compare-out .tk-cards[aria-busy=true]")
        page.locator("#compare-input-0 textarea").fill("something of my own")
        page.click("#compare-go")  # the old answer stops, the new one follows
        page.wait_for_selector("#compare-out .tk-gold", state="detached")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")
    page.get_by_text("The exact prompt").click()
    assert "something of my own" in page.locator("#compare-out pre").inner_text()
    view(page, "Chat")
    most_tokens(page, "chat", HELD)
    message = page.locator("#chat-message textarea")
    with site.held():
        message.fill("red oak thing")
        message.press("Enter")
        page.wait_for_selector("#chat-base .tk-assistant")
        message.fill("large silk thing")
        message.press("Enter")
        page.locator("#chat-base").get_by_text("large silk thing", exact=True).wait_for()
    page.wait_for_function(
        "() => { const a = document.querySelector('#chat-export a');"
        " return a && atob(a.href.split(',')[1]).includes('silk'); }"
    )
    first, second = exported(page)["turns"]
    assert (first["user"], second["user"]) == ("red oak thing", "large silk thing")
    assert len(first["base"]) < len(second["base"])  # stopped, and written to its end


def test_stop_stops(page: Any, site: Any) -> None:
    most_tokens(page, "compare", HELD)
    with site.held():
        page.click("#compare-go")
        page.wait_for_selector("#compare-out .tk-cards[aria-busy=true]")
        page.click("#compare-stop")
        page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")
    feet = page.locator("#compare-out .tk-foot").all_inner_texts()
    stopped = [foot.replace("\xa0", " ") for foot in feet if "stopped" in foot]
    assert stopped and all(int(foot.split()[0]) < HELD for foot in stopped)


def test_chat_keeps_its_history(page: Any) -> None:
    view(page, "Chat")
    for said in ("red oak thing", "large silk thing"):
        page.locator("#chat-message textarea").fill(said)
        page.locator("#chat-message textarea").press("Enter")
        page.locator("#chat-trained").get_by_text(said, exact=True).wait_for()
        page.wait_for_function(
            "said => { const a = document.querySelector('#chat-export a');"
            " return a && atob(a.href.split(',')[1]).includes(said); }", arg=said,
        )  # fmt: skip
    turns = exported(page)["turns"]
    assert [turn["user"] for turn in turns] == ["red oak thing", "large silk thing"]
    assert all(turn["base"] != turn["adapter"] for turn in turns)
    for place in ("base", "trained"):
        shown = page.locator(f"#chat-{place}").inner_text()
        assert "red oak thing" in shown and "large silk thing" in shown
    first = turns[0]
    page.locator("#chat-trained").get_by_role("button", name="Retry").last.click()
    page.wait_for_timeout(500)
    page.wait_for_selector("#chat-status .tk-foot")
    assert exported(page)["turns"][0] == first  # greedy, and earlier turns stay
    view(page, "Compare")
    view(page, "Chat")
    assert "red oak thing" in page.locator("#chat-base").inner_text()
    page.click("#chat-clear")
    page.get_by_text("red oak thing").first.wait_for(state="detached")


def test_no_answer_comes_back_after_its_conversation_or_run_was_left(page: Any, site: Any) -> None:
    view(page, "Chat")
    most_tokens(page, "chat", HELD)
    message = page.locator("#chat-message textarea")
    for said in ("red oak thing", "large silk thing"):
        with site.held():
            message.fill(said)
            message.press("Enter")
            page.locator("#chat-status").get_by_text("tokens/s").first.wait_for()  # it is writing
            page.click("#chat-clear")
            page.get_by_text(said).first.wait_for(state="detached")
        page.wait_for_timeout(1500)
        assert page.locator("#chat-base").get_by_text(said).count() == 0
        assert page.locator("#chat-status").inner_text().strip() == ""
    message.fill("old steel thing")
    message.press("Enter")  # the next conversation is answered, and holds nothing of the last
    page.wait_for_function(
        "() => { const a = document.querySelector('#chat-export a');"
        " return a && atob(a.href.split(',')[1]).includes('steel'); }"
    )
    assert [turn["user"] for turn in exported(page)["turns"]] == ["old steel thing"]

    view(page, "Compare")
    most_tokens(page, "compare", HELD)
    with site.held():
        page.click("#compare-go")
        page.wait_for_selector("#compare-out .tk-cards[aria-busy=true]")
        choose_run(page, site.names["second"])
        page.locator("#compare-out").get_by_text("Nothing compared yet").wait_for()
    page.wait_for_timeout(1500)
    assert page.locator("#compare-out .tk-cards").count() == 0
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")


def test_a_message_can_be_edited_and_a_chat_stopped(page: Any, site: Any) -> None:
    view(page, "Chat")
    page.locator("#chat-message textarea").fill("red oak thing")
    page.locator("#chat-message textarea").press("Enter")
    page.wait_for_selector("#chat-export a")
    page.locator("#chat-trained").get_by_role("button", name="Edit").first.click()
    box = page.locator("#chat-trained textarea").first
    box.fill("large silk thing")
    page.locator("#chat-trained").get_by_role("button", name="Confirm").click()
    page.locator("#chat-base").get_by_text("large silk thing", exact=True).wait_for()
    page.wait_for_function(
        "() => atob(document.querySelector('#chat-export a').href.split(',')[1]).includes('silk')"
    )
    assert [turn["user"] for turn in exported(page)["turns"]] == ["large silk thing"]
    most_tokens(page, "chat", HELD)
    page.locator("#chat-message textarea").fill("old steel thing")
    with site.held():
        page.click("#chat-send")
        page.locator("#chat-status").get_by_text("tokens/s").first.wait_for()
        page.click("#chat-stop")
        page.wait_for_function(
            "() => atob(document.querySelector('#chat-export a').href.split(',')[1])"
            ".includes('steel')"
        )
    said = page.locator("#chat-status").inner_text().replace("\xa0", " ")
    assert "stopped" in said or f"{HELD} tokens" not in said


def exported(page: Any) -> Any:
    link = page.locator("#chat-export a").get_attribute("href")
    return json.loads(base64.b64decode(link.split(",")[1]))


def test_the_price_panel_shows_a_distribution(page: Any) -> None:
    view(page, "Prediction")
    page.click("#prediction-go")
    page.wait_for_selector("#prediction-out .tk-dist")
    rows = page.locator("#prediction-out .tk-hist")
    assert rows.count() == 2 and rows.nth(1).locator("rect").count() >= 3
    assert page.locator("#prediction-out .tk-band").count() == 2
    shown = page.locator("#prediction-out").inner_text()
    assert "true value" in shown and "gradient-boosting" in shown and "90 %" in shown


def test_a_vote_lands_in_sqlite_and_in_the_export(page: Any, site: Any) -> None:
    introduce(page, "ann")
    view(page, "Vote")
    page.get_by_label("Next pair by itself").uncheck()
    page.click("#vote-next")
    page.wait_for_selector("#vote-pair .tk-cards")
    blind = page.locator("#vote-pair").inner_text()
    assert "adapter" not in blind and "base" not in blind
    said = page.locator("#vote-pair .tk-said").all_inner_texts()
    page.click("#vote-right")
    page.wait_for_selector("#vote-told .tk-notice")
    (store,) = (site.runs / ".playground").glob(f"{site.names['main']}.sqlite")
    with sqlite3.connect(store) as connection:
        row = connection.execute(
            "SELECT choice, left_text, right_text, left_side, right_side, voter, split FROM votes "
            "ORDER BY id DESC LIMIT 1"
        ).fetchone()
    connection.close()
    assert row[0] == "right" and {row[3], row[4]} == {"base", "adapter"}
    assert [text.strip() or "nothing" for text in row[1:3]] == [text.strip() for text in said]
    assert row[5:] == ("ann", "train")
    with sqlite3.connect(store) as connection:
        (before,) = connection.execute("SELECT COUNT(*) FROM votes").fetchone()
    connection.close()
    # The predictions of a price are no text that a preference could be trained on.
    page.locator("#vote-results .tk-left-out", has_text="no text of the model").wait_for()
    link = page.locator("#vote-results a").last.get_attribute("href")
    saved = list(csv.DictReader(base64.b64decode(link.split(",")[1]).decode().splitlines()))
    assert saved[-1]["voter"] == "ann" and saved[-1]["choice"] == "right"
    page.click("#vote-left", force=True)  # the pair has been voted on
    page.wait_for_timeout(300)
    with sqlite3.connect(store) as connection:
        assert connection.execute("SELECT COUNT(*) FROM votes").fetchone()[0] == before
    connection.close()


def test_two_people_fill_in_the_sheet_and_get_their_agreement(page: Any, site: Any) -> None:
    view(page, "Vote")
    page.get_by_label("Next pair by itself").uncheck()
    page.get_by_label("Sheet of 100").check()
    link = page.locator("#vote-sheet a")
    link.wait_for()
    data = link.get_attribute("href").split(",")[1]
    paper = list(csv.DictReader(base64.b64decode(data).decode().splitlines(keepends=True)))
    assert len(paper) > 10 and all(row["choice"] == "" for row in paper)
    seen = {}
    for name, choices in (("ann", ("left", "right", "left")), ("bob", ("left", "right", "right"))):
        introduce(page, name)
        seen[name] = []
        for place, choice in enumerate(choices):
            page.click("#vote-next")
            page.wait_for_selector(f"#vote-{choice}:not([disabled])")
            seen[name] += [page.locator("#vote-pair .tk-said").all_inner_texts()]
            wanted = [paper[place][side].removeprefix("'").strip() for side in "AB"]
            shown = [text.strip().replace("nothing", "") for text in seen[name][-1]]
            assert [" ".join(t.split()) for t in shown] == [" ".join(t.split()) for t in wanted]
            page.click(f"#vote-{choice}")
            page.locator("#vote-told").get_by_text("Kept.").wait_for()
            page.wait_for_selector(f"#vote-{choice}[disabled]")
    assert seen["ann"] == seen["bob"]
    agreed = page.locator("#vote-results table", has_text="ann and bob")
    assert "67%" in agreed.inner_text()


def test_guesses_change_the_ladder(page: Any, site: Any) -> None:
    introduce(page, "ann")
    view(page, "Guess")
    page.wait_for_selector("#guess-card .tk-question")
    page.locator("#guess-number input").fill("-5")  # an answer in words, not a fault of the server
    page.click("#guess-give")
    page.locator("#guess-told").get_by_text("above zero").wait_for()
    metrics = site.folder("main") / "metrics.json"
    prices = {row["text"]: row["price"] for row in site.rows("test")}
    assert "human" not in json.loads(metrics.read_text())["systems"]
    for number in range(24):
        text = page.locator("#guess-card .tk-question").inner_text()
        page.locator("#guess-number input").fill(str(prices[text] + (2, 4)[number % 2]))
        page.click("#guess-give")
        page.wait_for_function(
            "old => document.querySelector('#guess-card').innerText.indexOf(old) < 0", arg=text
        )
        assert "the truth is" in page.locator("#guess-told").inner_text()
    for _ in range(120):
        found = json.loads(metrics.read_text())["systems"].get("human")
        if found:
            break
        time.sleep(0.5)
    assert found and found["n"] == 24 and found["metrics"]["mae"]["value"] == pytest.approx(3.0)
    assert 2 < found["metrics"]["mae"]["low"] < 3 < found["metrics"]["mae"]["high"] < 4
    report = site.folder("main") / "report.html"  # it is written after the metrics
    for _ in range(120):
        if "human" in report.read_text():
            break
        time.sleep(0.5)
    assert "human" in report.read_text()


def test_an_adapter_for_another_base_is_named(page: Any, site: Any) -> None:
    notice = page.locator("#about .tk-warn").all_inner_texts()
    assert any("for another base" in n and site.names["elsewhere"] in n for n in notice)
    beside(page, site.names["elsewhere"])
    page.click("#compare-go")
    message = page.locator("#compare-out [role=alert]")
    message.wait_for()
    assert "is for another base" in message.inner_text()


def test_a_run_folder_with_missing_files_is_told(page: Any, site: Any) -> None:
    choose_run(page, site.names["broken"])
    notice = page.locator("#about .tk-warn").first
    notice.get_by_text("adapter/toolkit.json").wait_for()
    page.click("#compare-go")
    message = page.locator("#compare-out [role=alert]")
    message.wait_for()
    assert "has no adapter/toolkit.json" in message.inner_text()


def test_a_panel_that_raises_is_told_and_the_rest_works(page: Any, site: Any) -> None:
    choose_run(page, site.names["angry"])
    page.locator("#about").get_by_text("Predict a price").wait_for()
    page.wait_for_timeout(1500)
    view(page, "Prediction")
    page.click("#prediction-go")
    message = page.locator("#prediction-out [role=alert]")
    message.wait_for()
    said = message.inner_text()
    assert "panel_data of the task 'angry-prices' (angry) raised" in said
    assert "no panel today" in said
    view(page, "Compare")
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")


def test_a_third_party_panel_is_drawn(page: Any, site: Any) -> None:
    choose_run(page, site.names["marked"])
    view(page, "Prediction")
    page.locator("#prediction-input-0").get_by_text("Offer").wait_for()
    page.click("#prediction-go")
    page.wait_for_selector("#prediction-out .tk-cards mark.tk-unsupported")
    assert page.locator("#prediction-out .tk-cards mark").all_inner_texts() == ["says", "says"]
    source = page.locator("#prediction-out .tk-source")
    said = page.locator("#prediction-input-0 textarea").input_value()
    assert source.locator("mark.tk-missing").all_inner_texts() == [said[:3]]
    assert (
        "left out" in source.inner_text()
        and "not in the source" in page.locator("#prediction-out .tk-legend").inner_text()
    )


def test_an_encoder_decoder_is_compared_drawn_talked_to_and_voted_on(page: Any, site: Any) -> None:
    choose_run(page, site.names["notes"])
    page.locator("#about").get_by_text("A note on an offer").wait_for()
    page.locator("#compare-input-0").get_by_text("Offer").wait_for()
    page.click("#compare-go")
    page.wait_for_selector("#compare-out .tk-cards[aria-busy=false]")
    base, adapter = texts(page)
    assert base != adapter and page.locator("#compare-out .tk-gold").count() == 1
    said = page.locator("#compare-input-0 textarea").input_value()
    assert said in page.locator("#compare-out pre").text_content()
    view(page, "Prediction")
    page.click("#prediction-go")
    page.wait_for_selector("#prediction-out .tk-source")
    assert said in page.locator("#prediction-out .tk-source").inner_text()
    marks = page.locator("#prediction-out mark").count()
    assert marks > 0 and page.locator("#prediction-out .tk-cards section").count() == 2
    view(page, "Chat")
    page.locator("#chat-message textarea").fill("red cup, 3 pieces")
    page.locator("#chat-message textarea").press("Enter")
    page.wait_for_selector("#chat-export a")
    (turn,) = exported(page)["turns"]
    assert turn["base"] != turn["adapter"]
    assert page.get_by_role("tab", name="Guess", exact=True).count() == 0  # it has no numbers
    introduce(page, "ann")
    view(page, "Vote")
    page.click("#vote-next")
    page.wait_for_selector("#vote-left:not([disabled])")
    page.click("#vote-left")
    page.locator("#vote-told").get_by_text("Kept.").wait_for()
    choose_run(page, site.names["main"])
    page.get_by_role("tab", name="Guess", exact=True).wait_for()


def test_a_run_in_progress_is_shown_live(
    page: Any, site: Any, tiny_llama: Path, tmp_path: Path
) -> None:
    """A real run, begun after the page was loaded, from its first step to its report."""
    before = {path.name for path in (site.runs / "price-regression").iterdir()}
    data = write_csv(tmp_path / "goods.csv", goods(rows=120))
    slow = ["--set", "training.max_steps=60", "--set", "training.logging_steps=1"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "toolkit.cli", "run", "price-regression", "--data", str(data),
             *quick(tiny_llama), *slow, "--runs", str(site.runs)],
            env=environment(), stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            for _ in range(240):
                new = {p.name for p in (site.runs / "price-regression").iterdir()} - before
                if new or process.poll() is not None:
                    break
                time.sleep(0.25)
            (run_id,) = new
            view(page, "Run")
            page.wait_for_selector("#run-about iframe")
            page.locator("#run-which input").click()
            page.get_by_role("option", name=re.compile(site.names["main"])).click()  # away with it
            page.get_by_role("option", name=re.compile(run_id)).click()
            page.locator("#run-about").get_by_text("In progress").first.wait_for()
            page.wait_for_selector("#run-about .tk-chart svg", state="attached", timeout=180_000)
            page.wait_for_selector("#run-about .tk-done:has-text('train')", timeout=180_000)
            page.wait_for_selector("#run-about iframe", timeout=180_000)  # nobody loaded it anew
            assert process.wait(60) == 0, (tmp_path / "log").read_text()
            page.wait_for_selector("#run-file input")
        finally:
            process.kill()
            process.wait()


def test_a_run_that_stands_still_says_how_to_go_on(page: Any, site: Any) -> None:
    folder = site.folder("live")
    for path in folder.rglob("*"):
        os.utime(path, (0, 0))
    view(page, "Run")
    page.wait_for_selector("#run-about iframe")
    page.locator("#run-which input").click()
    page.get_by_role("option", name=re.compile(site.names["live"])).click()
    page.locator("#run-about").get_by_text("toolkit resume").first.wait_for()


def test_several_runs_stand_side_by_side(page: Any, site: Any) -> None:
    view(page, "Run")
    page.wait_for_selector("#run-about iframe")
    page.locator("#run-which input").click()
    page.get_by_role("option", name=re.compile(site.names["broken"])).click()
    page.wait_for_selector("#run-about table")
    shown = page.locator("#run-about").inner_text()
    assert site.names["main"] in shown and site.names["broken"] in shown


def test_without_a_run_the_page_says_how_to_make_one(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    with serving(tmp_path, "--runs", str(tmp_path / "none"), "--auth", "ann:secret") as (url, _):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{url}/config", timeout=20)
        refused.value.close()
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        page.get_by_label("username").fill("ann")
        page.get_by_label("password").fill("secret")
        page.get_by_role("button", name="Login").click()
        page.get_by_text("toolkit run price-regression").first.wait_for(timeout=TIMEOUT)
        name = page.locator("#person input, #person textarea").first
        page.wait_for_function("() => document.querySelector('#person :is(input, textarea)').value")
        assert name.input_value() == "ann" and name.is_disabled()  # the login is the voter
        context.close()
    assert list((tmp_path / "temporary").glob("toolkit-playground-*")) == []
