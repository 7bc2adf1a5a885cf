"""The ladders of the tasks on reviews: what is fitted, and how labels are chosen."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from datasets import Dataset

from toolkit_review_augmentation import labelling
from toolkit_review_augmentation.classifying import ReviewRating, ReviewSentiment

WORDS = {"screen": "display", "battery": "charge", "strap": "buckle"}


def rows(number: int, seed: int) -> Dataset:
    draw = random.Random(seed)
    found: dict[str, list[Any]] = {"text": [], "stars": [], "sentiment": [], "group": []}
    for i in range(number):
        stars = draw.randint(1, 5)
        mood = ["awful"] * (5 - stars) + ["great"] * stars
        draw.shuffle(mood)
        found["text"].append(f"It is {' and '.join(mood)}, number {draw.randint(1, 99)}.")
        found["stars"].append(stars)
        found["sentiment"].append(["negative", "neutral", "positive"][(stars > 2) + (stars > 3)])
        found["group"].append(str(i))
    return Dataset.from_dict(found)


TRAIN, TEST = rows(240, 0), rows(80, 1)


@pytest.mark.parametrize("name", ["tfidf-logreg", "tfidf-ridge"])
def test_stars_are_read_off_the_words(name: str) -> None:
    predicted = ReviewRating().baselines()[name](TRAIN)(TEST)
    assert set(predicted) <= set(range(1, 6))
    errors = np.abs(np.asarray(predicted) - np.asarray(TEST["stars"]))
    assert errors.mean() < 0.5


def test_the_order_of_stars_is_for_stars_alone() -> None:
    assert "tfidf-ridge" not in ReviewSentiment().baselines()
    predicted = ReviewSentiment().baselines()["tfidf-logreg"](TRAIN)(TEST)
    assert np.mean([p == r for p, r in zip(predicted, TEST["sentiment"], strict=True)]) > 0.8


# -- labels ----------------------------------------------------------------------------------------
def matrix(labels: list[list[str]]) -> Any:
    """One column a word, whether it stands for a label."""
    return np.asarray([[float(word in some) for word in WORDS] for some in labels])


def drawn(number: int) -> list[list[str]]:
    draw = random.Random(2)
    return [[word for word in WORDS if draw.random() < 0.4] for _ in range(number)]


def test_each_label_has_a_classifier() -> None:
    labels = drawn(80)
    place, predict = labelling.fit_labels([matrix(labels)], labels, list(range(80)))
    assert place == 0
    assert [set(some) for some in predict(matrix(labels))] == [set(some) for some in labels]


def test_the_features_that_tell_the_labels_are_chosen() -> None:
    labels = drawn(80)
    noise = np.random.default_rng(0).normal(size=(80, 3))
    place, _ = labelling.fit_labels([noise, matrix(labels)], labels, list(range(80)))
    assert place == 1


@pytest.mark.parametrize(
    ("labels", "groups"),
    [
        ([[]] * 6, list(range(6))),
        ([["a"]] * 6, list(range(6))),
        ([["a"], ["b"]] * 5, ["one"] * 10),
        ([["a"]] * 4 + [["b"]] * 4 + [["rare"]], [0] * 4 + [1] * 4 + [2]),
    ],
    ids=["none", "all", "one group", "a label in one group"],
)
def test_few_and_uneven_labels(labels: list[list[str]], groups: list[Any]) -> None:
    features = np.asarray([[float(len(some)), float(some == ["b"])] for some in labels])
    _, predict = labelling.fit_labels([features], labels, groups)
    found = predict(features)
    assert len(found) == len(labels)
    assert not any("rare" in some for some in found)
    if labels[0] == ["a"]:
        assert found[0] == ["a"]
