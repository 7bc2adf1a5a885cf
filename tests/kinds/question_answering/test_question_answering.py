"""The question-answering kind: windows, answers, training, and several adapters at once."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset, DatasetDict

from toolkit import Metric, QuestionAnsweringTask, Recipe
from toolkit.errors import ModelError, RecipeError, UsageError
from toolkit.kinds.question_answering.model import QuestionAnswering
from toolkit.kinds.question_answering.outputs import Answered, Span
from toolkit.kinds.question_answering.task import null_threshold
from toolkit.kinds.watching import TrainingWatch

WORDS = "red blue cup lamp chair desk green white bed 7 460 which dollars price".split()


class Colours(QuestionAnsweringTask):
    """Where is the word "is"?"""

    name = "colours"
    summary = "find a word"
    columns = {"id": "", "question": "", "context": "", "answers": ""}
    metrics = (Metric("exact", lambda p, r: float(p["text"] in (r["texts"] or [""]))),)
    primary_metric = "exact"
    recipes = ()
    options = {"decoder": None, "ensemble": 0}

    def load_rows(self, source: Any) -> Dataset:
        return rows(40)


def rows(n: int, seed: int = 0, words: int = 12) -> Dataset:
    random = np.random.default_rng(seed)
    made = []
    for i in range(n):
        context = random.choice(WORDS, size=words).tolist()
        at = int(random.integers(0, words))
        answers: dict[str, list[Any]] = {"text": [], "answer_start": []}
        if i % 4:
            context[at] = "is"
            answers = {
                "text": ["is"],
                "answer_start": [len(" ".join(["", *context[:at], ""])) - 1],
            }
        made.append(
            {
                "row_id": i + 1,
                "id": str(i),
                "question": "which colour is it?",
                "context": " ".join(context),
                "answers": answers,
            }
        )
    return Dataset.from_list(made)


def recipe(model: Path, *, full: bool = False, **training: Any) -> Recipe:
    fields = {
        "per_device_train_batch_size": 8, "max_steps": 4, "learning_rate": 1e-2,
        "eval_strategy": "steps", "eval_steps": 2, "logging_steps": 1, "max_length": 64,
        "max_answer_tokens": 8, "doc_stride": 16,
    }  # fmt: skip
    lora = None if full else {"r": 4, "target_modules": ["query", "value"], "lora_dropout": 0.1}
    return Recipe("tiny", "tiny", str(model), training={**fields, **training}, lora=lora)


def made(model: Path, *, full: bool = False, ensemble: int = 0, **training: Any) -> Any:
    task = Colours()
    task.options["ensemble"] = ensemble
    return QuestionAnswering(task, recipe(model, full=full, **training))


def train(kind: QuestionAnswering, folder: Path) -> Any:
    splits = DatasetDict({"train": rows(48), "validation": rows(16, seed=1)})
    return kind.train(
        splits, checkpoints=folder / "checkpoints", adapter=folder / "adapter",
        watch=TrainingWatch(),
    )  # fmt: skip


SAMPLE = [dict(row) for row in rows(9, seed=2)]


def spans(outputs: list[Answered]) -> list[list[tuple[int, int]]]:
    return [[(s.start, s.end) for s in output.spans] for output in outputs]


# -- windows and training rows -------------------------------------------------------------------
def test_the_answer_is_labelled_where_it_stands_in_every_window_that_has_it_whole(tiny_bert):
    kind = made(tiny_bert, max_length=40, doc_stride=16)
    for row in rows(12, words=40):
        labelled = kind._labelled(row)
        assert len(labelled) >= 3
        texts = row["answers"]["text"]
        holding = [one for one in labelled if one[1] != (0, 0)]
        assert bool(holding) == bool(texts)
        for piece, (start, end) in holding:
            ids = piece.features["input_ids"]
            assert len(ids) <= 40
            assert kind.tokenizer.decode(ids[start : end + 1]).replace(" ", "") == texts[0]


def test_of_windows_without_the_answer_few_are_trained_on(tiny_bert):
    kind = made(tiny_bert, max_length=40)
    long = rows(8, words=200)
    trained_on = [kind._trained_on(row) for row in long]
    assert all(sum(labels == (0, 0) for _, labels in one) == 2 for one in trained_on)
    table = kind.tokenized(long)
    assert len(table) == sum(map(len, trained_on))
    assert {"input_ids", "token_type_ids", "labels", "row_id"} == set(table.column_names)
    pairs = zip(long, trained_on, strict=True)
    assert table["row_id"][:] == [r["row_id"] for r, one in pairs for _ in one]


def test_the_report_shows_the_answer_among_the_tokens(tiny_bert):
    kind = made(tiny_bert)
    row = rows(4)[1]
    shown = kind.explain(row)
    assert "".join(t["text"] for t in shown if t["loss"]).strip() == row["answers"]["text"][0]
    assert "no answer" in kind.target_of(rows(4)[0])
    assert "start on token" in kind.target_of(row)


def test_answers_that_cannot_be_given_whole_are_a_caution_before_training(tiny_bert):
    short = Dataset.from_list([dict(row) for row in rows(8)])
    assert made(tiny_bert).cautions(short) == []
    context = "red blue cup lamp chair desk green white bed is here"
    long = {**short[1], "context": context,
            "answers": {"text": ["blue cup lamp chair desk"], "answer_start": [4]}}  # fmt: skip
    (said,) = made(tiny_bert, max_answer_tokens=4).cautions(Dataset.from_list([*short, long]))
    assert said.startswith("1 of 7 answers (14.3%) have more than 4 tokens")
    # The word "cup" is none of the vocabulary's and takes three tokens.
    assert "the longest has 7" in said and "training.max_answer_tokens" in said


def test_texts_of_private_rows_are_not_kept(tiny_bert):
    kind = made(tiny_bert)
    kind.private = True
    kept = kind.keepable(SAMPLE[1])
    assert kept["answers"]["text"] == [] and kept["context"] == "an example"
    assert kind.features(kept)


def test_what_leaves_no_room_is_refused(tiny_bert):
    with pytest.raises(RecipeError, match="leaves no room"):
        made(tiny_bert, max_length=4).features(SAMPLE[0])
    with pytest.raises(RecipeError, match="at least 1"):
        made(tiny_bert, max_answer_tokens=0).features(SAMPLE[0])


def test_a_tokenizer_without_a_first_special_token_is_refused(tiny_qwen):
    with pytest.raises(ModelError, match="no special token before a question"):
        made(tiny_qwen).features(SAMPLE[0])


# -- prediction ----------------------------------------------------------------------------------
def test_spans_are_of_the_context_and_probabilities_of_one_whole(tiny_bert):
    for row, output in zip(SAMPLE, made(tiny_bert).predict(SAMPLE, adapter=False), strict=True):
        assert len(output.spans) == 5
        shares = [span.probability for span in output.spans]
        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) + output.no_answer <= 1 + 1e-9
        assert all(row["context"][s.start : s.end] == s.text != "" for s in output.spans)
        assert output.detail["spans"][0]["text"] == output.spans[0].text


def test_probabilities_are_the_softmax_over_all_spans(tiny_bert):
    import torch

    kind = made(tiny_bert, max_answer_tokens=3)
    row = SAMPLE[0]
    (output,) = kind.predict([row], adapter=False)
    (piece,) = kind._read(row).pieces
    with torch.inference_mode():
        read = {k: torch.tensor([v]) for k, v in piece.features.items() if k not in kind.unread}
        out = kind.model(**read)
    starts, ends = (side[0].double().numpy() for side in (out.start_logits, out.end_logits))
    at, stop = piece.offset, piece.offset + piece.window.stop
    scores = [
        starts[i] + ends[j] for i in range(at, stop) for j in range(i, min(i + 3, stop))
    ]  # fmt: skip
    null = starts[0] + ends[0]
    total = math.log(sum(map(math.exp, [*scores, null])))
    assert output.spans[0].probability == pytest.approx(math.exp(max(scores) - total), rel=1e-4)
    assert output.no_answer == pytest.approx(math.exp(null - total), rel=1e-4)
    assert output.margin == pytest.approx(null - max(scores), abs=1e-4)


def test_a_word_at_any_place_of_a_long_context_can_be_found(tiny_bert, monkeypatch):
    """The head is replaced by one that knows one word: its spans do not depend on the windows."""
    kind = made(tiny_bert, max_length=48, doc_stride=16)
    token = kind.tokenizer.convert_tokens_to_ids("red")

    def knowing(pieces, adapter):
        for i, piece in enumerate(pieces):
            hits = np.array([5.0 * (t == token) for t in piece.features["input_ids"]])
            yield i, np.stack([hits, hits]), 0.0

    monkeypatch.setattr(kind, "_logits", knowing)
    for place in (0, 1, 17, 30, 31, 32, 33, 47, 99, 198, 199):
        words = ["blue"] * 200
        words[place] = "red"
        row = {**SAMPLE[0], "context": " ".join(words)}
        (output,) = kind.predict([row], adapter=False)
        best = output.spans[0]
        assert (best.text, best.start) == ("red", 5 * place)
        assert output.spans[1].score < best.score


def test_the_batch_does_not_change_an_answer(tiny_bert, monkeypatch, tmp_path):
    kind = made(tiny_bert)
    train(kind, tmp_path)
    mixed = [*SAMPLE, *(dict(row) for row in rows(3, seed=3, words=90))]
    sizes: list[int] = []
    forward = kind._forward
    monkeypatch.setattr(
        kind, "_forward", lambda read, *rest: (sizes.append(len(read)), forward(read, *rest))[1]
    )
    together = kind.predict(mixed, adapter=True)
    assert max(sizes) > 4
    sizes.clear()
    monkeypatch.setattr("toolkit.kinds.batching.MAX_BATCH", 1)
    alone = kind.predict(mixed, adapter=True)
    assert set(sizes) == {1}
    assert spans(together) == spans(alone)
    for decode in kind.task.decoders().values():
        for row, one, other in zip(mixed, together, alone, strict=True):
            assert decode(one, row, {}) == decode(other, row, {})
    for a, b in zip(together, alone, strict=True):
        assert a.margin == pytest.approx(b.margin, abs=1e-4)


def test_windows_are_held_a_few_at_a_time(tiny_bert, monkeypatch):
    """However many rows there are, no more than PIECES windows and one row's are held."""
    kind = made(tiny_bert, max_length=48)
    held: list[int] = []
    answers = kind._answers
    monkeypatch.setattr(
        kind, "_answers", lambda read, adapter: (
            held.append(sum(len(r.pieces) for r in read)), answers(read, adapter))[1]
    )  # fmt: skip
    monkeypatch.setattr("toolkit.kinds.question_answering.model.PIECES", 10)
    many = [dict(row) for row in rows(12, words=60)]
    ran_alone = [kind.predict([row], adapter=False)[0] for row in many]
    held.clear()
    assert spans(kind.predict(many, adapter=False)) == spans(ran_alone)
    assert len(held) > 3 and max(held) < 10 + max(len(kind.features(row)) for row in many)


