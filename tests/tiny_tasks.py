"""Small tasks of several kinds that keep every rule; tests break them one rule at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from toolkit import (
    Baseline,
    CausalLMTask,
    Generated,
    Metric,
    NumericLMTask,
    Panel,
    Recipe,
    Row,
    Seq2SeqLMTask,
    SequenceClassificationTask,
    Source,
    classification_metrics,
    ordinal_metrics,
)

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit import Predictor

GOODS = {"cup": 7, "lamp": 31, "chair": 85, "desk": 240, "bed": 460}
COLOURS = ("red", "blue", "green", "white")
ROWS = 80


def price_rows() -> list[dict[str, Any]]:
    """Made-up offers, priced by the good and the number of pieces."""
    return [
        {
            "row_id": i + 1,
            "text": f"{colour} {good}, pack of {pieces}",
            "price": float(GOODS[good] * pieces) + 0.25,
            "good": good,
        }
        for i, (pieces, good, colour) in enumerate(
            (pieces, good, colour)
            for pieces in (1, 2, 3, 5)
            for good in GOODS
            for colour in COLOURS
        )
    ]


def median_of_training(train: Dataset) -> Predictor:
    median = float(np.median(train["price"]))
    return lambda rows: [median] * len(rows)


def mean_of_good(train: Dataset) -> Predictor:
    prices: dict[str, list[float]] = {}
    for row in train:
        prices.setdefault(row["good"], []).append(row["price"])
    return lambda rows: [float(np.mean(prices[row["good"]])) for row in rows]


def absolute_error(prediction: float, reference: float) -> float:
    return abs(prediction - reference)


MAE = Metric("mae", absolute_error, greater_is_better=False, unit="$", format=".2f")
CLOSE = Metric("within_20", lambda p, r: float(absolute_error(p, r) <= 0.2 * r), label="Near")

SMALL = Recipe(
    name="small",
    summary="a model for tests",
    model="embedded:causal-lm",
    training={"num_train_epochs": 1, "max_length": 128},
    lora={"r": 4, "target_modules": "all-linear"},
)


class TinyPrices(NumericLMTask):
    """Prices of offers, as whole dollars."""

    api_version = 2
    name = "tiny-prices"
    summary = "Prices of made-up offers"
    columns: ClassVar = {"text": "the offer", "price": "the price", "good": "what it is"}
    metrics = (MAE, CLOSE)
    primary_metric = "mae"
    recipes = (SMALL,)
    panel = Panel(inputs={"text": "Offer"}, examples=({"text": "red cup, pack of 2"},))
    truncate = "text"

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        import datasets

        return datasets.Dataset.from_list(price_rows())

    def group(self, row: Row) -> str:
        return str(row["text"])

    def fit(self, train: Dataset) -> dict[str, Any]:
        prices = np.asarray(train["price"])
        return {"median": float(np.median(prices)), "largest": round(prices.max())}

    def format_example(self, row: Row) -> dict[str, Any]:
        completion = self.completion(self.number(row)) if "price" in row else ""
        return {"prompt": f"{row['text']}\nPrice is $", "completion": completion}

    def number(self, row: Row) -> int:
        return max(1, round(row["price"]))

    def from_number(self, number: float) -> float:
        return float(number)

    @property
    def largest_number(self) -> int:
        return int(self.state["largest"])

    def fallback(self) -> float:
        return float(self.state["median"])

    def reference(self, row: Row) -> float:
        return float(row["price"])

    def baselines(self) -> Mapping[str, Baseline]:
        return {"median": median_of_training, "mean-of-good": mean_of_good}

    def slices(self) -> Mapping[str, Callable[[Row], str | None]]:
        return {"good": lambda row: str(row["good"])}

    def residual(self, prediction: float, reference: float) -> float | None:
        return abs(prediction - reference)

    def interval(self, prediction: float, width: float) -> tuple[float, float]:
        return prediction - width, prediction + width


class TinyColours(CausalLMTask):
    """Names the colour of an offer, in a chat; a task without numbers, panel or intervals."""

    api_version = 2
    name = "tiny-colours"
    summary = "Colours of made-up offers"
    columns: ClassVar = {"text": "the offer", "colour": "its colour"}
    metrics = (Metric("accuracy", lambda p, r: float(p == r)),)
    primary_metric = "accuracy"
    recipes = (SMALL,)

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        import datasets

        return datasets.Dataset.from_list(
            [
                {"text": row["text"], "colour": row["text"].split()[0]}
                for row in price_rows()
            ]
        )  # fmt: skip

    def group(self, row: Row) -> str:
        return str(row["text"])

    def format_example(self, row: Row) -> dict[str, Any]:
        return {
            "prompt": [{"role": "user", "content": f"Which colour? {row['text']}"}],
            "completion": [{"role": "assistant", "content": row.get("colour", "")}],
        }

    def postprocess(self, output: Generated, row: Row) -> str | None:
        return output.text.strip() or None

    def fallback(self) -> str:
        return "none"

    def reference(self, row: Row) -> str:
        return str(row["colour"])


class TinyOffers(Seq2SeqLMTask):
    """Writes an offer as a sentence: a task for an encoder–decoder."""

    api_version = 2
    name = "tiny-offers"
    summary = "Made-up offers in a sentence"
    columns: ClassVar = {"text": "the offer", "sentence": "the same in a sentence"}
    answer = "sentence"
    metrics = (Metric("exact", lambda p, r: float(p == r)),)
    primary_metric = "exact"
    recipes = (
        Recipe(
            "small", "a model for tests", "embedded:seq2seq-lm",
            training={"num_train_epochs": 1, "max_length": 128, "max_target_length": 48},
            lora={"r": 4, "target_modules": ["q", "v"]},
        ),
    )  # fmt: skip

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        import datasets

        return datasets.Dataset.from_list(
            [
                {"row_id": row["row_id"], "text": row["text"], "sentence": f"{row['text']}!"}
                for row in price_rows()
            ]
        )

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": f"Say it: {row['text']}", "text_target": row.get("sentence") or ""}

    def postprocess(self, output: Generated, row: Row) -> str | None:
        return output.text.strip() or None

    def fallback(self) -> str:
        return "nothing"

    def reference(self, row: Row) -> str:
        return str(row["sentence"])


class TinyGoods(SequenceClassificationTask):
    """Names what is offered, as one of five classes."""

    api_version = 2
    name = "tiny-goods"
    summary = "Goods of made-up offers"
    columns: ClassVar = {"text": "the offer", "good": "what it is"}
    truncate: ClassVar = "text"
    classes = tuple(GOODS)
    metrics = classification_metrics(classes)
    primary_metric = "macro_f1"
    recipes = (Recipe("small", "a model for tests", "embedded:minilm"),)
    panel = Panel(inputs={"text": "Offer"}, view="labels")

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        import datasets

        return datasets.Dataset.from_list(
            [{"text": row["text"], "good": row["good"]} for row in price_rows()]
        )

    def group(self, row: Row) -> str:
        return str(row["text"])

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": row["text"], "label": row.get("good")}

    def reference(self, row: Row) -> str:
        return str(row["good"])


class TinyPieces(TinyGoods):
    """How many pieces are offered, as ordered classes that the training split names."""

    name = "tiny-pieces"
    columns: ClassVar = {"text": "the offer", "pieces": "how many"}
    truncate: ClassVar = "text"
    classes = ()
    ordinal = True
    metrics = ordinal_metrics()
    primary_metric = "mae"

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        import datasets

        return datasets.Dataset.from_list(
            [
                {"text": row["text"], "pieces": int(row["text"].split()[-1])}
                for row in price_rows()
            ]
        )  # fmt: skip

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": row["text"], "label": row.get("pieces")}

    def reference(self, row: Row) -> int:
        return int(row["pieces"])
