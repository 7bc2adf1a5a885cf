"""An Axolotl training (YAML). Keys and defaults are those of its pydantic schema (version 0.19).

How its keys become training arguments is in its ``core/builders``, ``loaders/model.py`` (the
quantization) and ``loaders/adapter.py`` (LoRA).
"""

from __future__ import annotations

from typing import Any

from toolkit.errors import UsageError
from toolkit.pipeline.importing import hf_arguments
from toolkit.pipeline.importing.draft import Draft, Plain
from toolkit.pipeline.importing.values import (
    flag,
    number,
    patterns,
    steps,
    table,
    text,
    texts,
    whole,
    wholes,
)

WARMUP = 0.03
"""Share of all steps that warms up where the file says nothing; there at most 100 steps."""
OWN_OPTIMIZERS = frozenset(
    "optimi_adamw ao_adamw_4bit ao_adamw_8bit ao_adamw_fp8 adopt_adamw came_pytorch muon dion "
    "sinkgd flash_adamw flash_adam flash_sgd flash_sgdw flash_lion q_galore_adamw8bit".split()
)
"""Optimizers that are Axolotl's own."""
OWN_SCHEDULES = ("one_cycle", "rex")
CARRIED = {
    "micro_batch_size": Plain("training.per_device_train_batch_size", whole, 1),
    "eval_batch_size": Plain("training.per_device_eval_batch_size", whole),
    "learning_rate": Plain("training.learning_rate", number),
    "num_epochs": Plain("training.num_train_epochs", number, 1.0),
    "lr_scheduler_kwargs": Plain("training.lr_scheduler_kwargs", table),
    "weight_decay": Plain("training.weight_decay", number, 0.0),
    "adam_beta1": Plain("training.adam_beta1", number, 0.9),
    "adam_beta2": Plain("training.adam_beta2", number, 0.999),
    "adam_epsilon": Plain("training.adam_epsilon", number, 1e-8),
    "max_grad_norm": Plain("training.max_grad_norm", number, 1.0),
    "sequence_len": Plain("training.max_length", whole, 512),
    "sample_packing": Plain("training.packing", flag, False),
    "neftune_noise_alpha": Plain("training.neftune_noise_alpha", number),
    "noisy_embedding_alpha": Plain("training.neftune_noise_alpha", number),
    "logging_steps": Plain("training.logging_steps", whole),
    "torch_empty_cache_steps": Plain("training.torch_empty_cache_steps", whole),
    "lora_r": Plain("lora.r", whole),
    "lora_alpha": Plain("lora.lora_alpha", whole),
    "lora_dropout": Plain("lora.lora_dropout", number, 0.0),
    "lora_modules_to_save": Plain("lora.modules_to_save", texts),
    "lora_fan_in_fan_out": Plain("lora.fan_in_fan_out", flag),
    "lora_rank_pattern": Plain("lora.rank_pattern", patterns),
    "lora_alpha_pattern": Plain("lora.alpha_pattern", patterns),
    "lora_exclude_modules": Plain("lora.exclude_modules", texts),
    "peft_layers_to_transform": Plain("lora.layers_to_transform", wholes),
    "peft_layers_pattern": Plain("lora.layers_pattern", texts),
}
SPECIAL = {
    "base_model": "`model`",
    "revision_of_model": "`training.model_init_kwargs.revision`",
    "adapter": "`lora` and `qlora` alone",
    "batch_size": "only where `gradient_accumulation_steps` is there and empty, as there",
    "gradient_accumulation_steps": "`training.gradient_accumulation_steps`",
    "optimizer": "`training.optim`; optimizers of Axolotl's own are not carried over",
    "optim_args": "`training.optim_args`",
    "lr_scheduler": "`training.lr_scheduler_type`; cosine where it is left out",
    "warmup_steps": "`training.warmup_steps`",
    "warmup_ratio": "`training.warmup_steps`; 3 % where both are left out",
    "max_steps": "`training.max_steps`",
    "bf16": "`training.bf16`, and the type in which the model is loaded; `auto` is true",
    "fp16": "`training.fp16`, and the type in which the model is loaded",
    "bfloat16": "the type in which the model is loaded, and `training.bf16`",
    "float16": "the type in which the model is loaded",
    "gradient_checkpointing": "`training.gradient_checkpointing`",
    "load_in_4bit": "`[quantization]`: nf4, double quantization",
    "load_in_8bit": "`[quantization]`",
    "bnb_config_kwargs": "`[quantization]`",
    "lora_target_linear": '`lora.target_modules = "all-linear"`',
    "lora_target_modules": "`lora.target_modules`",
    "peft_use_dora": "`lora.use_dora`",
    "peft_use_rslora": "`lora.use_rslora`",
    "peft_init_lora_weights": "`lora.init_lora_weights`",
    "evals_per_epoch": "`training.eval_steps`, as a share of all steps",
    "eval_strategy": "`training.eval_strategy`",
    "eval_steps": "`training.eval_steps`",
    "early_stopping_patience": "`early_stopping.early_stopping_patience`",
    "seed": "`--seed` of the command that is printed; 42 where it is left out",
    "datasets": "the task file: `data`, `columns`, `prompt`",
    "test_datasets": "the task file: `validation`",
}
"""Keys that are carried over by code, and where they go, for the documentation."""
REFUSED = {
    "rl": "preference tuning or reinforcement learning",
    "reward_model": "training of a reward model",
    "process_reward_model": "training of a reward model",
    "pretraining_dataset": "pretraining",
    "processor_type": "a multimodal training",
    "is_multimodal": "a multimodal training",
}
"""Keys → what kind of training they make it, none of which is imported."""
LEFT_OUT: tuple[tuple[str, str], ...] = (
    ("trust_remote_code", "code that comes with a model runs only with --trust-remote-code"),
    ("base_model_config tokenizer_config model_type tokenizer_type tokenizer_use_fast "
     "tokenizer_legacy cls_model_config is_llama_derived_model is_mistral_derived_model "
     "is_falcon_derived_model is_qwen_derived_model tokenizer_save_jinja_files",
     "model and tokenizer are found by the model's own files"),
    ("special_tokens tokens added_tokens_overrides resize_token_embeddings_to_32x eot_tokens "
     "fix_untrained_tokens",
     "the tokenizer stays as it comes with the model"),
    ("chat_template chat_template_jinja chat_template_kwargs default_system_message",
     "the model's own chat template is used; toolkit show prints the text"),
    ("lora_model_dir", "training starts from the base model, and not from an adapter"),
    ("plugins lora_mlp_kernel lora_qkv_kernel lora_o_kernel lora_embedding_kernel "
     "attn_implementation flash_attention xformers_attention sdp_attention flex_attention "
     "eager_attention s2_attention sage_attention flash_attn_cross_entropy flash_attn_fuse_mlp "
     "flash_attn_fuse_qkv flash_attn_rms_norm flash_optimum tf32 torch_compile "
     "torch_compile_backend torch_compile_mode unsloth_lora_mlp unsloth_lora_qkv unsloth_lora_o "
     "unsloth_cross_entropy_loss low_cpu_mem_usage lora_on_cpu device device_map max_memory "
     "gpu_memory_limit activation_offloading layer_offloading gc_steps gc_collect_steps "
     "chunked_cross_entropy tiled_mlp qlora_sharded_model_loading auto_find_batch_size "
     "experts_implementation cut_cross_entropy use_kernels liger_rope liger_rms_norm "
     "liger_glu_activation liger_layer_norm liger_fused_linear_cross_entropy",
     "it changes how the machine computes, and not what is learned"),
    ("gradient_checkpointing_kwargs",
     "the non-reentrant implementation is used, which gives the same gradients"),
    ("pad_to_sequence_len pad_to_multiple_of eval_sample_packing sample_packing_group_size "
     "sample_packing_bin_size sample_packing_sequentially sample_packing_eff_est "
     "multipack_real_batches batch_flattening curriculum_sampling group_by_length "
     "shuffle_merged_datasets shuffle_before_merging_datasets dataloader_num_workers "
     "dataloader_pin_memory dataloader_prefetch_factor dataloader_drop_last "
     "remove_unused_columns",
     "the toolkit draws, pads and packs rows itself"),
    ("excess_length_strategy min_sample_len eval_sequence_len max_prompt_len",
     "the run says which rows are too long, and --allow-truncation cuts them"),
    ("dataset_prepared_path dataset_processes dataset_num_proc dataset_keep_in_memory "
     "push_dataset_to_hub skip_prepare_dataset dataset_shard_num dataset_shard_idx streaming "
     "hf_use_auth_token",
     "rows are read and prepared by the toolkit"),
    ("dataset_exact_deduplication",
     "rows that are the same stay in one split, and none is removed"),
    ("val_set_size",
     "the toolkit draws its own splits: 5 % validation, 5 % calibration, 10 % test"),
    ("train_on_inputs", "prompts are never learned, answers are"),
    ("output_dir save_strategy save_steps saves_per_epoch save_total_limit save_first_step "
     "save_only_model save_safetensors load_best_model_at_end metric_for_best_model "
     "greater_is_better",
     "a checkpoint is kept at each evaluation, and the best one on the validation rows is taken"),
    ("resume_from_checkpoint auto_resume_from_checkpoints",
     "a run that was stopped goes on with toolkit resume"),
    ("hub_model_id hub_strategy hub_revision", "nothing is uploaded by a training"),
    ("wandb_project wandb_entity wandb_watch wandb_name wandb_run_id wandb_log_model wandb_mode "
     "use_wandb use_tensorboard use_mlflow use_comet use_trackio mlflow_tracking_uri "
     "mlflow_experiment_name mlflow_run_name comet_project_name comet_workspace "
     "trackio_project_name include_tokens_per_second include_tkps profiler_steps",
     "where a log goes is not part of a training; --set training.report_to=… sends it elsewhere"),
    ("deepspeed fsdp fsdp_config fsdp_version ddp ddp_timeout ddp_bucket_cap_mb "
     "ddp_broadcast_buffers ddp_find_unused_parameters world_size local_rank dp_shard_size "
     "dp_replicate_size context_parallel_size sequence_parallel_degree tensor_parallel_size "
     "heads_k_stride ring_attn_func accelerator_config use_ray ray_num_workers",
     "how processes share the work is said when they are started: torchrun, accelerate"),
    ("loraplus_lr_ratio loraplus_lr_embedding embedding_lr embedding_lr_scale lr_groups",
     "one learning rate holds for all weights"),
    ("cosine_min_lr_ratio cosine_constant_lr_ratio lr_div_factor lr_quadratic_warmup",
     "the schedule is transformers' own; training.lr_scheduler_kwargs can name a lowest rate"),
    ("optim_target_modules torchdistx_path adam_beta3 adam_epsilon2",
     "this is of optimizers that are not taken over"),
    ("relora relora_steps relora_warmup_steps relora_prune_ratio relora_prune_method "
     "relora_cpu_offload jagged_restart_steps jagged_restart_warmup_steps "
     "jagged_restart_anneal_steps lisa_n_layers lisa_step_interval lisa_layers_attribute "
     "unfrozen_parameters peft_layer_replication peft_trainable_token_indices "
     "lora_target_parameters peft peft_autocast_adapter_dtype peft_ensure_weight_tying qat "
     "llama_adapter",
     "this way of training is not taken over; LoRA is trained as the recipe says"),
    ("loss_watchdog_threshold loss_watchdog_patience",
     "the toolkit stops a training whose loss diverges"),
    ("do_bench_eval do_causal_lm_eval eval_causal_lm_metrics bench_dataset eval_table_size "
     "eval_max_new_tokens generate_samples num_generation_samples generation_max_new_tokens",
     "the toolkit evaluates by its own stages: loss and metrics on validation, figures on test"),
    ("use_eaft eaft_alpha eaft_k fp8", "the loss is the cross-entropy of the answers"),
    ("strict debug axolotl_config_path", "it changes nothing of the training"),
)  # fmt: skip
"""Keys → why they are not carried over."""


