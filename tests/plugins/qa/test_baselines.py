"""The baselines of question answering: each finds the answer that its name promises."""

from __future__ import annotations

import numpy as np
import pytest
from datasets import Dataset

from toolkit_qa import asking, baselines, scoring

CONTEXT = (
    "The Harrow Bridge stands in Selford. It was designed by Ada Finch. Work began in March 1871. "
    "The bridge has 14 arches and 200 lamps. Otto Berger paid for the bridge."
)


def rows(*questions: tuple[str, str], context: str = CONTEXT) -> Dataset:
    return Dataset.from_list(
        [
            {
                "row_id": n,
                "question": question,
                "context": context,
                "answers": {
                    "text": [answer] if answer else [],
                    "answer_start": [context.index(answer)] if answer else [],
                },
            }
            for n, (question, answer) in enumerate(questions, 1)
        ]
    )


TRAIN = rows(
    ("Who designed the bridge?", "Ada Finch"),
    ("When did work begin?", "March 1871"),
    ("How many arches does the bridge have?", "14"),
    ("Who paid for the bridge?", "Otto Berger"),
    ("Where does the Harrow Bridge stand?", "Selford"),
)


def answers(name: str, test: Dataset = TRAIN, train: Dataset = TRAIN) -> list[str]:
    found = baselines.ladder()[name](train)(test)
    for row, prediction in zip(test, found, strict=True):
        if prediction["text"]:
            stretch = row["context"][prediction["start"] : prediction["end"]]
            assert stretch == prediction["text"]
    return [prediction["text"] for prediction in found]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Who paid?", "who"), ("To whom does it belong?", "who"), ("When was it?", "when"),
        ("In what year was it?", "when"), ("In which town is it?", "where"),
        ("How many lamps are there?", "how many"), ("How much did it cost?", "how many"),
        ("Which river does it cross?", "which"), ("What is it?", "what"), ("Why?", "why"),
        ("How does it stand?", "how"), ("Name the town.", "other"),
        ("The man who built what was sold when?", "who"),
    ],
)  # fmt: skip
def test_question_types(question, wanted):
    assert asking.question_type(question) == wanted


@pytest.mark.parametrize(
    ("question_type", "wanted"),
    [
        ("who", {"Harrow Bridge", "Ada Finch", "Otto Berger"}),
        ("when", {"March 1871"}),
        ("how many", {"14", "200"}),
        ("where", {"Selford"}),
    ],
)
def test_candidates_are_of_the_type(question_type, wanted):
    assert {span.of(CONTEXT) for span in asking.candidates(CONTEXT, question_type)} == wanted


def test_sentences_end_at_final_punctuation_and_line_breaks():
    text = "Mr. Finch paid 3.5 pounds. He left!  Why?\nNobody knows"
    found = [span.of(text) for span in asking.sentences(text)]
    assert found == ["Mr. Finch paid 3.5 pounds.", "He left!", "Why?", "Nobody knows"]


def test_the_guess_is_of_the_type_of_the_question_and_never_changes():
    many = rows(*[(f"Who did it, number {n}?", "Ada Finch") for n in range(60)])
    found = answers("nearest-type", many)
    assert found == answers("nearest-type", many)
    shares = {name: found.count(name) / 60 for name in set(found)}
    assert set(shares) == {"Harrow Bridge", "Ada Finch", "Otto Berger"}
    assert max(shares.values()) < 0.6


def test_the_guess_is_no_name_of_the_question():
    test = rows(*[(f"Who designed the Harrow Bridge {n}?", "Ada Finch") for n in range(20)])
    assert "Harrow Bridge" not in answers("nearest-type", test)


def test_the_sentence_with_most_overlap_is_taken():
    test = rows(("Who designed it?", "Ada Finch"), ("How many lamps and arches?", "14"))
    assert answers("overlap-sentence", test) == [
        "It was designed by Ada Finch.",
        "The bridge has 14 arches and 200 lamps.",
    ]


def test_the_span_of_the_type_in_the_sentence_with_most_overlap_is_taken():
    test = rows(
        ("Who paid for the bridge?", "Otto Berger"), ("Who designed it?", "Ada Finch"),
        ("How many lamps?", "200"), ("When did the work begin?", "March 1871"),
        ("Where does it stand?", "Selford"),
    )  # fmt: skip
    assert answers("typed-overlap", test) == [row["answers"]["text"][0] for row in test]


def test_without_a_span_of_the_type_the_sentence_is_the_answer():
    test = rows(("Why was it designed?", ""))
    assert answers("typed-overlap", test) == ["It was designed by Ada Finch."]


