"""What the panel marks in reports and summaries, and in what they were written from."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit import Generated, panels
from toolkit_summarization.claim_task import ClaimReport
from toolkit_summarization.task import Summarization

CLAIM = (
    "claimant: Imogen Vaughan | amount claimed: $4,350 | excess: $300 | location: Oakhurst | "
    "policy no: not provided"
)
ARTICLE = (
    "Fire destroyed the village hall in Ashbourne on Monday. A choir of 20 singers had practised "
    "there with Otto Berger. Nobody was hurt."
)


def drawn(task: type, column: str, source: str, text: str) -> dict[str, Any]:
    output = Generated(text)
    return dict(panels.check("text", task().panel_data(output, {column: source})))


def highlighted(data: dict[str, Any], where: str, kind: str) -> list[str]:
    marks = data["marks" if where == "text" else "source_marks"]
    return [data[where][m["start"] : m["end"]] for m in marks if m["kind"] == kind]


def test_a_report_shows_what_is_stated_invented_and_left_out() -> None:
    text = "Imogen Vaughan filed a claim. She demands $4,530. A deductible of $300 applies."
    data = drawn(ClaimReport, "claim", CLAIM, text)
    assert data["source"] == CLAIM and data["text"] == text
    assert highlighted(data, "text", "supported") == ["Imogen Vaughan", "$300"]
    assert highlighted(data, "text", "unsupported") == ["$4,530"]
    assert highlighted(data, "source", "missing") == ["$4,350", "Oakhurst", "not provided"]


def test_notes_distinguish_values_of_another_field_from_values_left_out() -> None:
    text = "Imogen Vaughan filed a claim in Oakhurst. A deductible of $4,350 applies."
    notes = {m["note"] for m in drawn(ClaimReport, "claim", CLAIM, text)["source_marks"]}
    assert "amount claimed is stated of another field" in notes
    assert "excess is not stated" in notes


def test_of_two_values_of_a_field_the_one_that_is_left_out_is_highlighted() -> None:
    claim = "amount claimed: $500 | excess: $900 | amount claimed: $900"
    data = drawn(ClaimReport, "claim", claim, "A deductible of $900 applies.")
    places = [(m["start"], m["end"]) for m in data["source_marks"]]
    assert (claim.index("$500"), claim.index("$500") + 4) in places


def test_facts_of_a_summary_that_the_article_has_are_highlighted() -> None:
    text = "The hall in Ashbourne burned on Tuesday, said Otto Berger of 20 singers."
    data = drawn(Summarization, "article", ARTICLE, text)
    assert highlighted(data, "text", "supported") == ["Ashbourne", "Otto", "Berger", "20"]
    assert highlighted(data, "text", "unsupported") == ["Tuesday"]
    assert highlighted(data, "source", "supported") == ["Ashbourne", "20", "Otto", "Berger"]
    assert not highlighted(data, "source", "missing")


@pytest.mark.parametrize("text", ["", "\n\n", "no facts at all"])
def test_texts_without_facts_have_no_marks(text: str) -> None:
    data = drawn(Summarization, "article", ARTICLE, text)
    assert data["marks"] == [] and data["source_marks"] == []
