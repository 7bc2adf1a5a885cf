"""Fewer rows: whole groups, the same for the same seed, never more than asked for, and noted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tiny_tasks import TinyPrices
from toolkit.data.source import Source
from toolkit.preparation.fewer_rows import kept
from toolkit.preparation.prepare import prepare

groups = st.lists(st.integers(0, 12), min_size=1, max_size=60).map(
    lambda found: np.array(found, dtype=np.uint64)
)


@given(groups=groups, most=st.integers(1, 60), seed=st.integers(0, 3))
def test_groups_are_whole_and_within_the_number(groups: np.ndarray, most: int, seed: int) -> None:
    mask = kept(groups, most, 1, seed)
    assert mask.any()
    for group in np.unique(groups):
        assert len(set(mask[groups == group])) == 1
    if mask.sum() > most:  # a single group that is too large
        assert len(np.unique(groups[mask])) == 1
    assert (mask == kept(groups, most, 1, seed)).all()


@given(groups=groups, most=st.integers(1, 60))
def test_at_least_so_many_rows_stay_where_there_are_so_many(groups: np.ndarray, most: int) -> None:
    assert kept(groups, most, 10, 0).sum() >= min(10, len(groups))


def test_another_seed_draws_others() -> None:
    alone = np.arange(1000, dtype=np.uint64)
    assert kept(alone, 100, 1, 0).sum() == 100
    assert (kept(alone, 100, 1, 0) != kept(alone, 100, 1, 1)).any()


def test_a_run_uses_fewer_rows_and_says_so() -> None:
    whole = prepare(TinyPrices(), Source(), 0)
    source = Source()
    most = {"train": 40, "test": whole.sizes["test"]}
    fewer = prepare(TinyPrices(), source, 0, most=most)
    assert fewer.sizes == {**whole.sizes, "train": 40}
    assert set(fewer.splits["train"]["row_id"]) < set(whole.splits["train"]["row_id"])
    assert [note for note in fewer.notes if "rows." in note] == [
        f"train: 40 of {whole.sizes['train']} rows are used, in 40 of {whole.sizes['train']} whole "
        "groups, so that the run ends in time (rows.train)"
    ]
    assert fewer.fingerprint != whole.fingerprint
    assert prepare(TinyPrices(), Source(), 0, most=most).fingerprint == fewer.fingerprint
    assert prepare(TinyPrices(), Source(), 0, most={"train": 10**6}).fingerprint == (
        whole.fingerprint
    )
