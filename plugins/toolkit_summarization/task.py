"""``summarization``: one-sentence summaries by a causal language model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from toolkit import Baseline, CausalLMTask, Panel, Recipe, Row, Source, Stage
from toolkit_summarization import baselines, extracting, scoring, templates
from toolkit_summarization.written import Written, length_of

if TYPE_CHECKING:
    from datasets import DatasetDict

TWO_STAGE = "two-stage"

EMBEDDED = Recipe(
    name="embedded",
    summary="the 3-million-parameter model of the wheel, about five minutes on two cores",
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
        "model": "the tables: microsoft/phi-2",
        "training.per_device_train_batch_size": "the tables: 2",
        "training.per_device_eval_batch_size": "the tables: 2",
        "training.gradient_accumulation_steps": "the tables: 8",
        "training.num_train_epochs": "the tables: 3",
        "training.learning_rate": "the tables: 2e-4",
        "training.lr_scheduler_type": "the tables: cosine",
        "training.warmup_steps": "the tables: 100",
        "training.optim": "the tables: paged_adamw_8bit",
        "training.weight_decay": "the tables: 0.01",
        "training.max_grad_norm": "the tables: 1.0",
        "training.fp16": "the tables: enabled",
        "training.gradient_checkpointing": "PEFT's preparation for 4 bits turns it on; the tables' "
        "12–14 GB are not reached without it",
        "training.eval_strategy": "the tables: steps",
        "training.eval_steps": "the tables: 100",
        "training.save_strategy": "the tables: steps",
        "training.save_steps": "the tables: 100",
        "training.save_total_limit": "the tables: 3",
        "training.logging_steps": "the tables: 25",
        "training.max_length": "the tables: 1,126",
        "lora.r": "the tables: 16",
        "lora.lora_alpha": "the tables: 32",
        "lora.lora_dropout": "the tables: 0.05",
        "lora.bias": "the tables: none",
        "lora.target_modules": "the tables: q, k, v, dense, fc1, fc2",
        "quantization.load_in_4bit": "the tables: 4-bit",
        "quantization.bnb_4bit_quant_type": "the tables: nf4",
        "quantization.bnb_4bit_compute_dtype": "the tables: float16",
        "quantization.bnb_4bit_use_double_quant": "the tables: enabled",
        "generation.max_new_tokens": "ours: max_new_tokens, as they advise themselves",
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
    """An article in, one sentence out."""

    api_version = 2
    name = "summarization"
    summary = "Summarize an article in one sentence"
    columns = {
        "article": "the text",
        "summary": "what training wants",
        "references": "all summaries of this text; the best counts",
    }
    answer = "summary"
    metrics = scoring.metrics()
    shortens = "article"
    few_shot = 2
    recipes = (EMBEDDED, PHI2)
    options = {"template": "direct", "two_stage": False, "ensemble": 0}
    panel = Panel(inputs={"article": "Article"}, examples=(EXAMPLE,))

    # -- data ------------------------------------------------------------------------------------
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
        return templates.example(str(self.settings["template"]), row["article"], summary)

    def stages(self) -> Mapping[str, Stage]:
        if not self.settings["two_stage"]:
            return {}
        note = f"{extracting.KEPT} sentences are extracted, and the adapter compresses them"
        return {TWO_STAGE: Stage(_extracted, note)}

    # -- judging -----------------------------------------------------------------------------------
    def baselines(self) -> Mapping[str, Baseline]:
        return baselines.of_texts("article")

    def slices(self) -> Mapping[str, Callable[[Row], str | None]]:
        return {"length": lambda row: length_of(row["article"])}


def _extracted(row: Row) -> Row:
    return {"article": extracting.extract(row["article"])}
