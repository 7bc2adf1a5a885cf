"""Templates learned from texts about fields: what is learned, chosen, ordered and filled in."""

from __future__ import annotations

from collections import Counter

import datasets
import pytest

from toolkit_summarization import claims, faithfulness, overlap
from toolkit_summarization.baselines import sentences
from toolkit_summarization.delexicalising import delexicalise, fields_of, fill, slots, structured
from toolkit_summarization.learned_templates import (
    Pair,
    Settings,
    Writer,
    central_wording,
    learned_templates,
    tuned,
)


def pair(source: str, *texts: str) -> Pair:
    return Pair.of(source, texts)


def writer(*pairs: Pair) -> Writer:
    return Writer(pairs, Settings())


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("cover: motor | excess: $300", (("cover", "motor"), ("excess", "$300"))),
        ("name[The Eagle], area[riverside]", (("name", "The Eagle"), ("area", "riverside"))),
        ("cover: motor\nexcess: $300\n", (("cover", "motor"), ("excess", "$300"))),
        ('{"name": "Eagle", "food": ["fish", "tea"], "seats": 4, "note": null}',
         (("name", "Eagle"), ("food", "fish"), ("food", "tea"), ("seats", "4"), ("note", ""))),
        ("It was called: The Eagle.", ()),
        ("Doctor: And now?\nPatient: Better.\nDoctor: Good.", ()),
        ('{"a": {"b": 1}}', ()), ("{not JSON", ()), ("", ()),
    ],
)  # fmt: skip
def test_fields_of_each_form(source, wanted):
    assert fields_of(source) == wanted


def test_one_odd_source_in_ten_makes_no_running_text():
    assert structured(["a: b | c: d"] * 9 + ["A cough."])
    assert not structured(["a: b | c: d"] * 4 + ["A cough."] * 6) and not structured([])


def test_values_are_left_out_whole_longest_first_and_filled_in_again():
    given = slots("who: Ann Lee | town: Lee | sum: $30 | excess: $30")
    plain = delexicalise("Ann Lee of Lee asks $300, less $30 and $30.", given)
    assert "Lee" not in plain and "$300" in plain and "$30 " not in plain
    filled = fill(plain, {"who": "Bob Day", "town": "Rye", "sum": "$5", "excess": "$7"})
    assert filled == "Bob Day of Rye asks $300, less $5 and $7."


def test_a_slot_at_the_beginning_gets_a_capital():
    plain = delexicalise("Burst pipe was the cause.", slots("cause[burst pipe]"))
    assert fill(plain, {"cause": "hail"}) == "Hail was the cause."


def test_sentences_are_put_together_for_fields_that_never_stood_together():
    write = writer(
        pair("who: Ann | town: Rye", "Ann called. It was in Rye."),
        pair("who: Bob | sum: $5", "Bob called. He asks $5."),
        pair("who: Eve | town: Ely", "Eve called. It was in Ely."),
    )
    found = write(slots("sum: $9 | town: Lund | who: Kim"))
    assert {"It was in Lund.", "He asks $9."} == set(sentences(found)[1:])
    assert found.startswith("Kim called.")  # the order is that of the training texts


def test_the_unit_that_fits_all_fields_is_preferred_to_those_of_fewer():
    alone = [pair(f"who[A{n}]", f"A{n} called.") for n in range(3)]
    both = [pair(f"who: B{n} | town: T{n}", f"B{n} called from T{n}.") for n in range(3)]
    assert writer(*alone, *both)(slots("town: Lund | who: Kim")) == "Kim called from Lund."
    assert writer(*alone, *both)(slots("who[Kim]")) == "Kim called."


def test_a_value_that_texts_express_in_other_words_is_learned_with_its_words():
    write = writer(
        *(
            pair(f"name: N{n} | family: yes", f"N{n} is a pub. Children are welcome.")
            for n in range(4)
        ),
        *(pair(f"name: M{n} | family: no", f"M{n} is a pub. It is for adults.") for n in range(4)),
        *(pair(f"name[K{n}]", f"K{n} is a pub.") for n in range(4)),
    )
    assert write(slots("name: Eagle | family: yes")) == "Eagle is a pub. Children are welcome."
    assert write(slots("name: Eagle | family: no")) == "Eagle is a pub. It is for adults."
    assert write(slots("name[Eagle]")) == "Eagle is a pub."


def test_a_label_that_training_never_had_is_stated_plainly():
    write = writer(pair("who[Ann]", "Ann called."), pair("who[Bob]", "Bob called."))
    assert write(slots("who: Kim | boat: Swan")) == "Kim called. The boat is Swan."


def test_the_commonest_wording_is_taken_and_of_many_the_most_central():
    assert central_wording(Counter({"rare": 1, "common": 3})) == "common"
    many = Counter({"a b c x": 1, "a b c d": 1, "a b c y": 1, "z z": 1})
    assert central_wording(many).startswith("a b c")


def test_rows_without_fields_get_the_nearest_text():
    rows = datasets.Dataset.from_list(
        [
            {
                "row_id": 1,
                "claim": "who: Ann | town: Rye",
                "report": "Ann of Rye.",
                "references": ["Ann of Rye."],
            },
            {"row_id": 2, "claim": "A long cough.", "report": "Cough.", "references": ["Cough."]},
        ]
    )
    assert learned_templates("claim", "report")(rows)(rows) == ["Ann of Rye.", "Cough."]
    running = rows.select([1])
    assert learned_templates("claim", "report")(running)(running) == ["Cough."]


@pytest.mark.parametrize("number", [1, 2, 5, 9])
def test_tiny_data_and_empty_values_break_nothing(number):
    pairs = [pair(f"who: P{n} | town: | sum: n/a", f"P{n} called.") for n in range(number)]
    write = Writer(pairs, tuned(pairs))
    assert write(slots("who: Kim | town: | sum: n/a")).startswith("Kim called.")


def test_on_made_up_claims_it_states_nearly_every_field_in_the_words_of_the_reports():
    """The built-in claims' test combinations of fields are in no training row."""
    pairs = [pair(claim.text, claim.report) for claim in claims.generate("train", 200)]
    write = Writer(pairs, tuned(pairs))
    test = list(claims.generate("test", 60))
    texts = [write(slots(claim.text)) for claim in test]
    likeness = [
        overlap.alike(overlap.words(text), overlap.words(claim.report))
        for text, claim in zip(texts, test, strict=True)
    ]
    checked = [
        faithfulness.check(claim.text, text) for text, claim in zip(texts, test, strict=True)
    ]
    assert sum(likeness) / 60 > 0.75
    assert sum(one.score for one in checked if one) / 60 > 0.97
    again = Writer(pairs, tuned(pairs))
    assert texts == [again(slots(claim.text)) for claim in test]
