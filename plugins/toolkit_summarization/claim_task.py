"""The task ``claim-report``: an encoder–decoder writes a report that states a claim's fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from toolkit import Baseline, Panel, Recipe, Row, Seq2SeqLMTask, Source, Target
from toolkit_summarization import faithfulness, scoring
from toolkit_summarization.claims_words import ABSENT
from toolkit_summarization.renaming import renamed
from toolkit_summarization.written import Written, length_of

if TYPE_CHECKING:
    from datasets import DatasetDict

    from toolkit.data import Profile

EMBEDDED = Recipe(
    name="embedded",
    summary="the small embedded encoder–decoder, 7 to 13 minutes of training on two cores",
    model="embedded:seq2seq-lm",
    training={
        "per_device_train_batch_size": 8,
        "num_train_epochs": 2,
        "learning_rate": 2e-3,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.03,
        "weight_decay": 0.0,
        "eval_strategy": "steps",
        "eval_steps": 497,
        "save_strategy": "steps",
        "save_steps": 497,
        "save_total_limit": 2,
        "logging_steps": 10,
        "bf16": True,
        "max_length": 512,
        "max_target_length": 208,
        "model_init_kwargs": {"dtype": "float32", "attn_implementation": "eager"},
    },
    lora={
        "r": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.0,
        # With LoRA on q and v alone, it misspelt long names and left rare fields out.
        "target_modules": ["q", "k", "v", "o", "wi_0", "wi_1", "wo"],
    },
)

FLAN_T5 = Recipe(
    name="flan-t5-base-lora",
    summary="FLAN-T5 base, LoRA r 8 on q and v, 3 epochs; needs a GPU of 16 GB",
    model="google/flan-t5-base",
    training={
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 1,
        "num_train_epochs": 3,
        "learning_rate": 2e-5,
        "lr_scheduler_type": "linear",
        "warmup_steps": 100,
        "optim": "adamw_torch",
        "weight_decay": 0.01,
        "fp16": True,
        "gradient_checkpointing": False,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "save_total_limit": 2,
        "logging_steps": 100,
        "max_length": 128,
        "max_target_length": 256,
    },
    lora={"r": 8, "lora_alpha": 32, "lora_dropout": 0.1, "target_modules": ["q", "v"]},
    generation={"max_new_tokens": 256},
    sources={
        "model": "the original project's configuration: google/flan-t5-base",
        "training.per_device_train_batch_size": "the original project's configuration: 4",
        "training.gradient_accumulation_steps": "the original project's configuration: 1",
        "training.num_train_epochs": "the original project's configuration: 3",
        "training.learning_rate": "the original project's configuration: 2e-5",
        "training.lr_scheduler_type": "the original project's configuration: linear",
        "training.warmup_steps": "the original project's configuration: 100",
        "training.optim": "the original project's configuration: AdamW",
        "training.weight_decay": "the original project's configuration: 0.01",
        "training.fp16": "the original project's configuration: on a GPU",
        "training.gradient_checkpointing": "the original project's configuration: false",
        "training.eval_strategy": "the original project's configuration: epoch",
        "training.save_strategy": "the original project's configuration: epoch",
        "training.save_total_limit": "the original project's configuration: 2",
        "training.logging_steps": "the original project's configuration: every 100 steps",
        "training.max_length": "the original project's configuration: 128 of the input",
        "training.max_target_length": "the original project's configuration: 256 of the output",
        "lora.r": "the original project's configuration: 8",
        "lora.lora_alpha": "the original project's configuration: 32",
        "lora.lora_dropout": "the original project's configuration: 0.1",
        "lora.target_modules": "the original project's configuration: q and v",
        "generation.max_new_tokens": "the original project's configuration: 256, longest output",
    },
)

TARGETS = (
    Target.metric("ROUGE-1", 0.55, "rouge1"),
    Target.metric("ROUGE-2", 0.35, "rouge2"),
    Target.metric("ROUGE-L", 0.50, "rougeL"),
    Target.metric("Faithfulness", 0.95, "faithfulness"),
)
"""The original project's targets, and one for faithfulness, which it did not measure."""

EXAMPLE = {
    "claim": "claimant: Imogen Vaughan | claim no: CL-20417 | cover: motor | incident: rear-end "
    "collision | date of loss: 14 March 2024 | location: Oakhurst | amount claimed: $4,350"
}


class ClaimReport(Written, Seq2SeqLMTask):
    """Write a report that states the fields of a claim."""

    api_version = 2
    name = "claim-report"
    summary = "Write a report that states the fields of an insurance claim"
    columns = {
        "claim": "fields as label: value | label: value, or any text to report on",
        "report": "the target of training",
        "references": "all reports on this claim; metrics take the best match",
    }
    answer = "report"
    fields = True
    metrics = scoring.metrics(fields=True)
    truncate = "claim"
    recipes = (EMBEDDED, FLAN_T5)
    few_shot = 1
    options = {"prefix": "claim report: ", "ensemble": 0, "renamed": 0.5}
    panel = Panel(inputs={"claim": "Claim"}, examples=(EXAMPLE,))

    # -- data ------------------------------------------------------------------------------------
    @classmethod
    def recognises(cls, found: Mapping[str, Profile]) -> float:
        from toolkit_summarization.recognising import of_reports

        return of_reports(found)

    def built_in(self, source: Source) -> DatasetDict:
        from toolkit_summarization import claims, load

        return load.built_in(
            self, source, claims.SIZES,
            lambda split: ((one.text, one.report) for one in claims.generate(split)),
            "claims; no combination of fields that training has seen occurs in validation or test",
        )  # fmt: skip

    # -- prompt and answer -------------------------------------------------------------------------
    def format_example(self, row: Row) -> dict[str, Any]:
        return {
            "text": f"{self.options['prefix']}{row['claim']}",
            "text_target": row.get("report") or "",
        }

    def augment(self, row: Row, random: Random) -> Row:
        changed = {**row, **super().augment(row, random)}
        if random.random() < self.options["renamed"]:
            changed["claim"], changed["report"] = renamed(row["claim"], changed["report"], random)
        return changed

    # -- judging -----------------------------------------------------------------------------------
    def controls(self) -> Mapping[str, Baseline]:
        return {"reference": lambda train: lambda rows: [row["references"][0] for row in rows]}

    def targets(self) -> Sequence[Target]:
        return TARGETS

    def slices(self) -> Mapping[str, Callable[[Row], str | None]]:
        return {"fields": _fields, "values": _values, "length": lambda row: length_of(row["claim"])}


def _fields(row: Row) -> str | None:
    """The number of different fields of a claim."""
    number = len({label for label, _ in faithfulness.parse(row["claim"])})
    return f"{number} fields" if number else None


def _values(row: Row) -> str | None:
    """Whether a claim has conflicting, missing or only whole values."""
    fields = faithfulness.parse(row["claim"])
    if not fields:
        return None
    if len({label for label, _ in fields}) < len(fields):
        return "conflicting"
    return "missing" if any(value == ABSENT for _, value in fields) else "whole"
