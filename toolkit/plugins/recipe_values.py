"""What the values of a recipe may be: their types, their ranges, and what the libraries refuse.

The types are those that the libraries' own dataclasses declare. The ranges are stated here, because
most libraries use a value outside them until a computation fails. What is left is found by making
each section's configuration, which needs no model.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import re
import tempfile
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple, Union

from toolkit.errors import RecipeError, did_you_mean

class Range(NamedTuple):
    """The numbers that a field takes.

    Args:
        least: the smallest.
        most: the largest.
        open_low: whether ``least`` itself is too small.
        open_high: whether ``most`` itself is too large.
        also: a further value with a meaning of its own.
    """

    least: float = -math.inf
    most: float = math.inf
    open_low: bool = False
    open_high: bool = False
    also: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a number is one of them."""
        low = value > self.least if self.open_low else value >= self.least
        high = value < self.most if self.open_high else value <= self.most
        return value == self.also or (low and high)

    def __str__(self) -> str:
        low = f"{'above' if self.open_low else 'at least'} {self.least:g}"
        high = f"{'below' if self.open_high else 'at most'} {self.most:,g}"
        bounds = [low] * (self.least > -math.inf) + [high] * (self.most < math.inf)
        return " and ".join(bounds) + ("" if self.also is None else f", or {self.also:g}")


COUNT, POSITIVE, NOT_NEGATIVE = Range(1), Range(0, open_low=True), Range(0)
SHARE = Range(0, 1, open_high=True)
WHOLE = Range(-(2**31), 2**31 - 1)
"""Whole numbers that all libraries can hold."""

RANGES: Mapping[str, Range] = {
    **dict.fromkeys(
        (f"training.{name}" for name in (
            "per_device_train_batch_size", "per_device_eval_batch_size",
            "gradient_accumulation_steps", "eval_accumulation_steps", "save_total_limit",
            "max_length", "max_target_length", "dataloader_prefetch_factor", "ddp_timeout",
            "torch_empty_cache_steps", "dataset_num_proc", "pad_to_multiple_of", "doc_stride",
        )), COUNT,
    ),
    **dict.fromkeys(
        (f"training.{name}" for name in (
            "num_train_epochs", "eval_steps", "logging_steps", "save_steps",
        )), POSITIVE,
    ),
    **dict.fromkeys(
        (f"training.{name}" for name in (
            "learning_rate", "warmup_steps", "weight_decay", "max_grad_norm", "adam_epsilon",
            "dataloader_num_workers", "neftune_noise_alpha", "eval_delay",
        )), NOT_NEGATIVE,
    ),
    **dict.fromkeys(("training.adam_beta1", "training.adam_beta2"), SHARE),
    "training.label_smoothing_factor": SHARE,
    "training.max_steps": Range(1, also=-1),
    "lora.r": Range(1, 100_000),
    "lora.lora_alpha": POSITIVE,
    "lora.lora_dropout": SHARE,
    "lora.qalora_group_size": COUNT,
    "quantization.llm_int8_threshold": NOT_NEGATIVE,
    **dict.fromkeys(
        (f"generation.{name}" for name in ("max_new_tokens", "num_beams", "num_return_sequences")),
        Range(1, 1_000_000),
    ),
    "generation.temperature": POSITIVE,
    "generation.top_p": Range(0, 1, open_low=True),
    "generation.top_k": NOT_NEGATIVE,
    "generation.repetition_penalty": POSITIVE,
    "generation.min_new_tokens": NOT_NEGATIVE,
    "generation.no_repeat_ngram_size": NOT_NEGATIVE,
    "early_stopping.early_stopping_patience": COUNT,
    "early_stopping.early_stopping_threshold": NOT_NEGATIVE,
    "early_stopping.minutes": POSITIVE,
}  # fmt: skip
"""``section.field`` → its range; other numbers need only be finite."""