def settings(draft: Draft) -> None:
    """Carry over everything but the data.

    Raises:
        UsageError: it is no supervised fine-tuning with LoRA.
    """
    _refuse(draft)
    draft.model = draft.take("base_model", text)
    if revision := draft.take("revision_of_model", text):
        draft.set("training.model_init_kwargs.revision", revision)
    draft.plain(CARRIED)
    hf_arguments.same_here(draft, {"average_tokens_across_devices": False})
    _batch(draft)
    half = _precision(draft)
    _optimizer(draft)
    _schedule(draft)
    _checkpointing(draft)
    _lora(draft)
    _quantization(draft, half)
    _evaluation(draft)
    draft.seed = draft.take("seed", whole, 42)
    if draft.sections["training"]["packing"] is False:
        draft.leave("sequence_len", "longer rows are left out there; here the run says which")
    draft.leave_given(LEFT_OUT)


def _refuse(draft: Draft) -> None:
    for key, kind in REFUSED.items():
        if draft.has(key):
            raise UsageError(
                f"{key} makes this {kind}; only supervised fine-tuning of a language model is "
                "imported"
            )
    adapter = draft.take("adapter", text)
    if adapter not in ("lora", "qlora"):
        what = f"adapter {adapter!r}" if adapter else "a training of all parameters (no adapter)"
        raise UsageError(
            f"{what} is not imported: the toolkit trains language models with LoRA alone"
        )
    for key in ("base_model", "learning_rate", "lora_r", "lora_alpha"):
        if key not in draft.given:
            raise UsageError(f"{key} is missing, which Axolotl has no default for")
    if draft.has("gptq"):
        raise UsageError("gptq is not imported: the toolkit quantizes with bitsandbytes")
    draft.take("gptq", flag)
    draft.take("rl", text)


