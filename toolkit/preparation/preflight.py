"""Checks of the data before a model is loaded: lengths, leakage, repeated and contradicting rows.

:func:`check` runs them all, with those of classes, groups and the tokenizer that stand in modules
of their own. What would make the run worthless is an error: a target that would be cut, texts that
the model cannot read, classes that training does not have. Everything else becomes a note or a
warning, and the user decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.data.column_mapping import UNKNOWN_ANSWER
from toolkit.data.splits import HELD_OUT
from toolkit.formatting import rows_named
from toolkit.models.limits import Limits
from toolkit.preparation.classes import absent_classes, compare_classes
from toolkit.preparation.examined import Examined, examine
from toolkit.preparation.group_sizes import (
    coarse_groups,
    group_numbers,
    group_sentence,
    group_warnings,
)
from toolkit.preparation.leakage import is_numeric, leakage
from toolkit.preparation.lengths import (
    Able,
    length_sentences,
    lengths_of,
    own_truncation,
    part_of,
    sample,
    truncation,
)
from toolkit.preparation.losses import large_losses
from toolkit.preparation.unknown_tokens import TokenizerFindings, check_tokenizer

SHARED = 0.01
"""The share of held-out rows with a text of training rows from which on there is a warning."""

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel
    from toolkit.preparation.prepare import Prepared
    from toolkit.task import Task

__all__ = ["Preflight", "check", "left_out_sentences", "sample"]


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
        classes: rows of each class and what is wrong with them; empty without classes.
        groups: split → how many groups its rows have.
        tokenizer: what the model's tokenizer loses; empty without a model.
        token_lengths: part of an example (``prompt``, ``completion``) → tokens of each row of
            :func:`sample`, before anything is cut; empty without a model.
        lost: the reasons in ``left_out`` for which many rows are → the warning.
    """

    sizes: dict[str, int]
    lengths: dict[str, Any]
    leak: dict[str, Any] | None
    duplicates: dict[str, Any]
    left_out: dict[str, list[int]]
    notes: list[str]
    cautions: list[str]
    classes: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    tokenizer: dict[str, Any] = field(default_factory=dict)
    token_lengths: Mapping[str, np.ndarray] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)

    def sentences(self) -> list[str]:
        """Notes, and sentences on rows that are left out or repeated, for a terminal."""
        return [
            *self.notes, *length_sentences(self.lengths), *left_out_sentences(self._few_left_out()),
            *_repeated(self.duplicates),
        ]  # fmt: skip

    def _few_left_out(self) -> dict[str, list[int]]:
        """What is left out, but for what the warnings say already."""
        return {reason: ids for reason, ids in self.left_out.items() if reason not in self.lost}

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
            "classes": self.classes,
            "groups": self.groups,
            "tokenizer": self.tokenizer,
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
        PreflightError: targets would be cut, and that is not allowed; or the model cannot read the
            texts; or held-out rows have other classes than training rows.
    """
    notes, cautions = list(prepared.notes), list(prepared.cautions)
    tokens: Mapping[str, np.ndarray] = {}
    lengths: dict[str, Any] = {}
    unknown = TokenizerFindings()
    examined = examine(task, prepared)
    compared = compare_classes(examined.classes, declared=examined.declared)
    if model is not None:
        rows = sample(prepared.splits)
        tokens = model.lengths(rows)
        notes += model.notes(rows)
        cautions += model.cautions(rows)
        lengths = _check_lengths(
            model, tokens, notes, cautions, allow_truncation, rows["row_id"][:]
        )
        unknown = check_tokenizer(task, prepared, model)
    groups = group_numbers(prepared)
    notes += [
        *unknown.notes, *group_sentence(groups, prepared.sizes),
        *absent_classes(task.categories() or getattr(task, "labels", None), examined.classes),
    ]  # fmt: skip
    leak = _leak_of(examined, cautions, maskable="mask_target" in task.options)
    duplicates = _duplicates(examined, cautions)
    lost = large_losses(prepared.left_out, prepared.rows_read, prepared.sizes)
    cautions += lost.values()
    cautions += [
        *compared.warnings, *_unknown_answers(prepared), *unknown.warnings,
        *group_warnings(groups, prepared.sizes), *_shared_texts(examined),
        *coarse_groups(
            groups,
            len(np.unique(examined.texts)),
            chosen=bool(task.groupings()) and not prepared.grouped_by,
        ),
    ]  # fmt: skip
    return Preflight(
        sizes=prepared.sizes,
        lengths=lengths,
        leak=leak,
        duplicates=duplicates,
        left_out=prepared.left_out,
        notes=notes,
        cautions=cautions,
        classes=compared.document(examined.classes) if examined.classes else {},
        groups=groups,
        tokenizer=unknown.document,
        token_lengths=tokens,
        lost=lost,
    )


def _check_lengths(
    model: TaskModel,
    tokens: Mapping[str, np.ndarray],
    notes: list[str],
    cautions: list[str],
    allow_truncation: bool,
    row_ids: Sequence[Any],
) -> dict[str, Any]:
    """The histograms of lengths; adds to notes and cautions what would be cut or read in parts."""
    own, limit = model.own_limits, model.max_length
    able = getattr(model, "limits", Limits())
    parts = {name: part for name, part in tokens.items() if name not in own}
    lengths = lengths_of(parts, limit)
    for name, own_limit in own.items():
        if name in tokens:
            lengths["parts"][name] = part_of(tokens[name])
            most = Able(able.answer_positions, row_ids)
            cautions += own_truncation(name, tokens[name], own_limit, allow_truncation, most)
    if model.windowed and lengths.get("over"):
        notes.append(
            f"{lengths['over']:,} of {lengths['rows']:,} rows ({lengths['over_share']:.1%}) are "
            f"longer than {limit:,} tokens and are read in several windows"
        )
    elif parts and limit is not None:
        cautions += truncation(
            parts, limit, model.truncated, allow_truncation, lengths, model.loses,
            Able(able.positions, row_ids),
        )  # fmt: skip
    return lengths


def _unknown_answers(prepared: Prepared) -> list[str]:
    """Warnings on held-out rows that are left out because their answer is not one of the task's."""
    return [
        f"{len(rows):,} {split} rows are left out, because the task does not know their answer: no "
        "figure includes them"
        for split in HELD_OUT
        for reason, rows in prepared.left_out.items()
        if reason.startswith(f"{split}: ") and reason.endswith(UNKNOWN_ANSWER)
    ]


