"""The number of tokens of rows: histograms, figures, and whether a limit would cut targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.data import splits as splitting
from toolkit.data import tables
from toolkit.data.splits import SPLITS
from toolkit.errors import PreflightError
from toolkit.formatting import rows_named

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

LENGTH_SAMPLE = 10_000
"""Rows whose tokens are counted."""


def sample(splits: DatasetDict, rows: int = LENGTH_SAMPLE, seed: int = 0) -> Dataset:
    """Rows to measure: all, or a random sample of ``rows`` and the longest hundred."""
    import datasets

    whole = datasets.concatenate_datasets([splits[name] for name in SPLITS])
    drawn = splitting.sample(len(whole), rows, seed)
    if drawn is None:
        return whole
    return whole.select(np.union1d(drawn, np.argsort(_characters(whole))[-100:]))


def _characters(dataset: Dataset) -> np.ndarray:
    """Bytes of text in each row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = []
    for table in dataset.with_format("arrow").iter(batch_size=tables.BATCH):
        texts = [column for column in table.columns if pa.types.is_string(column.type)]
        counts = [pc.fill_null(pc.binary_length(column), 0).to_numpy() for column in texts]
        lengths.append(sum(counts, start=np.zeros(len(table), dtype=np.int64)))
    return np.concatenate(lengths)


def lengths_of(token_lengths: Mapping[str, np.ndarray], max_length: int | None) -> dict[str, Any]:
    """A histogram of whole rows, and figures of each part and, of several parts, of their total.

    Args:
        token_lengths: part of an example (``prompt``) → tokens of each row, shape (rows,).
        max_length: tokens that fit; ``None``: no limit.
    """
    if not token_lengths:
        return {}
    total = _total(token_lengths)
    parts = dict(token_lengths) if len(token_lengths) == 1 else {**token_lengths, "total": total}
    over = int((total > max_length).sum()) if max_length is not None else 0
    return {
        "limit": max_length,
        "rows": len(total),
        "over": over,
        "over_share": over / len(total),
        **_histogram(total, bins=40),
        "parts": {name: part_of(values) for name, values in parts.items()},
    }


def part_of(tokens: np.ndarray) -> dict[str, Any]:
    """A histogram and figures of one part of the rows."""
    values = np.asarray(tokens)
    return {**_histogram(values, bins=20), **_figures(values)}


def _total(token_lengths: Mapping[str, np.ndarray]) -> np.ndarray:
    """Tokens of whole rows."""
    total: np.ndarray = np.sum([np.asarray(part) for part in token_lengths.values()], axis=0)
    return total


def _histogram(values: np.ndarray, bins: int) -> dict[str, list[float]]:
    low, high = int(values.min()), int(values.max())
    counts, edges = np.histogram(values, np.linspace(low, high + 1, min(bins, high + 1 - low) + 1))
    return {"counts": counts.tolist(), "edges": np.round(edges, 2).tolist()}


def _figures(values: np.ndarray) -> dict[str, float]:
    return {
        "min": int(values.min()),
        "mean": round(float(values.mean()), 2),
        "p5": float(np.percentile(values, 5)),
        "median": float(np.median(values)),
        "p95": float(np.percentile(values, 95)),
        "max": int(values.max()),
    }


def length_sentences(lengths: Mapping[str, Any]) -> list[str]:
    """Mean, median and percentiles of each part, and the share that is too long, as a sentence.

    Args:
        lengths: what :func:`lengths_of` returned.

    Returns:
        One sentence; none where no tokens were counted.
    """
    if not lengths or "p5" not in next(iter(lengths["parts"].values())):
        return []  # not counted, or by an older version
    parts = [
        f"{name} mean {p['mean']:,.1f}, median {p['median']:,.0f}, 5 to 95 % {p['p5']:,.0f} to "
        f"{p['p95']:,.0f}, at most {p['max']:,}"
        for name, p in lengths["parts"].items()
    ]
    limit = lengths["limit"]
    cut = "" if limit is None else f"; {lengths['over_share']:.1%} are longer than {limit:,}"
    return [f"tokens a row: {'; '.join(parts)}{cut}"]


