"""The price-regression task: a product description in, its price out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from toolkit import Baseline, Metric, NumericLMTask, Panel, Recipe, Row
from toolkit_price_regression.prices import choose_unit, from_number, to_number

if TYPE_CHECKING:
    from random import Random

    import numpy as np
    from datasets import Dataset, DatasetDict

    from toolkit import Source

PROMPT = "How much does this cost to the nearest {unit}?\n\n{text}\n\nPrice is {sign}"
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])")
NAMES = {"$": "dollar", "€": "euro", "£": "pound", "₹": "rupee", "¥": "yen"}


def _rmse(squares: np.ndarray, axis: int = -1) -> Any:
    return squares.mean(axis=axis) ** 0.5


def _r2(true: np.ndarray, predicted: np.ndarray, axis: int = -1) -> Any:
    """Coefficient of determination; negative where the mean of the true prices is better."""
    residual = ((true - predicted) ** 2).sum(axis=axis)
    total = ((true - true.mean(axis=axis, keepdims=True)) ** 2).sum(axis=axis)
    return 1 - residual / (total + 1e-300)  # where all true prices are equal


METRICS: tuple[Metric, ...] = (
    Metric(
        "mae", lambda p, r: abs(p - r), greater_is_better=False,
        label="Mean absolute error", unit="$", format=".2f",
    ),
    Metric(
        "rmse", lambda p, r: (p - r) ** 2, aggregate=_rmse, greater_is_better=False,
        label="Root mean squared error", unit="$", format=".2f",
    ),
    Metric(
        "rmsle", lambda p, r: (math.log1p(p) - math.log1p(r)) ** 2, aggregate=_rmse,
        greater_is_better=False, label="Root mean squared log error",
    ),
    Metric("r2", lambda p, r: (r, p), aggregate=_r2, label="R²"),
    Metric(
        "within_20", lambda p, r: float(abs(p - r) <= 0.2 * r), label="Within 20 %",
    ),
)  # fmt: skip

EMBEDDED = Recipe(
    name="embedded",
    summary="the 3-million-parameter model of the wheel, about five minutes on two cores",
    model="embedded:causal-lm",
    training={
        "per_device_train_batch_size": 32,
        "num_train_epochs": 3,
        "learning_rate": 2e-3,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.03,
        "weight_decay": 0.0,
        "eval_strategy": "steps",
        "eval_steps": 225,
        "save_steps": 225,
        "logging_steps": 10,
        "bf16": True,
        "max_length": 256,
        # Eager attention: on a CPU and at these lengths a fifth faster to train than SDPA.
        "model_init_kwargs": {"dtype": "float32", "attn_implementation": "eager"},
    },
    lora={"r": 16, "lora_alpha": 32, "lora_dropout": 0.0, "target_modules": "all-linear"},
    early_stopping={"early_stopping_patience": 4},
)

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
)


class PriceRegression(NumericLMTask):
    """Predict a price from a description."""

    name = "price-regression"
    summary = "Predict a price from a product description"
    columns = {
        "text": "the description",
        "price": "the price, above zero",
        "category": "the category, empty where there is none",
    }
    metrics: tuple[Metric, ...] = METRICS
    primary_metric = "mae"
    margin = 0.02
    shortens = "text"
    few_shot = 2
    options = {**NumericLMTask.options, "shuffle_sentences": True}
    recipes = (EMBEDDED, LLAMA)
    panel = Panel(inputs={"text": "Description"}, view="number-distribution")
    _currency = ""

    # -- data ------------------------------------------------------------------------------------
    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        from toolkit_price_regression.load import load_rows

        rows = load_rows(source)
        self._currency = source.chosen.get("currency") or ("$" if source.synthetic else "")
        return rows

    def load_inputs(self, source: Source) -> Dataset:
        from toolkit_price_regression.load import load_inputs

        return load_inputs(source, source.chosen)

    def group(self, row: Row) -> str:
        from toolkit_price_regression.load import group

        return group(str(row["text"]))

    def learn(self, train: Dataset) -> dict[str, Any]:
        import numpy as np

        prices = np.asarray(train["price"], dtype=np.float64)
        unit = choose_unit(prices)
        return {
            "unit": unit,
            "currency": self._currency,
            "median": float(np.median(prices)),
            "largest_number": to_number(float(prices.max()), unit),
        }

    def adopt(self, facts: Mapping[str, Any]) -> None:
        super().adopt(facts)
        unit = self.facts.get("currency", "")
        self.metrics = tuple(replace(m, unit=unit) if m.unit else m for m in METRICS)

    def reworded(self, row: Row, random: Random) -> Row:
        # What is sold comes first; a price does not depend on the order of the rest.
        if not self.settings["shuffle_sentences"]:
            return row
        first, *rest = _SENTENCE.split(str(row["text"]))
        random.shuffle(rest)
        return {**row, "text": " ".join((first, *rest))}

    # -- prompt and answer -------------------------------------------------------------------------
    def format_example(self, row: Row) -> dict[str, Any]:
        # Without a named currency the prompt says dollars, as the seed's does: a model has to be
        # told some currency, and which one it is makes no difference to an adapter.
        currency = self.facts.get("currency") or "$"
        unit = NAMES.get(currency, "unit") if self.unit == 1.0 else "cent"
        sign = currency if self.unit == 1.0 else ""
        # New rows have no price.
        completion = self.completion(self.number(row)) if row.get("price") else ""
        prompt = PROMPT.format(unit=unit, text=row["text"], sign=sign)
        return {"prompt": prompt, "completion": completion}

    @property
    def unit(self) -> float:
        return float(self.facts.get("unit", 1.0))

    @property
    def largest_number(self) -> int:
        return int(self.facts.get("largest_number", 999))

    def number(self, row: Row) -> int:
        return to_number(row["price"], self.unit)

    def from_number(self, number: float) -> float:
        return from_number(number, self.unit)

    def writable(self, number: int) -> int:
        return to_number(number * self.unit, self.unit)

    def fallback(self) -> float:
        return float(self.facts["median"])

    def reference(self, row: Row) -> float:
        return float(row["price"])

    # -- judging -----------------------------------------------------------------------------------
    def baselines(self) -> Mapping[str, Baseline]:
        from toolkit_price_regression.baselines import ladder

        return ladder()

    def slices(self) -> Mapping[str, Callable[[Row], str | None]]:
        return {"price": _price_band, "length": _length_band, "category": _category}

    def residual(self, prediction: float, reference: float) -> float:
        # Errors grow with the price, so intervals are a factor around it, not a sum.
        return abs(math.log(prediction / reference))

    def interval(self, prediction: float, width: float) -> tuple[float, float]:
        return prediction * math.exp(-width), prediction * math.exp(width)


def _price_band(row: Row) -> str:
    edges = (0, 10, 30, 100, 300, 1000, 10_000)
    for low, high in pairwise(edges):
        if row["price"] < high:
            return f"{low}–{high}"
    return f"{edges[-1]} and more"


def _length_band(row: Row) -> str:
    words = len(re.findall(r"\S+", row["text"]))
    for high in (20, 40, 80, 160):
        if words < high:
            return f"under {high} words"
    return "160 words and more"


def _category(row: Row) -> str | None:
    return row["category"] or None
