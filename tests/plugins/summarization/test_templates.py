"""Prompt templates, the choice among them, and two-stage summarization."""

from __future__ import annotations

import pytest

from toolkit import UsageError
from toolkit_summarization import choosing, extracting, templates
from toolkit_summarization.task import TWO_STAGE, Summarization

ROW = {"row_id": 1, "article": "A {b}. C.", "summary": "It was so.", "references": ["It was so."]}


def test_the_five_templates_of_the_original_project_are_there_and_direct_is_the_default():
    assert list(templates.TEMPLATES) == ["simple", "instruct", "chat", "direct", "qa"]
    example = Summarization().format_example(ROW)
    assert example["prompt"] == (
        "Article: A {b}. C.\n\nSummarize the above article in one sentence.\nSummary:"
    )
    assert example["completion"] == " It was so."


@pytest.mark.parametrize("name", [*templates.TEMPLATES, "Shorten: {article}\\nShort:"])
def test_every_template_holds_the_article_and_ends_before_the_summary(name):
    task = Summarization()
    task.options["template"] = name
    example = task.format_example(ROW)
    whole = str(example["prompt"])
    assert "A {b}. C." in whole and "It was so." not in whole
    assert "It was so." in str(example["completion"])
    assert task.format_example({"row_id": 1, "article": "A."})["completion"] in (
        "", [{"role": "assistant", "content": ""}],
    )  # fmt: skip


def test_a_text_of_ones_own_goes_into_the_models_chat_format():
    task = Summarization()
    task.options["template"] = "chat: Shorten this:\\n{article}"
    example = task.format_example(ROW)
    assert example["prompt"] == [{"role": "user", "content": "Shorten this:\nA {b}. C."}]
    assert example["completion"] == [{"role": "assistant", "content": "It was so."}]


@pytest.mark.parametrize("wrong", ["direkt", "chat: no place", "no place", "{article} {article}"])
def test_a_text_that_is_no_template_is_refused(wrong):
    with pytest.raises(UsageError, match="no template"):
        templates.text_of(wrong)


def line(name, rouge, losses=None):
    return choosing.Line(name, "direct", losses, dict.fromkeys(choosing.FIGURES, rouge))


def test_a_sure_lead_in_rouge_wins():
    best = line("a", [0.8, 0.9, 0.7, 0.8] * 8, [(9.0, 3)] * 32)
    other = line("b", [0.2, 0.3, 0.1, 0.2] * 8, [(1.0, 3)] * 32)
    winner, why = choosing.choose([other, best])
    assert winner is best and "off zero" in why


def test_the_loss_decides_if_rouge_does_not():
    rouge = [0.4, 0.6, 0.5, 0.3] * 8
    a, b = line("a", rouge, [(9.0, 3)] * 32), line("b", rouge[::-1], [(1.0, 3)] * 32)
    winner, why = choosing.choose([a, b])
    assert winner is b and "lowest loss" in why


def test_extraction_keeps_the_lead_and_the_most_central_sentences():
    text = "Rain fell. The barn in Oakhurst burnt down. The barn was old. A cat slept. It ended."
    kept = extracting.extract(text)
    assert kept == "Rain fell. The barn in Oakhurst burnt down. The barn was old."
    assert extracting.extract("One. Two.") == "One. Two."


def test_the_second_stage_reads_the_extract_alone():
    task = Summarization()
    assert task.row_transforms() == {}
    task.options["two_stage"] = True
    text = "Rain fell. The barn in Oakhurst burnt down. The barn was old. A cat slept. It ended."
    change = task.row_transforms()[TWO_STAGE].change
    assert change({"article": text}) == {"article": extracting.extract(text)}
