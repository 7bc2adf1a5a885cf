"""Sentiment and stars of a review by an encoder: ``review-sentiment`` and ``review-rating``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toolkit import (
    Baseline,
    Panel,
    Recipe,
    Row,
    SequenceClassificationTask,
    Target,
    classification_metrics,
    ordinal_metrics,
)
from toolkit.data import ROW_GROUP
from toolkit_review_augmentation import baselines, rules, slicing
from toolkit_review_augmentation.instructions import SENTIMENTS, STARS, sentiment_of
from toolkit_review_augmentation.reviews import Sizes, load

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit import Source
    from toolkit.data import Profile

LORA = Recipe(
    name="minilm-lora",
    summary="all-MiniLM-L6-v2 with LoRA, offline, under six minutes on two cores",
    model="embedded:minilm",
    training={
        # Steps of 32 reviews: with 16, training at this rate ended at the commonest class. They
        # are taken in two halves, so that the longest generated reviews need 3.8 GB, not 5.4.
        "per_device_train_batch_size": 16,
        "gradient_accumulation_steps": 2,
        "num_train_epochs": 3,
        "learning_rate": 1e-3,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.1,
        "max_grad_norm": 0.5,
        "weight_decay": 0.01,
        "eval_strategy": "epoch",
        "logging_steps": 10,
        # All that the encoder can read: the verdict of a long review may come at its end.
        "max_length": 512,
        # Longer ones keep both ends where that is better; a slow machine reads less of them.
        "truncation": "auto",
        "shorten_to_time": True,
        # With eager attention 1.7 times as fast at these lengths, on a CPU that has bfloat16.
        "bf16": True,
        "model_init_kwargs": {"attn_implementation": "eager"},
    },
    # Without dropout, whose random numbers take a quarter of the time on a CPU (1,143 tokens per
    # second instead of 1,561, one thread).
    lora={"r": 16, "lora_alpha": 32, "lora_dropout": 0.0, "target_modules": "all-linear"},
    early_stopping={"early_stopping_patience": 2, "minutes": 4},
)
FULL = replace(
    LORA,
    name="minilm-full",
    summary="all-MiniLM-L6-v2, all parameters, offline, under six minutes on two cores",
    training={**LORA.training, "num_train_epochs": 2, "learning_rate": 1e-4},
    lora=None,
)
_BERT = {
    "model": "the original project: BERT base, uncased, all parameters",
    "training.per_device_train_batch_size": "BERT's paper (arXiv:1810.04805): 16 or 32",
    "training.num_train_epochs": "BERT's paper: 2 to 4",
    "training.learning_rate": "BERT's paper: 2e-5 to 5e-5",
    "training.lr_scheduler_type": "BERT's paper: linear",
    "training.warmup_steps": "ours: BERT's 10,000 warm-up steps of a longer training, as a share",
    "training.weight_decay": "BERT's paper: 0.01",
    "training.eval_strategy": "the original project evaluates during training; by epochs is ours",
    "training.logging_steps": "ours",
    "training.max_length": "ours: reviews are shorter",
    "early_stopping.early_stopping_patience": "ours; the original project watches for overfitting",
}
BERT = replace(
    FULL,
    name="bert-base-full",
    summary="BERT base (uncased), all of its 110 million parameters; a GPU is recommended",
    model="bert-base-uncased",
    training={
        "per_device_train_batch_size": 16,
        "num_train_epochs": 3,
        "learning_rate": 2e-5,
        "lr_scheduler_type": "linear",
        "warmup_steps": 0.1,
        "weight_decay": 0.01,
        "eval_strategy": "epoch",
        "logging_steps": 50,
        "max_length": 256,
    },
    early_stopping={"early_stopping_patience": 1},
    sources=_BERT,
)
DISTILBERT = replace(
    BERT,
    name="distilbert-lora",
    summary="DistilBERT base (uncased) with LoRA, r 16; a GPU is recommended",
    model="distilbert-base-uncased",
    training={**BERT.training, "learning_rate": 5e-4},
    lora={"r": 16, "lora_alpha": 32, "target_modules": ["q_lin", "v_lin"]},
    sources={
        **_BERT,
        "model": "the original project: DistilBERT base, uncased, for question answering",
        "training.learning_rate": "ours: adapters take a higher rate",
        "lora.r": "the original project: 16",
        "lora.lora_alpha": "ours: twice r",
        "lora.target_modules": "the original project trains 0.4 % of the parameters, which is r 16 "
        "on two modules",
    },
)


class _ReviewClassification(SequenceClassificationTask):
    """Shared by both tasks: loading of reviews, columns, recipes and slices."""

    api_version = 2
    truncate = "text"
    columns = {
        "text": "the review",
        "stars": "1 to 5; 0 if unknown",
        "sentiment": "negative, neutral or positive",
        "category": "of the product; empty if unknown",
        "group": "the same for copies of one review",
        "suite": "empty; for challenge rows, what makes them hard",
    }
    recipes = (LORA, FULL, BERT, DISTILBERT)
    options = {"train_reviews": 3_000, "test_reviews": 600}
    panel = Panel(
        inputs={"text": "Review"},
        view="labels",
        examples=(
            {"text": "The battery is great but the strap is poor. I had expected more."},
            {"text": "Not bad at all, I would buy it again."},
        ),
    )
    _stars = True
    """Whether reviews without stars are refused."""

    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        sizes = Sizes.of(self.options, validation=400)
        rows = load(source, sizes, stars=self._stars)
        # A column of the file may decide on the groups; synthetic reviews have none.
        further = [ROW_GROUP] if source.group and source.given else []
        return rows.select_columns(["row_id", *self.columns, *further])

    def load_inputs(self, source: Source) -> Dataset:
        from toolkit_review_augmentation.reviews import load_texts

        return load_texts(source)

    def group(self, row: Row) -> str:
        return str(row["group"])

    def slices(self) -> Mapping[str, Callable[[Row], str | None]]:
        return {
            "category": slicing.category,
            "sentiment class": lambda row: None if row["suite"] else str(row["sentiment"]),
            "length": lambda row: slicing.length(row, "text"),
            "edge case": slicing.edge_case,
            "changed text": slicing.changed,
        }


class ReviewSentiment(_ReviewClassification):
    """Whether a review is positive, neutral or negative."""

    name = "review-sentiment"
    summary = "Tell whether a review is positive, neutral or negative"
    primary_metric = "accuracy"
    margin = 0.005
    _stars = False
    metrics = classification_metrics(SENTIMENTS)

    @classmethod
    def recognises(cls, found: Mapping[str, Profile]) -> float:
        from toolkit_review_augmentation.recognising import of_sentiment

        return of_sentiment(found)

    def fit(self, train: Dataset) -> dict[str, Any]:
        present = set(train["sentiment"][:])
        return {"labels": [name for name in SENTIMENTS if name in present]}

    def load_state(self, state: Mapping[str, Any]) -> None:
        super().load_state(state)
        self.metrics = classification_metrics(self.labels)

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": row["text"], "label": row.get("sentiment") or None}

    def reference(self, row: Row) -> str:
        return str(row["sentiment"])

    def fallback(self) -> str:
        return SENTIMENTS[1]

    def baselines(self) -> Mapping[str, Baseline]:
        return baselines.classifiers(
            "sentiment", lambda text, labels: _nearest(rules.stars(text), labels)
        )

    def targets(self) -> Sequence[Target]:
        return (
            Target.metric("Accuracy", 0.90, "accuracy"),
            Target.metric("Accuracy, the original project's best", 0.92, "accuracy"),
            Target.metric("F1, macro, the original project's best", 0.9015, "macro_f1"),
            *slicing.TARGETS,
            Target.spread("Difference between sentiment classes", 0.05, "sentiment class"),
            Target.worst("Edge cases, worst kind", 1 / 3, "edge case", note=slicing.CHANCE),
        )


def _nearest(stars: int, labels: Sequence[str]) -> str:
    """The sentiment of stars; if it is no label, the last label from three stars, else the first.

    Args:
        labels: the sentiments of the training rows, from negative to positive.
    """
    sentiment = sentiment_of(stars)
    return sentiment if sentiment in labels else labels[-1] if stars >= 3 else labels[0]


class ReviewRating(_ReviewClassification):
    """How many stars a review gives."""

    name = "review-rating"
    summary = "Tell how many of five stars a review gives"
    classes = STARS
    ordinal = True
    primary_metric = "mae"
    margin = 0.02
    metrics = ordinal_metrics("stars")

    @classmethod
    def recognises(cls, found: Mapping[str, Profile]) -> float:
        from toolkit_review_augmentation.recognising import of_stars

        return of_stars(found)

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": row["text"], "label": row.get("stars") or None}

    def reference(self, row: Row) -> int:
        return int(row["stars"])

    def fallback(self) -> int:
        return 3

    def baselines(self) -> Mapping[str, Baseline]:
        return baselines.classifiers("stars", lambda text, labels: rules.stars(text), ordered=True)

    def targets(self) -> Sequence[Target]:
        return (
            Target.metric("Within one star", 0.85, "within_one"),
            Target.metric("Within one star, the original project's best", 0.87, "within_one"),
            *slicing.STARS,
        )
