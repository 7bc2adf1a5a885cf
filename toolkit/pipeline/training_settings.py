"""Other settings for a training that has not ended well: ``toolkit resume RUN --set …``.

What the run has done before stays as it is, the rows, the baselines and the base's predictions. So
only settings can change by which none of these is made; the training itself begins anew, because
checkpoints keep the old learning rate, and the weights that it led to.
"""

from __future__ import annotations

import shutil

from toolkit.errors import BusyError, RunError, UsageError
from toolkit.kinds.registry import model_class
from toolkit.pipeline import restore
from toolkit.pipeline.context import adapter_name
from toolkit.plugins import recipes
from toolkit.runs import trust
from toolkit.runs.run import Run

CHANGEABLE = (
    "learning_rate", "max_grad_norm", "weight_decay", "warmup_steps", "warmup_ratio",
    "lr_scheduler_type", "lr_scheduler_kwargs", "optim", "adam_beta1", "adam_beta2",
    "adam_epsilon", "label_smoothing_factor", "num_train_epochs", "max_steps",
    "per_device_train_batch_size", "gradient_accumulation_steps", "gradient_checkpointing", "fp16",
)  # fmt: skip
"""Fields of ``[training]`` that change nothing but the training."""


def change(run: Run, sets: recipes.Settings) -> None:
    """Change settings of a run's training, save ``run.json``, and remove its checkpoints.

    Args:
        run: an unfinished run.
        sets: ``training.field=value``, as for ``toolkit run``.

    Raises:
        UsageError: another setting, or one that a library refuses.
        RunError: the run has been trained already, with one seed at least.
        BusyError: a process works at the run.
    """
    if not sets:
        return
    for key, _, said in recipes.assignments(sets):
        section, _, field = key.partition(".")
        if section != "training" or field not in CHANGEABLE:
            raise UsageError(
                f"{said}: what a run has scored already depends on it; toolkit resume "
                f"changes training.{', training.'.join(CHANGEABLE[:3])} and others of the "
                "optimizer; for this one start a new run"
            )
    if now := run.running:
        raise BusyError(f"run {run.id} is running {now}; stop it first")
    if run.done("train") or (run.path / adapter_name(0) / "toolkit.json").is_file():
        raise RunError(
            f"run {run.id} has been trained with its settings already; start a new run with others"
        )
    task = restore.load_task(run)
    recipe = recipes.changed(recipes.from_dict(run.info["recipe"]), sets)
    recipes.check(recipe, model_class(type(task)).training_arguments(), type(task).options)
    trust.has_set(recipes.as_dict(recipe))
    run.info["recipe"] = recipes.as_dict(recipe)
    run.save()
    shutil.rmtree(run.checkpoints, ignore_errors=True)
    (run.path / "history.json").unlink(missing_ok=True)