def _batch(draft: Draft) -> None:
    micro = draft.sections["training"]["per_device_train_batch_size"]
    all_rows = draft.take("batch_size", whole)
    collected = draft.take("gradient_accumulation_steps", whole, 1)
    if all_rows and "gradient_accumulation_steps" in draft.empty:
        collected = max(1, all_rows // max(1, micro))
    elif all_rows:
        draft.leave(
            "batch_size", "gradient_accumulation_steps decides, which is 1 where it is left out"
        )
    draft.set("training.gradient_accumulation_steps", collected)


def _precision(draft: Draft) -> str | None:
    """What training computes in; ``auto`` is bfloat16, as on a GPU that knows it."""
    given = draft.take("bf16", _auto_or_flag, "auto")
    fp16 = draft.take("fp16", flag, False)
    bf16 = (not fp16) if given == "auto" else bool(given)
    loaded_bf16 = draft.take("bfloat16", flag, False)
    loaded_fp16 = draft.take("float16", flag, False)
    draft.take("float32", flag)
    half = "bfloat16" if bf16 or loaded_bf16 else "float16" if fp16 else None
    hf_arguments.precision(draft, half)
    eight = draft.given.get("load_in_8bit") is True
    dtype = half or ("float16" if loaded_fp16 or eight else "float32")
    draft.set("training.model_init_kwargs.dtype", dtype)
    if given == "auto" and not fp16:
        draft.leave("bf16", "taken as true; a GPU without bfloat16 would use float16 there", "bf16")
    return dtype


def _auto_or_flag(key: str, value: Any) -> Any:
    return value if value in ("auto", "full") else flag(key, value)


def _optimizer(draft: Draft) -> None:
    name = draft.take("optimizer", text, "adamw_torch_fused")
    given = draft.take("optim_args", lambda key, value: value)
    if name in OWN_OPTIMIZERS:
        draft.leave(
            "optimizer", "an optimizer of Axolotl's own; adamw_torch_fused is used", "optim"
        )
        name = "adamw_torch_fused"
        if given is not None:
            draft.leave("optim_args", "they belong to that optimizer", "optim_args")
    elif isinstance(given, dict):
        draft.set("training.optim_args", ",".join(f"{k}={v}" for k, v in given.items()))
    elif given is not None:
        draft.set("training.optim_args", text("optim_args", given))
    draft.set("training.optim", name)


def _schedule(draft: Draft) -> None:
    name = draft.take("lr_scheduler", text, "cosine")
    if name in OWN_SCHEDULES:
        draft.leave(
            "lr_scheduler", "a schedule of Axolotl's own; cosine is used", "lr_scheduler_type"
        )
        name = "cosine"
    draft.set("training.lr_scheduler_type", name)
    most = draft.take("max_steps", whole)
    if most is not None and most > 0:
        draft.set("training.max_steps", most)
    ahead, share = draft.take("warmup_steps", steps), draft.take("warmup_ratio", number)
    if ahead is not None:
        draft.set("training.warmup_steps", 2 if ahead == 1 else ahead)
    elif share is not None:
        draft.set("training.warmup_steps", share)
    else:
        draft.set("training.warmup_steps", WARMUP)
        draft.leave("warmup_ratio", "3 % of all steps warm up; there at most 100", "warmup_steps")
    if "logging_steps" not in draft.given:
        draft.leave("logging_steps", "every tenth step is logged", "logging_steps")


def _checkpointing(draft: Draft) -> None:
    given = draft.take("gradient_checkpointing", _offload_or_flag, False)
    draft.set("training.gradient_checkpointing", bool(given))
    if isinstance(given, str):
        draft.leave("gradient_checkpointing", "activations stay on the device",
                    "gradient_checkpointing")  # fmt: skip


def _offload_or_flag(key: str, value: Any) -> Any:
    return value if value in ("offload", "offload_disk", "unsloth") else flag(key, value)


def _lora(draft: Draft) -> None:
    linear = draft.take("lora_target_linear", flag, False)
    named = draft.take("lora_target_modules", _pattern_or_texts)
    if not linear and named is None:
        raise UsageError("lora_target_modules is missing (or lora_target_linear: true)")
    draft.set("lora.target_modules", "all-linear" if linear else named)
    if linear and named is not None:
        draft.leave("lora_target_modules", "all linear layers are trained, which they are among")
    for key, place in (("peft_use_dora", "use_dora"), ("peft_use_rslora", "use_rslora")):
        if draft.take(key, flag, False):
            draft.set(f"lora.{place}", True)
    start = draft.take("peft_init_lora_weights", lambda key, value: value)
    if start is not None:
        draft.set("lora.init_lora_weights", start)


def _pattern_or_texts(key: str, value: Any) -> Any:
    return text(key, value) if isinstance(value, str) else texts(key, value)


def _quantization(draft: Draft, half: str | None) -> None:
    four, eight = draft.take("load_in_4bit", flag, False), draft.take("load_in_8bit", flag, False)
    further = draft.take("bnb_config_kwargs", table, {})
    qlora = draft.given["adapter"] == "qlora"
    if qlora and not four:
        raise UsageError("adapter qlora needs load_in_4bit: true, as Axolotl has it")
    if qlora:
        fields = {
            "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True,
            "bnb_4bit_compute_dtype": half, "bnb_4bit_quant_storage": "bfloat16", **further,
        }  # fmt: skip
    elif eight:
        fields = {"load_in_8bit": True}
    elif four:
        draft.leave("load_in_4bit", "adapter lora is not quantized to 4 bits there either")
        return
    else:
        return
    for name, value in fields.items():
        draft.set(f"quantization.{name}", value)


def _evaluation(draft: Draft) -> None:
    held_out = draft.has("val_set_size") or draft.has("test_datasets")
    often = draft.take("evals_per_epoch", number)
    every = draft.take("eval_steps", steps)
    strategy = draft.take("eval_strategy", text, draft.take("evaluation_strategy", text))
    epochs = draft.sections["training"]["num_train_epochs"]
    if held_out and often and often * epochs > 1:
        every = round(1 / (often * epochs), 6)
    if held_out and every:
        draft.set("training.eval_strategy", "steps")
        draft.set("training.eval_steps", every)
    else:
        draft.set("training.eval_strategy", "epoch")
        if strategy != "epoch":
            draft.leave("eval_strategy", "the model is evaluated after each epoch", "eval_strategy")
    patience = draft.take("early_stopping_patience", whole)
    if patience is not None:
        draft.set("early_stopping.early_stopping_patience", patience)
