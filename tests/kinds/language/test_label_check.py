"""The label check looks at every row, and names those that fail."""

from __future__ import annotations

from typing import Any

import pytest

from layout_tokenizers import LAYOUTS, chat, t5
from toolkit.errors import PreflightError
from toolkit.kinds.language.label_check import LabelCheck, encoded
from toolkit.kinds.language.prompt import Renderer
from toolkit.kinds.seq2seq_lm.prompt import Seq2SeqRenderer
from toolkit.models.limits import Limits


def checked(renderer: Renderer, answers: list[str]) -> LabelCheck:
    check = LabelCheck(renderer)
    for number, answer in enumerate(answers, 1):
        example = {"prompt": "Say:", "completion": answer}
        if isinstance(renderer, Seq2SeqRenderer):
            example = {"text": "Say:", "text_target": answer}
        check.measured({"row_id": number}, example)
    return check


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_of_every_layout_pass(layout: str) -> None:
    tokenizer = LAYOUTS[layout]()
    renderer = Seq2SeqRenderer(tokenizer) if layout == "t5" else Renderer(tokenizer)
    end = tokenizer.eos_token
    assert checked(renderer, [" was 4", " 12"]).sentences() == []
    (said,) = checked(renderer, [" was 4", f" was {end}4{end} now 5", " 12"]).sentences()
    assert "1 of 3 rows (row 2)" in said and repr(end) in said and "ordinary characters" in said


def test_a_row_in_which_the_model_would_stop_is_refused_wherever_it_stands() -> None:
    (newline,) = chat()("\n", add_special_tokens=False)["input_ids"]
    renderer = Renderer(chat(), Limits(stops=(newline,)))
    check = checked(renderer, [" a", " b", " c\nd", " e", " f\n\ng"])
    with pytest.raises(PreflightError, match=r"rows 3, 5: the answer holds .* would be cut there"):
        check.sentences()
    example = {"prompt": "Say:", "completion": " c\nd"}
    with pytest.raises(PreflightError, match="row 8: the answer holds"):
        encoded(renderer, {"row_id": 8}, example)
    ids, labels = encoded(renderer, {"row_id": 9}, {"prompt": "Say:", "completion": " c"})
    assert ids[-1] == labels[-1] == renderer.end


def test_a_first_token_that_stops_counts_too() -> None:
    tokenizer = chat()
    renderer = Renderer(tokenizer, Limits(stops=(0,)))
    assert renderer.broken({"completion": "x"}, [5], [0, 7, tokenizer.eos_token_id])


def test_answers_that_a_tokenizer_changes_are_counted_and_named() -> None:
    plain = [" was 4"] * 8
    check = checked(Seq2SeqRenderer(t5()), [*plain, "½ of it", *plain, "ﬁne"])
    (sentence,) = check.sentences()
    assert "2 of 18 rows (rows 9, 18)" in sentence and "½" in sentence
    with pytest.raises(PreflightError, match=r"2 of 3 rows \(rows 1, 3\)"):
        checked(Seq2SeqRenderer(t5()), ["½", " was 4", "ﬁne"]).sentences()


def test_long_texts_are_shown_where_they_differ() -> None:
    problem: Any = Seq2SeqRenderer(t5()).lost({"text_target": "old " * 99 + "½ " + "new " * 99}, [])
    assert "½" in problem and len(problem) < 300
