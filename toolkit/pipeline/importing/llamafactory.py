"""A LLaMA-Factory training (YAML, JSON, or the arguments of ``llamafactory-cli train``).

Keys and defaults are those of its ``ModelArguments``, ``DataArguments``, ``TrainingArguments`` and
``FinetuningArguments`` (version 0.9.5, and the source of August 2026).
"""

from __future__ import annotations

from toolkit.errors import UsageError
from toolkit.pipeline.importing import hf_arguments
from toolkit.pipeline.importing.draft import Draft, Plain
from toolkit.pipeline.importing.values import flag, number, text, texts, whole

STAGES = {
    "pt": "pretraining", "rm": "training of a reward model", "ppo": "PPO", "dpo": "DPO",
    "kto": "KTO",
}  # fmt: skip
LORA = {
    "lora_rank": Plain("lora.r", whole, 8),
    "lora_dropout": Plain("lora.lora_dropout", number, 0.0),
    "additional_target": Plain("lora.modules_to_save", texts),
}
SPECIAL = {
    "model_name_or_path": "`model`",
    "cutoff_len": "`training.max_length`; one less where rows are packed, as there",
    "packing": "`training.packing`",
    "neat_packing": "`training.packing`",
    "lora_alpha": "`lora.lora_alpha`; twice the rank where it is left out",
    "lora_target": "`lora.target_modules`; `all` is `all-linear`",
    "use_rslora": "`lora.use_rslora`",
    "use_dora": "`lora.use_dora`",
    "pissa_init": "`lora.init_lora_weights`",
    "pissa_iter": "`lora.init_lora_weights`",
    "quantization_bit": "`[quantization]`, 4 or 8 bits by bitsandbytes",
    "quantization_method": "`[quantization]`",
    "quantization_type": "`quantization.bnb_4bit_quant_type`",
    "double_quantization": "`quantization.bnb_4bit_use_double_quant`",
    "bf16": "`training.bf16`, and the type in which the model is loaded",
    "fp16": "`training.fp16`, and the type in which the model is loaded",
    "pure_bf16": "`training.bf16`, and the type in which the model is loaded",
    "disable_gradient_checkpointing": "`training.gradient_checkpointing`",
    "model_revision": "`training.model_init_kwargs.revision`",
    "early_stopping_steps": "`early_stopping.early_stopping_patience`",
    "warmup_steps": "`training.warmup_steps`",
    "warmup_ratio": "`training.warmup_steps`",
    "max_steps": "`training.max_steps`",
    "eval_strategy": "`training.eval_strategy`",
    "eval_steps": "`training.eval_steps`",
    "eval_delay": "`training.eval_delay`",
    "seed": "`--seed` of the command that is printed",
    "max_samples": "`rows.train`, drawn at random",
    "max_new_tokens": "`generation.max_new_tokens`",
    "dataset": "the task file: `data`, `columns`",
    "eval_dataset": "the task file: `validation`",
    "dataset_dir": "where `dataset_info.json` is",
    "stage": "`sft` alone",
    "do_train": "must be true",
    "finetuning_type": "`lora` alone",
}
"""Keys that are carried over by code, and where they go, for the documentation."""
LEFT_OUT: tuple[tuple[str, str], ...] = (
    ("trust_remote_code", "code that comes with a model runs only with --trust-remote-code"),
    ("flash_attn shift_attn use_unsloth use_unsloth_gc enable_liger_kernel use_v1_kernels use_kt "
     "low_cpu_mem_usage use_fast_tokenizer offload_folder cache_dir use_kv_cache infer_backend "
     "infer_dtype upcast_layernorm upcast_lmhead_output use_reentrant_gc print_param_status "
     "flash_attention use_fast quantization_device_map",
     "it changes how the machine computes, and not what is learned; --backend unsloth takes "
     "Unsloth"),
    ("adapter_name_or_path adapter_folder create_new_adapter",
     "training starts from the base model, and not from an adapter; merge it into the model first"),
    ("resize_vocab add_tokens add_special_tokens new_special_tokens_config init_special_tokens "
     "split_special_tokens",
     "the tokenizer stays as it comes with the model"),
    ("rope_scaling mixture_of_depths moe_aux_loss_coef train_from_scratch use_llama_pro",
     "the model is trained as it comes"),
    ("template tool_format", "the model's own chat template is used; toolkit show prints the text"),
    ("default_system", "a system message comes from the rows alone"),
    ("enable_thinking preserve_thinking",
     "thoughts are learned where the rows have them and the template knows them"),
    ("train_on_prompt", "prompts are never learned, answers are"),
    ("mask_history", "all answers of a conversation are learned; weight 0 in the rows masks one"),
    ("val_size", "the toolkit draws its own splits: 5 % validation, 5 % calibration, 10 % test"),
    ("streaming buffer_size mix_strategy interleave_probs eval_on_each_dataset tokenized_path "
     "data_shared_file_system media_dir",
     "a task file names one file or Hub data set, which is read whole"),
    ("overwrite_cache preprocessing_batch_size preprocessing_num_workers "
     "ignore_pad_token_for_loss eval_num_beams",
     "the toolkit prepares rows itself"),
    ("loraplus_lr_ratio loraplus_lr_embedding",
     "one learning rate holds for all weights (no LoRA+)"),
    ("pissa_convert", "an adapter is saved with the start that it was trained from"),
    ("use_galore galore_target galore_rank galore_update_interval galore_scale galore_proj_type "
     "galore_layerwise use_apollo use_badam use_adam_mini use_muon",
     "this optimizer is not taken over; training.optim says which one is used"),
    ("use_dft_loss use_asft_loss asft_alpha use_eaft_loss eaft_alpha fp8 fp8_backend",
     "the loss is the cross-entropy of the answers"),
    ("disable_shuffling", "rows are drawn at random by --seed"),
    ("compute_accuracy plot_loss include_effective_tokens_per_second",
     "the report has its own figures and charts"),
    ("do_sample temperature top_p top_k num_beams max_length repetition_penalty length_penalty "
     "skip_special_tokens",
     "the ladder is scored with greedy answers; a table [generation] changes that"),
    ("use_swanlab swanlab_project swanlab_workspace swanlab_run_name swanlab_mode swanlab_logdir",
     "where a log goes is not part of a training"),
    ("ray_run_name ray_storage_path ray_num_workers resources_per_worker placement_strategy "
     "ray_init_kwargs master_addr master_port",
     "how processes share the work is said when they are started: torchrun, accelerate"),
)  # fmt: skip
"""Keys → why they are not carried over."""


