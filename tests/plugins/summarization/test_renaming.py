"""Made-up names in training rows: the row stays true, and nothing but names changes."""

from __future__ import annotations

import re
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit_summarization import claims, faithfulness
from toolkit_summarization.claim_task import ClaimReport
from toolkit_summarization.renaming import made_up, renamed

SOURCE = "claimant: Philippa Vaughan | policy no: HO84 | date of loss: 3 May 2024 | cover: motor"
CLAIMS = list(claims.generate("test", 60))
TEXT = "Philippa Vaughan claims on HO84 for 3 May 2024. Ms Vaughan is insured."


def test_a_name_is_the_same_in_source_and_text_and_the_rest_stays() -> None:
    source, text = renamed(SOURCE, TEXT, Random(0))
    first, last = source.removeprefix("claimant: ").split(" | ")[0].split()
    assert {first, last}.isdisjoint({"Philippa", "Vaughan"})
    assert source == SOURCE.replace("Philippa", first).replace("Vaughan", last)
    assert text == TEXT.replace("Philippa", first).replace("Vaughan", last)


def test_values_that_the_text_does_not_state_and_running_texts_stay() -> None:
    assert renamed(SOURCE, "A claim of Ms Vaughan.", Random(0)) == (
        SOURCE,
        "A claim of Ms Vaughan.",
    )
    assert renamed("Philippa fell.", "Philippa fell.", Random(0)) == ("Philippa fell.",) * 2


def test_labels_stay() -> None:
    source, text = "Name: Name Vaughan | Town: Leeds", "Name Vaughan lives in Leeds."
    changed, _ = renamed(source, text, Random(1))
    assert re.fullmatch(r"Name: Name \w+ \| Town: \w+", changed) and "Leeds" not in changed


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_report_stays_as_faithful_as_it_was(seed: int) -> None:
    claim = CLAIMS[seed % len(CLAIMS)]
    before = faithfulness.check(claim.text, claim.report)
    source, text = renamed(claim.text, claim.report, Random(seed))
    after = faithfulness.check(source, text)
    assert (len(after.stated), after.score) == (len(before.stated), before.score)


@settings(max_examples=100, deadline=None)
@given(
    name=st.from_regex(r"[A-Z][a-z]{2,12}", fullmatch=True),
    words=st.lists(st.from_regex(r"[a-z]{3,9}", fullmatch=True), min_size=1, max_size=5),
    seed=st.integers(0, 1_000),
)
def test_a_made_up_name_has_the_length_and_pieces_of_words(
    name: str, words: list[str], seed: int
) -> None:
    made = made_up(name, words, Random(seed))
    assert len(made) == len(name) and made == made.title()
    assert set(made.lower()) <= set("".join(words))


def test_the_task_changes_the_share_of_rows_that_its_option_names() -> None:
    task = ClaimReport()
    row = {"claim": SOURCE, "report": TEXT, "references": [TEXT]}

    def changed(share: float) -> int:
        task.options["renamed"] = share
        return sum(task.augment(row, Random(i))["claim"] != SOURCE for i in range(60))

    assert changed(0.0) == 0 and changed(1.0) == 60 and 15 < changed(0.5) < 45
