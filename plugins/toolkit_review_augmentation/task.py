"""The task ``review-augmentation``: a causal LM answers five instructions about a review."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit import Baseline, CausalLMTask, Generated, Panel, Recipe, Row, Target
from toolkit.kinds import smollm2_recipe
from toolkit_review_augmentation import baselines, examples, instructions, metrics, slicing, texts
from toolkit_review_augmentation.reviews import Sizes, load, load_texts

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit import Source

EMBEDDED = Recipe(
    name="embedded",
    summary="the embedded model of 3 million parameters; training ends after eight minutes at most",
    model="embedded:causal-lm",
    training={
        # Counted in reviews, each with its five examples (see `joined`).
        "per_device_train_batch_size": 4,
        # As much as fits into the minutes below: if time ran out before the learning rate has
        # fallen to zero, the gain of its last part would be lost.
        "num_train_epochs": 1.5,
        "learning_rate": 2e-3,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.03,
        "weight_decay": 0.0,
        "eval_strategy": "epoch",
        "logging_steps": 10,
        "bf16": True,
        "max_length": 512,
        "model_init_kwargs": {"dtype": "float32", "attn_implementation": "eager"},
    },
    lora={
        "r": 32,
        "lora_alpha": 64,
        "lora_dropout": 0.0,
        "target_modules": [
            "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
        ],
    },
    generation={"max_new_tokens": 72},
    early_stopping={"early_stopping_patience": 3, "minutes": 8},
)  # fmt: skip

SMOLLM2 = smollm2_recipe(
    summary="SmolLM2-135M-Instruct on some hundred reviews; sized for half an hour on two cores",
    training={
        # Counted in reviews, each with its five examples (see `joined`).
        "per_device_train_batch_size": 4,
    },
    generation={"max_new_tokens": 72},
    rows={"train": 3_600, "validation": 50, "test": 240, "challenge": 120},
)

TINYLLAMA = Recipe(
    name="tinyllama-1.1b",
    summary="TinyLlama 1.1B Chat, r 16 on all linear modules, 2 × 4; needs a GPU of 8 GB",
    model="TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    training={
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 4,
        "num_train_epochs": 50,
        "learning_rate": 2e-4,
        "warmup_steps": 100,
        "weight_decay": 0.01,
        "optim": "adamw_torch",
        "eval_strategy": "epoch",
        "logging_steps": 10,
        "bf16": True,
        "max_length": 512,
    },
    lora={
        "r": 16,
        "lora_alpha": 32,
        "target_modules": [
            "q_proj", "v_proj", "k_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
        ],
    },
    generation={"max_new_tokens": 128},
    early_stopping={"early_stopping_patience": 10},
    sources={
        "model": "the original project's specification: TinyLlama-1.1B-Chat-v1.0",
        "training.per_device_train_batch_size": "the original project's specification: 2",
        "training.gradient_accumulation_steps": "the original project's specification: 4",
        "training.num_train_epochs": "the original project's specification: 50, stopped at 35",
        "training.learning_rate": "the original project's specification: 2e-4",
        "training.warmup_steps": "the original project's specification: 100",
        "training.weight_decay": "the original project's specification: 0.01",
        "training.optim": "the original project's specification: AdamW",
        "training.eval_strategy": "the original project's specification: judged by epochs",
        "training.logging_steps": "ours",
        "training.bf16": "ours: what its RTX 3080 computes in",
        "training.max_length": "the original project's specification: 512",
        "lora.r": "the original project's specification: 16",
        "lora.lora_alpha": "the original project's specification: 32",
        "lora.target_modules": "the original project's specification: all seven linear ones",
        "generation.max_new_tokens": "ours; the original project has 150 tokens with the prompt",
        "early_stopping.early_stopping_patience": "the original project's specification: 10 epochs",
        "task.train_reviews": "the original project's specification: 500 reviews",
        "task.joined": "ours: the original project counts batches in examples",
    },
    # As in the original project: 500 reviews, and batches counted in examples.
    task={"train_reviews": 500, "joined": False},
)  # fmt: skip

TARGETS = (
    Target.metric("Sentiment accuracy", 0.90, "sentiment_accuracy"),
    Target.metric("Sentiment accuracy, the original project's best", 0.92, "sentiment_accuracy"),
    Target.metric("Rating within one star", 0.85, "rating_within_one"),
    Target.metric("Rating within one star, the original project's best", 0.87, "rating_within_one"),
    Target.metric("Features, F1", 0.80, "features_f1"),
    Target.metric("Features, F1, the original project's best", 0.84, "features_f1"),
    Target.metric("Completeness", 0.85, "completeness"),
    Target.metric("Completeness, the original project's best", 0.89, "completeness"),
    Target.metric("Domain specificity", 0.70, "domain_specificity"),
    Target.metric("Domain specificity, the original project's best", 0.76, "domain_specificity"),
    Target.spread("Difference between sentiment classes", 0.05, "sentiment class"),
    Target.worst("Edge cases, worst kind", 1 / 3, "edge case", note=slicing.CHANCE),
    *slicing.TARGETS,
)
"""The original project's targets, and its own best results."""


