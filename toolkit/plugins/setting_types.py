"""Values of settings: their declared types, and the ranges of numbers.

The types are those that the libraries' own dataclasses declare. The ranges are stated here, because
most libraries use a value outside them until a computation fails.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Union

from toolkit.errors import RecipeError


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


_NUMBERED = re.compile(r"(.+_)\[number [^\]]*\]")
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

FRACTIONS = frozenset({"lora.lora_alpha"})
"""Fields that are declared as whole numbers and work with others."""


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
        if setting in FRACTIONS:
            hint = float
        if not fits(value, hint):
            raise RecipeError(f"{setting} must be {type_name(hint)}, not {value!r:.80}")
        bounds = RANGES.get(setting)
        for number in value if isinstance(value, list) else [value]:
            if not isinstance(number, int | float) or isinstance(number, bool):
                continue
            if isinstance(number, int) and not WHOLE.holds(number):
                raise RecipeError(f"{setting} must be {WHOLE}, not {number:.4g}")
            if bounds is not None and not bounds.holds(number):
                raise RecipeError(f"{setting} must be {bounds}, not {number:g}")


def fits(value: Any, hint: Any) -> bool:
    """Whether a TOML value is of a declared type; an unknown type takes any value."""
    if hint is Any:
        return True
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in inside)
    if origin is Literal:
        return any(type(value) is type(each) and _is_choice(value, each) for each in inside)
    if origin in (list, tuple, dict) or hint in (list, tuple, dict):
        kind = origin or hint
        if not isinstance(value, dict if kind is dict else list | tuple):
            return False
        if isinstance(value, dict):
            return len(inside) < 2 or all(fits(each, inside[1]) for each in value.values())
        items = inside if kind is tuple and Ellipsis not in inside else inside[:1] * len(value)
        return not inside or all(map(fits, value, items))
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


def _is_choice(value: Any, choice: Any) -> bool:
    """Whether a value is a choice; PEFT declares one with a number in it as ``name_[number …]``."""
    if isinstance(choice, str) and (numbered := _NUMBERED.fullmatch(choice)):
        return bool(value.removeprefix(numbered[1]).isdecimal())
    return bool(value == choice)


def type_name(hint: Any) -> str:
    """A declared type as errors call it."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        each_name = [type_name(each) for each in inside if each is not type(None)]
        return " or ".join(dict.fromkeys(each_name))
    if origin is Literal:
        return " or ".join(map(repr, inside))
    if (origin or hint) in (list, tuple):
        return f"a list of {type_name(inside[0]).split(' ', 1)[-1]}s" if inside else "a list"
    if (origin or hint) is dict:
        return "a table"
    names: dict[Any, str] = {
        int: "a whole number", float: "a number", bool: "true or false", str: "a text",
        type(None): "none",
    }  # fmt: skip
    return names.get(hint) or str(getattr(hint, "__name__", hint))