def contexts(number: int, *, unanswered: bool = False) -> Dataset:
    """Questions on contexts of their own, each with a name that did and one that did not do it."""
    found = []
    for n in range(number):
        who, other = f"Ann {'ABCDEFGHIJ'[n % 10]}olt", f"Bob {'KLMNOPQRST'[n % 10]}ard"
        context = f"In March 18{n:02} {other} died. The mill was sold by {who}. It has {n} rooms."
        asked = (("Who sold the mill?", who), ("How many rooms has it?", str(n)))
        if unanswered:
            asked = (*asked, ("Who painted the ceiling?", ""))
        found += [dict(row) for row in rows(*asked, context=context)]
    return Dataset.from_list(found)


def test_the_ranker_learns_which_spans_answer():
    assert answers("span-ranker", contexts(6), contexts(40)) == [
        row["answers"]["text"][0] for row in contexts(6)
    ]


def test_the_ranker_abstains_where_training_questions_like_it_have_no_answer():
    test = contexts(6, unanswered=True)
    found = answers("span-ranker", test, contexts(40, unanswered=True))
    wanted = [(row["answers"]["text"] or [""])[0] for row in test]
    assert found == wanted
    assert found == answers("span-ranker", test, contexts(40, unanswered=True))


def test_no_document_is_both_learned_from_and_estimated():
    given = [{"context": f"c{n % 7}", "document": f"d{n % 5}"} for n in range(40)]
    folds = list(baselines._folds(given))
    assert len(folds) == 3
    for learned, held in folds:
        assert not {given[at]["document"] for at in learned} & {
            given[at]["document"] for at in held
        }
    assert sorted(at for _, held in folds for at in held) == list(range(40))


def test_folds_follow_the_column_of_the_file_that_groups():
    given = [{"context": f"c{n}", "document": f"d{n}", "row_group": f"g{n % 4}"} for n in range(40)]
    for learned, held in baselines._folds(given):
        assert not {given[at]["row_group"] for at in learned} & {
            given[at]["row_group"] for at in held
        }


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_few_rows_are_enough_for_every_fit(number):
    for name in ("typed-overlap", "span-ranker"):
        assert len(answers(name, contexts(2), contexts(number))) == 4


def test_spans_have_as_many_figures_as_are_described_and_lie_in_the_context():
    from toolkit_qa import ranking

    found = ranking.candidates(TRAIN[0], lambda stem: 1.0)
    assert {"Ada Finch", "March 1871", "14 arches", CONTEXT.split(". ")[1] + "."} <= {
        one.span.of(CONTEXT) for one in found
    }
    assert {len(one.figures) for one in found} == {len(ranking.FIGURES)}
    assert len({one.span for one in found}) == len(found)


def test_the_sliding_window_finds_the_span_beside_the_words_of_the_question():
    test = rows(("Who paid for the bridge?", "Otto Berger"), ("Who designed it?", "Ada Finch"))
    assert answers("sliding-window", test) == ["Otto Berger", "Ada Finch"]


def test_the_threshold_gives_no_answer_to_questions_like_those_without_one():
    pairs = [("Who designed it?", "Ada Finch")] * 5 + [("Who sank the ship?", "")] * 5
    found = answers("overlap-sentence", rows(*pairs), rows(*pairs))
    assert found == ["It was designed by Ada Finch."] * 5 + [""] * 5


@pytest.mark.parametrize("seed", range(5))
def test_no_threshold_has_a_better_mean_than_the_best_one(seed):
    random = np.random.default_rng(seed)
    judged = [
        (float(score), float(worth), bool(none))
        for score, worth, none in zip(
            random.integers(0, 6, 30), random.random(30), random.random(30) < 0.5, strict=True
        )
    ]

    def value(threshold: float) -> float:
        return sum(worth if score >= threshold else none for score, worth, none in judged)

    best = baselines.best_threshold(judged)
    assert value(best) == pytest.approx(max(value(t) for t in np.arange(-1, 8, 0.5)))


def test_empty_contexts_and_questions_break_no_baseline():
    odd = rows(("Who?", ""), ("", ""), context="…")
    for name in (
        "no-answer", "nearest-type", "overlap-sentence", "typed-overlap", "sliding-window",
        "span-ranker",
    ):  # fmt: skip
        assert len(answers(name, odd)) == 2


def test_the_guess_on_the_built_in_test_is_far_from_right():
    """The adapter has to beat this: with three or four candidates, a third of the guesses."""
    from toolkit import Source
    from toolkit_qa.load import load_rows

    test = load_rows(Source())["test"]
    found = baselines.nearest_type(test)(test)
    exact = np.mean([
        scoring.exact(prediction, baselines.reference(row))
        for row, prediction in zip(test, found, strict=True)
    ])  # fmt: skip
    assert 0.1 < exact < 0.4
