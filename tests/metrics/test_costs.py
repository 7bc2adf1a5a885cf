"""The expected cost: a table of what mistakes cost, checked and averaged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from toolkit import DataError, UsageError
from toolkit.metrics import expected_cost

LABELS = ("ham", "spam", "café")
COSTS = {
    "ham": {"spam": 20, "café": 3.5},
    "spam": {"ham": 1, "café": 2},
    "café": {"ham": 4, "spam": 5, "café": 0.5},
}
TABLE = np.array([[0, 20, 3.5], [1, 0, 2], [4, 5, 0.5]])


@given(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1))
def test_it_is_the_confusion_matrix_times_the_costs(rows: list[tuple[str, str]]) -> None:
    metric = expected_cost(LABELS, COSTS)
    value = metric.value([metric.per_example(predicted, true) for true, predicted in rows])
    true, predicted = zip(*rows, strict=True)
    counts = confusion_matrix(true, predicted, labels=LABELS)
    assert value == pytest.approx((counts * TABLE).sum() / len(rows))


def test_pairs_and_tables_mean_the_same_and_lower_is_better() -> None:
    pairs = {(true, predicted): c for true, row in COSTS.items() for predicted, c in row.items()}
    flat, nested = expected_cost(LABELS, pairs), expected_cost(LABELS, COSTS)
    for true in LABELS:
        for predicted in LABELS:
            assert flat.per_example(predicted, true) == nested.per_example(predicted, true)
    assert not flat.greater_is_better and flat.name == "expected_cost"


@pytest.mark.parametrize("prediction", [None, "no class", ""])
def test_what_is_no_class_costs_as_much_as_the_worst_prediction(prediction: Any) -> None:
    metric = expected_cost(LABELS, COSTS)
    assert [metric.per_example(prediction, true) for true in LABELS] == [20, 2, 5]


def test_a_class_is_found_in_any_form_of_unicode() -> None:
    assert expected_cost(LABELS, COSTS).per_example("cafe\u0301", "cafe\u0301") == 0.5


def test_a_row_of_another_class_is_one_clear_sentence() -> None:
    with pytest.raises(DataError, match=r"no costs for 'eggs'.*'ham', 'spam', 'café'"):
        expected_cost(LABELS, COSTS).per_example("ham", "eggs")


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ({**COSTS, "spma": {"ham": 1}}, "no class 'spma' – did you mean 'spam'?"),
        ({**COSTS, "ham": {"span": 1}}, "no class 'span' – did you mean 'spam'?"),
        ({**COSTS, "ham": {"spam": 20}}, "predicting 'café' for 'ham' has no cost"),
        ({**COSTS, "ham": {"spam": "20", "café": 1}}, "must be a number, not '20'"),
        ({**COSTS, "ham": {"spam": True, "café": 1}}, "must be a number, not True"),
        ({**COSTS, "ham": {"spam": float("nan"), "café": 1}}, "must be a number, not nan"),
        ({"ham": 3}, "'ham' must be a pair"),
        ({}, "predicting 'spam', 'café' for 'ham' has no cost"),
    ],
)
def test_a_mistake_in_the_costs_is_one_clear_sentence(costs: Any, said: str) -> None:
    with pytest.raises(UsageError) as error:
        expected_cost(LABELS, costs)
    assert said in str(error.value)
