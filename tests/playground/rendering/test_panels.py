"""Panels drawn from plain data: what is in them shows, and strangers' texts are escaped."""

from __future__ import annotations

import re
from typing import Any

import pytest

from toolkit.errors import PluginError
from toolkit_playground.rendering import html
from toolkit_playground.rendering.panels import Shown, draw

EVIL = "<script>alert(1)</script>"


def numbers(label: str, prediction: float, peak: float, parsed: bool = True) -> Shown:
    data = {"values": [1.0, peak, 900.0], "probabilities": [0.1, 0.8, 0.05]}
    return Shown(label, prediction, prediction / 2, prediction * 2, data, parsed)


def left(style: str) -> float:
    found = re.search(r"left:([\d.]+)%", style)
    assert found
    return float(found.group(1))


def test_a_distribution_shows_sides_truth_and_ladder() -> None:
    page = draw(
        "number-distribution", [numbers("base", 20.0, 20.0), numbers("adapter", 80.0, 80.0, False)],
        truth=85.0, others={"ridge": 70.0, "constant": 110.0}, unit="$",
    )  # fmt: skip
    assert page.count("<rect") >= 4 and page.count('class="tk-band"') == 2
    for word in ("85\u00a0$", "ridge", "constant", "off by 65", "unreadable output"):
        assert word in page
    dots = [left(d) for d in re.findall(r'class="tk-dot" style="([^"]+)"', page)]
    by_value = dict(zip((20.0, 80.0, 110.0, 70.0), dots, strict=True))
    assert by_value[20.0] < by_value[70.0] < by_value[80.0] < by_value[110.0]
    lines = {left(d) for d in re.findall(r'class="tk-line" style="([^"]+)"', page)}
    assert len(lines) == 1 and by_value[80.0] < lines.pop() < by_value[110.0]


def test_an_output_without_numbers_is_still_drawn() -> None:
    page = draw("number-distribution", [Shown("adapter", 12.0, None, None, {"text": "?"})])
    assert "<rect" not in page and "12" in page


def test_labels_are_bars_best_first() -> None:
    data = {"labels": {"bad": 0.1, EVIL: 0.2, "good": 0.7}}
    page = draw("labels", [Shown("adapter", "good", None, None, data)], truth="good")
    assert page.index("good") < page.index("&lt;script") < page.index(">bad")
    assert "70.0%" in page and "true</span>" in page and EVIL not in page


def test_of_several_labels_the_given_and_the_true_are_marked() -> None:
    data = {"labels": {"a": 0.9, "b": 0.6, "c": 0.1}}
    page = draw("labels", [Shown("adapter", ["a", "b"], None, None, data)], truth=["a", "c"])
    rows = page.split('<div class="tk-bar">')[1:]
    tags = [re.findall(r'tk-tag">(\w+)<', row) for row in rows]
    assert tags == [["given", "true"], ["given"], ["true"]]
    none = draw("labels", [Shown("adapter", [], None, None, data)], truth=[])
    assert "tk-tag" not in none.partition("tk-pairs")[0] and "none" in none


def test_numbers_stand_by_name_with_how_far_off_each_is() -> None:
    data = {"numbers": {"minutes": 20.0, EVIL: 3.5}}
    page = draw(
        "numbers", [Shown("adapter", data["numbers"], None, None, data, False)],
        truth={"minutes": 25.0, EVIL: 3.5}, others={"median": {"minutes": 15.0, EVIL: 1.0}},
    )  # fmt: skip
    assert "off by 5" in page and "unreadable output" in page and "minutes: 15" in page
    assert EVIL not in page
    single = draw("numbers", [Shown("adapter", 7.0, None, None, {"numbers": {"prediction": 7.0}})])
    assert "prediction" in single and "off by" not in single


def test_spans_are_marked_and_the_top_five_listed() -> None:
    context = "Ann met Bob & Cy in Rome."
    found = ((8, 0.5), (0, 0.2), (14, 0.1), (20, 0.05), (4, 0.04), (1, 0.03))
    spans = [{"start": i, "end": i + 3, "probability": p} for i, p in found]
    data = {"context": context, "spans": spans, "no_answer": 0.3}
    page = draw("spans", [Shown("adapter", "Bob", None, None, data)])
    assert "<mark>Bob</mark> &amp; Cy" in page and page.count("<li>") == 6
    assert page.index("50.0%") < page.index("no answer") < page.index("20.0%")
    unsure = draw("spans", [Shown("adapter", "", None, None, data | {"no_answer": 0.6})])
    assert "<mark>" not in unsure


def test_marks_of_a_text_say_why() -> None:
    data = {"text": f"Paid 500 on {EVIL}", "marks": [{"start": 5, "end": 8, "note": "not in it"}]}
    page = draw("text", [Shown("adapter", "x", None, None, data)], others={"lead-1": EVIL})
    assert '<mark class="tk-mark tk-unsupported" title="not in it">500</mark>' in page
    assert "<b>500</b> not in it" in page and EVIL not in page


def test_a_summary_stands_below_its_source_with_what_is_unsupported_and_missing() -> None:
    source = f"Flood in Bern on 3 May {EVIL}; loss of $900."
    day = {"start": source.index("3 May"), "end": source.index("3 May") + 5, "kind": "supported"}
    lost = {"start": source.index("$900"), "end": source.index("$900") + 4, "kind": "missing"}
    sides = [
        Shown("base", "", None, None, {
            "text": "Fire in Bern.", "marks": [{"start": 0, "end": 4}],
            "source": source, "source_marks": [lost],
        }),
        Shown("adapter", "", None, None, {
            "text": "Flood on 3 May.", "marks": [{"start": 9, "end": 14, "kind": "supported"}],
            "source": source, "source_marks": [day, {**lost, "note": "the loss"}],
        }),
    ]  # fmt: skip
    page = draw("text", sides, truth="Flood in Bern.")
    assert page.count('aria-label="Source"') == 1 and EVIL not in page
    assert '<mark class="tk-mark tk-unsupported" title="not in the source">Fire</mark>' in page
    assert '<mark class="tk-mark tk-missing" title="base: left out; adapter: the loss">' in page
    assert "<b>$900</b> base: left out; adapter: the loss" in page
    assert page.count(">3 May</mark>") == 2 and "<b>3 May</b>" not in page
    legend = page[page.index("tk-legend") : page.index("tk-cards")]
    assert all(word in legend for word in ("not in the source", "in the source", "left out"))


@pytest.mark.parametrize(
    "mark", [{"start": 0, "end": 99}, {"start": 3, "end": 1}, {"start": 0, "end": 1, "kind": "?"}]
)
def test_a_mark_that_cannot_be_is_refused_in_words(mark: dict[str, Any]) -> None:
    with pytest.raises(PluginError, match="mark"):
        draw("text", [Shown("adapter", "", None, None, {"text": "short", "marks": [mark]})])


def test_what_cannot_be_drawn_is_refused_in_words() -> None:
    with pytest.raises(PluginError, match="has no spans"):
        draw("spans", [Shown("adapter", "", None, None, {"context": "x"})])


def test_differences_mark_words_and_escape() -> None:
    assert html.differences("a red cup", "a blue cup") == "a <mark>red</mark> cup"
    assert html.differences("same", "same") == "same"
    assert EVIL not in html.differences(EVIL, "") and "<mark>" in html.differences(EVIL, "")
    assert "<script" not in html.failure(ValueError(EVIL)) + html.card(0, EVIL, "", EVIL)
