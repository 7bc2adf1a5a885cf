"""A training by TRL's SFT script: ``trl sft --config FILE``, or its arguments in a shell script.

Keys and defaults are those of ``ScriptArguments``, ``ModelConfig`` and ``SFTConfig``.
"""

from __future__ import annotations

from toolkit.errors import UsageError
from toolkit.pipeline.importing import hf_arguments
from toolkit.pipeline.importing.draft import Draft, Plain
from toolkit.pipeline.importing.values import flag, number, text, texts, whole

CARRIED = {
    "max_length": Plain("training.max_length", whole, 1024),
    "packing": Plain("training.packing", flag, False),
    "lora_r": Plain("lora.r", whole, 16),
    "lora_alpha": Plain("lora.lora_alpha", whole, 32),
    "lora_dropout": Plain("lora.lora_dropout", number, 0.05),
    "lora_modules_to_save": Plain("lora.modules_to_save", texts),
}
DEFAULTS = {"learning_rate": 2e-5, "logging_steps": 10}
"""Where TRL's defaults are not transformers'."""
SPECIAL = {
    "model_name_or_path": "`model`",
    "model_revision": "`training.model_init_kwargs.revision`",
    "dtype": "`training.model_init_kwargs.dtype`",
    "torch_dtype": "`training.model_init_kwargs.dtype`",
    "use_peft": "must be true",
    "lora_target_modules": "`lora.target_modules`; the model's usual layers where it is left out",
    "use_rslora": "`lora.use_rslora`",
    "use_dora": "`lora.use_dora`",
    "load_in_4bit": "`[quantization]`",
    "load_in_8bit": "`[quantization]`",
    "bnb_4bit_quant_type": "`quantization.bnb_4bit_quant_type`",
    "use_bnb_nested_quant": "`quantization.bnb_4bit_use_double_quant`",
    "bnb_4bit_quant_storage": "`quantization.bnb_4bit_quant_storage`",
    "bf16": "`training.bf16`; true unless `fp16` is, as there",
    "fp16": "`training.fp16`",
    "gradient_checkpointing": "`training.gradient_checkpointing`; true where it is left out",
    "warmup_steps": "`training.warmup_steps`",
    "warmup_ratio": "`training.warmup_steps`",
    "max_steps": "`training.max_steps`",
    "eval_strategy": "`training.eval_strategy`",
    "eval_steps": "`training.eval_steps`",
    "eval_delay": "`training.eval_delay`",
    "seed": "`--seed` of the command that is printed",
    "dataset_name": "the task file: `data`",
    "datasets": "the task file: `data`",
    "dataset_config": "the task file: `data`",
}
"""Keys that are carried over by code, and where they go, for the documentation."""
LEFT_OUT: tuple[tuple[str, str], ...] = (
    ("trust_remote_code", "code that comes with a model runs only with --trust-remote-code"),
    ("attn_implementation padding_free pad_to_multiple_of activation_offloading "
     "max_seq_length_multiple",
     "it changes how the machine computes, and not what is learned"),
    ("assistant_only_loss completion_only_loss",
     "answers alone are learned, as with assistant_only_loss"),
    ("loss_type router_aux_loss_coef", "the loss is the cross-entropy of the answers"),
    ("chat_template_path eos_token pad_token",
     "tokenizer and chat template are those that come with the model"),
    ("lora_target_parameters lora_task_type ignore_bias_buffers",
     "LoRA is trained on layers of a language model"),
    ("dataset_train_split dataset_test_split dataset_streaming dataset_num_proc "
     "dataset_text_field dataset_kwargs dataset_batch_size streaming test_split_size",
     "the toolkit reads the rows, and draws splits that the data set does not have"),
    ("truncation_mode", "the run says which rows are too long, and --allow-truncation cuts them"),
    ("packing_strategy eval_packing", "rows are packed whole and apart (bfd)"),
    ("env", "variables of the environment are set by whoever starts a run"),
    ("log_completions use_vllm", "it is not of supervised fine-tuning"),
)  # fmt: skip
"""Keys → why they are not carried over."""


def settings(draft: Draft) -> None:
    """Carry over everything but the data.

    Raises:
        UsageError: all parameters are trained, or no model is named.
    """
    if "model_name_or_path" not in draft.given:
        raise UsageError("model_name_or_path is missing: the file names no model")
    if not draft.take("use_peft", flag, False):
        raise UsageError(
            "use_peft is not true, so that all parameters are trained: the toolkit trains "
            "language models with LoRA alone"
        )
    draft.model = draft.take("model_name_or_path", text)
    for key, value in DEFAULTS.items():
        draft.given.setdefault(key, value)
    hf_arguments.training(draft)
    draft.plain(CARRIED)
    _precision(draft)
    checkpointing = draft.take("gradient_checkpointing", flag, True)
    draft.set("training.gradient_checkpointing", checkpointing)
    _lora(draft)
    _quantization(draft)
    draft.leave_given(LEFT_OUT)
    draft.leave_given(hf_arguments.LEFT_OUT)


def _precision(draft: Draft) -> None:
    fp16 = draft.take("fp16", flag, False)
    bf16 = draft.take("bf16", flag, not fp16)
    hf_arguments.precision(draft, "bfloat16" if bf16 else "float16" if fp16 else None)
    dtype = draft.take("dtype", text, draft.take("torch_dtype", text, "float32"))
    draft.set("training.model_init_kwargs.dtype", dtype)
    revision = draft.take("model_revision", text, "main")
    if revision != "main":
        draft.set("training.model_init_kwargs.revision", revision)


def _lora(draft: Draft) -> None:
    targets = draft.take("lora_target_modules", texts)
    if targets is not None:
        one = targets[0] if len(targets) == 1 else ""
        draft.set("lora.target_modules", one if one == "all-linear" else targets)
    for key in ("use_rslora", "use_dora"):
        if draft.take(key, flag, False):
            draft.set(f"lora.{key}", True)


def _quantization(draft: Draft) -> None:
    four, eight = draft.take("load_in_4bit", flag, False), draft.take("load_in_8bit", flag, False)
    kind = draft.take("bnb_4bit_quant_type", text, "nf4")
    double = draft.take("use_bnb_nested_quant", flag, False)
    storage = draft.take("bnb_4bit_quant_storage", text)
    if four:
        draft.set("quantization.load_in_4bit", True)
        draft.set("quantization.bnb_4bit_quant_type", kind)
        draft.set("quantization.bnb_4bit_use_double_quant", double)
        dtype = draft.sections["training"]["model_init_kwargs"]["dtype"]
        if dtype != "auto":
            draft.set("quantization.bnb_4bit_compute_dtype", dtype)
        if storage is not None:
            draft.set("quantization.bnb_4bit_quant_storage", storage)
    elif eight:
        draft.set("quantization.load_in_8bit", True)
