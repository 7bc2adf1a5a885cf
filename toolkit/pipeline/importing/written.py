"""The two files as texts: the task file, and the recipe with what was not carried over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolkit.pipeline.importing.draft import Draft, Left
from toolkit.pipeline.init.toml import plain, written

DECIDED: tuple[Left, ...] = (
    Left("", "", "the checkpoint with the best score on the validation rows is kept, and training "
         "is evaluated for that",
         ("load_best_model_at_end", "metric_for_best_model", "greater_is_better", "save_strategy",
          "save_steps", "save_total_limit", "save_only_model", "eval_on_start", "do_eval",
          "eval_accumulation_steps", "per_device_eval_batch_size")),
    Left("", "", "of rows without splits 5 % validate, 5 % calibrate and 10 % test; none of these "
         "is learned"),
    Left("", "", "folders, logs, processes and the loading of rows are the toolkit's",
         ("output_dir", "run_name", "logging_dir", "disable_tqdm", "report_to", "use_cpu",
          "data_seed", "do_train", "remove_unused_columns", "label_names",
          "ddp_find_unused_parameters", "ddp_timeout", "include_num_input_tokens_seen",
          "overwrite_output_dir",
          "generation_max_length", "generation_num_beams", "predict_with_generate",
          "gradient_checkpointing_kwargs", "dataset_kwargs", "dataset_num_proc",
          "dataloader_num_workers", "dataloader_prefetch_factor", "dataloader_drop_last", "tf32")),
)  # fmt: skip
"""What the toolkit decides, whatever the file says; and the training arguments that it concerns."""


def content(draft: Draft) -> dict[str, Any]:
    """The recipe as the content of a TOML file."""
    return {"model": draft.model, **draft.sections}


def texts(draft: Draft, origin: str, task: Path, recipe: Path) -> tuple[str, str]:
    """The task file and the recipe.

    Args:
        draft: what was carried over.
        origin: the file that it comes from.
        task: the task file.
        recipe: the recipe.
    """
    command = f"toolkit run {task} --recipe {recipe} --seed {draft.seed}"
    head = [f"Made by toolkit import from {origin} ({draft.tool})."]
    settings = {"summary": f"imported from {plain(origin)} ({draft.tool})", **content(draft)}
    return (
        written(draft.task, [*head, command]),
        written(settings, [*head, command], {"": ["", *left_lines(draft)]}),
    )


def left_lines(draft: Draft) -> list[str]:
    """What is not carried over, in lines."""
    lines = ["Not carried over, or not as it was:"]
    for one in draft.left:
        value = f" = {one.value}" if one.value else ""
        lines.append(f"{one.key}{value}: {one.reason}")
    return [*lines, "", "What the toolkit decides:", *(one.reason for one in DECIDED)]


def document(draft: Draft) -> dict[str, Any]:
    """The same as JSON values."""

    def one(left: Left) -> dict[str, Any]:
        return {"key": left.key, "value": left.value, "reason": left.reason}

    return {
        "task": draft.task,
        "recipe": content(draft),
        "seed": draft.seed,
        "not_carried_over": list(map(one, draft.left)),
        "decided": [left.reason for left in DECIDED],
    }