_GENERATION: Mapping[str, Any] = {
    **dict.fromkeys(("do_sample", "early_stopping", "use_cache"), bool | None),
    **dict.fromkeys(
        ("max_new_tokens", "min_new_tokens", "min_length", "num_beams", "num_beam_groups", "top_k",
         "num_return_sequences", "no_repeat_ngram_size", "pad_token_id", "bos_token_id"),
        int | None,
    ),
    **dict.fromkeys(
        ("temperature", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff",
         "repetition_penalty", "length_penalty", "diversity_penalty", "encoder_repetition_penalty"),
        float | None,
    ),
}  # fmt: skip
"""Types of ``GenerationConfig``'s fields, which declares none."""
_STOPPING = {"early_stopping_patience": int, "early_stopping_threshold": float, "minutes": float}
_FRACTIONS = frozenset({"lora.lora_alpha"})
"""Fields that are declared as whole numbers and work with others."""
_NOT_MADE = frozenset(
    ("deepspeed", "fsdp", "fsdp_config", "parallelism_config", "accelerator_config", "bf16",
     "fp16", "tf32", "bf16_full_eval", "fp16_full_eval", "model_init_kwargs", "use_liger_kernel",
     "report_to")
)  # fmt: skip
"""Training arguments that depend on the machine or on how processes are started."""
_DECIDED = (
    "task_type", "peft_type", "inference_mode", "base_model_name_or_path", "revision",
    "auto_mapping", "peft_version",
)  # fmt: skip
"""Fields of ``LoraConfig`` that are no settings."""


def check_plain(section: str, values: Mapping[str, Any]) -> None:
    """Refuse values that a run cannot store: what is no JSON, such as TOML's dates.

    Raises:
        RecipeError: naming the setting.
    """
    for name, value in values.items():
        if problem := _not_plain(value):
            raise RecipeError(f"{section}.{name} {problem}")


def _not_plain(value: Any) -> str:
    if isinstance(value, datetime.date | datetime.time):
        return f"is the date or time {value.isoformat()}, which no setting takes; put it in quotes"
    if isinstance(value, float) and not math.isfinite(value):
        return f"must be a finite number, not {value!r}"
    if isinstance(value, Mapping):
        return next(filter(None, map(_not_plain, value.values())), "")
    if isinstance(value, list | tuple):
        return next(filter(None, map(_not_plain, value)), "")
    return ""


