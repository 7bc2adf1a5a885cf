"""Recipes for a real model: Llama 3.1 8B in 4 bits, for a GPU of 24 GB, a T4, and an A100.

"The guide" below is the one that these recipes follow: a guide to fine-tuning Llama 3.1 for prices.
:attr:`Recipe.sources` names the source of each setting: the guide as far as it gives one, a paper,
or "ours" where this project chose.
"""

from __future__ import annotations

from dataclasses import replace

from toolkit import Recipe

_GUIDE = "the guide"
_QLORA = "QLoRA's paper (arXiv:2305.14314)"
_OURS = "ours"

SOURCES = {
    "model": f"{_GUIDE}: Llama 3.1 8B",
    "training.per_device_train_batch_size": f"{_GUIDE}: 16",
    "training.num_train_epochs": f"{_GUIDE}: 3–4, overfitting after 2–3",
    "training.learning_rate": f"{_GUIDE}: at most 0.0001",
    "training.lr_scheduler_type": f"{_GUIDE}: cosine, to 0",
    "training.warmup_steps": f"{_GUIDE}: a warm-up; its length is {_OURS}",
    "training.weight_decay": _OURS,
    "training.optim": f"{_QLORA}: paged, in 8 bits",
    "training.max_grad_norm": f"{_QLORA}: 0.3",
    "training.gradient_checkpointing": f"{_QLORA}; the guide trains without, in 38 GB",
    "training.eval_strategy": f"{_GUIDE}: checkpoints saved and evaluated by steps",
    "training.eval_steps": f"{_GUIDE}: every 5,000 of 100,000 steps; a tenth for fewer rows",
    "training.save_steps": "as eval_steps",
    "training.logging_steps": f"{_GUIDE}: 50",
    "training.bf16": f"{_OURS}: supported by an A100 and newer GPUs",
    "training.max_length": f"{_OURS}: descriptions are truncated to fit, prices never",
    "lora.r": f"{_GUIDE}: 32",
    "lora.lora_alpha": f"{_GUIDE}: r or twice r",
    "lora.lora_dropout": f"{_GUIDE}: 10 %",
    "lora.target_modules": f"{_GUIDE}: its adapter of 109 MB is r 32 on q, k, v and o",
    "quantization.load_in_4bit": f"{_GUIDE}: 4 bits, 5.6 GB",
    "quantization.bnb_4bit_quant_type": f"{_QLORA}: nf4",
    "quantization.bnb_4bit_use_double_quant": f"{_QLORA}: double quantization",
    "quantization.bnb_4bit_compute_dtype": f"{_QLORA}: bfloat16",
    "early_stopping.early_stopping_patience": f"{_OURS}; the guide keeps the best checkpoint",
}

LLAMA = Recipe(
    name="llama-3.1-8b-qlora",
    summary="Llama 3.1 8B in 4 bits, r 32 on attention; needs a GPU of 24 GB or more",
    model="meta-llama/Llama-3.1-8B",
    training={
        "per_device_train_batch_size": 16,
        "num_train_epochs": 3,
        "learning_rate": 1e-4,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.03,
        "weight_decay": 0.001,
        "optim": "paged_adamw_8bit",
        "max_grad_norm": 0.3,
        "gradient_checkpointing": True,
        "eval_strategy": "steps",
        "eval_steps": 500,
        "save_steps": 500,
        "logging_steps": 50,
        "bf16": True,
        "max_length": 512,
    },
    lora={
        "r": 32,
        "lora_alpha": 64,
        "lora_dropout": 0.1,
        "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"],
    },
    quantization={
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": True,
        "bnb_4bit_compute_dtype": "bfloat16",
    },
    early_stopping={"early_stopping_patience": 4},
    sources=SOURCES,
)

LLAMA_T4 = replace(
    LLAMA,
    name="llama-3.1-8b-qlora-t4",
    summary="the same on a T4 of 16 GB: float16, 2 × 8, 25,000 rows of the largest category",
    training={
        **{name: value for name, value in LLAMA.training.items() if name != "bf16"},
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 8,
        "fp16": True,
        "bf16": False,
    },
    quantization={**(LLAMA.quantization or {}), "bnb_4bit_compute_dtype": "float16"},
    task={"rows": 25_000, "category": "largest"},
    cost={"machine_price_per_hour": 0.10},
    sources={
        **SOURCES,
        "training.per_device_train_batch_size": f"{_GUIDE}: 1–2 on smaller GPUs",
        "training.gradient_accumulation_steps": f"{_OURS}: 16 rows per step, as above",
        "training.fp16": f"{_OURS}: a T4 has no bfloat16",
        "training.bf16": f"{_OURS}: a T4 has no bfloat16",
        "quantization.bnb_4bit_compute_dtype": f"{_OURS}: a T4 has no bfloat16",
        "task.rows": f"{_GUIDE}: 20,000–25,000 samples",
        "task.category": f"{_GUIDE}: a single product category",
        "cost.machine_price_per_hour": f"{_GUIDE}: about $0.10",
    },
)

LLAMA_A100 = replace(
    LLAMA,
    name="llama-3.1-8b-qlora-a100",
    summary="the same on an A100 of 40 GB, for 400,000 rows: no checkpointing, 184 tokens a row",
    training={
        **LLAMA.training,
        "eval_steps": 5_000,
        "save_steps": 5_000,
        "gradient_checkpointing": False,
        "max_length": 184,
    },
    cost={"machine_price_per_hour": 1.00},
    sources={
        **SOURCES,
        "training.gradient_checkpointing": f"{_GUIDE}: without it 38 of 40 GB are used",
        "training.max_length": f"{_OURS}: what fits into the guide's 38 GB without checkpointing",
        "training.eval_steps": f"{_GUIDE}: 5,000",
        "cost.machine_price_per_hour": f"{_GUIDE}: about $1.00",
    },
)