class ReviewAugmentation(CausalLMTask):
    """Answer questions on a review: sentiment, quality, recommendation, features, summary."""

    api_version = 2
    name = "review-augmentation"
    summary = "Answer five instructions on a product review"
    columns = {
        "review": "the review",
        "question": "the instruction in one of its wordings",
        "instruction": "sentiment, quality, recommendation, features or summary",
        "answer": "the gold answer",
        "source": "where the answer comes from: facts, rating, rules or teacher",
        "stars": "1 to 5; 0 if unknown",
        "sentiment": "negative, neutral or positive",
        "opinions": "aspect=level for each aspect that the review judges",
        "category": "of the product; empty if unknown",
        "group": "the same for all examples of one review",
        "suite": "empty; for challenge rows, what makes them hard",
    }
    metrics = metrics.metrics(embeddings=texts.has_encoder())
    primary_metric = "answer_score"
    margin = 0.01
    truncate = "review"
    recipes = (EMBEDDED, SMOLLM2, TINYLLAMA)
    options = {"train_reviews": 3_200, "test_reviews": 240, "shots": 0, "joined": True}
    panel = Panel(
        inputs={"review": "Review", "question": "Question"},
        examples=tuple(
            {"review": "The battery is great but the strap is poor. I had expected more.",
             "question": wordings[0]}
            for wordings in instructions.WORDINGS.values()
        ),
    )  # fmt: skip

    # -- data ------------------------------------------------------------------------------------
    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        texts.require_lemmas()  # before any training, not when the first answer is scored
        sizes = Sizes.of(self.options, validation=80)
        return examples.of_reviews(load(source, sizes, stars=False), source)

    def load_inputs(self, source: Source) -> Dataset:
        return examples.questions_on(load_texts(source))

    def group(self, row: Row) -> str:
        return str(row["group"])

    @property
    def few_shot(self) -> int:  # type: ignore[override]
        """Number of solved examples in the few-shot baseline's prompt (``--set task.shots=3``).

        It is 0 by default: the embedded model was not trained to follow examples, and they do not
        improve it.
        """
        return int(self.options["shots"])

    @property
    def joined(self) -> bool:  # type: ignore[override]
        """Whether the five examples of a review are trained as one sequence (``task.joined``)."""
        return bool(self.options["joined"])

    def fit(self, train: Dataset) -> dict[str, Any]:
        return {"domain_terms": metrics.domain_terms(dict.fromkeys(train["review"][:]))}

    def load_state(self, state: Mapping[str, Any]) -> None:
        super().load_state(state)
        self.metrics = metrics.metrics(
            self.state.get("domain_terms", ()), embeddings=texts.has_encoder()
        )

    # -- prompt and answer -------------------------------------------------------------------------
    def format_example(self, row: Row) -> dict[str, Any]:
        prompt = instructions.PROMPT.format(review=row["review"], question=row["question"])
        answer = row.get("answer")
        return {"prompt": prompt, "completion": f" {answer}" if answer else ""}

    def postprocess(self, output: Generated, row: Row) -> str | None:
        instruction = instructions.instruction_of(row["question"])
        text = instructions.without_repeats(instruction, output.text.strip())
        return text if instructions.readable(instruction, text) else None

    def answer_tokens(self, row: Row) -> int | None:
        # Generous, since tokenizers differ; a word has a few tokens at most.
        return {"sentiment": 6, "recommendation": 24}.get(
            instructions.instruction_of(row["question"])
        )

    def fallback(self) -> str:
        return ""

    def reference(self, row: Row) -> dict[str, Any]:
        return {
            "instruction": row["instruction"],
            "question": row["question"],
            "answer": row["answer"],
            "stars": row["stars"],
            "features": [opinion.rpartition("=")[0] for opinion in row["opinions"]],
        }

    # -- judging -----------------------------------------------------------------------------------
    def baselines(self) -> Mapping[str, Baseline]:
        return baselines.ladder()

    def controls(self) -> Mapping[str, Baseline]:
        return baselines.controls()

    def slices(self) -> Mapping[str, Callable[[Row], str | None]]:
        return {
            "category": slicing.category,
            "sentiment class": _class,
            "length": lambda row: slicing.length(row, "review"),
            "instruction": lambda row: row["instruction"] if not row["suite"] else None,
            "edge case": slicing.edge_case,
            "changed text": slicing.changed,
        }

    def categories(self) -> Sequence[str]:
        return instructions.SENTIMENTS

    def category(self, value: Any) -> str | None:
        return metrics.sentiment_in(value)

    def targets(self) -> Sequence[Target]:
        return TARGETS


def _class(row: Row) -> str | None:
    """The gold sentiment of rows that ask for it, on which the answer score is the accuracy."""
    return row["sentiment"] if row["instruction"] == "sentiment" and not row["suite"] else None
