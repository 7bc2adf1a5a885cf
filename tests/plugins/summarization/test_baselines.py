"""The baselines of summarization and report writing."""

from __future__ import annotations

import datasets
import pytest

from toolkit_summarization import baselines
from toolkit_summarization.claim_task import ClaimReport
from toolkit_summarization.task import Summarization

TEXT = "Rain fell. The barn in Oakhurst burnt down. The barn was old. A cat slept."


def predicted(fit, texts, column="article"):
    rows = datasets.Dataset.from_dict({"row_id": list(range(len(texts))), column: texts})
    return fit(rows)(rows)


def test_lead_takes_the_first_sentences():
    ladder = baselines.ladder("article", "summary", structured=False)
    assert predicted(ladder["lead-1"], [TEXT, "One"]) == ["Rain fell.", "One"]
    assert predicted(ladder["lead-3"], [TEXT])[0].endswith("was old.")


def test_textrank_takes_the_sentence_that_shares_most_words():
    assert (
        "barn"
        in predicted(baselines.ladder("article", "summary", structured=False)["textrank"], [TEXT])[
            0
        ]
    )
    assert baselines.central(["the and", "of to"], 1) == ["the and"]


def test_the_template_states_each_field_and_copies_running_text():
    assert baselines.template("date of loss: 3 May 2024 | location: not provided") == (
        "The date of loss is 3 May 2024. The location is not known."
    )
    assert baselines.template("familyFriendly[no], name[The Eagle]") == (
        "The family friendly is no. The name is The Eagle."
    )
    assert baselines.template("A cough.") == "A cough."


def test_sentences_are_not_cut_within_numbers():
    assert baselines.sentences('It cost 3.5 pounds. "Yes." He left.') == [
        "It cost 3.5 pounds.", '"Yes."', "He left.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        ("« La mairie brûle ! » dit M. Petit.", "Élodie l'a vue. Personne n'est blessé."),
        ("Москва — столица России.", "Это большой город."),
        ("दिल्ली भारत की राजधानी है।", "यह बड़ी है।"),
        ("القاهرة عاصمة مصر.", "هل هي كبيرة؟"),
        ("北京是中国的首都。", "上海很大。"),
    ],
)
def test_lead_1_of_any_script_is_the_first_sentence(first, rest):
    between = "" if first.startswith("北") else " "
    lead = baselines.ladder("article", "summary", structured=False)["lead-1"]
    assert predicted(lead, [first + between + rest]) == [first]


def test_textrank_reads_scripts_without_blanks():
    parts = ["今天下雨。", "北京的大楼很高。", "北京的大楼很多。", "猫睡了。"]
    assert baselines.central(parts, 1)[0].startswith("北京的大楼")


def rows_of(*articles: str) -> datasets.Dataset:
    return datasets.Dataset.from_list(
        [
            {"row_id": n, "article": text, "summary": "Yes.", "references": ["Yes."]}
            for n, text in enumerate(articles)
        ]
    )


def test_the_ladder_follows_what_the_inputs_are_and_not_which_task_it_is():
    fields = rows_of(*(f"name: The Eagle | area: {town}" for town in ("Selford", "Oakhurst")))
    texts = rows_of("It rained. A barn burnt down.", "Doctor: yes.\nPatient: no.\nDoctor: well.")
    for task in (Summarization(), ClaimReport()):
        column = task.input_columns()[0]
        ladders = []
        for rows in (fields, texts):
            task.load_state(
                task.fit(rows.rename_column("article", column) if column != "article" else rows)
            )
            ladders.append(set(task.baselines()))
        assert "learned-templates" in ladders[0] and "lead-1" not in ladders[0]
        assert {"lead-1", "best-sentences", "compressed-sentences"} <= ladders[1]
        assert "learned-templates" not in ladders[1]
