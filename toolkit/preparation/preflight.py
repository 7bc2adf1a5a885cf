"""Checks of the data before a model is loaded: lengths, leakage, repeated and contradicting rows.

:func:`check` runs them all. Only a target that would be cut is an error; everything else becomes a
note or a warning, and the user decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.data import splits, tables
from toolkit.data.splits import SPLITS
from toolkit.preparation.leakage import is_numeric, leakage
from toolkit.preparation.lengths import (
    length_sentences,
    lengths_of,
    own_truncation,
    part_of,
    sample,
    truncation,
)

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel
    from toolkit.preparation.prepare import Prepared
    from toolkit.task import Task

__all__ = ["Preflight", "check", "left_out_sentences", "sample"]

LEAK_SAMPLE = 5_000
"""Rows that are searched for their target."""


@dataclass(frozen=True)
class Preflight:
    """The findings of :func:`check`.

    Args:
        sizes: split → number of rows.
        lengths: histogram of tokens a row, with figures for each part of an example.
        leak: how often the target stands in the text; ``None`` where targets are not searched for.
        duplicates: figures on rows whose text occurs more than once.
        left_out: reason → numbers of the rows that are not used.
        notes: what was decided for the user, as sentences.
        cautions: what the user should know before trusting a figure, as sentences.
        token_lengths: part of an example (``prompt``, ``completion``) → tokens of each row of
            :func:`sample`, before anything is cut; empty without a model.
    """

    sizes: dict[str, int]
    lengths: dict[str, Any]
    leak: dict[str, Any] | None
    duplicates: dict[str, Any]
    left_out: dict[str, list[int]]
    notes: list[str]
    cautions: list[str]
    token_lengths: Mapping[str, np.ndarray] = field(default_factory=dict)

    def sentences(self) -> list[str]:
        """Notes, and sentences on rows that are left out or repeated, for a terminal."""
        return [
            *self.notes, *length_sentences(self.lengths), *left_out_sentences(self.left_out),
            *_repeated(self.duplicates),
        ]  # fmt: skip

    def warnings(self) -> list[str]:
        """Warnings, for a terminal."""
        return list(self.cautions)

    def document(self) -> dict[str, Any]:
        """The content of ``data/preflight.json``."""
        return {
            "sizes": self.sizes,
            "lengths": self.lengths,
            "leaks": [self.leak] if self.leak and self.leak["serious"] else [],
            "leak": self.leak,
            "duplicates": self.duplicates,
            "left_out": self.left_out,
            "notes": [*self.notes, *length_sentences(self.lengths)],
            "warnings": self.cautions,
        }


def check(
    task: Task,
    prepared: Prepared,
    model: TaskModel | None = None,
    *,
    allow_truncation: bool = False,
) -> Preflight:
    """Check the rows and their lengths before a model is trained on them.

    Args:
        task: the task of the rows.
        prepared: the rows in their splits.
        model: its tokenizer and limits are used; ``None``: no tokens are counted.
        allow_truncation: whether targets may be cut.

    Raises:
        PreflightError: targets would be cut, and that is not allowed.
    """
    notes, cautions = list(prepared.notes), []
    tokens: Mapping[str, np.ndarray] = {}
    lengths: dict[str, Any] = {}
    if model is not None:
        rows = sample(prepared.splits)
        tokens = model.lengths(rows)
        cautions += model.cautions(rows)
        lengths = _check_lengths(model, tokens, notes, cautions, allow_truncation)
    examined = _examine(task, prepared)
    leak = _leak_of(examined, cautions, maskable="mask_target" in task.options)
    return Preflight(
        sizes=prepared.sizes,
        lengths=lengths,
        leak=leak,
        duplicates=_duplicates(examined, cautions),
        left_out=prepared.left_out,
        notes=notes,
        cautions=cautions,
        token_lengths=tokens,
    )


def _check_lengths(
    model: TaskModel,
    tokens: Mapping[str, np.ndarray],
    notes: list[str],
    cautions: list[str],
    allow_truncation: bool,
) -> dict[str, Any]:
    """The histograms of lengths; adds to notes and cautions what would be cut or read in parts."""
    own, limit = model.own_limits, model.max_length
    parts = {name: part for name, part in tokens.items() if name not in own}
    lengths = lengths_of(parts, limit)
    for name, own_limit in own.items():
        if name in tokens:
            lengths["parts"][name] = part_of(tokens[name])
            cautions += own_truncation(name, tokens[name], own_limit, allow_truncation)
    if model.windowed and lengths.get("over"):
        notes.append(
            f"{lengths['over']:,} of {lengths['rows']:,} rows ({lengths['over_share']:.1%}) are "
            f"longer than {limit:,} tokens and are read in several windows"
        )
    elif parts and limit is not None:
        cautions += truncation(
            parts, limit, model.truncated, allow_truncation, lengths, model.loses
        )
    return lengths


def left_out_sentences(left_out: Mapping[str, Sequence[int]]) -> list[str]:
    """Sentences such as ``12 rows are left out: no price (rows 7, 8, …)``, most rows first."""
    return [
        f"{len(rows):,} row{' is' if len(rows) == 1 else 's are'} left out: {reason} "
        f"({_rows(rows)})"
        for reason, rows in sorted(left_out.items(), key=lambda item: -len(item[1]))
    ]


def _rows(rows: Sequence[int], most: int = 5) -> str:
    listed = ", ".join(str(row) for row in rows[:most]) + (", …" if len(rows) > most else "")
    return f"row{'' if len(rows) == 1 else 's'} {listed}"


# -- leakage ---------------------------------------------------------------------------------------


@dataclass
class _Examined:
    """Hashes of the text and the target of every row, and both themselves for a sample of rows."""

    texts: np.ndarray
    targets: np.ndarray
    values: np.ndarray | None
    sample_texts: list[str] = field(default_factory=list)
    sample_targets: list[Any] = field(default_factory=list)
    sample_rows: list[tuple[str, int]] = field(default_factory=list)


def _examine(task: Task, prepared: Prepared) -> _Examined:
    total = sum(prepared.sizes[split] for split in SPLITS)
    texts = np.empty(total, dtype=np.uint64)
    targets = np.empty(total, dtype=np.uint64)
    values = np.full(total, np.nan)
    drawn = splits.sample(total, LEAK_SAMPLE, 0)
    sampled = set(drawn.tolist()) if drawn is not None else None
    found = _Examined(texts, targets, values)
    at = 0
    for split in SPLITS:
        for row in tables.rows(prepared.splits[split]):
            text, target = _text(task, row), task.reference(row)
            texts[at] = splits.group_hash(" ".join(text.casefold().split()))
            targets[at] = splits.group_hash(repr(target))
            if is_numeric(target):
                values[at] = target
            if sampled is None or at in sampled:
                found.sample_texts.append(text)
                found.sample_targets.append(target)
                found.sample_rows.append((split, int(row["row_id"])))
            at += 1
    if np.isnan(values).any():
        found.values = None
    return found


def _text(task: Task, row: Mapping[str, Any]) -> str:
    """The text of a row that the model reads: the columns of its example that are not targets."""
    example = task.format_example(row)
    shown = [example[name] for name in ("prompt", "text", "question", "context") if name in example]
    return "\n".join(part if isinstance(part, str) else _turns(part) for part in shown)


def _turns(messages: Any) -> str:
    """The text of a conversation."""
    if isinstance(messages, list):
        return "\n".join(str(m.get("content", "")) for m in messages if isinstance(m, Mapping))
    return str(messages)


def _leak_of(found: _Examined, warnings: list[str], *, maskable: bool) -> dict[str, Any] | None:
    """How often targets stand in their texts; serious leakage is a warning, never an error.

    Args:
        found: the rows.
        warnings: receives the warning.
        maskable: whether the task can take the target out of the text.
    """
    if not all(is_numeric(t) or isinstance(t, str) for t in found.sample_targets):
        return None  # such as spans of the text, which stand in it on purpose
    leak = leakage(found.sample_texts, found.sample_targets)
    rows = [found.sample_rows[at] for at in leak.examples]
    examples = ", ".join(f"{split} row {row}" for split, row in rows[:3])
    sentence = (
        f"the target stands in the text of {leak.found:,} of {leak.rows:,} rows "
        f"({leak.share:.1%}; by chance {leak.chance:.1%})"
    )
    if leak.serious:
        advice = "choose other columns with --text"
        if maskable:
            advice = f"take it out with --mask-target, or {advice}"
        sentence += f", as in {examples}: a model will copy it instead of learning; {advice}"
        warnings.append(sentence)
    return {
        "rows": leak.rows,
        "found": leak.found,
        "share": leak.share,
        "chance": leak.chance,
        "serious": leak.serious,
        "sentence": sentence,
        "examples": [{"split": split, "row_id": row} for split, row in rows],
    }


# -- repeated and contradicting rows ---------------------------------------------------------------


def _repeated(duplicates: Mapping[str, Any]) -> list[str]:
    if not duplicates["rows"]:
        return []
    return [
        f"{duplicates['rows']:,} rows share their text with another row ({duplicates['texts']:,} "
        "texts); rows with the same text stay in one split"
    ]


def _duplicates(found: _Examined, warnings: list[str]) -> dict[str, Any]:
    """Figures on rows whose text occurs more than once, and on the spread of their targets."""
    _, inverse, counts = np.unique(found.texts, return_inverse=True, return_counts=True)
    repeated = counts[inverse] > 1
    rows = int(repeated.sum())
    result: dict[str, Any] = {
        "rows": rows,
        "share": rows / len(found.texts),
        "texts": int((counts > 1).sum()),
        "clashing_rows": 0,
        "spread": None,
    }
    if not rows:
        return result
    groups, targets = inverse[repeated], found.targets[repeated]
    pairs = np.unique(np.stack([groups.astype(np.uint64), targets]), axis=1)
    clashing = np.unique(pairs[0], return_counts=True)
    several = clashing[0][clashing[1] > 1]
    clash = np.isin(groups, several.astype(groups.dtype))
    result["clashing_rows"] = int(clash.sum())
    if found.values is not None and clash.any():
        result["spread"] = _spread(groups[clash], found.values[repeated][clash])
    if clash.any():
        spread = (
            f"; they lie {result['spread']:.4g} from their median on average, and no model can do "
            "better on them"
            if result["spread"] is not None
            else ""
        )
        warnings.append(
            f"{int(clash.sum()):,} rows have the text of another row and another target{spread}"
        )
    return result


def _spread(groups: np.ndarray, values: np.ndarray) -> float:
    """Mean distance of values from their group's median."""
    order = np.lexsort((values, groups))
    values = values[order]
    edges = np.flatnonzero(np.diff(groups[order])) + 1
    parts = np.split(values, edges)
    return float(np.mean(np.concatenate([np.abs(part - np.median(part)) for part in parts])))
