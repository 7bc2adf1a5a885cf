"""Turn reviews into instruction examples: five each, with the source of every answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from toolkit.data import ROW_GROUP
from toolkit_review_augmentation import instructions, rules, texts
from toolkit_review_augmentation.reviews import pairs

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit import Source

FACTS, RATING, RULES, TEACHER = "facts", "rating", "rules", "teacher"
"""Sources of an answer: facts of a generated review, its rating, rules, or a teacher."""


class Teacher(Protocol):
    """Writes answers instead of the rules."""

    def answers(self, review: str) -> Mapping[str, str] | None:
        """Instruction → answer to a review's text; ``None`` if it gives none."""


def of_reviews(
    reviews: Dataset | DatasetDict, source: Source | None = None
) -> Dataset | DatasetDict:
    """The examples of all reviews; challenge rows have the instruction ``sentiment`` alone."""
    import datasets

    if isinstance(reviews, datasets.DatasetDict):
        return datasets.DatasetDict(
            {name: _exploded(rows, name == "challenge") for name, rows in reviews.items()}
        )
    return _exploded(reviews, False)


def _exploded(reviews: Dataset, challenge: bool) -> Dataset:
    import datasets

    rows = [e for review in reviews for e in examples(review) if not challenge or _is_sentiment(e)]
    return datasets.Dataset.from_list(rows)


def _is_sentiment(example: Mapping[str, Any]) -> bool:
    return bool(example["instruction"] == "sentiment")


def questions_on(texts_of: Dataset) -> Dataset:
    """Rows to predict: each text with the five instructions in their first wording."""
    import datasets

    plain = [instructions.WORDINGS[instruction][0] for instruction in instructions.INSTRUCTIONS]
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
    """The five examples of a review; without ``recommendation`` if its stars are unknown.

    Args:
        review: a row of :mod:`toolkit_review_augmentation.reviews`.
        teacher: gives the answers that neither facts nor the rating give; rules do if ``None``.
        wordings: draw a wording of each instruction, with the review as the random seed; else
            take the first wording.
    """
    random = Random(f"wording {review['group']}")
    known = pairs(review) if review["known"] else rules.opinions(review["text"])
    answers = None if review["known"] or teacher is None else teacher.answers(review["text"])
    if answers:  # a teacher lists features without levels
        known = [(name, "") for name in instructions.read_features(answers["features"])]
    for at, instruction in enumerate(instructions.INSTRUCTIONS):
        question = random.choice(instructions.WORDINGS[instruction])
        if instruction == "recommendation" and not review["stars"]:
            continue
        answer, origin = _answer(instruction, review, known, answers)
        yield {
            "row_id": (review["row_id"] - 1) * len(instructions.INSTRUCTIONS) + at + 1,
            "review": review["text"],
            "question": question if wordings else instructions.WORDINGS[instruction][0],
            "instruction": instruction,
            "answer": answer,
            "source": origin,
            "stars": review["stars"],
            "sentiment": review["sentiment"],
            "opinions": [f"{aspect}={level}" for aspect, level in known],
            "category": review["category"],
            "group": review["group"],
            "suite": review["suite"],
            # Where a column of the file decides on the groups.
            **({ROW_GROUP: review[ROW_GROUP]} if ROW_GROUP in review else {}),
        }


def _answer(
    instruction: str,
    review: Mapping[str, Any],
    known: Sequence[tuple[str, str]],
    taught: Mapping[str, str] | None,
) -> tuple[str, str]:
    """An answer, and its source.

    Args:
        known: pairs of aspect and level.
        taught: the teacher's answers by instruction.
    """
    facts = bool(review["known"])
    if instruction == "sentiment":
        return review["sentiment"], FACTS if facts else RATING
    if instruction == "recommendation":
        return instructions.recommendation(review["stars"]), FACTS if facts else RATING
    if taught and taught.get(instruction):
        return taught[instruction], TEACHER
    origin = FACTS if facts else RULES
    if instruction == "features":
        return instructions.features([aspect for aspect, _ in known]), origin
    if instruction == "quality":
        return instructions.quality(known), origin
    if facts:
        return instructions.summary(review["sentiment"], known), origin
    return rules.central_sentence(texts.sentences(review["text"])) or review["text"], origin
