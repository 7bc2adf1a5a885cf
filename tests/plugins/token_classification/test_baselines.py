"""The baselines of token classification, by what they know of words that they have not seen."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit_token_classification import baselines

SUMS = [f"Pay {n} euros to {name} AS by May." for n in range(3, 33) for name in ("Halden", "Moss")]


def entities(text: str) -> list[dict[str, Any]]:
    number, name = text.split()[1], text.split()[4]
    found = []
    for word, label in ((number, "sum"), (f"{name} AS", "supplier")):
        start = text.index(word)
        end = start + len(word)
        found.append({"start": start, "end": end, "label": label, "text": word})
    return found


def test_a_dictionary_marks_what_it_has_seen_and_a_word_model_what_looks_like_it() -> None:
    rows = [entities(text) for text in SUMS]
    seen, new = "Pay 5 euros to Moss AS by May.", "Pay 77 euros to Skien AS by May."
    dictionary = baselines.dictionary(SUMS, rows)
    assert dictionary(seen) == entities(seen) and dictionary(new) == []
    words = baselines.word_features(SUMS, rows)
    assert words(seen) == entities(seen) and words(new) == entities(new)


@pytest.mark.parametrize("fit", [baselines.dictionary, baselines.word_features])
@pytest.mark.parametrize("texts", [["nothing is marked"], [""], []])
def test_where_nothing_is_marked_nothing_is_found(fit: baselines.Fit, texts: list[str]) -> None:
    marked = fit(texts, [[] for _ in texts])
    assert marked("nothing is marked 5") == marked("") == []
