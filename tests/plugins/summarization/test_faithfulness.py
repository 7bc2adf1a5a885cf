"""Faithfulness: what is stated, left out, mixed up and invented, case by case."""

from __future__ import annotations

import pytest

from toolkit_summarization.faithfulness import check, parse

CLAIM = (
    "claimant: Imogen Vaughan | amount claimed: $4,350 | excess: $300 | date of loss: "
    "14 March 2024 | notified on: 16 March 2024 | location: Oakhurst"
)
REPORT = (
    "Imogen Vaughan filed a claim. The loss happened on 14 March 2024 in Oakhurst. Compensation of "
    "$4,350 is demanded. A deductible of $300 applies. The insurer was informed on 16 March 2024."
)


def result(text, source=CLAIM):
    found = check(source, text)
    assert found is not None
    return found, [text[a:b] for a, b in found.invented]


def test_all_is_stated():
    found, invented = result(REPORT)
    assert found.score == 1.0 and len(found.stated) == 6 and not invented


def test_a_field_that_is_left_out_is_missing():
    found, _ = result(REPORT.replace(" in Oakhurst", ""))
    assert found.missing == ("location",) and found.score == pytest.approx(5 / 6)


def test_a_wrong_amount_is_missing_and_invented():
    found, invented = result(REPORT.replace("$4,350", "$4,530"))
    assert found.missing == ("amount claimed",) and invented == ["$4,530"]
    assert found.score == pytest.approx(5 / 7)


def test_mixed_up_amounts_are_wrong():
    swapped = REPORT.replace("$4,350", "X").replace("$300", "$4,350").replace("X", "$300")
    found, invented = result(swapped)
    assert set(found.wrong) == {"amount claimed", "excess"} and not invented


def test_mixed_up_dates_are_wrong():
    swapped = REPORT.replace("14 March", "X").replace("16 March", "14 March")
    found, _ = result(swapped.replace("X", "16 March"))
    assert set(found.wrong) == {"date of loss", "notified on"}


def test_a_value_within_another_number_does_not_count():
    found, _ = result("In all 14,350 people and 9 were hurt.", "injured: 4 | claimant: 9")
    assert found.missing == ("injured",)


def test_invented_names_and_codes_are_found():
    _, invented = result(REPORT + " The witness is Otto Berger, file PR/77.")
    assert invented == ["Otto Berger, file PR/77"] or invented == ["Otto Berger", "PR/77"]


def test_a_missing_value_has_to_be_stated_as_missing():
    source = "claimant: Ann Lee | date of loss: not provided"
    assert result("Ann Lee filed a claim. The date of the loss is missing.", source)[0].score == 1.0
    assert result("Ann Lee filed a claim.", source)[0].missing == ("date of loss",)
    found, invented = result("Ann Lee filed a claim. The loss was on 3 May 2024.", source)
    assert found.missing == ("date of loss",) and invented == ["3 May 2024"]


def test_both_of_two_conflicting_values_have_to_be_stated():
    source = "claimant: Ann Lee | location: Oakhurst | location: Deerfield"
    both = "Ann Lee filed a claim. For the place two entries exist, Oakhurst and Deerfield."
    assert result(both, source)[0].score == 1.0
    assert result(both.replace(" and Deerfield", ""), source)[0].missing == ("location",)


def test_bracketed_records_are_parsed_and_yes_and_no_are_searched_for():
    source = "name[The Eagle], food[French], familyFriendly[no]"
    assert parse(source) == (("name", "The Eagle"), ("food", "French"), ("familyFriendly", "no"))
    assert (
        result("The Eagle serves French food and is not family friendly.", source)[0].score == 1.0
    )
    found, _ = result("The Eagle serves French food and is family friendly.", source)
    assert found.missing == ("familyFriendly",)


@pytest.mark.parametrize(
    "text", ["", "A storm came.", "Doctor: What is it?\nPatient: A cough.", "a[b] and more text"]
)
def test_running_text_has_no_fields(text):
    assert parse(text) == () and check(text, "A storm.") is None


@pytest.mark.parametrize(
    ("source", "text", "stated"),
    [
        ("город: Москва | ущерб: не указан", "Дело было в г. Москва. Ущерб 5.", ("город",)),
        ("जगह: दिल्ली | राशि: 500", "यह दिल्ली में हुआ। राशि 500 है।", ("जगह", "राशि")),
        ("città[Forlì], età[30]", "A Forlì, 30 anni.", ("città", "età")),
    ],
)
def test_fields_of_any_script_are_checked(source, text, stated):
    found = check(source, text)
    assert found.stated == stated


def test_a_label_of_another_script_is_not_in_every_sentence():
    """Without words of its own, a label would be found in any sentence at all."""
    for label in ("свидетель", "गवाह", "证人"):
        assert check(f"{label}: n/a | city: Bonn", "It was not in Bonn.").missing == (label,)


@pytest.mark.parametrize("name", ["Évian", "Москва", "Άργος"])
def test_invented_names_are_found_in_any_script_with_capitals(name):
    assert len(check("city: Bonn | year: 1990", f"Bonn and {name} in 1990.").invented) == 1
