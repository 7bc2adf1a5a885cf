from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from toolkit import Generated, Source
from toolkit.plugins.contract.check import check
from toolkit.preparation.prepare import Prepared, prepare
from toolkit_review_augmentation import baselines, examples, instructions
from toolkit_review_augmentation.task import EMBEDDED, TINYLLAMA, ReviewAugmentation


@pytest.fixture(scope="module")
def task() -> ReviewAugmentation:
    found = ReviewAugmentation()
    found.options |= {"train_reviews": 150, "test_reviews": 110}
    return found


@pytest.fixture(scope="module")
def prepared(task: ReviewAugmentation) -> Prepared:
    made = prepare(task, Source())
    task.load_state(task.fit(made.splits["train"]))
    return made


def figures(task: ReviewAugmentation, predictions: list[str], rows: list[Any]) -> dict[str, float]:
    known = [m for m in task.metrics if m.prepare is None]
    return {
        m.name: m.value([m.per_example(p, task.reference(r))
                         for p, r in zip(predictions, rows, strict=True)])
        for m in known
    }  # fmt: skip


@pytest.mark.slow
def test_the_task_keeps_the_contract() -> None:
    small = ReviewAugmentation()
    assert not [r for r in check(small, Source()) if not r.passed]


def test_each_review_has_five_examples_in_one_split(prepared: Prepared) -> None:
    owner: dict[str, set[str]] = {}
    for split in ("train", "validation", "calibration", "test"):
        counts = Counter(prepared.splits[split]["group"][:])
        assert set(counts.values()) == {5}
        for group in counts:
            owner.setdefault(group, set()).add(split)
    assert all(len(splits) == 1 for splits in owner.values())
    assert set(prepared.splits["train"]["source"][:]) == {"facts"}


def test_gold_answers_score_perfectly_and_baselines_in_their_order(
    task: ReviewAugmentation, prepared: Prepared
) -> None:
    rows = list(prepared.splits["test"])
    found = {
        name: figures(task, fit(prepared.splits["train"])(prepared.splits["test"]), rows)
        for name, fit in (
            ("gold", baselines.gold_answers), ("shuffled", baselines.shuffled_answers),
            ("majority", baselines.majority), ("rules", baselines.keyword_rules),
            ("tfidf", baselines.tfidf_logreg),
        )
    }  # fmt: skip
    gold = found["gold"]
    assert gold["answer_score"] == gold["sentiment_macro_f1"] == gold["features_f1"] == 1.0
    assert gold["rating_mae"] == 0.0
    assert found["shuffled"]["answer_score"] < 0.5
    assert found["majority"]["answer_score"] < found["rules"]["answer_score"]
    assert found["majority"]["answer_score"] < found["tfidf"]["answer_score"] < 0.95


def test_unreadable_answers_are_none(task: ReviewAugmentation, prepared: Prepared) -> None:
    by = {row["instruction"]: row for row in prepared.splits["test"]}
    assert task.postprocess(Generated("a fine thing"), by["sentiment"]) is None
    assert task.postprocess(Generated("Yes."), by["recommendation"]) is None
    assert task.postprocess(Generated(" positive"), by["sentiment"]) == "positive"
    assert task.postprocess(Generated("  "), by["summary"]) is None


def test_every_answer_has_its_source() -> None:
    review = {"row_id": 3, "text": "The battery is great. I love it.", "stars": 5, "known": False,
              "sentiment": "positive", "opinions": [], "category": "", "group": "g",
              "suite": ""}  # fmt: skip
    found = {e["instruction"]: e for e in examples.examples(review)}
    assert {k: e["source"] for k, e in found.items()} == {
        "sentiment": "rating", "recommendation": "rating", "quality": "rules", "features": "rules",
        "summary": "rules",
    }  # fmt: skip
    assert found["features"]["answer"] == "battery"
    assert [e["row_id"] for e in found.values()] == [11, 12, 13, 14, 15]

    class Teacher:
        def answers(self, review: str) -> dict[str, str]:
            return {"features": "charge", "quality": "The charge is good.", "summary": "Happy."}

    by_teacher = {e["instruction"]: e for e in examples.examples(review, Teacher())}
    assert by_teacher["features"]["answer"] == "charge"
    assert by_teacher["features"]["source"] == "teacher"
    assert by_teacher["features"]["opinions"] == ["charge="]
    assert by_teacher["sentiment"]["source"] == "rating"
    no_stars = [e["instruction"] for e in examples.examples({**review, "stars": 0})]
    assert "recommendation" not in no_stars and len(no_stars) == 4


def test_new_reviews_get_all_five_instructions(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("title,body\na,Good battery\nb,Weak strap\n")
    source = Source(data=str(path))
    source.chosen = {"text": ["body"]}
    task = ReviewAugmentation()
    rows = task.load_inputs(source).to_list()
    assert [r["row_id"] for r in rows] == list(range(1, 11))
    assert {r["review"] for r in rows[5:]} == {"Weak strap"}
    assert [instructions.instruction_of(r["question"]) for r in rows[:5]] == list(
        instructions.INSTRUCTIONS
    )
    assert task.format_example(rows[0])["completion"] == ""


def test_tinyllama_has_the_settings_of_the_original_project() -> None:
    lora = TINYLLAMA.lora or {}
    assert (lora["r"], lora["lora_alpha"], len(lora["target_modules"])) == (16, 32, 7)
    assert TINYLLAMA.training["learning_rate"] == 2e-4
    assert TINYLLAMA.training["num_train_epochs"] == 50
    sizes = ("per_device_train_batch_size", "gradient_accumulation_steps")
    assert [TINYLLAMA.training[k] for k in sizes] == [2, 4]
    assert TINYLLAMA.task == {"train_reviews": 500, "joined": False}
    assert (EMBEDDED.early_stopping or {})["minutes"] == 8 and "eight minutes" in EMBEDDED.summary
