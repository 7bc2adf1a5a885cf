"""The normal form in which texts and names of classes are compared."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_fixtures import Echo
from kinds.question_answering.test_question_answering import Colours
from toolkit.data import normalized
from toolkit.data.normalization import class_key, word_key
from toolkit.data.splits import group_hash
from toolkit.plugins.toml_kinds import FormTask
from toolkit.plugins.toml_task import read as task_at
from toolkit.preparation.leakage import leakage

FORMS = ("NFC", "NFD")


@given(st.text())
def test_both_unicode_forms_are_equal_and_the_form_is_stable(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in FORMS]
    for fold in (True, False):
        found = {normalized(form, fold_case=fold) for form in forms}
        assert len(found) == 1
        assert normalized(found.pop(), fold_case=fold) == normalized(text, fold_case=fold)


@given(st.text(st.characters(codec="ascii")))
def test_ascii_is_folded_and_its_blanks_are_single(text: str) -> None:
    assert normalized(text) == " ".join(text.casefold().split())


def test_case_is_kept_where_it_matters() -> None:
    assert normalized(" Café  au lait", fold_case=False) == "Café au lait"
    assert normalized("STRASSE") == normalized("straße")


@pytest.mark.parametrize("form", FORMS)
def test_groups_of_all_tasks_hold_copies_in_both_forms(form: str) -> None:
    from toolkit_price_regression.load import group
    from toolkit_qa.converting import digest
    from toolkit_review_augmentation.reviews import normal
    from toolkit_summarization.load import _digest

    text = unicodedata.normalize(form, "Ein Café in Zürich, très élégant")
    same = unicodedata.normalize("NFC", text)
    rows = [
        {"text": t, "context": t, "prompt": t, "before": "", "score": 1.0} for t in (text, same)
    ]
    for grouped in (
        lambda row: Echo.group(Echo(), row),
        Colours().group,
        lambda row: FormTask.group(None, row),  # type: ignore[arg-type]
        lambda row: group(row["text"]),
        lambda row: digest(row["text"]),
        lambda row: normal(row["text"]),
        lambda row: _digest(row["text"]),
        lambda row: group_hash(row["text"]),  # whatever a task's own group returns
    ):
        assert len({grouped(row) for row in rows}) == 1


def test_targets_are_found_in_both_forms_and_in_scripts_without_blanks() -> None:
    for text, target in (
        (unicodedata.normalize("NFD", "Das Café ist zu"), "café"),
        ("这个产品是正面的", "正面"),
        ("とても良い製品です", "良い"),
    ):
        assert leakage([text], [target]).found == 1
    assert leakage(["这个产品"], ["正面"]).found == 0


def test_names_of_classes() -> None:
    for one, other in (
        ("True", "TRUE"), ("Bar", "bar "), ("Café", "Cafe\u0301"), ("a b", "a\u00a0 b"),
        ("yes", "ye\u200bs"), ("ABC", "\uff21\uff22\uff23"),
    ):  # fmt: skip
        assert class_key(one) == class_key(other)
    assert class_key("Cafe") != class_key("Café") and class_key("1") != class_key("10")


def test_declared_classes_are_read_in_any_spelling_that_is_clear(tmp_path: Path) -> None:
    file = tmp_path / "declared.toml"
    file.write_text(
        'kind = "sequence-classification"\nclasses = [true, false, "Café", "us", "US"]\n', "utf-8"
    )
    parsed = task_at(file)().parse_answer
    assert parsed("TRUE") is True and parsed("false") is False and parsed("cafe\u0301") == "Café"
    assert parsed("us") == "us" and parsed("US") == "US"
    assert parsed("Us") is None, "it could be either"
    assert parsed("maybe") is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("  Love it!! ", "love it"),
        ("It's 1,250,000.50 €", "it s 1250000 50"),
        ("1,25 and 12,3456", "1 25 and 12 3456"),
        ("Ｗｉｄｅ　ｌｅｔｔｅｒｓ", "wide letters"),
        ("co\u00adoperate\u200b", "cooperate"),
        ("STRASSE", "strasse"),
        ("très bon", "très bon"),
        (":-)", ":-)"),
        ("", ""),
    ],
)
def test_the_words_of_a_text_for_comparison(text: str, key: str) -> None:
    assert word_key(text) == key
    assert word_key(word_key(text)) == key
