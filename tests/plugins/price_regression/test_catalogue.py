"""The synthetic catalogue: frozen, deterministic, and light to import."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit_price_regression import catalogue
from toolkit_price_regression.catalogue import fingerprint, generate
from toolkit_price_regression.catalogue_words import FEATURES, MATERIALS, PRODUCTS

PINNED = "a0338c6644a28ec4b4957cec27c64581448c88f2f548a69183ca0befcc9a3bcb"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    return list(generate())


def test_the_default_catalogue_is_frozen() -> None:
    # If this fails, put the generator back: figures are only comparable on the same catalogue.
    assert fingerprint() == PINNED


def test_the_hash_seed_of_the_interpreter_does_not_matter() -> None:
    code = "from toolkit_price_regression.catalogue import fingerprint; print(fingerprint(50))"
    source_root = Path(catalogue.__file__).parents[1]
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(source_root)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert printed == {fingerprint(50) + "\n"}


def test_fewer_rows_are_the_first_rows(rows: list[dict[str, object]]) -> None:
    assert list(generate(20)) == rows[:20]
    assert list(generate(20, seed=1)) != rows[:20]


def test_prices_are_whole_and_in_range(rows: list[dict[str, object]]) -> None:
    prices = [row["price"] for row in rows]
    assert len(prices) == 12_000
    assert all(isinstance(price, float) and price == int(price) for price in prices)
    assert all(3 <= price <= 999 for price in prices)  # type: ignore[operator]


def test_the_noise_is_what_it_says(rows: list[dict[str, object]]) -> None:
    big = [row for row in rows if row["noise_free_price"] > 30]  # type: ignore[operator]
    ratios = [row["price"] / row["noise_free_price"] for row in big]  # type: ignore[operator]
    assert abs(statistics.fmean(ratios) - 1) < 0.01
    assert abs(statistics.stdev(ratios) - catalogue.NOISE) < 0.01


def test_texts_hardly_repeat(rows: list[dict[str, object]]) -> None:
    texts = {row["text"] for row in rows}
    assert len(texts) > 0.99 * len(rows)


def test_every_product_type_is_well_formed() -> None:
    for product in PRODUCTS:
        assert not product.materials or product.materials in MATERIALS
        assert (product.features or product.category) in FEATURES
        if product.size:
            assert product.size.low < product.size.reference < product.size.high


def test_the_guides_figures_stand_beside_what_was_measured_in_dollars_alone() -> None:
    from toolkit.evaluation.targets import judge
    from toolkit_price_regression.encoder import PriceRegressionEncoder
    from toolkit_price_regression.task import PriceRegression

    document = {"systems": {"adapter": {"metrics": {"mae": {"value": 43.0, "low": 39.0,
                                                            "high": 46.0}}}}}  # fmt: skip
    for task in (PriceRegression(), PriceRegressionEncoder()):
        found = judge(task.targets(), document, "adapter")
        assert [(one["goal"], one["met"], one["surely"]) for one in found] == [
            (47.0, True, True), (40.0, False, False),
        ]  # fmt: skip
        task.load_state({"median": 30.0, "largest": 900, "currency": "€"})
        assert not task.targets()
