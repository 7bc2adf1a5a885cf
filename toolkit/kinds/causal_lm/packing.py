"""Several rows in one sequence, kept apart: ``packing`` in a recipe.

TRL decides which rows share a sequence (best fit, decreasing: whole rows, nothing is cut or mixed).
Positions begin anew with each row, and the mask of :mod:`toolkit.kinds.causal_lm.shared_prefix`
lets no row see another: each is a segment of its own, without a common beginning. On a GPU this
saves the padding of short rows; on a CPU, where batches of similar length have hardly any padding,
the longer sequences only cost time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import RecipeError

if TYPE_CHECKING:
    from datasets import Dataset

EXACT = ("sdpa", "eager")
"""Attention implementations that accept a custom mask."""


def check(model: Any) -> None:
    """Refuse a model in which packed rows would see one another; raises :class:`RecipeError`."""
    attention = getattr(model.config, "_attn_implementation", None)
    other = set(getattr(model.config, "layer_types", None) or ()) - {"full_attention"}
    if attention not in EXACT or other or not hasattr(model.config, "num_attention_heads"):
        raise RecipeError(
            f"training.packing: with {attention or 'its own'} attention this model would let "
            "packed rows see one another; leave packing out, or take attn_implementation sdpa in "
            "training.model_init_kwargs"
        )


def packs(longest: np.ndarray, room: int) -> list[list[int]]:
    """Which rows share a sequence, by TRL's best fit.

    Args:
        longest: tokens of each row in its longest variant, shape (rows,); none is above ``room``.
        room: tokens of a sequence.
    """
    from datasets import Dataset
    from trl.data_utils import pack_dataset

    owners = [[row] * int(length) for row, length in enumerate(longest)]
    packed = pack_dataset(Dataset.from_dict({"input_ids": owners}), room, strategy="bfd")
    return [list(dict.fromkeys(ids)) for ids in packed["input_ids"]]


def pack(rows: Dataset, members: list[list[int]]) -> Dataset:
    """Sequences of rows: ``input_ids``, ``labels``, ``number`` (a list), positions, segments.

    Args:
        rows: tokenized rows.
        members: for each sequence the indices of its rows.
    """
    from datasets import Dataset

    held = [dict(row) for row in rows]
    numbered = "number" in rows.column_names
    names = ("input_ids", "labels", "position_ids", "segments", *(("number",) if numbered else ()))
    made: dict[str, list[Any]] = {name: [] for name in names}
    for several in members:
        for name in ("input_ids", "labels"):
            made[name].append([token for i in several for token in held[i][name]])
        lengths = [len(held[i]["input_ids"]) for i in several]
        made["position_ids"].append([at for length in lengths for at in range(length)])
        made["segments"].append([s for s, n in enumerate(lengths, start=1) for _ in range(n)])
        if numbered:
            made["number"].append([held[i]["number"] for i in several])
    return Dataset.from_dict(made)


def packed(rows: Dataset, lengths: np.ndarray, room: int) -> tuple[Dataset, np.ndarray]:
    """All variants of the rows (:meth:`toolkit.Task.augment`), packed in the same way.

    Args:
        rows: tokenized rows, one variant of all of them after the other.
        lengths: tokens of each, shape (variants, rows).
        room: tokens of a sequence.

    Returns:
        the sequences in the same order, and their lengths, shape (variants, sequences).
    """
    variants, count = lengths.shape
    members = packs(lengths.max(axis=0), room)
    every = [[v * count + i for i in several] for v in range(variants) for several in members]
    totals = [[int(one[several].sum()) for several in members] for one in lengths]
    return pack(rows, every), np.array(totals)