def check_types(section: str, values: Mapping[str, Any], hints: Mapping[str, Any]) -> None:
    """Refuse values of another type than declared, and numbers outside their ranges.

    Args:
        section: the recipe's section.
        values: its fields.
        hints: field → its declared type; fields without one are not checked.

    Raises:
        RecipeError: naming the setting.
    """
    for name, value in values.items():
        setting = f"{section}.{name}"
        hint = hints.get(name, Any)
        if setting in _FRACTIONS:
            hint = float
        if not _fits(value, hint):
            raise RecipeError(f"{setting} must be {_type_name(hint)}, not {value!r:.80}")
        bounds = RANGES.get(setting)
        for number in value if isinstance(value, list) else [value]:
            if not isinstance(number, int | float) or isinstance(number, bool):
                continue
            if isinstance(number, int) and not WHOLE.holds(number):
                raise RecipeError(f"{setting} must be {WHOLE}, not {number:.4g}")
            if bounds is not None and not bounds.holds(number):
                raise RecipeError(f"{setting} must be {bounds}, not {number:g}")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a TOML value is of a declared type; an unknown type takes any value."""
    if hint is Any:
        return True
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, each) for each in inside)
    if origin is Literal:
        return any(value == each and type(value) is type(each) for each in inside)
    if origin in (list, tuple, dict) or hint in (list, tuple, dict):
        kind = origin or hint
        if not isinstance(value, dict if kind is dict else list | tuple):
            return False
        if kind is dict:
            return len(inside) < 2 or all(_fits(each, inside[1]) for each in value.values())
        items = inside if kind is tuple and Ellipsis not in inside else inside[:1] * len(value)
        return not inside or all(map(_fits, value, items))
    if hint in (None, type(None)):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (bool, str):
        return isinstance(value, hint)
    if dataclasses.is_dataclass(hint):
        return isinstance(value, hint if isinstance(hint, type) else dict)
    if isinstance(hint, type):  # an enumeration, or a class that TOML has no value of
        return isinstance(value, hint | str)
    return True


def _type_name(hint: Any) -> str:
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        names = dict.fromkeys(_type_name(each) for each in inside if each is not type(None))
        return " or ".join(names)
    if origin is Literal:
        return " or ".join(map(repr, inside))
    if (origin or hint) in (list, tuple):
        return f"a list of {_type_name(inside[0]).split(' ', 1)[-1]}s" if inside else "a list"
    if (origin or hint) is dict:
        return "a table"
    names = {
        int: "a whole number", float: "a number", bool: "true or false", str: "a text",
        type(None): "none",
    }  # fmt: skip
    return names.get(hint) or getattr(hint, "__name__", str(hint))


def check_training(arguments: type, values: Mapping[str, Any]) -> None:
    """Refuse training arguments of wrong types, and what their class refuses.

    The class is made without its device: setting that up starts the processes of a distributed run.

    Raises:
        RecipeError: naming the setting, or the section where only several together are refused.
    """
    import torch

    check_types("training", values, typing.get_type_hints(arguments))
    for field in dataclasses.fields(arguments):
        known = field.metadata.get("choices")
        if known and field.name in values:
            _check_choice(f"training.{field.name}", values[field.name], known)
    _check_dtype(values.get("model_init_kwargs") or {})
    _check_trackers(values.get("report_to"))
    device = {"_setup_devices": torch.device("cpu"), "_n_gpu": 0, "__module__": __name__}
    without_device = type(arguments.__name__, (arguments,), device)
    fixed = {"output_dir": tempfile.gettempdir(), "disable_tqdm": True, "report_to": "none"}
    fixed |= {"use_cpu": True, "bf16": False, "eval_strategy": "epoch"}
    fixed |= {"load_best_model_at_end": True, "metric_for_best_model": "loss"}

    def make(**given: Any) -> None:
        fields = {**fixed, **given}
        fields.setdefault("save_strategy", fields["eval_strategy"])
        if "eval_steps" in fields:
            fields.setdefault("save_steps", fields["eval_steps"])
        without_device(**fields)

    check_made("training", make, {k: v for k, v in values.items() if k not in _NOT_MADE})


def _check_choice(setting: str, value: Any, known: Iterable[Any]) -> None:
    names = [str(name) for name in known]
    if value is not None and str(value) not in names:
        near = did_you_mean(str(value), names)
        raise RecipeError(f"{setting} cannot be {value!r:.80}{near}; take {' or '.join(names)}")


def _check_dtype(init: Mapping[str, Any]) -> None:
    import torch

    for name in ("dtype", "torch_dtype"):
        given = init.get(name, "auto")
        named = getattr(torch, given.removeprefix("torch."), None) if isinstance(given, str) else 0
        if given != "auto" and not isinstance(named, torch.dtype):
            raise RecipeError(
                f"training.model_init_kwargs.{name} is {given!r:.80}, which is no type of torch; "
                "take bfloat16, float16 or float32"
            )


def _check_trackers(given: Any) -> None:
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    for name in given if isinstance(given, list) else [given]:
        _check_choice("training.report_to", name, (*INTEGRATION_TO_CALLBACK, "none", "all"))


def check_lora(values: Mapping[str, Any]) -> None:
    """Refuse settings of ``[lora]`` that PEFT does not take, or that the toolkit decides.

    Raises:
        RecipeError: naming the setting.
    """
    from peft import LoraConfig

    for name in _DECIDED:
        if name in values:
            raise RecipeError(f"lora.{name} cannot be set: the kind of task and the run decide it")
    check_types("lora", values, typing.get_type_hints(LoraConfig))
    _check_patterns(values)
    check_made("lora", LoraConfig, values)


def check_quantization(values: Mapping[str, Any]) -> None:
    """Refuse settings of ``[quantization]`` that ``BitsAndBytesConfig`` does not take."""
    from transformers import BitsAndBytesConfig

    check_types("quantization", values, {"llm_int8_threshold": float, "bnb_4bit_quant_type": str})
    _check_choice(
        "quantization.bnb_4bit_quant_type", values.get("bnb_4bit_quant_type"), ("fp4", "nf4")
    )
    check_made("quantization", BitsAndBytesConfig, values)


def check_made(section: str, make: Callable[..., Any], values: Mapping[str, Any]) -> None:
    """Refuse what a library's configuration refuses when it is made.

    Args:
        section: the recipe's section.
        make: makes the configuration from the section's fields.
        values: these fields.

    Raises:
        RecipeError: naming the setting that is refused alone, else the section.
    """
    problem = _refusal(make, values)
    if problem is None:
        return
    for name, value in values.items():
        alone = _refusal(make, {name: value})
        if alone is not None:
            raise RecipeError(f"{section}.{name} cannot be {value!r:.80}: {alone}")
    raise RecipeError(f"the settings of {section} do not go together: {problem}")


def _refusal(make: Callable[..., Any], values: Mapping[str, Any]) -> str | None:
    """Why a configuration cannot be made; ``None``: it can."""
    try:
        make(**values)
    except Exception as error:  # libraries raise whatever their first use of a value raises
        return " ".join(str(error).split())[:300] or type(error).__name__
    return None


def _check_patterns(values: Mapping[str, Any]) -> None:
    """Refuse names of layers in ``[lora]`` that are no regular expressions, or name nothing.

    Raises:
        RecipeError: naming the setting.
    """
    for name in ("target_modules", "exclude_modules", "layers_pattern"):
        given = values.get(name)
        if isinstance(given, str):
            _check_pattern(name, given)
        elif given is not None and (not given or not all(map(str.strip, given))):
            raise RecipeError(f"lora.{name} is {given!r} and names no layers")
    for name, kind in (("rank_pattern", int), ("alpha_pattern", float)):
        for pattern, value in (values.get(name) or {}).items():
            _check_pattern(name, pattern)
            if not _fits(value, kind) or value <= 0:
                raise RecipeError(
                    f"lora.{name}.{pattern} must be {_type_name(kind)} above 0, not {value!r:.80}"
                )


def _check_pattern(name: str, pattern: str) -> None:
    if not pattern.strip():
        raise RecipeError(f"lora.{name} is empty and names no layers")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise RecipeError(
            f"lora.{name} is {pattern!r:.80}, which is no regular expression: {error}"
        ) from error


def check_generation(values: Mapping[str, Any]) -> None:
    """Refuse settings of writing that ``GenerationConfig`` does not take."""
    from transformers import GenerationConfig

    check_types("generation", values, _GENERATION)
    check_made("generation", lambda **given: GenerationConfig(**given).validate(), values)


def check_stopping(values: Mapping[str, Any]) -> None:
    """Refuse settings of ``[early_stopping]`` of other types or outside their ranges."""
    check_types("early_stopping", values, _STOPPING)


def check_costs(values: Mapping[str, Any]) -> None:
    """Refuse prices that are no numbers, or below 0."""
    for name, value in values.items():
        if name == "currency":
            check_types("cost", {name: value}, {name: str})
        elif not _fits(value, float) or not NOT_NEGATIVE.holds(value):
            raise RecipeError(f"cost.{name} must be a number from 0, not {value!r:.80}")


def check_options(
    values: Mapping[str, Any], defaults: Mapping[str, Any], decoders: Iterable[str] | None = None
) -> None:
    """Refuse values of a task's options that have another type than their defaults.

    A default of ``None`` says nothing of the type, and ``None`` is taken by any option.

    Args:
        values: the recipe's ``[task]``.
        defaults: the task's options.
        decoders: the names that the option ``decoder`` takes beside ``auto``; ``None``: not known.
    """
    for name, value in values.items():
        default = defaults.get(name)
        if default is None or value is None:
            continue
        kinds = {int: float, **{kind: kind for kind in (bool, float, str, list, dict)}}
        hint = kinds.get(type(default), Any)
        if isinstance(value, str) and hint in (list, dict):
            continue  # a word that stands for a list, such as "auto"
        check_types("task", {name: value}, {name: hint})
    chosen = values.get("decoder")
    if decoders is not None and isinstance(chosen, str) and chosen != "auto":
        names = list(decoders)
        if chosen not in names:
            raise RecipeError(
                f"task.decoder is {chosen!r}, and the task has {', '.join(names) or 'none'}"
            )
