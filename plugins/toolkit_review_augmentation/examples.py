"""From reviews to instruction examples: five a review, each saying where its answer comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from toolkit_review_augmentation import instructions as asked
from toolkit_review_augmentation import rules, texts
from toolkit_review_augmentation.reviews import pairs

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit import Source

FACTS, RATING, RULES, TEACHER = "facts", "rating", "rules", "teacher"
"""Where an answer comes from."""


class Teacher(Protocol):
    """Who answers instead of the rules."""

    def answers(self, review: str) -> Mapping[str, str] | None:
        """Instruction → answer; ``None`` where there is none to be had."""


def of_reviews(
    reviews: Dataset | DatasetDict, source: Source | None = None
) -> Dataset | DatasetDict:
    """The examples of all reviews; of stress rows the sentiment alone."""
    import datasets

    if isinstance(reviews, datasets.DatasetDict):
        return datasets.DatasetDict(
            {name: _exploded(rows, name == "stress") for name, rows in reviews.items()}
        )
    return _exploded(reviews, False)


def _exploded(reviews: Dataset, stress: bool) -> Dataset:
    import datasets

    rows = [e for review in reviews for e in examples(review) if not stress or _is_feeling(e)]
    return datasets.Dataset.from_list(rows)


def _is_feeling(example: Mapping[str, Any]) -> bool:
    return bool(example["instruction"] == "sentiment")


def questions_on(texts_of: Dataset) -> Dataset:
    """Rows to predict: each text with the five instructions in their plain wordings."""
    import datasets

    plain = [asked.WORDINGS[instruction][0] for instruction in asked.INSTRUCTIONS]
    return datasets.Dataset.from_list(
        [
            {"row_id": (row["row_id"] - 1) * len(plain) + at, "review": row["text"], "question": q}
            for row in texts_of
            for at, q in enumerate(plain, start=1)
        ]
    )


def examples(
    review: Mapping[str, Any], teacher: Teacher | None = None, *, wordings: bool = True
) -> Iterator[dict[str, Any]]:
    """The five examples of a review; one less where nobody knows its stars.

    Args:
        review: a row of :mod:`toolkit_review_augmentation.reviews`.
        teacher: asked for what neither facts nor rating tell.
        wordings: put each instruction in one of its wordings, drawn by the review; else plainly.
    """
    random = Random(f"wording {review['group']}")
    known = pairs(review) if review["known"] else rules.opinions(review["text"])
    taught = None if review["known"] or teacher is None else teacher.answers(review["text"])
    if taught:  # it names things, and says of them what it says in sentences
        known = [(name, "") for name in asked.read_features(taught["features"])]
    for at, instruction in enumerate(asked.INSTRUCTIONS):
        question = random.choice(asked.WORDINGS[instruction])
        if instruction == "recommendation" and not review["stars"]:
            continue
        answer, where = _answer(instruction, review, known, taught)
        yield {
            "row_id": (review["row_id"] - 1) * len(asked.INSTRUCTIONS) + at + 1,
            "review": review["text"],
            "question": question if wordings else asked.WORDINGS[instruction][0],
            "instruction": instruction,
            "answer": answer,
            "source": where,
            "stars": review["stars"],
            "sentiment": review["sentiment"],
            "opinions": [f"{aspect}={level}" for aspect, level in known],
            "category": review["category"],
            "group": review["group"],
            "suite": review["suite"],
        }


def _answer(
    instruction: str,
    review: Mapping[str, Any],
    known: Sequence[tuple[str, str]],
    taught: Mapping[str, str] | None,
) -> tuple[str, str]:
    """An answer, and where it comes from."""
    facts = bool(review["known"])
    if instruction == "sentiment":
        return review["sentiment"], FACTS if facts else RATING
    if instruction == "recommendation":
        return asked.recommendation(review["stars"]), FACTS if facts else RATING
    if taught and taught.get(instruction):
        return taught[instruction], TEACHER
    where = FACTS if facts else RULES
    if instruction == "features":
        return asked.features([aspect for aspect, _ in known]), where
    if instruction == "quality":
        return asked.quality(known), where
    if facts:
        return asked.summary(review["sentiment"], known), where
    return rules.central_sentence(texts.sentences(review["text"])) or review["text"], where
