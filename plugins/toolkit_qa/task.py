"""The task ``question-answering``: find the span of a context that answers a question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from toolkit import Baseline, Panel, QuestionAnsweringTask, Recipe, Row
from toolkit.metrics.texts import spaced
from toolkit_qa import asking
from toolkit_qa.scoring import METRICS

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit import Source
    from toolkit.data import Profile

EMBEDDED = Recipe(
    name="embedded",
    summary="all-MiniLM-L6-v2 with LoRA r 16, 900 steps on data of any size; no network needed",
    model="embedded:minilm",
    training={
        "per_device_train_batch_size": 8,
        # Steps and not epochs: the time on a CPU then hardly depends on the size of the data, and
        # a few hundred rows are repeated often enough.
        "max_steps": 900,
        "learning_rate": 1e-3,
        "lr_scheduler_type": "linear",
        "warmup_steps": 0.05,
        "weight_decay": 0.0,
        "eval_strategy": "steps",
        "eval_steps": 150,
        "logging_steps": 10,
        "bf16": True,
        "max_length": 256,
        "doc_stride": 96,
        "model_init_kwargs": {"attn_implementation": "eager"},
    },
    lora={
        "r": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.0,
        "target_modules": ["query", "key", "value", "dense"],
    },
    early_stopping={"early_stopping_patience": 3},
)

FULL = Recipe(
    name="full",
    summary="all-MiniLM-L6-v2, all parameters trained, for comparison with LoRA",
    model="embedded:minilm",
    training={**EMBEDDED.training, "learning_rate": 2e-4, "weight_decay": 0.01},
    lora=None,
    early_stopping=EMBEDDED.early_stopping,
)

DISTILBERT = Recipe(
    name="distilbert-lora",
    summary="DistilBERT, LoRA r 16 on the query and value of the attention; a GPU is recommended",
    model="distilbert/distilbert-base-uncased",
    training={
        "per_device_train_batch_size": 16,
        "num_train_epochs": 3,
        "learning_rate": 3e-4,
        "lr_scheduler_type": "linear",
        "warmup_steps": 0.1,
        "weight_decay": 0.01,
        "eval_strategy": "epoch",
        "logging_steps": 50,
        "max_length": 384,
        "doc_stride": 128,
    },
    lora={
        "r": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.1,
        "target_modules": ["q_lin", "v_lin"],
    },
    sources={
        "model": "the original project: DistilBERT base, uncased",
        "training.per_device_train_batch_size": "ours",
        "training.num_train_epochs": "ours: 5,000 rows take about four minutes on a T4, "
        "as in the original project",
        "training.learning_rate": "ours",
        "training.lr_scheduler_type": "ours",
        "training.warmup_steps": "ours",
        "training.weight_decay": "ours",
        "training.eval_strategy": "ours",
        "training.logging_steps": "ours",
        "training.max_length": "BERT's reference code for SQuAD: 384",
        "training.doc_stride": "BERT's reference code for SQuAD: 128",
        "lora.r": "the original project: 16",
        "lora.lora_alpha": "ours: twice r",
        "lora.lora_dropout": "ours",
        "lora.target_modules": "the original project trains 0.4 % of the parameters, which is r 16 "
        "on two modules",
    },
)

EXAMPLE = {
    "question": "Who paid for the lighthouse?",
    "context": (
        "The Harrow Lighthouse stands in Selford. It was designed by Ada Finch in 1871. The money "
        "for the lighthouse came from Otto Berger."
    ),
}


class QuestionAnswering(QuestionAnsweringTask):
    """Mark the answer to a question in a context, or predict that there is none."""

    api_version = 2
    name = "question-answering"
    summary = "Mark the answer to a question in a text"
    columns = {
        "id": "the question's id",
        "title": "the document's title; empty if it has none",
        "question": "the question",
        "context": "the text that may contain the answer",
        "answers": "lists text and answer_start (characters); empty if there is no answer",
        "document": "id of the document, or of the context where it is of none",
    }
    metrics = METRICS
    primary_metric = "f1"
    margin = 0.01
    recipes = (EMBEDDED, FULL, DISTILBERT)
    # "group" is what "group_by" was called; recipes and runs of earlier versions may set it.
    options = {**QuestionAnsweringTask.options, "group": "", "ensemble": 0, "repair": False}
    panel = Panel(
        inputs={"question": "Question", "context": "Context"}, view="spans", examples=(EXAMPLE,)
    )

    @classmethod
    def recognises(cls, found: Mapping[str, Profile]) -> float:
        from toolkit_qa.recognising import recognises

        return recognises(found)

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        from toolkit_qa.load import load_rows

        return load_rows(source, repair=bool(self.options["repair"]))

    def groupings(self) -> Mapping[str, Callable[[Row], str]]:
        self.options["group_by"] = self.options.pop("group", "") or self.options["group_by"]
        return super().groupings()

    def by_document(self, row: Row) -> str:
        """The id of the row's document; titles that share a context are one document."""
        return str(row["document"])

    def by_context(self, row: Row) -> str:
        from toolkit_qa.converting import document

        return document(row["context"])

    def group(self, row: Row) -> str:
        # Runs of earlier versions have their groups, of either kind, in the column.
        return super().group(row) if "group_by" in self.state else self.by_document(row)

    def baselines(self) -> Mapping[str, Baseline]:
        from toolkit_qa.baselines import ladder

        return ladder()

    def slices(self) -> Mapping[str, Callable[[Row], str | None]]:
        return {
            "question": lambda row: asking.question_type(str(row["question"])),
            "answer length": _answer_length,
            "context length": _context_length,
            "position of the answer": _position,
        }


def _answer_length(row: Row) -> str | None:
    texts = row["answers"]["text"]
    if not texts:
        return None
    words = len(spaced(texts[0]).split())
    for high in (2, 4, 9, 20):
        if words < high:
            return f"under {high} words"
    return "20 words and more"


def _context_length(row: Row) -> str:
    words = len(spaced(row["context"]).split())
    for high in (60, 120, 250, 1_000):
        if words < high:
            return f"under {high:,} words"
    return "1,000 words and more"


def _position(row: Row) -> str | None:
    """The third of the context in which the answer begins."""
    starts = row["answers"]["answer_start"]
    if not starts:
        return "no answer"
    third = min(2, 3 * int(starts[0]) // max(1, len(row["context"])))
    return ("first third", "second third", "last third")[third]