@pytest.fixture(scope="module")
def wide_bert(tmp_path_factory, tiny_bert) -> Path:
    """Wide enough that the states of all windows at once would be hundreds of megabytes."""
    from transformers import AutoTokenizer, BertConfig, BertModel

    from toolkit.testing import models

    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=256, intermediate_size=1024, num_hidden_layers=1,
        num_attention_heads=4, max_position_embeddings=512,
    )  # fmt: skip
    return models.saved(tmp_path_factory.mktemp("models") / "wide", BertModel, config, tokenizer)


def peak_of(work) -> tuple[Any, float]:
    """What a function returns, and by how many MiB memory rose above what it was, at most."""
    import gc
    import threading

    import psutil

    gc.collect()
    process, done = psutil.Process(), threading.Event()
    before = highest = process.memory_info().rss

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.001):
            highest = max(highest, process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        return work(), (highest - before) / 2**20
    finally:
        done.set()
        thread.join()


def test_a_context_of_20000_words_takes_the_memory_of_a_batch(wide_bert, monkeypatch):
    kind = made(wide_bert, max_length=128, doc_stride=32)
    kind.predict(SAMPLE, adapter=False)
    words = ["blue cup"] * 10_000
    words[7_123] = "green cup"
    row = {**SAMPLE[0], "context": " ".join(words)}
    kind.features(row)  # the tokenizer's own memory is not measured

    def answer() -> Answered:
        return kind.predict([row], adapter=False)[0]

    output, bounded = peak_of(answer)
    assert output.windows > 200 and len(output.spans) == 5
    assert all(row["context"][s.start : s.end] == s.text for s in output.spans)
    assert bounded < 100
    # All windows in one batch: the same answer, and the memory that is not to be taken.
    monkeypatch.setattr("toolkit.kinds.batching.CPU_BATCH_TOKENS", 10**9)
    monkeypatch.setattr("toolkit.kinds.batching.MAX_BATCH", 10**9)
    whole, unbounded = peak_of(answer)
    assert spans([whole]) == spans([output])
    assert unbounded > bounded + 150


def test_a_context_of_nothing_has_no_answer(tiny_bert):
    kind = made(tiny_bert)
    (output,) = kind.predict([{**SAMPLE[0], "context": "\u200b"}], adapter=False)
    assert output.spans == () and output.margin == math.inf
    task = Colours()
    for decoder in task.decoders().values():
        assert decoder(output, SAMPLE[0], {}) == task.fallback()


# -- decoding ------------------------------------------------------------------------------------
def answered(margin: float, text: str = "red") -> Answered:
    return Answered((Span(0, 3, text, 0.0, 0.5),), null=margin, no_answer=0.1)


def test_the_null_threshold_is_the_best_on_the_rows_it_is_tuned_on():
    task = Colours()
    outputs = [answered(m) for m in (-3.0, -1.0, 0.5, 1.0, 4.0)]
    right = {"text": ["red"], "answer_start": [0]}
    none = {"text": [], "answer_start": []}
    answers = [right, right, right, none, none]
    tuned = task.tune(outputs, [{**SAMPLE[0], "answers": a} for a in answers])
    assert tuned == {"null_threshold": 0.75}
    decoded = [task.decoders()["null-threshold"](o, {}, tuned)["text"] for o in outputs]
    assert decoded == ["red", "red", "red", "", ""]
    assert [task.postprocess(o, {})["text"] for o in outputs] == ["red", "red", "", "", ""]
    assert all(task.decoders()["always-a-span"](o, {}, tuned)["text"] for o in outputs)


@pytest.mark.parametrize("seed", range(5))
def test_no_threshold_does_better(seed):
    random = np.random.default_rng(seed)
    judged = [
        (float(margin), float(worth), float(none))
        for margin, worth, none in zip(
            random.integers(-5, 5, 40) / 2, random.random(40), random.random(40) < 0.4, strict=True
        )
    ]

    def value(threshold: float) -> float:
        return sum(none if margin > threshold else worth for margin, worth, none in judged)

    best = value(null_threshold(judged))
    assert best == pytest.approx(max(value(t) for t in np.arange(-6, 6, 0.25)))


def test_unreadable_scores_are_no_prediction():
    broken = Answered((Span(0, 3, "red", math.nan, math.nan),), null=0.0, no_answer=math.nan)
    task = Colours()
    assert task.postprocess(broken, SAMPLE[0]) is None
    assert task.tune([broken], [SAMPLE[0]]) == {"null_threshold": 0.0}


# -- training ------------------------------------------------------------------------------------
def digest(folder: Path) -> str:
    weights = next(
        folder / name
        for name in ("adapter_model.safetensors", "model.safetensors")
        if (folder / name).is_file()
    )
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def test_training_learns_to_find_a_word_and_when_there_is_none(tiny_bert, tmp_path):
    kind = made(tiny_bert, full=True, max_steps=60, eval_steps=60, learning_rate=5e-3)
    splits = DatasetDict({"train": rows(400), "validation": rows(40, seed=1)})
    kind.train(
        splits, checkpoints=tmp_path / "c", adapter=tmp_path / "a", watch=TrainingWatch()
    )  # fmt: skip
    asked = [dict(row) for row in rows(60, seed=5)]
    outputs = kind.predict(asked, adapter=True)
    right = [
        kind.task.postprocess(output, row)["text"] in (row["answers"]["text"] or [""])
        for output, row in zip(outputs, asked, strict=True)
    ]
    assert np.mean(right) > 0.9


@pytest.mark.parametrize("full", [False, True])
def test_a_saved_adapter_answers_as_the_trained_one(tiny_bert, tmp_path, full):
    kind = made(tiny_bert, full=full)
    train(kind, tmp_path)
    loaded = made(tiny_bert, full=full)
    loaded.load_adapter(tmp_path / "adapter")
    before, after = (k.predict(SAMPLE, adapter=True) for k in (kind, loaded))
    assert spans(before) == spans(after)
    assert [a.margin for a in before] == [b.margin for b in after]
    base = loaded.predict(SAMPLE, adapter=False)
    assert [a.margin for a in after] != [b.margin for b in base]


@pytest.mark.parametrize("full", [False, True])
def test_resume_gives_the_same_bytes(tiny_bert, tmp_path, full):
    train(made(tiny_bert, full=full), tmp_path / "whole")
    stopped = made(tiny_bert, full=full)
    stopped.recipe = dataclasses.replace(
        stopped.recipe, training={**stopped.recipe.training, "save_total_limit": 5}
    )
    train(stopped, tmp_path / "again")
    import shutil

    shutil.rmtree(tmp_path / "again" / "adapter")
    shutil.rmtree(tmp_path / "again" / "checkpoints" / "checkpoint-4")
    trained = train(made(tiny_bert, full=full), tmp_path / "again")
    assert trained.info["resumed_from_step"] == 2
    assert digest(tmp_path / "whole" / "adapter") == digest(tmp_path / "again" / "adapter")


# -- further systems -----------------------------------------------------------------------------
def test_the_probe_is_a_better_base_than_a_random_head(tiny_bert, tmp_path):
    kind = made(tiny_bert)
    untrained = kind.predict(SAMPLE, adapter=False)
    kind.fit_base(rows(60), tmp_path)
    probed = kind.predict(SAMPLE, adapter=False)
    assert [o.margin for o in probed] != [o.margin for o in untrained]
    with kind.as_variant("untrained-head"):
        assert [o.margin for o in kind.predict(SAMPLE, adapter=False)] == [
            o.margin for o in untrained
        ]
    again = made(tiny_bert)
    again.load_base(tmp_path)
    assert [o.margin for o in again.predict(SAMPLE, adapter=False)] == [o.margin for o in probed]
    train_rows = [dict(row) for row in rows(60)]

    def likelihood(outputs: list[Answered]) -> float:
        golds = [row["answers"]["text"] for row in train_rows]
        shares = [
            o.no_answer if not g else sum(s.probability for s in o.spans if s.text == g[0])
            for o, g in zip(outputs, golds, strict=True)
        ]
        return float(np.mean(shares))

    with kind.as_variant("untrained-head"):
        chance = likelihood(kind.predict(train_rows, adapter=False))
    assert likelihood(kind.predict(train_rows, adapter=False)) > 2 * chance


def test_an_ensemble_is_the_mean_of_its_checkpoints(tiny_bert, tmp_path):
    kind = made(tiny_bert, ensemble=2)
    train(kind, tmp_path)
    loaded = made(tiny_bert, ensemble=2)
    loaded.load_adapter(tmp_path / "adapter")
    assert list(loaded.variants(adapter=True)) == ["ensemble"]
    single = loaded.predict(SAMPLE, adapter=True)
    pieces = [loaded._read(row).pieces[0] for row in SAMPLE]
    members = []
    for name in loaded._members:
        loaded.tuned.set_adapter(name)
        members.append({i: x for i, x, _ in loaded._logits(pieces, True)})
    loaded.tuned.set_adapter("default")
    assert any(not np.allclose(members[0][i], members[1][i]) for i in range(len(SAMPLE)))
    with loaded.as_variant("ensemble"):
        averaged = {i: x for i, x, _ in loaded._logits(pieces, True)}
        ensemble = loaded.predict(SAMPLE, adapter=True)
    for i in range(len(SAMPLE)):
        mean = (members[0][i] + members[1][i]) / 2
        assert np.allclose(averaged[i][:, :20], mean[:, :20], atol=1e-5)
    # A copy of the single adapter's output would not do; and it is itself again afterwards.
    assert [o.margin for o in ensemble] != [o.margin for o in single]
    assert [o.margin for o in loaded.predict(SAMPLE, adapter=True)] == [o.margin for o in single]


def test_an_ensemble_of_one_or_of_whole_models_is_refused(tiny_bert, tmp_path):
    with pytest.raises(RecipeError, match="it can be 0"):
        train(made(tiny_bert, ensemble=1), tmp_path)
    with pytest.raises(RecipeError, match="takes adapters"):
        train(made(tiny_bert, ensemble=2, full=True), tmp_path)
    with pytest.raises(RecipeError, match="saved 1 checkpoint"):
        train(made(tiny_bert, ensemble=2, eval_steps=4), tmp_path)


def test_adapters_of_two_tasks_on_one_encoder_answer_as_alone(tiny_bert, tmp_path, monkeypatch):
    from fed_judge import feed
    from kinds.sequence_classification.test_sequence_classification import RISING, Wood
    from kinds.sequence_classification.test_sequence_classification import SAMPLE as TEXTS
    from kinds.sequence_classification.test_sequence_classification import made as made_classifier
    from kinds.sequence_classification.test_sequence_classification import train as train_classifier
    from toolkit.pipeline.shared_encoder import SharedEncoder

    marks, classes = made(tiny_bert), made_classifier(tiny_bert, Wood)
    with monkeypatch.context() as patch:
        feed(patch, RISING)
        train(marks, tmp_path / "qa")
    with monkeypatch.context() as patch:
        feed(patch, RISING)
        train_classifier(classes, tmp_path / "wood")
    alone = {
        "qa": [o.spans for o in marks.predict(SAMPLE, adapter=True)],
        "wood": [o.logits.tolist() for o in classes.predict(TEXTS, adapter=True)],
    }
    shared = SharedEncoder(
        {
            "qa": (made(tiny_bert), tmp_path / "qa" / "adapter"),
            "wood": (made_classifier(tiny_bert, Wood), tmp_path / "wood" / "adapter"),
        }
    )
    # The untouched encoder, or another task's adapter, would not do.
    assert [o.spans for o in marks.predict(SAMPLE, adapter=False)] != alone["qa"]
    base = [o.logits.tolist() for o in classes.predict(TEXTS, adapter=False)]
    assert base != alone["wood"]
    for _ in range(2):  # there and back again
        assert [o.spans for o in shared.predict("qa", SAMPLE)] == alone["qa"]
        assert [o.logits.tolist() for o in shared.predict("wood", TEXTS)] == alone["wood"]
    encoder = sum(p.numel() for p in marks.model.base_model.parameters())
    assert shared.parameters() < shared.parameters_apart() - 0.8 * encoder
    bert = [k.model.base_model for k in shared.kinds.values()]
    assert bert[0].encoder is bert[1].encoder and bert[0].embeddings is bert[1].embeddings


@pytest.mark.parametrize("first", ["marks", "classes"])
def test_adapters_share_what_both_encoders_have(tiny_bert, tmp_path, first):
    """One sits on every layer and its encoder has no pooler; attention is computed in two ways."""
    from kinds.sequence_classification.test_sequence_classification import SAMPLE as TEXTS
    from kinds.sequence_classification.test_sequence_classification import Wood, rounding
    from kinds.sequence_classification.test_sequence_classification import made as made_classifier
    from kinds.sequence_classification.test_sequence_classification import train as train_classifier
    from toolkit.pipeline.shared_encoder import SharedEncoder

    def marking() -> Any:
        kind = made(tiny_bert, model_init_kwargs={"attn_implementation": "eager"})
        lora = {"r": 4, "target_modules": ["query", "dense"]}
        kind.recipe = dataclasses.replace(kind.recipe, lora=lora)
        return kind

    def classing() -> Any:
        kind = made_classifier(tiny_bert, Wood)
        lora = {"r": 4, "target_modules": "all-linear"}
        kind.recipe = dataclasses.replace(kind.recipe, lora=lora)
        return kind

    marks, classes = marking(), classing()
    train(marks, tmp_path / "marks")
    train_classifier(classes, tmp_path / "classes")
    members = {"marks": (marking(), tmp_path / "marks" / "adapter"),
               "classes": (classing(), tmp_path / "classes" / "adapter")}  # fmt: skip
    if first == "classes":
        members = dict(reversed(members.items()))
    shared = SharedEncoder(members)
    mixed = [*SAMPLE, *(dict(row) for row in rows(3, seed=3, words=30))]  # some are padded
    for ours, alone in zip(
        shared.predict("marks", mixed), marks.predict(mixed, adapter=True), strict=True
    ):
        assert ours.margin == pytest.approx(alone.margin, abs=1e-4)
        assert ours.spans[0].text == alone.spans[0].text
    for ours, alone in zip(
        shared.predict("classes", TEXTS), classes.predict(TEXTS, adapter=True), strict=True
    ):
        assert np.allclose(ours.logits, alone.logits, atol=rounding(classes))


def test_whole_models_and_other_encoders_cannot_share(tiny_bert, tmp_path):
    from toolkit.pipeline.shared_encoder import SharedEncoder

    one, whole = (made(tiny_bert), tmp_path), (made(tiny_bert, full=True), tmp_path)
    with pytest.raises(UsageError, match="whole encoder"):
        SharedEncoder({"one": one, "whole": whole})
    other = made(tiny_bert)
    other.recipe = dataclasses.replace(other.recipe, model="embedded:minilm")
    with pytest.raises(UsageError, match="different encoders"):
        SharedEncoder({"one": one, "other": (other, tmp_path)})
