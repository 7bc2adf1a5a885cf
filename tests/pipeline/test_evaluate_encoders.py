"""Encoders with a head that transformers' ``Trainer`` and PEFT left, and encoder–decoders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import evaluations as judging
from toolkit.errors import ModelError

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning"),
    pytest.mark.usefixtures("no_charts"),
]

SORTS = 'kind = "sequence-classification"\ntext = "{text}"\ntarget = "label"\n'
SPANS = 'kind = "question-answering"\n'
PAIRS = 'kind = "seq2seq-lm"\ntext = "{q}"\ntarget = "a"\n[recipe.generation]\nmax_new_tokens = 6\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tasks and their rows, 200 test rows each."""
    folder = tmp_path_factory.mktemp("heads")
    (folder / "sorts.toml").write_text(SORTS)
    order = json.dumps(list(judging.CLASSES))
    (folder / "ordered.toml").write_text(f"{SORTS}classes = {order}\n")
    (folder / "spans.toml").write_text(SPANS)
    (folder / "pairs.toml").write_text(PAIRS)
    judging.sorts(folder / "train.csv", 150, 1)
    judging.sorts(folder / "test.csv", 200, 2)
    judging.spans(folder / "train.json", 100, 1)
    judging.spans(folder / "test.json", 200, 2)
    judging.questions(folder / "q-train.csv", range(40))
    judging.questions(folder / "q-test.csv", range(100, 150))
    return folder


@pytest.fixture(scope="module")
def whole(place: Path, tiny_bert: Path) -> Path:
    """A classifier of all parameters, with the names of its classes in another order."""
    return judging.plain_classifier(tiny_bert, place / "whole", place / "train.csv", lora=False)


def _classified(model: Any, tokenizer: Any, rows: list[dict[str, str]]) -> list[str]:
    """What plain transformers makes of texts."""
    import torch

    found = []
    for row in rows:
        with torch.inference_mode():
            logits = model(**tokenizer(row["text"], return_tensors="pt")).logits
        found.append(judging.CLASSES[int(logits.argmax())])
    return found


def test_a_classifier_answers_as_in_plain_transformers(
    place: Path, whole: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    rows = judging.read(place / "test.csv")
    model = AutoModelForSequenceClassification.from_pretrained(whole).eval()
    expected = _classified(model, AutoTokenizer.from_pretrained(whole), rows)
    assert len(set(expected)) > 1
    found = judging.judge(
        place / "sorts.toml", [whole], place / "test.csv", tmp_path / "runs", base=tiny_bert
    )
    assert list(found.predictions("full").values()) == expected
    right = [answer == row["label"] for answer, row in zip(expected, rows, strict=True)]
    assert found.figure("full") == pytest.approx(sum(right) / len(right))
    # The base of an encoder is a linear probe, which is fitted to training rows.
    assert "--train" in found.metrics["absent"]["base"]


def test_training_rows_give_the_base_and_the_baselines(
    place: Path, whole: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    found = judging.judge(
        place / "ordered.toml", [whole], place / "test.csv", tmp_path / "runs", base=tiny_bert,
        train=place / "train.csv",
    )  # fmt: skip
    assert {"full", "base", "mean-probe", "tfidf-logistic"} <= set(found.metrics["systems"])
    assert found.metrics["verdict"]["worth_it"] in (True, False, None)
    assert not found.metrics["absent"]


def test_an_adapter_with_a_head_answers_as_in_plain_peft(
    place: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    adapter = judging.plain_classifier(tiny_bert, tmp_path / "lora", place / "train.csv", lora=True)
    base = AutoModelForSequenceClassification.from_pretrained(tiny_bert, num_labels=3)
    model = PeftModel.from_pretrained(base, str(adapter)).eval()
    rows = judging.read(place / "test.csv")
    expected = _classified(model, AutoTokenizer.from_pretrained(tiny_bert), rows)
    found = judging.judge(place / "ordered.toml", [adapter], place / "test.csv", tmp_path / "runs")
    assert list(found.predictions("adapter").values()) == expected


@pytest.mark.parametrize("named", [True, False])
def test_classes_that_cannot_be_told_are_refused(
    named: bool, place: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    folder = judging.plain_classifier(
        tiny_bert, tmp_path / "m", place / "train.csv", lora=False, named=named
    )
    if named:
        config = json.loads((folder / "config.json").read_text())
        config["id2label"]["0"] = "boat"
        (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError) as refused:
        judging.judge(
            place / "sorts.toml", [folder], place / "test.csv", tmp_path / "runs", base=tiny_bert
        )
    said = str(refused.value)
    assert ("'boat'" in said and "'shop'" in said) if named else "does not say which" in said


def test_a_run_of_the_toolkit_keeps_its_figures(
    place: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    run = judging.trained_here(
        place / "ordered.toml", tiny_bert, place / "train.csv", place / "test.csv",
        tmp_path / "here",
    )  # fmt: skip
    plain = judging.stripped(run.path, tmp_path / "plain")
    for name in (plain, run.path / "adapter"):
        found = judging.judge(
            place / "ordered.toml", [name], place / "test.csv", tmp_path / "runs", base=tiny_bert,
            train=place / "train.csv", sets=["training.max_length=128"],
        )  # fmt: skip
        for system in ("adapter", "base", "mean-probe"):
            assert found.predictions(system) == run.predictions(system)
            assert found.figure(system) == run.figure(system)


def test_a_model_for_spans_answers_as_in_plain_transformers(
    place: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    folder = judging.plain_reader(tiny_bert, tmp_path / "spans", place / "train.json")
    found = judging.judge(
        place / "spans.toml", [folder], place / "test.json", tmp_path / "runs", base=tiny_bert
    )
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    expected = []
    for document in json.loads((place / "test.json").read_text())["data"]:
        context = document["paragraphs"][0]["context"]
        read = tokenizer("which good?", context, return_tensors="pt")
        with torch.inference_mode():
            out = model(**read)
        start, end = int(out.start_logits.argmax()), int(out.end_logits.argmax())
        span = [read.token_to_chars(at) for at in (start, end)]
        expected.append(context[span[0].start : span[1].end] if all(span) else "")
    got = [answer["text"] for answer in found.predictions("full").values()]
    assert sum(a == b for a, b in zip(got, expected, strict=True)) >= 190
    assert "nearest-sentence" in found.metrics["systems"]  # it needs no training rows


def test_an_encoder_decoder_keeps_its_figures(place: Path, tiny_t5: Path, tmp_path: Path) -> None:
    run = judging.trained_here(
        place / "pairs.toml", tiny_t5, place / "q-train.csv", place / "q-test.csv",
        tmp_path / "here",
    )  # fmt: skip
    plain = judging.stripped(run.path, tmp_path / "plain")
    found = judging.judge(
        place / "pairs.toml", [plain], place / "q-test.csv", tmp_path / "runs", base=tiny_t5,
        sets=["training.max_length=128"],
    )  # fmt: skip
    assert found.predictions("adapter") == run.predictions("adapter")
    assert found.predictions("base") == run.predictions("base")
    assert found.figure("adapter") == run.figure("adapter")
