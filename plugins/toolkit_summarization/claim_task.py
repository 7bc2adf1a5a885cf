"""``claim-report``: the text that states structured fields, by an encoder–decoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit import Baseline, Panel, Recipe, Row, Seq2SeqLMTask, Source, Target
from toolkit_summarization import baselines, faithfulness, scoring
from toolkit_summarization.claims_words import ABSENT
from toolkit_summarization.written import Written, length_of

if TYPE_CHECKING:
    from datasets import DatasetDict

EMBEDDED = Recipe(
    name="embedded",
    summary="the small encoder–decoder of the wheel, about seven minutes on two cores",
    model="embedded:seq2seq-lm",
    training={
        "per_device_train_batch_size": 8,
        "num_train_epochs": 1.5,
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
        # On q and v alone it lost the thread in long names and left rare fields out.
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
        "model": "the configuration: google/flan-t5-base",
        "training.per_device_train_batch_size": "the configuration: 4",
        "training.gradient_accumulation_steps": "the configuration: 1",
        "training.num_train_epochs": "the configuration: 3",
        "training.learning_rate": "the configuration: 2e-5",
        "training.lr_scheduler_type": "the configuration: linear",
        "training.warmup_steps": "the configuration: 100",
        "training.optim": "the configuration: AdamW",
        "training.weight_decay": "the configuration: 0.01",
        "training.fp16": "the configuration: on a GPU",
        "training.gradient_checkpointing": "the configuration: false",
        "training.eval_strategy": "the configuration: epoch",
        "training.save_strategy": "the configuration: epoch",
        "training.save_total_limit": "the configuration: 2",
        "training.logging_steps": "the configuration: every 100 steps",
        "training.max_length": "the configuration: 128 of the input",
        "training.max_target_length": "the configuration: 256 of the output",
        "lora.r": "the configuration: 8",
        "lora.lora_alpha": "the configuration: 32",
        "lora.lora_dropout": "the configuration: 0.1",
        "lora.target_modules": "the configuration: q and v",
        "generation.max_new_tokens": "the configuration: 256, its longest output",
    },
)

TARGETS = (
    Target.metric("ROUGE-1", 0.55, "rouge1"),
    Target.metric("ROUGE-2", 0.35, "rouge2"),
    Target.metric("ROUGE-L", 0.50, "rougeL"),
    Target.metric("Faithfulness", 0.95, "faithfulness"),
)
"""The seed's targets, and faithfulness, which it did not measure."""

EXAMPLE = {
    "claim": "claimant: Imogen Vaughan | claim no: CL-20417 | cover: motor | incident: rear-end "
    "collision | date of loss: 14 March 2024 | location: Oakhurst | amount claimed: $4,350"
}


class ClaimReport(Written, Seq2SeqLMTask):
    """The fields of a claim in, a report that states them out."""

    api_version = 2
    name = "claim-report"
    summary = "Write a report that states the fields of an insurance claim"
    columns = {
        "claim": "fields as label: value | label: value, or any text to report on",
        "report": "what training wants",
        "references": "all reports on this claim; the best counts",
    }
    answer = "report"
    fields = True
    metrics = scoring.metrics(fields=True)
    shortens = "claim"
    recipes = (EMBEDDED, FLAN_T5)
    few_shot = 1
    options = {"prefix": "claim report: ", "ensemble": 0}
    panel = Panel(inputs={"claim": "Claim"}, examples=(EXAMPLE,))

    # -- data ------------------------------------------------------------------------------------
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
            "text": f"{self.settings['prefix']}{row['claim']}",
            "text_target": row.get("report") or "",
        }

    # -- judging -----------------------------------------------------------------------------------
    def baselines(self) -> Mapping[str, Baseline]:
        return baselines.of_fields("claim", "report")

    def yardsticks(self) -> Mapping[str, Baseline]:
        return {"reference": lambda train: lambda rows: [row["references"][0] for row in rows]}

    def targets(self) -> Sequence[Target]:
        return TARGETS

    def slices(self) -> Mapping[str, Callable[[Row], str | None]]:
        return {"fields": _fields, "values": _values, "length": lambda row: length_of(row["claim"])}


def _fields(row: Row) -> str | None:
    number = len({label for label, _ in faithfulness.parse(row["claim"])})
    return f"{number} fields" if number else None


def _values(row: Row) -> str | None:
    fields = faithfulness.parse(row["claim"])
    if not fields:
        return None
    if len({label for label, _ in fields}) < len(fields):
        return "conflicting"
    return "missing" if any(value == ABSENT for _, value in fields) else "whole"