def settings(draft: Draft) -> None:
    """Carry over everything but the data.

    Raises:
        UsageError: it is no supervised fine-tuning with LoRA.
    """
    _refuse(draft)
    draft.model = draft.take("model_name_or_path", text)
    revision = draft.take("model_revision", text, "main")
    if revision != "main":
        draft.set("training.model_init_kwargs.revision", revision)
    hf_arguments.training(draft)
    half = _precision(draft)
    _lengths(draft)
    checkpointing = not draft.take("disable_gradient_checkpointing", flag, False)
    draft.set("training.gradient_checkpointing", checkpointing)
    draft.take("gradient_checkpointing", flag)
    _lora(draft)
    _quantization(draft, half)
    patience = draft.take("early_stopping_steps", whole)
    if patience is not None:
        draft.set("early_stopping.early_stopping_patience", patience)
    _rows(draft)
    draft.leave_given(LEFT_OUT)
    draft.leave_given(hf_arguments.LEFT_OUT)


def _refuse(draft: Draft) -> None:
    stage = draft.take("stage", text, "sft")
    if stage != "sft":
        raise UsageError(
            f"stage {stage!r} is {STAGES.get(stage, 'unknown')}; only supervised fine-tuning (sft) "
            "is imported"
        )
    if not draft.take("do_train", flag, False):
        raise UsageError(
            "the file does not train (do_train is not true): there is nothing to import"
        )
    kind = draft.take("finetuning_type", text, "lora")
    if kind != "lora":
        raise UsageError(
            f"finetuning_type {kind!r} is not imported: the toolkit trains language models with "
            "LoRA alone"
        )
    if "model_name_or_path" not in draft.given:
        raise UsageError("model_name_or_path is missing: the file names no model")


def _precision(draft: Draft) -> str | None:
    """What training computes in; the base model is loaded in the same type."""
    pure = draft.take("pure_bf16", flag, False)
    bf16, fp16 = draft.take("bf16", flag, False), draft.take("fp16", flag, False)
    half = "bfloat16" if bf16 or pure else "float16" if fp16 else None
    hf_arguments.precision(draft, half)
    if half:
        draft.set("training.model_init_kwargs.dtype", half)
    if pure:
        draft.leave("pure_bf16", "the adapter's weights stay in float32", "bf16")
    return half


def _lengths(draft: Draft) -> None:
    length = draft.take("cutoff_len", whole, 2048)
    neat = draft.take("neat_packing", flag, False)
    packing = draft.take("packing", flag, False) or neat
    draft.set("training.packing", packing)
    draft.set("training.max_length", length - 1 if packing else length)
    draft.leave(
        "cutoff_len", "longer rows are cut there; here the run says which, --allow-truncation cuts"
    )
    if packing and not neat:
        draft.leave("packing", "packed rows do not see each other, as with neat_packing", "packing")


def _lora(draft: Draft) -> None:
    draft.plain(LORA)
    alpha = draft.take("lora_alpha", whole)
    draft.set("lora.lora_alpha", alpha or 2 * draft.sections["lora"]["r"])
    targets = draft.take("lora_target", texts, ["all"])
    draft.set("lora.target_modules", "all-linear" if targets == ["all"] else targets)
    for key in ("use_rslora", "use_dora"):
        if draft.take(key, flag, False):
            draft.set(f"lora.{key}", True)
    times = draft.take("pissa_iter", whole, 16)
    if draft.take("pissa_init", flag, False):
        draft.set("lora.init_lora_weights", "pissa" if times == -1 else f"pissa_niter_{times}")


def _quantization(draft: Draft, half: str | None) -> None:
    bits = draft.take("quantization_bit", whole)
    method = draft.take("quantization_method", text, "bnb")
    kind = draft.take("quantization_type", text, "nf4")
    double = draft.take("double_quantization", flag, True)
    if bits is None:
        return
    if method not in ("bnb", "bitsandbytes") or bits not in (4, 8):
        raise UsageError(
            f"quantization_method {method!r} with {bits} bits is not imported: the toolkit "
            "quantizes with bitsandbytes, in 4 or 8 bits"
        )
    if bits == 8:
        draft.set("quantization.load_in_8bit", True)
        return
    draft.set("quantization.load_in_4bit", True)
    draft.set("quantization.bnb_4bit_quant_type", kind)
    draft.set("quantization.bnb_4bit_use_double_quant", double)
    if half:
        draft.set("quantization.bnb_4bit_compute_dtype", half)
        draft.set("quantization.bnb_4bit_quant_storage", half)


def _rows(draft: Draft) -> None:
    most = draft.take("max_samples", whole)
    if most is not None:
        draft.set("rows.train", most)
        draft.leave("max_samples", "so many rows are drawn at random, and not the first ones")
    written = draft.take("max_new_tokens", whole)
    if written is not None:
        draft.set("generation.max_new_tokens", written)
