import pytest

from toolkit_review_augmentation import instructions, rules

OPINIONS = [("battery", "good"), ("strap", "poor"), ("price", "good")]


def test_answers_state_the_facts() -> None:
    assert instructions.features(["battery", "strap", "battery"]) == "battery, strap"
    assert instructions.quality(OPINIONS[:2]) == "The battery is good. The strap is poor."
    assert instructions.recommendation(2) == "No, 2 of 5 stars."
    assert instructions.summary("positive", OPINIONS) == (
        "The buyer is happy: likes the battery and the price; dislikes the strap."
    )
    assert instructions.summary("neutral", []) == "The buyer is in two minds."


@pytest.mark.parametrize(
    ("text", "stars"),
    [("Yes, 5 of 5 stars.", 5), ("I give it 4/5", 4), ("3 stars", 3), ("4.0 out of 5", 4),
     ("no idea", None), ("10 of 10", None), ("1.5", None)],
)  # fmt: skip
def test_stars_are_read(text: str, stars: int | None) -> None:
    assert instructions.read_stars(text) == stars


def test_features_are_read_without_small_words() -> None:
    assert instructions.read_features("the battery, its Sound and a strap.") == [
        "battery", "Sound", "strap",
    ]  # fmt: skip
    assert instructions.read_features("none") == []


def test_every_wording_is_recognized_and_others_are_guessed() -> None:
    for instruction, wordings in instructions.WORDINGS.items():
        assert len(wordings) >= 3
        assert {instructions.instruction_of(w) for w in wordings} == {instruction}
    assert instructions.instruction_of("Any features?") == "features"
    assert instructions.instruction_of("So?") == "summary"


def test_rules_turn_words_round_behind_a_negator() -> None:
    assert rules.polarity("The sound is great") == 1
    assert rules.polarity("The sound is not great") == -1
    assert rules.polarity("Nothing is broken, and it was cheap") == 2


def test_rules_find_aspects_and_their_level() -> None:
    found = rules.opinions("The batteries are great. The foldable tray is broken.")
    assert ("battery", "good") in found
    assert ("foldable tray", "poor") in found


def test_the_central_sentence_has_the_subject_of_most_sentences() -> None:
    parts = ["The battery is weak.", "Hello from Rome.", "The battery of the phone is weak indeed.",
             "A weak battery, again."]  # fmt: skip
    assert "battery" in rules.central_sentence(parts)
    assert rules.central_sentence(["One.", "Two."]) == "One."


def test_repeated_features_and_sentences_are_left_out() -> None:
    assert instructions.without_repeats("features", "strap, strap , zip, strap") == "strap, zip"
    text = "The strap is poor. The zip is good. The strap is poor."
    assert instructions.without_repeats("quality", text) == "The strap is poor. The zip is good."
    assert instructions.without_repeats("summary", text) == text
