"""Random models of the recipes' architectures at any size, and tasks that fill them with tokens."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from toolkit import (
    CausalLMTask,
    Metric,
    QuestionAnsweringTask,
    Recipe,
    Row,
    Seq2SeqLMTask,
    SequenceClassificationTask,
    Task,
)
from toolkit.testing import models

VOCABULARY = 30_000
ENCODER_VOCABULARY = 2_000
"""Few, because rows of an embedding that no text uses are never read from the file."""
WORDS = 60
"""Words of a row; each is one token or more in the tiny tokenizers."""
EXACT = Metric("exact", lambda p, r: float(p == r))


class _Filled:
    """Rows of equal, known length."""

    columns: ClassVar = {"text": "words", "label": "a word"}
    metrics = (EXACT,)
    primary_metric = "exact"
    summary = "words"
    rows: ClassVar[int] = 32

    def load_rows(self, source: Any) -> Any:
        import datasets

        text = " ".join(["blue lamp with"] * (WORDS // 3))
        rows = [
            {"row_id": i + 1, "text": text, "label": ("red", "green")[i % 2]}
            for i in range(self.rows)
        ]
        return datasets.Dataset.from_list(rows)

    def fallback(self) -> Any:
        return "red"

    def reference(self, row: Row) -> Any:
        return row["label"]


class Words(_Filled, CausalLMTask):
    name = "words"

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"prompt": f"{row['text']}:", "completion": f" {row['label']} " * 3}

    def postprocess(self, output: Any, row: Row) -> Any:
        return output.text.strip()


class Texts(_Filled, Seq2SeqLMTask):
    name = "texts"

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": row["text"], "text_target": f"{row['label']} " * 12}

    def postprocess(self, output: Any, row: Row) -> Any:
        return output.text.strip()


class Classes(_Filled, SequenceClassificationTask):
    name = "classes"

    def format_example(self, row: Row) -> dict[str, Any]:
        return {"text": row["text"], "label": row["label"]}


class Questions(QuestionAnsweringTask):
    name = "questions"
    summary = "words"
    columns: ClassVar = {"question": "a question", "context": "words", "answers": "spans"}
    metrics = (Metric("exact", lambda p, r: float(p["text"] in r["texts"])),)
    primary_metric = "exact"

    def load_rows(self, source: Any) -> Any:
        import datasets

        context = " ".join(["blue lamp with"] * (WORDS // 3))
        answers = {"text": ["lamp"], "answer_start": [5]}
        return datasets.Dataset.from_list(
            [
                {"row_id": i + 1, "question": "which?", "context": context, "answers": answers}
                for i in range(32)
            ]
        )


@dataclass(frozen=True)
class Sized:
    """An architecture with the task and the recipe it is tried with."""

    task: Callable[[], Task]
    recipe: Recipe
    make: Callable[[Path, int], Path]
    """Makes a model in a folder, with that number of layers."""


def make(name: str, folder: Path, millions: float) -> Path:
    """A random model of at least so many million parameters."""
    return SIZED[name].make(folder, _layers(name, millions))


def _layers(name: str, millions: float) -> int:
    kind = name.partition("-")[0]
    per_layer = {"distilbert": 7.08, "bert": 7.08, "t5": 16.5}.get(kind, 12.5)
    embeddings = ENCODER_VOCABULARY * 768 / 1e6 if "bert" in kind else 23
    return max(2, math.ceil((millions - embeddings) / per_layer))


def decoder(kind: str) -> Callable[[Path, int], Path]:
    """A function that makes a Llama or a Phi with the tiny Llama's tokenizer."""

    def made(folder: Path, layers: int) -> Path:
        import transformers

        from toolkit.models import number_tokenizer

        learned = number_tokenizer.train(list(models.LINES) * 4, vocabulary=1500)
        fields = models.decoder_sizes(learned) | {
            "hidden_size": 1024, "intermediate_size": 2752 if kind == "Llama" else 4096,
            "num_hidden_layers": layers, "num_attention_heads": 16, "vocab_size": VOCABULARY,
            "bos_token_id": learned.bos_token_id,
        }  # fmt: skip
        config = getattr(transformers, f"{kind}Config")(**fields)
        return models.saved(folder, getattr(transformers, f"{kind}ForCausalLM"), config, learned)

    return made


def encoder(kind: str) -> Callable[[Path, int], Path]:
    """A function that makes a BERT or a DistilBERT with the tiny BERT's tokenizer."""

    def made(folder: Path, layers: int) -> Path:
        import transformers

        learned = models.letters()
        sizes: Mapping[str, Any] = (
            {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": layers}
            if kind == "Bert"
            else {"dim": 768, "hidden_dim": 3072, "n_layers": layers, "n_heads": 12}
        )
        config = getattr(transformers, f"{kind}Config")(
            **sizes, vocab_size=ENCODER_VOCABULARY, max_position_embeddings=models.LONGEST
        )
        return models.saved(folder, getattr(transformers, f"{kind}Model"), config, learned)

    return made


def encoder_decoder(folder: Path, layers: int) -> Path:
    """A T5 v1.1, as FLAN-T5 is, with the tiny Llama's tokenizer."""
    import transformers

    from toolkit.models import number_tokenizer

    learned = number_tokenizer.train(list(models.LINES) * 4, vocabulary=1500)
    config = transformers.T5Config(
        vocab_size=VOCABULARY, d_model=768, d_kv=64, d_ff=2048, num_heads=12,
        num_layers=layers, num_decoder_layers=layers, feed_forward_proj="gated-gelu",
        tie_word_embeddings=False, decoder_start_token_id=learned.pad_token_id,
        eos_token_id=learned.eos_token_id, pad_token_id=learned.pad_token_id,
    )  # fmt: skip
    return models.saved(folder, transformers.T5ForConditionalGeneration, config, learned)


def _recipe(lora: Mapping[str, Any] | None, **training: Any) -> Recipe:
    quantization = training.pop("quantization", None)
    return Recipe(
        name="sized",
        summary="for measuring",
        model="",
        training={
            "per_device_train_batch_size": 4, "max_steps": 2, "eval_strategy": "steps",
            "eval_steps": 2, "bf16": False, "max_length": 512, "logging_steps": 1,
            "save_total_limit": 1, **training,
        },
        lora=lora,
        quantization=quantization,
        generation={"max_new_tokens": 8},
    )  # fmt: skip


NF4 = {
    "load_in_4bit": True,
    "bnb_4bit_quant_type": "nf4",
    "bnb_4bit_use_double_quant": True,
    "bnb_4bit_compute_dtype": "float32",
}
ATTENTION = {"r": 32, "lora_alpha": 64, "lora_dropout": 0.1,
             "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]}  # fmt: skip
SIZED: dict[str, Sized] = {
    "llama": Sized(
        Words, _recipe({"r": 16, "target_modules": "all-linear"}), decoder("Llama")
    ),
    "llama-nf4": Sized(
        Words,
        _recipe(
            ATTENTION, gradient_checkpointing=True, optim="paged_adamw_8bit", quantization=NF4,
            max_grad_norm=0.3,
        ),
        decoder("Llama"),
    ),
    "phi": Sized(
        Words,
        _recipe({"r": 16, "target_modules": ["q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"]}),
        decoder("Phi"),
    ),
    "distilbert": Sized(
        Questions, _recipe({"r": 16, "target_modules": ["q_lin", "v_lin"]}), encoder("DistilBert")
    ),
    "t5": Sized(Texts, _recipe({"r": 8, "target_modules": ["q", "v"]}), encoder_decoder),
    "bert": Sized(Classes, _recipe(None), encoder("Bert")),
}  # fmt: skip
