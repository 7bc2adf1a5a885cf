"""Training arguments of transformers, which LLaMA-Factory and TRL take under their own names."""

from __future__ import annotations

from typing import Any

from toolkit.pipeline.importing.draft import Draft, Plain
from toolkit.pipeline.importing.values import flag, number, steps, table, text, whole

CARRIED = {
    "per_device_train_batch_size": Plain("training.per_device_train_batch_size", whole, 8),
    "gradient_accumulation_steps": Plain("training.gradient_accumulation_steps", whole, 1),
    "learning_rate": Plain("training.learning_rate", number, 5e-5),
    "num_train_epochs": Plain("training.num_train_epochs", number, 3.0),
    "lr_scheduler_type": Plain("training.lr_scheduler_type", text, "linear"),
    "lr_scheduler_kwargs": Plain("training.lr_scheduler_kwargs", table),
    "optim": Plain("training.optim", text, "adamw_torch_fused"),
    "optim_args": Plain("training.optim_args", text),
    "weight_decay": Plain("training.weight_decay", number, 0.0),
    "adam_beta1": Plain("training.adam_beta1", number, 0.9),
    "adam_beta2": Plain("training.adam_beta2", number, 0.999),
    "adam_epsilon": Plain("training.adam_epsilon", number, 1e-8),
    "max_grad_norm": Plain("training.max_grad_norm", number, 1.0),
    "neftune_noise_alpha": Plain("training.neftune_noise_alpha", number),
    "per_device_eval_batch_size": Plain("training.per_device_eval_batch_size", whole),
    "logging_steps": Plain("training.logging_steps", steps, 500),
    "logging_first_step": Plain("training.logging_first_step", flag),
    "torch_empty_cache_steps": Plain("training.torch_empty_cache_steps", whole),
    "average_tokens_across_devices": Plain("training.average_tokens_across_devices", flag),
}
"""Arguments that mean the same here, with the defaults of transformers."""

LEFT_OUT: tuple[tuple[str, str], ...] = (
    ("output_dir overwrite_output_dir logging_dir run_name project",
     "the run directory holds everything (--runs)"),
    ("save_strategy save_steps save_total_limit save_only_model save_safetensors "
     "save_on_each_node load_best_model_at_end metric_for_best_model greater_is_better "
     "ignore_data_skip restore_callback_states_from_checkpoint enable_jit_checkpoint",
     "a checkpoint is kept at each evaluation, and the best one on the validation rows is taken"),
    ("resume_from_checkpoint", "a run that was stopped goes on with toolkit resume"),
    ("eval_on_start do_eval do_predict predict_with_generate prediction_loss_only "
     "eval_accumulation_steps generation_max_length generation_num_beams batch_eval_metrics "
     "include_for_metrics eval_do_concat_batches eval_use_gather_object",
     "the toolkit evaluates by its own stages: loss and metrics on validation, figures on test"),
    ("report_to trackio_space_id trackio_bucket_id trackio_static_space_id disable_tqdm log_level "
     "log_level_replica log_on_each_node logging_strategy logging_nan_inf_filter "
     "include_num_input_tokens_seen skip_memory_metrics",
     "where a log goes is not part of a training; --set training.report_to=… sends it elsewhere"),
    ("push_to_hub hub_model_id hub_strategy hub_private_repo hub_always_push hub_revision",
     "nothing is uploaded by a training"),
    ("dataloader_num_workers dataloader_prefetch_factor dataloader_pin_memory "
     "dataloader_persistent_workers dataloader_in_order dataloader_multiprocessing_context "
     "dataloader_drop_last remove_unused_columns label_names length_column_name",
     "rows are tokenized once and read by the toolkit's own loader"),
    ("group_by_length train_sampling_strategy shuffle_dataset",
     "rows are drawn at random by --seed, and an optimizer step's rows are sorted by length"),
    ("ddp_timeout ddp_backend ddp_find_unused_parameters ddp_bucket_cap_mb ddp_broadcast_buffers "
     "ddp_static_graph local_rank fsdp fsdp_config deepspeed parallelism_config "
     "accelerator_config",
     "how processes share the work is said when they are started: torchrun, accelerate"),
    ("use_cpu no_cuda tf32 torch_compile torch_compile_backend torch_compile_mode "
     "jit_mode_eval use_liger_kernel liger_kernel_config bf16_full_eval fp16_full_eval "
     "auto_find_batch_size full_determinism use_cache debug",
     "it changes how fast the machine computes, and not what; the toolkit decides it"),
    ("label_smoothing_factor", "the loss of language models here has no label smoothing"),
    ("optim_target_modules", "optimizers that work on some layers alone are not taken over"),
    ("gradient_checkpointing_kwargs activation_checkpointing_kwargs",
     "the non-reentrant implementation is used, which gives the same gradients"),
    ("data_seed", "--seed is that of all draws"),
)  # fmt: skip
"""Keys → why they are not carried over."""


def training(draft: Draft) -> None:
    """Carry over what both tools have: batches, optimizer, schedule, warm-up, seed, evaluation."""
    draft.plain(CARRIED)
    _schedule(draft)
    evaluation(draft)
    draft.seed = draft.take("seed", whole, 42)
    delay = draft.take("eval_delay", number)
    if delay is not None:
        draft.set("training.eval_delay", delay)


def _schedule(draft: Draft) -> None:
    """``max_steps``, and the warm-up, which transformers takes as steps or as a share of them."""
    most = draft.take("max_steps", whole, -1)
    if most > 0:
        draft.set("training.max_steps", most)
    ahead, share = draft.take("warmup_steps", steps), draft.take("warmup_ratio", number)
    if ahead and share is not None:
        draft.leave("warmup_steps", "warmup_ratio goes before it, as in transformers 5")
    draft.set("training.warmup_steps", (ahead or 0) if share is None else share)


def precision(draft: Draft, half: str | None) -> None:
    """Mixed precision, and the type in which the base model is loaded.

    Args:
        draft: receives it.
        half: ``bfloat16``, ``float16`` or ``None``: what training computes in.
    """
    draft.set("training.bf16", half == "bfloat16")
    draft.set("training.fp16", half == "float16")


def evaluation(draft: Draft) -> None:
    """When the model is evaluated; here it is after each epoch where it was never there."""
    strategy = draft.take("eval_strategy", text, draft.take("evaluation_strategy", text, "no"))
    every = draft.take("eval_steps", steps)
    if strategy == "steps":
        draft.set("training.eval_strategy", "steps")
        draft.set("training.eval_steps", every or draft.sections["training"]["logging_steps"])
    else:
        draft.set("training.eval_strategy", "epoch")
    if strategy not in ("steps", "epoch"):
        draft.leave("eval_strategy", "the model is evaluated after each epoch", "eval_strategy")


def same_here(draft: Draft, fields: dict[str, Any]) -> None:
    """Set fields of the training arguments that the other tool has no key for."""
    for name, value in fields.items():
        draft.set(f"training.{name}", value)
