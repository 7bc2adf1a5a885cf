import pytest

from toolkit_review_augmentation import instructions as asked
from toolkit_review_augmentation import rules

OPINIONS = [("battery", "good"), ("strap", "poor"), ("price", "good")]


def test_answers_say_the_facts() -> None:
    assert asked.features(["battery", "strap", "battery"]) == "battery, strap"
    assert asked.quality(OPINIONS[:2]) == "The battery is good. The strap is poor."
    assert asked.recommendation(2) == "No, 2 of 5 stars."
    assert asked.summary("positive", OPINIONS) == (
        "The buyer is happy: likes the battery and the price; dislikes the strap."
    )
    assert asked.summary("neutral", []) == "The buyer is in two minds."


@pytest.mark.parametrize(
    ("text", "stars"),
    [("Yes, 5 of 5 stars.", 5), ("I give it 4/5", 4), ("3 stars", 3), ("4.0 out of 5", 4),
     ("no idea", None), ("10 of 10", None), ("1.5", None)],
)  # fmt: skip
def test_stars_are_read(text: str, stars: int | None) -> None:
    assert asked.read_stars(text) == stars


def test_features_are_read_without_small_words() -> None:
    assert asked.read_features("the battery, its Sound and a strap.") == [
        "battery", "Sound", "strap",
    ]  # fmt: skip
    assert asked.read_features("none") == []


def test_every_wording_is_known_and_others_are_guessed() -> None:
    for instruction, wordings in asked.WORDINGS.items():
        assert len(wordings) >= 3
        assert {asked.instruction_of(w) for w in wordings} == {instruction}
    assert asked.instruction_of("Any features?") == "features"
    assert asked.instruction_of("So?") == "summary"


def test_rules_turn_words_round_behind_a_negator() -> None:
    assert rules.feeling("The sound is great") == 1
    assert rules.feeling("The sound is not great") == -1
    assert rules.feeling("Nothing is broken, and it was cheap") == 2


def test_rules_find_things_and_their_level() -> None:
    found = rules.opinions("The batteries are great. The foldable tray is broken.")
    assert ("battery", "good") in found
    assert ("foldable tray", "poor") in found


def test_the_central_sentence_is_on_what_the_others_are_on() -> None:
    said = ["The battery is weak.", "Hello from Rome.", "The battery of the phone is weak indeed.",
            "A weak battery, again."]  # fmt: skip
    assert "battery" in rules.central_sentence(said)
    assert rules.central_sentence(["One.", "Two."]) == "One."


def test_what_is_said_again_is_left_out() -> None:
    assert asked.said_once("features", "strap, strap , zip, strap") == "strap, zip"
    said = "The strap is poor. The zip is good. The strap is poor."
    assert asked.said_once("quality", said) == "The strap is poor. The zip is good."
    assert asked.said_once("summary", said) == said
