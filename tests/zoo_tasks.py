"""The tasks of the zoo: rows of made-up offers, one task for each way to answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import tiny_tasks
from toolkit import (
    CausalLMTask,
    Generated,
    Metric,
    QuestionAnsweringTask,
    Recipe,
    Row,
    SequenceRegressionTask,
    Source,
    Task,
)

CODES = ("amber", "basil", "cedar", "delta", "ember", "fable", "grove", "heron")
SUBJECTS = ("red cup", "blue lamp", "green chair", "white desk")


def _recipe(**training: Any) -> Recipe:
    return Recipe(
        "zoo", "for the zoo", "",
        training={"max_length": 160, "learning_rate": 2e-3, **training},
        lora={"r": 8, "lora_alpha": 16, "target_modules": "all-linear"},
        generation={"max_new_tokens": 6},  # a random model goes on to the limit
    )  # fmt: skip


class Codes(CausalLMTask):
    """A word for each offer and number, in a plain prompt."""

    api_version = 2
    name = "codes"
    summary = "words of made-up offers"
    columns: ClassVar = {"text": "the offer", "code": "its word"}
    answer = "code"
    metrics = (Metric("exact", lambda p, r: float(p == r)),)
    primary_metric = "exact"
    recipes = (_recipe(),)
    options: ClassVar = {}

    def load_rows(self, source: Source) -> Any:
        import datasets

        return datasets.Dataset.from_list(code_rows(64))

    def group(self, row: Row) -> str:
        return str(row["text"])

    def format_example(self, row: Row) -> dict[str, Any]:
        answer = f" {row['code']}" if "code" in row else ""
        return {"prompt": f"{row['text']} is called", "completion": answer}

    def postprocess(self, output: Generated, row: Row) -> str | None:
        return output.text.strip() or None

    def fallback(self) -> str:
        return "none"

    def reference(self, row: Row) -> str:
        return str(row["code"])


class ChatCodes(Codes):
    """The same in a chat."""

    name = "chat-codes"

    def format_example(self, row: Row) -> dict[str, Any]:
        return {
            "prompt": [{"role": "user", "content": f"What is {row['text']} called?"}],
            "completion": [{"role": "assistant", "content": row.get("code", "")}],
        }


class Prices(tiny_tasks.TinyPrices):
    recipes = (_recipe(),)


class Offers(tiny_tasks.TinyOffers):
    recipes = (_recipe(max_target_length=48),)


class Goods(tiny_tasks.TinyGoods):
    recipes = (_recipe(),)


class Pieces(SequenceRegressionTask):
    """How many pieces are offered, as a number."""

    api_version = 2
    name = "pieces"
    summary = "pieces of made-up offers"
    columns: ClassVar = {"text": "the offer", "pieces": "how many"}
    truncate: ClassVar = "text"
    metrics = (Metric("mae", lambda p, r: abs(p - r), greater_is_better=False),)
    primary_metric = "mae"
    recipes = (_recipe(),)

    def load_rows(self, source: Source) -> Any:
        import datasets

        rows = [
            {"text": row["text"], "pieces": float(row["text"].split()[-1])}
            for row in tiny_tasks.price_rows()
        ]
        return datasets.Dataset.from_list(rows)

    def text(self, row: Row) -> str:
        return str(row["text"])

    def to_scale(self, row: Row) -> float | None:
        return row.get("pieces")

    def from_scale(self, number: float) -> float:
        return number

    def group(self, row: Row) -> str:
        return str(row["text"])

    def reference(self, row: Row) -> float:
        return float(row["pieces"])


class Spans(QuestionAnsweringTask):
    """Which good is offered, as a span of the offer."""

    api_version = 2
    name = "spans"
    summary = "spans of made-up offers"
    columns: ClassVar = {"question": "", "context": "the offer", "answers": "spans of it"}
    metrics = (Metric("exact", lambda p, r: float(p["text"] in r["texts"])),)
    primary_metric = "exact"
    recipes = (_recipe(max_answer_tokens=8),)

    def load_rows(self, source: Source) -> Any:
        import datasets

        rows = []
        for row in tiny_tasks.price_rows():
            at = row["text"].index(row["good"])
            answers = {"text": [row["good"]], "answer_start": [at]}
            rows.append({"question": "which good?", "context": row["text"], "answers": answers})
        return datasets.Dataset.from_list(rows)


def code_rows(number: int) -> list[dict[str, Any]]:
    """So many offers, each with a word that follows from nothing."""
    return [
        {
            "row_id": n + 1,
            "text": f"{SUBJECTS[n % len(SUBJECTS)]} {n}",
            "code": CODES[(n * 5 + n // 3) % len(CODES)],
        }
        for n in range(number)
    ]


TASKS: Mapping[str, type[Task]] = {
    "plain": Codes,
    "chat": ChatCodes,
    "number": Prices,
    "seq2seq": Offers,
    "classes": Goods,
    "regression": Pieces,
    "spans": Spans,
}
