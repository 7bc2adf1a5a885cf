"""What the Hub wants to know of a model: its base, its library, and what it does."""

from __future__ import annotations

from pathlib import Path

from toolkit.models import hub_id

PIPELINES = {
    "causal-lm": "text-generation",
    "seq2seq-lm": "text2text-generation",
    "sequence-classification": "text-classification",
    "question-answering": "question-answering",
    "token-classification": "token-classification",
}
"""The Hub's names of what models of each kind do."""
LIBRARIES = {"adapter": "peft", "merged": "transformers", "gguf": "gguf", "onnx": "onnx"}
"""The Hub's names of what loads each form; an "adapter" that is a whole model is transformers'."""

CLASSES = {
    "causal-lm": "AutoModelForCausalLM",
    "seq2seq-lm": "AutoModelForSeq2SeqLM",
    "sequence-classification": "AutoModelForSequenceClassification",
    "question-answering": "AutoModelForQuestionAnswering",
    "token-classification": "AutoModelForTokenClassification",
}
"""The classes of transformers that load models of each kind."""


def shown(model: str) -> str:
    """What a base is called elsewhere: of a path of this machine its last part."""
    return model if hub_id(model) or "/" not in model else Path(model).name
