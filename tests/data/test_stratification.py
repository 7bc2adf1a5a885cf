"""No class is missing from a split that could have it, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.data import splits
from toolkit.data.splits import MINIMUM, SPLITS
from toolkit.data.stratification import GROWTH, NO_CLASS, Stratified, stratify

TRAIN, VALIDATION, CALIBRATION, TEST = range(4)


def drawn(groups: np.ndarray, seed: int) -> np.ndarray:
    return splits.assign(groups, splits.sizes(len(groups)), seed, rest="train")


def made(sizes: list[int], kinds: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of groups of one class each."""
    groups = np.repeat(np.arange(1, len(sizes) + 1, dtype=np.uint64) * 7919, sizes)
    return groups, np.repeat(np.asarray(kinds, dtype=np.uint64), sizes)


def present(found: np.ndarray, classes: np.ndarray, kind: int) -> set[int]:
    return set(found[classes == kind].tolist())


def test_a_row_may_be_of_several_classes_and_of_none() -> None:
    groups, one = made([1] * 200, [1] * 200)
    classes = np.stack([one, np.full_like(one, NO_CLASS)], axis=1)
    classes[[3, 50, 120, 199], 1] = 2  # a rare class beside the common one
    classes[10:20] = NO_CLASS
    found = stratify(groups, classes, drawn(groups, 0), SPLITS, 0)
    for kind in (1, 2):
        where = set(found.owners[(classes == kind).any(axis=1)].tolist())
        assert where == {TRAIN, VALIDATION, CALIBRATION, TEST}
    bare = np.zeros((200, 0), dtype=np.uint64)
    assert stratify(groups, bare, drawn(groups, 0), SPLITS, 0).rows == 0


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from([1] * 30 + [2, 2, 3, 4, 5, 6, 7]), min_size=60, max_size=200),
    st.integers(0, 99),
)
def test_single_rows_put_every_class_into_every_split(kinds: list[int], seed: int) -> None:
    groups, classes = made([1] * len(kinds), kinds)
    before = drawn(groups, seed)
    found = stratify(groups, classes, before, SPLITS, seed)
    for kind in set(kinds):
        where, number = present(found.owners, classes, kind), kinds.count(kind)
        if number >= len(SPLITS):
            assert where == {TRAIN, VALIDATION, CALIBRATION, TEST}
        elif number > 1:
            assert TRAIN in where
    sizes = [np.bincount(owners, minlength=4).tolist() for owners in (before, found.owners)]
    assert sizes[0] == sizes[1], "rows change places one for one"
    assert found.rows == int((before != found.owners).sum()) and not found.lacking


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 5)), min_size=60, max_size=120),
    st.integers(0, 99),
)
def test_groups_stay_whole_and_the_order_of_rows_does_not_matter(
    rows: list[tuple[int, int]], seed: int
) -> None:
    groups, classes = made([size for size, _ in rows], [kind for _, kind in rows])
    before = drawn(groups, seed)
    found = stratify(groups, classes, before, SPLITS, seed)
    for group in np.unique(groups):
        assert len(set(found.owners[groups == group].tolist())) == 1
    shuffled = np.random.default_rng(1).permutation(len(groups))
    again = stratify(groups[shuffled], classes[shuffled], before[shuffled], SPLITS, seed)
    assert (again.owners == found.owners[shuffled]).all()
    for index, name in enumerate(SPLITS):
        size, now = int((before == index).sum()), int((found.owners == index).sum())
        if now != size:
            assert now >= MINIMUM[name]
            assert name == "train" or now <= max(size * GROWTH, 2 * MINIMUM[name])
    for kind in set(classes.tolist()) - {NO_CLASS}:
        where = present(found.owners, classes, kind)
        lost = present(before, classes, kind) - where
        enough = len(np.unique(groups[classes == kind])) >= len(SPLITS)
        assert not (lost and enough), "no split loses a class that it had"
        assert TRAIN in where or TRAIN not in present(before, classes, kind)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([1, 2, 3]), min_size=80, max_size=200), st.integers(0, 99))
def test_what_is_complete_stays_as_it_was_drawn(kinds: list[int], seed: int) -> None:
    groups, classes = made([1] * len(kinds), kinds)
    before = drawn(groups, seed)
    complete = all(len(present(before, classes, kind)) == 4 for kind in set(kinds))
    found = stratify(groups, classes, before, SPLITS, seed)
    if complete:
        assert found.rows == 0 and (found.owners == before).all()
    without = stratify(groups, np.full(len(kinds), NO_CLASS, np.uint64), before, SPLITS, seed)
    assert without.rows == 0


def rare(owner: list[int], number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A hundred rows of class 1, and ``number`` of class 2 in the splits named."""
    groups = np.arange(1, 101 + number, dtype=np.uint64)
    classes = np.array([1] * 100 + [2] * number, dtype=np.uint64)
    owners = np.array([0] * 70 + [1] * 10 + [2] * 10 + [3] * 10 + owner, dtype=np.int8)
    return groups, classes, owners


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ([0, 0, 0, 0], {0, 1, 2, 3}),
        ([3, 3, 3, 3], {0, 1, 2, 3}),
        ([3, 3], {0, 3}),  # too few for all splits, but training has to have it
        ([3], {3}),  # one group measures what it is to meet a new class
        ([0], {0}),
    ],
)
def test_rare_classes(owner: list[int], expected: set[int]) -> None:
    groups, classes, owners = rare(owner, len(owner))
    found = stratify(groups, classes, owners, SPLITS, 0)
    assert present(found.owners, classes, 2) == expected
    moved = set(owner) != expected
    assert found.classes == ((2,) if moved else ())
    assert (np.bincount(found.owners) == np.bincount(owners)).all()


def test_spare_rows_give_first_and_need_no_class() -> None:
    """A validation file that is halved: the rows that are not drawn are marked as train."""
    groups, classes, owners = rare([0, 0], 2)
    owners[owners == TEST] = TRAIN
    found = stratify(groups, classes, owners, ("validation", "calibration"), 0)
    assert present(found.owners, classes, 2) == {VALIDATION, CALIBRATION}


def test_a_split_that_cannot_hold_all_classes_is_reported() -> None:
    kinds = list(range(1, 101)) * 5
    groups, classes = made([1] * 500, kinds)
    found: Stratified = stratify(groups, classes, drawn(groups, 0), SPLITS, 0)
    sizes = np.bincount(found.owners)
    assert 1 <= len(found.lacking["validation"]) <= 75 and sizes[VALIDATION] <= 32
    assert all(TRAIN in present(found.owners, classes, kind) for kind in set(kinds))


def test_groups_of_several_classes() -> None:
    """Documents with rows of two classes each: one exchange brings both."""
    groups = np.repeat(np.arange(1, 61, dtype=np.uint64), 2)
    classes = np.full(120, 1, dtype=np.uint64)
    classes[::2][:6], classes[1::2][:6] = 2, 3
    owners = np.repeat(np.array([0] * 40 + [1] * 5 + [2] * 5 + [3] * 10, dtype=np.int8), 2)
    found = stratify(groups, classes, owners, SPLITS, 3)
    for kind in (1, 2, 3):
        assert present(found.owners, classes, kind) == {0, 1, 2, 3}
    assert found.rows == 12, "three documents, and the three that they came for"
