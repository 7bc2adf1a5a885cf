"""Test rows that stand in the training file: what is judged may know them by heart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.data import tables
from toolkit.preparation.contamination import Contamination, contamination
from toolkit.preparation.examined import text_of
from toolkit.system.secrets import printable

if TYPE_CHECKING:
    from datasets import Dataset

    from toolkit.preparation.prepare import Prepared
    from toolkit.task import Task


def look(task: Task, prepared: Prepared, *, judged: bool, quoted: bool) -> dict[str, Any] | None:
    """Look for the test rows in the training rows, where both come from outside.

    Of what was trained elsewhere all rows of the training file count:
    :func:`toolkit.preparation.prepare.prepare` leaves those out whose text a test row has, which
    keeps what is fitted in this run honest, and changes nothing about what was trained before. A
    run that trains is asked about the rows that it trains on, and what chance explains is not said.

    Args:
        task: it says what of a row is read.
        prepared: the rows in their splits; gets what was found among its notes and cautions.
        judged: whether a model is judged that was trained elsewhere.
        quoted: whether texts of rows may be shown.

    Returns:
        :meth:`~toolkit.preparation.copies.Contamination.document`; ``None`` where the data has no
        training or no test rows of their own, or is generated.
    """
    given = prepared.given
    if not {"train", "test"} <= set(given) or (prepared.synthetic and not judged):
        return None
    train = given["train"] if judged else prepared.splits["train"]
    test = prepared.splits["test"]
    texts = without_frame([*_texts(task, train), *_texts(task, test)])
    found = contamination(
        texts[: len(train)], texts[len(train) :],
        train_numbers=train["row_id"][:], test_numbers=test["row_id"][:],
    )  # fmt: skip
    findings = [printable(sentence) for sentence in found.findings(quoted=quoted)]
    if found.beyond_chance:
        prepared.cautions.extend([_headline(found, judged), *findings])
        prepared.notes.extend(found.method())
    elif judged:
        prepared.notes.extend([*findings, *found.method()])
    return found.document()


def _headline(found: Contamination, judged: bool) -> str:
    count = len(found.copies)
    rows = (
        f"{count:,} of {found.test_rows:,} test rows ({found.share:.1%}) "
        f"{'stands' if count == 1 else 'stand'} in the training file, as they are or nearly"
    )
    if judged:
        return (
            f"{rows}: if what is judged was trained on them, its figures are too good; take them "
            "out of the test file"
        )
    return (
        f"{rows}: figures of what is trained on them are too good; take them out of either file, "
        "or have --near-duplicates leave such training rows out"
    )


def _texts(task: Task, rows: Dataset) -> list[str]:
    return [text_of(task, row) for row in tables.rows(rows)]


def without_frame(texts: Sequence[str]) -> list[str]:
    """Texts without the words that all of them begin and end with.

    Those are the prompt that a task puts around each row. They tell nothing of a row, and would
    make all of them look alike.
    """
    if len(set(texts)) < 2:
        return list(texts)
    head = _common_words(texts)
    rest = [text[head:] for text in texts]
    tail = _common_words([text[::-1] for text in rest])
    return [text[: len(text) - tail] for text in rest]


def _common_words(texts: Sequence[str]) -> int:
    """The length of the beginning that all texts have in common, up to the end of a word."""
    first, last = min(texts), max(texts)  # what these share, all between them do
    end = 0
    for at, (sign, other) in enumerate(zip(first, last, strict=False)):
        if sign != other:
            break
        if sign.isspace():
            end = at + 1
    return end
