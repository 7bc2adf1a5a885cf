"""What the values of a recipe may be: their types, their ranges, and what the libraries refuse.

What types and ranges do not tell is found by making each section's configuration, which needs no
model.
"""

from __future__ import annotations

import dataclasses
import re
import tempfile
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from toolkit.errors import RecipeError, did_you_mean
from toolkit.models import lora_start
from toolkit.plugins.setting_types import (
    COUNT,
    NOT_NEGATIVE,
    POSITIVE,
    check_types,
    fits,
    type_name,
)
from toolkit.system import upstream

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
_RETURNED = (
    "return_dict_in_generate", "output_scores", "output_logits", "output_attentions",
    "output_hidden_states",
)  # fmt: skip
"""Fields of ``GenerationConfig`` that change what ``generate`` returns."""
_OTHER_WAYS = (
    "num_beam_groups", "diversity_penalty", "penalty_alpha", "dola_layers", "constraints",
    "force_words_ids", "prompt_lookup_num_tokens", "assistant_early_exit",
)  # fmt: skip
"""Fields that ask for ways of writing that transformers has not itself, or for no batches."""
_STOPPING = {"early_stopping_patience": int, "early_stopping_threshold": float, "minutes": float}
_NOT_MADE = frozenset(
    ("deepspeed", "fsdp", "fsdp_config", "parallelism_config", "accelerator_config", "bf16",
     "fp16", "tf32", "bf16_full_eval", "fp16_full_eval", "model_init_kwargs", "use_liger_kernel",
     "report_to")
)  # fmt: skip
"""Training arguments that depend on the machine or on how processes are started."""
OF_NUMBERS = {"k": COUNT, "readings": COUNT, "sigma": POSITIVE, "rank_weight": NOT_NEGATIVE}
"""The options of tasks whose answer is a number that a language model writes → their ranges."""
LOSSES = (("regression-aware", "cross-entropy"), ("squared", "absolute", "huber"))
"""The losses of the kinds whose answer is a number; a default tells which ones a task has."""
_DECIDED = (
    "task_type", "peft_type", "inference_mode", "base_model_name_or_path", "revision",
    "auto_mapping", "peft_version",
)  # fmt: skip
"""Fields of ``LoraConfig`` that are no settings."""


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
    fixed |= {"gradient_checkpointing": False}  # TRL's own default bears its old name

    def make(**given: Any) -> None:
        fields = {**fixed, **given}
        fields.setdefault("save_strategy", fields["eval_strategy"])
        if "eval_steps" in fields:
            fields.setdefault("save_steps", fields["eval_steps"])
        without_device(**upstream.training_fields(without_device, fields))

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
    lora_start.check(values)
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
            if not fits(value, kind) or value <= 0:
                raise RecipeError(
                    f"lora.{name}.{pattern} must be {type_name(kind)} above 0, not {value!r:.80}"
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
    if (values.get("num_return_sequences") or 1) != 1:
        raise RecipeError("generation.num_return_sequences: one answer a row is judged; leave it")
    for name in _RETURNED:
        if values.get(name):
            raise RecipeError(f"generation.{name}: answers are texts; leave it out")
    for name in _OTHER_WAYS:
        if values.get(name) and (name, values[name]) != ("num_beam_groups", 1):
            raise RecipeError(
                f"generation.{name}: transformers takes this way of writing from code on the Hub, "
                "or for one text at a time; what runs here is greedy, sampling and beams"
            )


def check_stopping(values: Mapping[str, Any]) -> None:
    """Refuse settings of ``[early_stopping]`` of other types or outside their ranges."""
    check_types("early_stopping", values, _STOPPING)


def check_costs(values: Mapping[str, Any]) -> None:
    """Refuse prices that are no numbers, or below 0."""
    for name, value in values.items():
        if name == "currency":
            check_types("cost", {name: value}, {name: str})
        elif not fits(value, float) or not NOT_NEGATIVE.holds(value):
            raise RecipeError(f"cost.{name} must be a number from 0, not {value!r:.80}")


def check_rows(values: Mapping[str, Any]) -> None:
    """Refuse numbers of rows that are none, or too few for their split."""
    from toolkit.data.splits import MINIMUM

    for name, value in values.items():
        least = MINIMUM.get(name, 1)
        if not fits(value, int) or value < least:
            raise RecipeError(f"rows.{name} must be a number from {least}, not {value!r:.80}")


def check_curation(values: Mapping[str, Any]) -> None:
    """Refuse switches, shares, numbers and columns that are none."""
    for name, value in values.items():
        if value is None:
            continue
        if name in ("without_longest", "without_shortest"):
            if not fits(value, float) or not 0 <= value < 1:
                raise RecipeError(f"curation.{name} is a share from 0 to 1, not {value!r:.80}")
        elif name == "most_per_category":
            if not fits(value, int) or value < 1:
                raise RecipeError(f"curation.{name} is a number of rows, not {value!r:.80}")
        else:
            check_types("curation", {name: value}, {"deduplicate": bool, "category": str})


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
        kinds: dict[type, Any] = {int: float, bool: bool, float: float, str: str}
        kinds |= {list: list, dict: dict}
        hint = kinds.get(type(default), Any)
        if isinstance(value, str) and hint in (list, dict):
            continue  # a word that stands for a list, such as "auto"
        check_types("task", {name: value}, {name: hint})
        for group in LOSSES if name == "loss" else ():
            if default in group:
                _check_choice("task.loss", value, group)
        bounds = OF_NUMBERS.get(name) if defaults.keys() >= OF_NUMBERS.keys() else None
        if bounds is not None and not bounds.holds(value):
            raise RecipeError(f"task.{name} must be {bounds}, not {value:g}")
    chosen = values.get("decoder")
    if decoders is not None and isinstance(chosen, str) and chosen != "auto":
        names = list(decoders)
        if chosen not in names:
            raise RecipeError(
                f"task.decoder is {chosen!r}, and the task has {', '.join(names) or 'none'}"
            )
