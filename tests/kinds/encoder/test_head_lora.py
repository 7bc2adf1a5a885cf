"""Adapters on encoders are saved with all that the base's files lack: plain PEFT reads them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel

from fed_judge import feed
from kinds.encoder.test_first_step import encoder
from kinds.question_answering import test_question_answering as spans
from kinds.sequence_classification import test_sequence_classification as texts
from toolkit.errors import ModelError
from toolkit.kinds.encoder import head, head_lora
from toolkit.runs.files import read_json
from toolkit.testing import models

ALL = {"r": 4, "target_modules": "all-linear"}


def without_pooler(folder: Path) -> Path:
    """A BERT whose file has no pooler, as those that were trained on masked words alone."""
    import transformers

    learned = models.letters()
    config = transformers.BertConfig(
        vocab_size=len(learned), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=512,
    )  # fmt: skip
    return models.saved(folder, transformers.BertForMaskedLM, config, learned)


def made(name: str, place: Path, of: Any, task: Any, lora: Mapping[str, Any]) -> Any:
    folder = place / "model"
    if not folder.exists():
        (without_pooler if name == "masked words" else lambda f: encoder(name, f))(folder)
    kind = of.made(folder) if of is spans else of.made(folder, task)
    kind.recipe = dataclasses.replace(kind.recipe, lora=dict(lora))
    return kind


def trained(kind: Any, of: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train so that the last step is the one that is kept, and not the start."""
    better = kind.task.metric().greater_is_better
    rising = [0.1, 0.2, 0.3, 0.4, 0.5]
    with monkeypatch.context() as patch:
        feed(patch, rising if better else rising[::-1])
        of.train(kind, place)


def logits(kind: Any, *, adapter: bool = True) -> list[np.ndarray]:
    """What the model gives for some rows, by the kind's own forward pass."""
    of = spans if kind.task_type == "QUESTION_ANS" else texts
    pieces = [piece for row in of.SAMPLE for piece in kind.features(row)]
    found: dict[int, np.ndarray] = {}
    for batch, out, _ in kind.forward(pieces, adapter=adapter):
        sides = [out.logits] if of is texts else [out.start_logits, out.end_logits]
        for i, *one in zip(batch, *sides, strict=True):
            found[i] = torch.stack(one).float().numpy()
    return [found[i] for i in sorted(found)]


def difference(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(first, second, strict=True))


def plain(kind: Any, adapter: Path) -> Any:
    """The kind with the adapter as somebody without the toolkit loads it."""
    import transformers

    torch.manual_seed(99)  # another random head
    stored = read_json(adapter / "toolkit.json")["head"]
    if "id2label" in stored:
        stored["id2label"] = {int(i): name for i, name in stored["id2label"].items()}
    base = getattr(transformers, kind.auto_class).from_pretrained(kind.recipe.model, **stored)
    kind.tuned = PeftModel.from_pretrained(base, str(adapter)).eval()
    return kind


CLASSIFIERS = ["masked words", "distilbert", "Roberta", "DebertaV2", "Electra", "ModernBert"]
READERS = ["bert", "distilbert", "ModernBert"]


@pytest.mark.parametrize(
    ("name", "of", "task", "lora"),
    [
        *((name, texts, texts.Wood, ALL) for name in CLASSIFIERS),
        ("distilbert", texts, texts.Price, ALL),
        *((name, spans, None, ALL) for name in READERS),
        # Layers of the head that a recipe names itself.
        ("distilbert", texts, texts.Wood, {"r": 4, "target_modules": ["q_lin", "pre_classifier"]}),
        ("bert", spans, None, {"r": 4, "target_modules": ["query", "qa_outputs"]}),
        ("Roberta", texts, texts.Wood,
         {"r": 4, "target_modules": ["query"], "modules_to_save": ["classifier.dense"]}),
        ("distilbert", texts, texts.Price,
         {"r": 4, "target_modules": ["q_lin"], "modules_to_save": ["pre_classifier"]}),
        # What changes the base's own weights.
        ("masked words", texts, texts.Wood, {**ALL, "bias": "all"}),
        ("bert", texts, texts.Wood, {**ALL, "init_lora_weights": "pissa"}),
        ("bert", spans, None, {"r": 4, "target_modules": ["query"], "bias": "lora_only",
                               "modules_to_save": ["word_embeddings"]}),
    ],
)  # fmt: skip
def test_an_adapter_is_whole_and_its_base_untouched(
    name: str, of: Any, task: Any, lora: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = made(name, tmp_path, of, task, lora)
    kind.fit_base(of.rows(64), tmp_path)
    base = logits(kind, adapter=False)
    trained(kind, of, tmp_path, monkeypatch)
    tuned = logits(kind)
    assert difference(tuned, base) > 1e-3
    assert difference(logits(kind, adapter=False), base) < 1e-5  # beside the adapter
    other = made(name, tmp_path, of, task, lora)
    other.seed = 7
    other.load_base(tmp_path)
    other.load_adapter(tmp_path / "adapter")
    assert difference(logits(other), tuned) < 1e-3
    assert difference(logits(other, adapter=False), base) < 1e-5
    assert difference(logits(plain(other, tmp_path / "adapter")), tuned) < 1e-3
    kind.drop_adapter()  # as before the next training seed
    assert difference(logits(kind, adapter=False), base) < 1e-5


def test_an_adapter_on_the_head_alone_is_refused_in_words(tiny_bert: Path, tmp_path: Path) -> None:
    kind = texts.made(tiny_bert)
    kind.recipe = dataclasses.replace(kind.recipe, lora={"r": 4, "target_modules": ["classifier"]})
    with pytest.raises(ModelError, match="LoRA does not fit this model: No modules were targeted"):
        texts.train(kind, tmp_path)


def test_what_a_recipe_excludes_stays_excluded(tiny_bert: Path) -> None:
    kind = texts.made(tiny_bert)
    kind.load()
    given = {"exclude_modules": ["key"], "modules_to_save": ["pooler.dense"]}
    found = head_lora.fields(given, kind.model, ["classifier"], "SEQ_CLS")
    assert found["exclude_modules"] == ["key", "classifier"]
    assert found["modules_to_save"] == ["pooler.dense"]
    pattern = head_lora.fields({"exclude_modules": ".*key"}, kind.model, ["classifier"], "SEQ_CLS")
    assert pattern["exclude_modules"] == ".*key" and pattern["modules_to_save"] is None


def test_the_layers_of_a_head_are_found_without_its_files(tmp_path: Path) -> None:
    kind = texts.made(encoder("distilbert", tmp_path / "model"))
    kind.load()
    assert head.new_modules(kind.model) == ["pre_classifier", "classifier"]
