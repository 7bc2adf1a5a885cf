"""Tasks for an encoder that marks the answer to a question in a context (extractive QA).

Importing this loads no model library; that happens when a run needs it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.data.normalization import normalized
from toolkit.errors import UsageError
from toolkit.kinds.question_answering.outputs import Answered, Span
from toolkit.recipe import Recipe
from toolkit.task import Decoder, Row, Task, untuned

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.data.source import Source

MINILM = Recipe(
    name="minilm",
    summary="all-MiniLM-L6-v2 with LoRA, for a first try on a few hundred rows",
    model="embedded:minilm",
    training={
        "per_device_train_batch_size": 16,
        "num_train_epochs": 6,
        "learning_rate": 1.5e-3,
        "warmup_steps": 0.05,
        "eval_strategy": "epoch",
        "logging_steps": 10,
        "max_length": 256,
        "doc_stride": 96,
    },
    lora={"r": 16, "lora_alpha": 32, "target_modules": ["query", "key", "value", "dense"]},
    early_stopping={"early_stopping_patience": 3},
)
"""The recipe of tasks that name none."""


class QuestionAnsweringTask(Task):
    """A task that marks the answer in a context, trained by transformers' ``Trainer``.

    ``format_example`` gives SQuAD's columns: ``id``, ``question``, ``context`` and ``answers``
    (``{"text": […], "answer_start": […]}``, empty lists where there is none). A prediction is
    ``{"text", "start", "end"}``, see :meth:`span`. Contexts of any length are read in windows.

    Questions are grouped by document, where rows have a column ``title``, or by context, as the
    option ``group_by`` says; ``auto`` takes documents where 20 of them are in the test split.
    """

    kind: ClassVar[str] = "question-answering"
    recipes: ClassVar[tuple[Recipe, ...]] = (MINILM,)
    options = {"decoder": "auto", "group_by": "auto"}

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        """Rows of a SQuAD file, or of a table with a question, a context and an answer in it.

        For a task with the columns ``question``, ``context`` and ``answers``, and ``title`` where
        it wants that of the document.
        """
        from functools import partial

        from toolkit.data import row_mapping
        from toolkit.kinds.question_answering.squad_rows import convert

        wanted = partial(convert, titled="title" in self.columns)
        return row_mapping.load_rows(source, wanted, self.own_data)

    def groupings(self) -> Mapping[str, Callable[[Row], str]]:
        """Questions by document (a column ``title``) or by context, as ``task.group_by`` wants."""
        wanted = str(self.options.get("group_by", "auto"))
        ways = {"document": self.by_document, "context": self.by_context}
        if wanted not in ("auto", *ways):
            raise UsageError(f"task.group_by is {wanted!r}; it can be auto, document or context")
        if "title" not in self.columns:
            if wanted == "document":
                raise UsageError(
                    "task.group_by is document, but the task's rows have no column title"
                )
            return {"context": self.by_context}
        return ways if wanted == "auto" else {wanted: ways[wanted]}

    def by_document(self, row: Row) -> str:
        """A row's document, which its title names; its context where it has no title."""
        title = normalized(str(row.get("title") or ""))
        return f"document {title}" if title else self.by_context(row)

    def by_context(self, row: Row) -> str:
        """A row's context, normalised."""
        return normalized(str(row["context"]))

    def group(self, row: Row) -> str:
        """The document or the context: questions about one stay in one split."""
        by_document = self.state.get("group_by") == "document"
        return self.by_document(row) if by_document else self.by_context(row)

    def format_example(self, row: Row) -> dict[str, Any]:
        nothing: dict[str, list[Any]] = {"text": [], "answer_start": []}
        return {
            "id": str(row.get("id", row.get("row_id", ""))),
            "question": str(row["question"]),
            "context": str(row["context"]),
            "answers": row.get("answers") or nothing,
        }

    def reference(self, row: Row) -> Any:
        answers = self.format_example(row)["answers"]
        return {"texts": list(answers["text"]), "starts": list(answers["answer_start"])}

    # -- answers -----------------------------------------------------------------------------------
    def span(self, found: Span | None) -> dict[str, Any]:
        """A span as a prediction; ``None``: the prediction is that there is no answer."""
        if found is None:
            return self.fallback()
        return {"text": found.text, "start": found.start, "end": found.end}

    def fallback(self) -> dict[str, Any]:
        """What an unreadable output counts as: that there is no answer."""
        return {"text": "", "start": -1, "end": -1}

    def postprocess(self, output: Answered, row: Row) -> Any | None:
        """The best span, or none where "no answer" scores higher."""
        return self._unless(output, 0.0)

    def _unless(self, output: Answered, threshold: float) -> Any | None:
        """The best span, unless "no answer" scores higher by more than a threshold."""
        if not output.readable:
            return None
        none = not output.spans or output.margin > threshold
        return self.span(None if none else output.spans[0])

    def decoders(self) -> Mapping[str, Decoder]:
        """Decoders: by the higher score, always a span, or by a threshold that was tuned."""
        return {
            "likeliest": untuned(self.postprocess),
            "always-a-span": lambda output, row, tuned: self._unless(output, math.inf),
            "null-threshold": lambda output, row, tuned: self._unless(
                output, float(tuned.get("null_threshold", 0.0))
            ),
        }

    def tune(self, outputs: Sequence[Any], rows: Sequence[Row]) -> dict[str, Any]:
        """The null threshold with the best primary metric on these rows, as in SQuAD's script."""
        metric = self.metric()
        sign = 1 if metric.greater_is_better else -1
        judged = []
        for output, row in zip(outputs, rows, strict=True):
            if not output.readable:
                continue
            reference = self.reference(row)
            worth, none = (
                sign * _first(metric.per_example(self.span(found), reference))
                for found in ((output.spans or (None,))[0], None)
            )
            judged.append((output.margin, worth, none))
        return {"null_threshold": null_threshold(judged)}


def _first(value: float | tuple[float, ...] | None) -> float:
    if value is None:
        return 0.0
    return float(value[0] if isinstance(value, tuple) else value)


def null_threshold(rows: Sequence[tuple[float, float, float]]) -> float:
    """The margin above which "no answer" is predicted, chosen for the best sum over the rows.

    It lies halfway between the margins of two rows. Among equally good thresholds the one nearest
    to zero is taken, which is that of the higher score.

    Args:
        rows: for each row its margin (:attr:`Answered.margin`), and the metric of its best span and
            of "no answer", where more is better.
    """
    ranked = sorted((row for row in rows if math.isfinite(row[0])), key=lambda row: row[0])
    if not ranked:
        return 0.0
    margins = [row[0] for row in ranked]
    total = sum(none for _, _, none in ranked)
    cuts = [(total, margins[0] - 1.0)]
    for at, (margin, worth, none) in enumerate(ranked):
        total += worth - none
        after = margins[at + 1] if at + 1 < len(ranked) else margin + 2.0
        if after > margin:
            cuts.append((total, (margin + after) / 2))
    best = max(value for value, _ in cuts)
    return min((cut for value, cut in cuts if value > best - 1e-9), key=abs)