def left_out_sentences(left_out: Mapping[str, Sequence[int]]) -> list[str]:
    """Sentences such as ``12 rows are left out: no price (rows 7, 8, …)``, most rows first."""
    return [
        f"{len(rows):,} row{' is' if len(rows) == 1 else 's are'} left out: {reason} "
        f"({rows_named(rows)})"
        for reason, rows in sorted(left_out.items(), key=lambda item: -len(item[1]))
    ]


# -- leakage ---------------------------------------------------------------------------------------


def _leak_of(found: Examined, warnings: list[str], *, maskable: bool) -> dict[str, Any] | None:
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


def _duplicates(found: Examined, warnings: list[str]) -> dict[str, Any]:
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


def _shared_texts(found: Examined) -> list[str]:
    """A warning on held-out rows whose text is trained on, in a task that groups otherwise."""
    shared = int(np.isin(found.texts[found.held_out], found.texts[~found.held_out]).sum())
    held_out = int(found.held_out.sum())
    if shared < max(2, SHARED * held_out):
        return []
    return [
        f"{shared:,} of {held_out:,} held-out rows have a text that is trained on too, because the "
        "task's groups do not hold rows with the same text together; a model can know them by heart"
    ]


def _spread(groups: np.ndarray, values: np.ndarray) -> float:
    """Mean distance of values from their group's median."""
    order = np.lexsort((values, groups))
    values = values[order]
    edges = np.flatnonzero(np.diff(groups[order])) + 1
    parts = np.split(values, edges)
    return float(np.mean(np.concatenate([np.abs(part - np.median(part)) for part in parts])))