@dataclass(frozen=True)
class Able:
    """What the model can read at most, whatever the settings.

    Args:
        positions: tokens that it has positions for; ``None``: no limit.
        rows: the number of each row that is looked at.
    """

    positions: int | None = None
    rows: Sequence[Any] = ()

    def advice(self, setting: str, tokens: np.ndarray) -> str:
        """How rows that are too long get shorter, or the setting larger.

        Args:
            setting: the field of ``[training]`` that limits them.
            tokens: of each row, shape (rows,).
        """
        longest = int(tokens.max())
        if self.positions is None or longest <= self.positions:
            return f"raise --set training.{setting}={longest} or let it be cut with"
        over = [self.rows[i] for i in np.flatnonzero(tokens > self.positions).tolist()]
        return (
            f"the model itself has positions for {self.positions:,} tokens ({rows_named(over)}): "
            "shorten or leave out such rows, take a model that reads longer texts, or let it be "
            "cut with"
        )


def own_truncation(
    name: str, tokens: np.ndarray, limit: int, allowed: bool, able: Able | None = None
) -> list[str]:
    """A warning where a part that has a limit of its own would be cut, with the number of rows.

    Args:
        name: the part, such as ``target``.
        tokens: its tokens in each row, shape (rows,).
        limit: the most tokens that fit.
        allowed: whether it may be cut.
        able: what the model can write at most.

    Raises:
        PreflightError: it would be cut, and that is not allowed.
    """
    cut, longest = int((tokens > limit).sum()), int(tokens.max())
    if not cut:
        return []
    sentence = (
        f"the {name} of {cut:,} of {len(tokens):,} rows ({cut / len(tokens):.1%}) would be cut: "
        f"the longest has {longest:,} tokens and {limit:,} fit"
    )
    if not allowed:
        raise PreflightError(
            f"{sentence}; {(able or Able()).advice(f'max_{name}_length', tokens)} "
            "--allow-truncation"
        )
    return [sentence + " (--allow-truncation)"]


def truncation(
    token_lengths: Mapping[str, np.ndarray],
    max_length: int,
    truncated: str | None,
    allowed: bool,
    lengths: Mapping[str, Any],
    loses: str = "its end",
    able: Able | None = None,
) -> list[str]:
    """Warnings on targets that would be cut, and on texts that lose their end.

    Args:
        token_lengths: part of an example → tokens of each row, shape (rows,).
        max_length: the most tokens of a row that fit.
        truncated: the part that is shortened in rows that are too long; ``None``: none.
        allowed: whether targets may be cut.
        lengths: what :func:`lengths_of` returned.
        loses: what a text that is too long loses, in words.
        able: what the model can read at most.

    Raises:
        PreflightError: targets would be cut, and that is not allowed.
    """
    total = _total(token_lengths)
    fixed = total - token_lengths[truncated] if truncated else total
    cut = int((fixed >= max_length).sum()) if truncated else int((fixed > max_length).sum())
    warnings = []
    if cut:
        # An encoder does not read its answer: the text itself would be cut.
        what = "target" if "completion" in token_lengths else "text"
        sentence = (
            f"the {what} of {cut:,} of {len(total):,} rows ({cut / len(total):.1%}) would be cut: "
            f"the longest row has {int(total.max()):,} tokens and {max_length:,} fit"
        )
        if not allowed:
            raise PreflightError(
                f"{sentence}; {(able or Able()).advice('max_length', total)} --allow-truncation"
            )
        warnings.append(sentence + " (--allow-truncation)")
    if truncated and lengths["over"]:
        kept = "; targets are kept whole" if "completion" in token_lengths else ""
        warnings.append(
            f"the {truncated} of {lengths['over']:,} of {len(total):,} rows "
            f"({lengths['over_share']:.1%}) is longer than {max_length:,} tokens allow and loses "
            f"{loses}{kept}"
        )
    return warnings
