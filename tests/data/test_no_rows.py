"""What needs training rows says so where there are none; what needs none works."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit import baselines
from toolkit.data.no_rows import MissingRows, NoRows


@pytest.mark.parametrize(
    "look",
    [len, list, lambda rows: rows["text"], lambda rows: rows.column_names, lambda rows: rows[0]],
)
def test_every_look_is_refused(look: Any) -> None:
    with pytest.raises(MissingRows, match="--train FILE"):
        look(NoRows())


def test_baselines_are_told_apart_by_what_they_look_at() -> None:
    for made in (
        baselines.most_frequent("a"), baselines.median("a"), baselines.nearest("q", "a"),
        baselines.tfidf_logistic("q", "a"),
    ):  # fmt: skip
        with pytest.raises(MissingRows):
            made(NoRows())  # type: ignore[arg-type]
    assert callable(baselines.nearest_sentence()(NoRows()))  # type: ignore[arg-type]
    assert callable(baselines.first_words("q", 3)(NoRows()))  # type: ignore[arg-type]
