"""The task ``summarization``: one-sentence summaries by a causal language model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from toolkit import CausalLMTask, Panel, Recipe, Row, RowTransform, Source
from toolkit.kinds import smollm2_recipe
from toolkit_summarization import extracting, scoring, templates
from toolkit_summarization.written import Written, length_of

if TYPE_CHECKING:
    from datasets import DatasetDict

    from toolkit.data import Profile

TWO_STAGE = "two-stage"

EMBEDDED = Recipe(
    name="embedded",
    summary="the embedded model of 3 million parameters, about five minutes on two cores",
    model="embedded:causal-lm",
    training={
        "per_device_train_batch_size": 16,
        "num_train_epochs": 3,
        "learning_rate": 2e-3,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.03,
        "weight_decay": 0.0,
        "eval_strategy": "epoch",
        "logging_steps": 10,
        "bf16": True,
        "max_length": 512,
        "model_init_kwargs": {"dtype": "float32", "attn_implementation": "eager"},
    },
    lora={
        "r": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.0,
        "target_modules": [
            "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
        ],
    },
    generation={"max_new_tokens": 64},
    early_stopping={"early_stopping_patience": 3},
    task={"two_stage": True, "ensemble": 2},
)  # fmt: skip

SMOLLM2 = smollm2_recipe(
    summary="SmolLM2-135M-Instruct on the whole article; sized for half an hour on two cores",
    generation={"max_new_tokens": 64},
    rows={"train": 900, "validation": 30, "test": 120},
    task={"template": templates.CHAT},
)

PHI2 = Recipe(
    name="phi-2-qlora",
    summary="phi-2 in 4 bits, LoRA r 16, 2 × 8; needs a GPU of 16 GB",
    model="microsoft/phi-2",
    training={
        "per_device_train_batch_size": 2,
        "per_device_eval_batch_size": 2,
        "gradient_accumulation_steps": 8,
        "num_train_epochs": 3,
        "learning_rate": 2e-4,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 100,
        "optim": "paged_adamw_8bit",
        "weight_decay": 0.01,
        "max_grad_norm": 1.0,
        "fp16": True,
        "gradient_checkpointing": True,
        "eval_strategy": "steps",
        "eval_steps": 100,
        "save_strategy": "steps",
        "save_steps": 100,
        "save_total_limit": 3,
        "logging_steps": 25,
        "max_length": 1126,
    },
    lora={
        "r": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.05,
        "bias": "none",
        "target_modules": ["q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"],
    },
    quantization={
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_compute_dtype": "float16",
        "bnb_4bit_use_double_quant": True,
    },
    generation={"max_new_tokens": 64},
    sources={
        "model": "the original project's tables: microsoft/phi-2",
        "training.per_device_train_batch_size": "the original project's tables: 2",
        "training.per_device_eval_batch_size": "the original project's tables: 2",
        "training.gradient_accumulation_steps": "the original project's tables: 8",
        "training.num_train_epochs": "the original project's tables: 3",
        "training.learning_rate": "the original project's tables: 2e-4",
        "training.lr_scheduler_type": "the original project's tables: cosine",
        "training.warmup_steps": "the original project's tables: 100",
        "training.optim": "the original project's tables: paged_adamw_8bit",
        "training.weight_decay": "the original project's tables: 0.01",
        "training.max_grad_norm": "the original project's tables: 1.0",
        "training.fp16": "the original project's tables: enabled",
        "training.gradient_checkpointing": "PEFT turns it on for 4-bit models; without it the "
        "original project's 12–14 GB are exceeded",
        "training.eval_strategy": "the original project's tables: steps",
        "training.eval_steps": "the original project's tables: 100",
        "training.save_strategy": "the original project's tables: steps",
        "training.save_steps": "the original project's tables: 100",
        "training.save_total_limit": "the original project's tables: 3",
        "training.logging_steps": "the original project's tables: 25",
        "training.max_length": "the original project's tables: 1,126",
        "lora.r": "the original project's tables: 16",
        "lora.lora_alpha": "the original project's tables: 32",
        "lora.lora_dropout": "the original project's tables: 0.05",
        "lora.bias": "the original project's tables: none",
        "lora.target_modules": "the original project's tables: q, k, v, dense, fc1, fc2",
        "quantization.load_in_4bit": "the original project's tables: 4-bit",
        "quantization.bnb_4bit_quant_type": "the original project's tables: nf4",
        "quantization.bnb_4bit_compute_dtype": "the original project's tables: float16",
        "quantization.bnb_4bit_use_double_quant": "the original project's tables: enabled",
        "generation.max_new_tokens": "ours; the original project advises to set max_new_tokens",
    },
)

EXAMPLE = {
    "article": (
        "Fire destroyed the village hall in Ashbourne on Monday. Investigators blame a faulty "
        "heater. A choir of 20 singers had practised there. Nobody was hurt. The library keeps "
        "photographs of it."
    )
}


class Summarization(Written, CausalLMTask):
    """Summarize an article in one sentence."""

    api_version = 2
    name = "summarization"
    summary = "Summarize an article in one sentence"
    columns = {
        "article": "the text to summarize",
        "summary": "the target of training",
        "references": "all summaries of this text; metrics take the best match",
    }
    answer = "summary"
    metrics = scoring.metrics()
    truncate = "article"
    few_shot = 2
    recipes = (EMBEDDED, SMOLLM2, PHI2)
    options = {"template": "direct", "two_stage": False, "ensemble": 0}
    searched = {"template": tuple(templates.TEMPLATES)}
    panel = Panel(inputs={"article": "Article"}, examples=(EXAMPLE,))

    # -- data ------------------------------------------------------------------------------------
    @classmethod
    def recognises(cls, found: Mapping[str, Profile]) -> float:
        from toolkit_summarization.recognising import of_summaries

        return of_summaries(found)

    def built_in(self, source: Source) -> DatasetDict:
        from toolkit_summarization import articles, load

        return load.built_in(
            self, source, articles.SIZES,
            lambda split: ((one.text, one.summary) for one in articles.generate(split)),
            "articles; names, places and wordings of the articles differ between training, "
            "validation and test",
        )  # fmt: skip

    # -- prompt and answer -------------------------------------------------------------------------
    def format_example(self, row: Row) -> dict[str, Any]:
        summary = row.get("summary") or ""
        return templates.example(str(self.options["template"]), row["article"], summary)

    def row_transforms(self) -> Mapping[str, RowTransform]:
        if not self.options["two_stage"]:
            return {}
        note = f"{extracting.KEPT} sentences are extracted, and the adapter compresses them"
        return {TWO_STAGE: RowTransform(_extracted, note)}

    # -- judging -----------------------------------------------------------------------------------
    def slices(self) -> Mapping[str, Callable[[Row], str | None]]:
        return {"length": lambda row: length_of(row["article"])}


def _extracted(row: Row) -> Row:
    return {"article": extracting.extract(row["article"])}
