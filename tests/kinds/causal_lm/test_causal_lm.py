"""The causal-LM kind on tiny random models: prompt, loss, numbers, adapters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, DatasetDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fed_judge import feed
from toolkit.errors import ModelError
from toolkit.kinds import fit
from toolkit.kinds.batching import batches, padded
from toolkit.kinds.causal_lm import number_distribution
from toolkit.kinds.causal_lm.model import CausalLM
from toolkit.kinds.causal_lm.number_distribution import DigitTokens, NumberReader
from toolkit.kinds.causal_lm.number_loss import SmoothedTargets
from toolkit.kinds.causal_lm.number_search import Breadth
from toolkit.kinds.causal_lm.task import NumericLMTask
from toolkit.kinds.causal_lm.trainer import Collator, head_at, label_loss, summed_loss
from toolkit.kinds.language.generate import Beginning, generate, shared_length
from toolkit.kinds.language.prompt import IGNORED, Renderer
from toolkit.kinds.trainer import LengthGroupedSampler
from toolkit.kinds.watching import TrainingWatch
from toolkit.metrics.metric import Metric
from toolkit.models import adapters
from toolkit.recipe import Recipe
from toolkit.system import precision

WORDS = ("red", "blue", "green", "old", "new", "big", "small", "steel", "oak", "silk")


class Guess(NumericLMTask):
    """A number that follows from the words."""

    name = "guess"
    summary = "guess a number"
    columns = {"text": "words", "price": "a number"}
    metrics = (Metric("mae", lambda p, r: abs(p - r), greater_is_better=False),)
    primary_metric = "mae"
    recipes = ()
    truncate = "text"

    def load_rows(self, source: Any) -> Dataset:
        return rows(40)

    def format_example(self, row: Any) -> dict[str, Any]:
        return {"prompt": f"{row['text']}\nPrice is $", "completion": str(self.number(row))}

    def number(self, row: Any) -> int:
        return int(row["price"])

    def from_number(self, number: float) -> float:
        return float(number)

    @property
    def largest_number(self) -> int:
        return int(self.state.get("largest", 999))

    def fallback(self) -> float:
        return 50.0

    def reference(self, row: Any) -> float:
        return float(row["price"])


def rows(n: int, seed: int = 0) -> Dataset:
    random = np.random.default_rng(seed)
    texts = [" ".join(random.choice(WORDS, size=random.integers(2, 9))) for _ in range(n)]
    prices = [float(10 + 40 * text.count("oak") + 7 * len(text.split())) for text in texts]
    return Dataset.from_dict({"row_id": list(range(1, n + 1)), "text": texts, "price": prices})


def recipe(model: Path, **changes: Any) -> Recipe:
    training = {
        "per_device_train_batch_size": 4, "max_steps": 4, "learning_rate": 1e-2, "bf16": False,
        "eval_strategy": "steps", "eval_steps": 2, "logging_steps": 1, "max_length": 64,
    }  # fmt: skip
    training |= changes.pop("training", {})
    return Recipe(
        "tiny", "tiny", str(model), training=training,
        lora={"r": 4, "target_modules": "all-linear"}, **changes,
    )  # fmt: skip


@pytest.fixture
def kind(tiny_llama: Path) -> CausalLM:
    made = CausalLM(Guess(), recipe(tiny_llama))
    made.load()
    return made


@pytest.fixture
def digit_kind(tiny_qwen: Path) -> CausalLM:
    made = CausalLM(Guess(), recipe(tiny_qwen))
    made.load()
    return made


# -- the prompt ------------------------------------------------------------------------------------


@given(text=st.text(max_size=60), number=st.integers(1, 999))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_labels_are_the_completion_and_end_with_eos(
    tiny_llama: Path, text: str, number: int
) -> None:
    renderer = _renderer(tiny_llama)
    example = {"prompt": f"{text}\nPrice is $", "completion": str(number)}
    ids, labels = renderer.example(example)
    kept = [label for label in labels if label != IGNORED]
    assert kept[-1] == renderer.tokenizer.eos_token_id
    assert renderer.tokenizer.decode(kept[:-1]) == str(number)
    # Training sees exactly the prompt that prediction sees.
    assert ids[: len(ids) - len(kept)] == renderer.prompt(example)


_RENDERERS: dict[Path, Renderer] = {}


def _renderer(model: Path) -> Renderer:
    from toolkit.models.loading import load_tokenizer

    if model not in _RENDERERS:
        _RENDERERS[model] = Renderer(load_tokenizer(str(model)))
    return _RENDERERS[model]


def test_chat_messages_go_through_the_template(tiny_llama: Path) -> None:
    from toolkit.models.loading import load_tokenizer

    tokenizer = load_tokenizer(str(tiny_llama))
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}"
        "{% if m['role'] == 'assistant' %}{{ eos_token }}{% endif %}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    renderer = Renderer(tokenizer)
    example = {
        "prompt": [{"role": "user", "content": "red oak"}],
        "completion": [{"role": "assistant", "content": "57"}],
    }
    ids, labels = renderer.example(example)
    kept = [label for label in labels if label != IGNORED]
    assert tokenizer.decode(kept[:-1]) == "57" and kept[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(ids[: -len(kept)]).endswith("assistant: ")
    renderer.check(example)


def test_padding_with_the_end_of_the_sequence_changes_no_loss(kind: CausalLM) -> None:
    encoded = [dict(row) for row in kind.tokenized(rows(6))]
    end = kind.tokenizer.eos_token_id
    batches_of = [Collator(pad)(encoded) for pad in (kind.tokenizer.pad_token_id, end)]
    apart, same = (summed_loss(kind.model, kind.model, batch) for batch in batches_of)
    torch.testing.assert_close(apart[0], same[0])
    assert apart[1] == same[1] == int((batches_of[1]["labels"] != IGNORED).sum())
    assert (batches_of[1]["labels"] == end).sum() == 6  # each row's own end is learned


def test_long_texts_are_shortened_and_the_answer_is_not(tiny_llama: Path) -> None:
    kind = CausalLM(Guess(), recipe(tiny_llama))
    row = {"row_id": 1, "text": " ".join(["steel", "ünïcode"] * 200), "price": 123.0}
    example = kind.example(row)
    ids, labels = kind.renderer.example(example)
    assert len(ids) <= 64
    assert example["prompt"].endswith("\nPrice is $")
    assert kind.tokenizer.decode([i for i in labels if i != IGNORED][:-1]) == "123"
    assert kind.example({**row, "text": "red oak"})["prompt"] == "red oak\nPrice is $"


# -- loss ------------------------------------------------------------------------------------------


def _batch(kind: CausalLM, smoothed: SmoothedTargets | None = None) -> dict[str, torch.Tensor]:
    encoded = [dict(row) for row in kind.tokenized(rows(6))]
    return Collator(kind.tokenizer.pad_token_id, smoothed)(encoded)


def test_the_head_at_labels_gives_the_logits_of_the_whole(kind: CausalLM) -> None:
    batch = _batch(kind)
    whole = kind.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    with head_at(kind.model, batch["positions"]):
        picked = kind.model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
        ).logits
    expected = whole.reshape(-1, whole.shape[-1])[batch["positions"]]
    torch.testing.assert_close(picked[0], expected)


def test_the_plain_loss_is_transformers_own(kind: CausalLM) -> None:
    batch = _batch(kind)
    theirs = kind.model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=batch["labels"]
    ).loss
    with head_at(kind.model, batch["positions"]):
        logits = kind.model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
        ).logits[0]
    ours = label_loss(logits, batch) / len(batch["positions"])
    torch.testing.assert_close(ours, theirs)


def _smoothed(kind: CausalLM, sigma: float = 0.15) -> SmoothedTargets:
    return SmoothedTargets(kind.renderer, "red oak\nPrice is $", kind.task, sigma)


@pytest.mark.parametrize("which", ["kind", "digit_kind"])
@pytest.mark.parametrize("number", [1, 7, 57, 189, 998])
def test_smoothed_targets_are_distributions_round_the_number(
    which: str, number: int, request: pytest.FixtureRequest
) -> None:
    kind = request.getfixturevalue(which)
    smoothed = _smoothed(kind)
    own = smoothed.tokens(number)
    targets = smoothed.targets(number)
    assert len(targets) == len(own)
    for (ids, shares), token in zip(targets, own, strict=True):
        assert shares.sum() == pytest.approx(1.0, abs=1e-5)
        assert token in ids
    assert targets[-1][0].tolist() == [kind.tokenizer.eos_token_id]


def test_a_smoothed_target_is_widest_in_the_number_and_follows_sigma(kind: CausalLM) -> None:
    narrow, wide = _smoothed(kind, 0.01).targets(200)[0], _smoothed(kind, 0.3).targets(200)[0]
    assert len(narrow[0]) < len(wide[0])
    best = wide[0][wide[1].argmax()]
    assert kind.tokenizer.decode([best]) == "200"


def test_digit_targets_are_the_shares_of_the_neighbours(digit_kind: CausalLM) -> None:
    smoothed = _smoothed(digit_kind)
    near = np.array(smoothed.neighbours(98))
    weights = np.exp(-((np.log(near / 98) / 0.15) ** 2) / 2)
    first_is_nine = weights[[str(n)[0] == "9" for n in near]].sum() / weights.sum()
    ids, shares = smoothed.targets(98)[0]
    nine = digit_kind.tokenizer.convert_tokens_to_ids("9")
    assert shares[ids == nine][0] == pytest.approx(first_is_nine, abs=1e-5)


def test_the_smoothed_loss_prefers_a_neighbour(kind: CausalLM) -> None:
    smoothed = _smoothed(kind)
    batch = _batch(kind, smoothed)
    n, size = len(batch["positions"]), len(kind.tokenizer)
    number = int(kind.tokenized(rows(6))[0]["number"])

    def loss_if_sure_of(guess: int) -> float:
        logits = torch.zeros(n, size)
        logits[0, kind.tokenizer.convert_tokens_to_ids(str(guess))] = 10.0
        return float(label_loss(logits, batch))

    assert loss_if_sure_of(number + 1) < loss_if_sure_of(number * 3)


# -- numbers ---------------------------------------------------------------------------------------


@pytest.fixture
def numbers_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that has learned nothing ends no number; here it is read as one that has."""
    monkeypatch.setattr(number_distribution, "ENDING", 0.0)


PROMPTS = ["red oak\nPrice is $", "a big old steel thing\nPrice is $", "silk\nPrice is $"]


def test_one_pass_and_the_walk_agree_where_numbers_are_tokens(kind: CausalLM) -> None:
    prompts = [kind.renderer.prompt({"prompt": p}) for p in PROMPTS]
    one = NumberReader(kind.tokenizer, 999)
    assert one.one_pass
    walk = NumberReader(kind.tokenizer, 999)
    walk.one_pass = False
    for a, b in zip(one.read(kind.model, prompts), walk.read(kind.model, prompts), strict=True):
        assert a.numbers is not None and b.numbers is not None
        by_value = dict(zip(a.numbers.values, a.numbers.probabilities, strict=True))
        # The search also asks whether the number ends there.
        for value, probability in zip(b.numbers.values, b.numbers.probabilities, strict=True):
            assert 0.5 * by_value[value] <= probability <= by_value[value] + 1e-6


def test_the_walk_gives_the_models_own_probabilities(digit_kind: CausalLM) -> None:
    """Against a forward pass over each whole number, by the chain rule."""
    digit_kind.task.state["largest"] = 99
    reader = NumberReader(digit_kind.tokenizer, 99, breadth=Breadth(nodes=None, open=0.0))
    assert not reader.one_pass
    prompts = [digit_kind.renderer.prompt({"prompt": p}) for p in PROMPTS]
    outputs = reader.read(digit_kind.model, prompts)
    goes_on = [*reader.pieces.more, *reader.pieces.groups]
    for prompt, output in zip(prompts, outputs, strict=True):
        assert output.numbers is not None
        assert len(output.numbers.values) > 5
        for value, probability in zip(
            output.numbers.values, output.numbers.probabilities, strict=True
        ):
            ids = [digit_kind.tokenizer.convert_tokens_to_ids(d) for d in str(int(value))]
            with torch.no_grad():
                logits = digit_kind.model(torch.tensor([[*prompt, *ids]])).logits[0].double()
            after = torch.softmax(logits[len(prompt) - 1 :], -1)
            expected = np.prod([float(after[i, t]) for i, t in enumerate(ids)])
            expected *= 1 - float(after[len(ids), goes_on].sum())
            assert probability == pytest.approx(expected, rel=1e-3, abs=1e-9)


def test_digit_tokens_are_digits_and_nothing_else(kind: CausalLM) -> None:
    digits = DigitTokens.of(kind.tokenizer)
    assert digits.single(999) and not digits.single(1000)
    assert all(text.isdigit() for text in digits.texts)


@pytest.mark.usefixtures("numbers_end")
@pytest.mark.parametrize("which", ["kind", "digit_kind"])
def test_batch_size_changes_no_answer(which: str, request: pytest.FixtureRequest) -> None:
    kind = request.getfixturevalue(which)
    prompts = [kind.renderer.prompt({"prompt": f"{row['text']}\nPrice is $"}) for row in rows(12)]
    reader = NumberReader(kind.tokenizer, 999)
    together = reader.read(kind.model, prompts)
    for prompt, one in zip(prompts, together, strict=True):
        (alone,) = reader.read(kind.model, [prompt])
        assert alone.text == one.text
        assert alone.numbers is not None and one.numbers is not None
        np.testing.assert_allclose(
            alone.numbers.probabilities, one.numbers.probabilities, rtol=1e-3, atol=1e-7
        )


def test_generation_is_the_same_alone_and_in_a_batch(kind: CausalLM) -> None:
    prompts = [kind.renderer.prompt({"prompt": row["text"]}) for row in rows(9)]
    options = {"max_new_tokens": 12}
    together = generate(kind.model, kind.tokenizer, prompts, generation=options)
    alone = [generate(kind.model, kind.tokenizer, [p], generation=options)[0] for p in prompts]
    assert [t.text for t in together] == [a.text for a in alone]
    assert all(t.tokens <= 12 for t in together)


@pytest.mark.parametrize(
    "settings",
    [
        {"num_beams": 3},
        {"num_beams": 4, "early_stopping": True, "length_penalty": 2.0},
        {"use_cache": False},
        {"cache_implementation": "static"},
        {"guidance_scale": 1.5},
        {"stop_strings": ["a", "e"]},
        {"repetition_penalty": 1.3, "no_repeat_ngram_size": 2},
        {"min_new_tokens": 5},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_whatever_the_settings_answers_to_prompts_with_one_beginning_are_those_to_each(
    kind: CausalLM, settings: dict[str, Any]
) -> None:
    shots = "How much does this cost to the nearest dollar? red cup, pack of 2. Price is $14. "
    prompts = [kind.renderer.prompt({"prompt": f"{shots}{row['text']}."}) for row in rows(7)]
    options = {"max_new_tokens": 8, **settings}
    together = generate(kind.model, kind.tokenizer, prompts, generation=options)
    alone = [generate(kind.model, kind.tokenizer, [p], generation=options)[0] for p in prompts]
    assert [one.text for one in together] == [one.text for one in alone]


@pytest.mark.parametrize(
    "own",
    [{"num_beams": 3}, {"num_beams": 3, "num_return_sequences": 2},
     {"num_beams": 3, "return_dict_in_generate": True, "output_scores": True}],
    ids=len,
)  # fmt: skip
def test_beams_of_the_models_own_configuration_are_several_texts_too(
    kind: CausalLM, own: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    shots = "How much does this cost to the nearest dollar? red cup, pack of 2. Price is $14. "
    prompts = [kind.renderer.prompt({"prompt": f"{shots}{row['text']}."}) for row in rows(4)]
    options = {"max_new_tokens": 8}
    with monkeypatch.context() as patch:
        for name, value in own.items():
            patch.setattr(kind.model.generation_config, name, value)
        found = generate(kind.model, kind.tokenizer, prompts, generation=options)
    wanted = generate(kind.model, kind.tokenizer, prompts, generation={**options, "num_beams": 3})
    assert [one.text for one in found] == [one.text for one in wanted]


@pytest.mark.usefixtures("numbers_end")
@pytest.mark.parametrize("which", ["kind", "digit_kind"])
def test_a_shared_beginning_is_encoded_once_and_changes_no_answer(
    which: str, request: pytest.FixtureRequest
) -> None:
    kind = request.getfixturevalue(which)
    shots = "How much does this cost to the nearest dollar? red cup, pack of 2. Price is $14. "
    prompts = [
        kind.renderer.prompt({"prompt": f"{shots}{row['text']}. Price is $"}) for row in rows(7)
    ]
    assert len(Beginning(kind.model, prompts).ids) >= 20
    assert Beginning(kind.model, prompts[:1]).ids == []
    reader = NumberReader(kind.tokenizer, 999)
    options = {"max_new_tokens": 6}
    read = reader.read(kind.model, prompts)
    texts = generate(kind.model, kind.tokenizer, prompts, generation=options)
    for prompt, one, text in zip(prompts, read, texts, strict=True):
        (alone,) = reader.read(kind.model, [prompt])
        (spoken,) = generate(kind.model, kind.tokenizer, [prompt], generation=options)
        assert (alone.text, spoken.text) == (one.text, text.text)
        np.testing.assert_allclose(
            alone.numbers.probabilities, one.numbers.probabilities, rtol=1e-3, atol=1e-7
        )


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=40), min_size=1, max_size=6))
def test_the_shared_length_is_shared_and_leaves_a_token(prompts: list[list[int]]) -> None:
    length = shared_length(prompts)
    assert all(p[:length] == prompts[0][:length] and len(p) > length for p in prompts)


@given(st.lists(st.integers(1, 900), max_size=80), st.integers(1, 4000))
def test_batches_hold_every_row_once_and_bound_the_tokens(lengths: list[int], tokens: int) -> None:
    made = list(batches(lengths, tokens))
    assert sorted(i for batch in made for i in batch) == list(range(len(lengths)))
    for batch in made:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= tokens


def test_padding_is_on_the_left_and_masked() -> None:
    ids, mask = padded([[5, 6, 7], [8]], 0, "cpu")
    assert ids.tolist() == [[0] * 5 + [5, 6, 7], [0] * 7 + [8]]
    assert mask.tolist() == [[0] * 5 + [1, 1, 1], [0] * 7 + [1]]


# -- order -----------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 200), min_size=1, max_size=300), st.integers(1, 32))
@settings(max_examples=50, deadline=None)
def test_the_sampler_visits_every_row_once_by_seed_and_epoch(lengths: list[int], n: int) -> None:
    sampler = LengthGroupedSampler(lengths, n, seed=3)
    first = list(sampler)
    assert sorted(first) == list(range(len(lengths)))
    assert list(LengthGroupedSampler(lengths, n, seed=3)) == first
    sampler.set_epoch(1)
    second = list(sampler)
    assert sorted(second) == list(range(len(lengths)))


# -- training and adapters -------------------------------------------------------------------------


class Reworded(Guess):
    """Marks each variant of a row with a word that no other epoch's variant has."""

    def augment(self, row: Any, random: Any) -> Any:
        return {**row, "text": f"{row['text']} {random.choice(WORDS)} again"}


def test_each_epoch_reads_its_own_variants_and_held_out_rows_stay(tiny_llama: Path) -> None:
    task = Reworded()
    task.state = {"largest": 999}
    kind = CausalLM(task, recipe(tiny_llama, training={"num_train_epochs": 3}))
    train, lengths = fit.tokenized_train(kind, kind.recipe, rows(10))
    assert lengths.shape == (3, 10) and len(train) == 30
    texts = kind.tokenizer.batch_decode(list(train["input_ids"]))
    assert not any("again" in text for text in texts[:10])
    assert all("again" in text for text in texts[10:]) and texts[10:20] != texts[20:]
    again, _ = fit.tokenized_train(kind, kind.recipe, rows(10))
    assert list(again["input_ids"]) == list(train["input_ids"])
    sampler = LengthGroupedSampler(lengths, 4, seed=0)
    for epoch, low in ((0, 0), (1, 10), (2, 20), (3, 0)):
        sampler.set_epoch(epoch)
        assert sorted(sampler) == list(range(low, low + 10)) and len(sampler) == 10


def test_rows_that_do_not_fit_are_left_out(kind: CausalLM) -> None:
    whole = [len(ids) for ids in kind.tokenized(rows(20))["input_ids"]]
    limit = sorted(whole)[10]
    kind.task.truncate = None  # type: ignore[misc]
    kind.recipe.training["max_length"] = limit  # type: ignore[index]
    train, lengths = fit.tokenized_train(kind, kind.recipe, rows(20))
    assert lengths.tolist() == [[n for n in whole if n <= limit]]
    assert len(train) == lengths.size


def _train(kind: CausalLM, folder: Path, **keywords: Any) -> Any:
    splits = DatasetDict({"train": rows(32), "validation": rows(12, seed=1)})
    return kind.train(
        splits, checkpoints=folder / "checkpoints", adapter=folder / "adapter",
        watch=TrainingWatch(), **keywords,
    )  # fmt: skip


@pytest.mark.usefixtures("numbers_end")
def test_a_trained_adapter_is_saved_and_loads_in_plain_peft(
    tiny_llama: Path, tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    kind = CausalLM(Guess(), recipe(tiny_llama))
    trained = _train(kind, tmp_path)
    assert trained.info["steps"] == 4 and trained.info["parameters_trained"] > 0
    assert [e["step"] for e in trained.history if "eval_mae" in e] == [2, 4]
    sample = [dict(row) for row in rows(5, seed=2)]
    ours = kind.predict(sample, adapter=True)
    base = kind.predict(sample, adapter=False)
    plain = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(str(tiny_llama)), str(tmp_path / "adapter")
    ).eval()
    for row, output, untouched in zip(sample, ours, base, strict=True):
        prompt = kind.renderer.prompt(kind.example(row))
        with torch.no_grad():
            probabilities = torch.softmax(plain(torch.tensor([prompt])).logits[0, -1], -1)
        token = kind.tokenizer.convert_tokens_to_ids("50")
        at = output.numbers.values.tolist().index(50)
        assert output.numbers.probabilities[at] == pytest.approx(
            float(probabilities[token]), rel=1e-3
        )
        assert output.numbers.probabilities[at] != untouched.numbers.probabilities[at]


def test_the_best_checkpoint_is_the_one_kept(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit.decoding import primary_values

    def weights(model: Any) -> list[torch.Tensor]:
        return [p.detach().clone() for name, p in model.named_parameters() if "lora" in name]

    judged = feed(monkeypatch, [50.0, 30.0, 40.0, 60.0, 20.0, 10.0], weights)
    changes = {"max_steps": 12, "eval_steps": 2, "lr_scheduler_type": "constant"}
    made = recipe(tiny_llama, training=changes, early_stopping={"early_stopping_patience": 2})
    kind = CausalLM(Guess(), made)
    trained = _train(kind, tmp_path)
    assert [e["step"] for e in trained.history if "eval_mae" in e] == [2, 4, 6, 8]
    assert trained.info["best_step"] == 4
    (measured, best), (_, last) = judged[1], judged[3]
    assert all(torch.equal(a, b) for a, b in zip(weights(kind.model), best, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(best, last, strict=True))
    validation = [dict(row) for row in rows(12, seed=1)]
    again = primary_values(kind.task, kind.predict(validation, adapter=True), validation)
    assert min(again.values()) == pytest.approx(measured, rel=1e-6)


def test_resume_gives_the_same_adapter_byte_for_byte(tiny_llama: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    made = recipe(tiny_llama, training={"max_steps": 8})
    made = Recipe(**{**made.__dict__, "lora": {**(made.lora or {}), "lora_dropout": 0.1}})
    _train(CausalLM(Guess(), made), whole)

    class Killed(Exception):
        pass

    def stop(step: int, steps: int, tokens: int) -> None:
        if step == 5:
            raise Killed

    kind = CausalLM(Guess(), made)
    splits = DatasetDict({"train": rows(32), "validation": rows(12, seed=1)})
    with pytest.raises(Killed):
        kind.train(
            splits, checkpoints=broken / "checkpoints", adapter=broken / "adapter",
            watch=TrainingWatch(on_step=stop),
        )  # fmt: skip
    # A half-written newer checkpoint, which transformers alone would take.
    half = broken / "checkpoints" / "checkpoint-6"
    half.mkdir()
    (half / "adapter_model.safetensors").write_bytes(b"cut")
    _train(CausalLM(Guess(), made), broken)
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (broken / "adapter" / name).read_bytes() == (whole / "adapter" / name).read_bytes()


def test_an_adapter_that_does_nothing_is_an_error(tiny_llama: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    kind = CausalLM(Guess(), recipe(tiny_llama))
    _train(kind, tmp_path)
    weights = tmp_path / "adapter" / "adapter_model.safetensors"
    save_file({k: torch.zeros_like(v) for k, v in load_file(weights).items()}, weights)
    with pytest.raises(ModelError, match="does nothing"):
        CausalLM(Guess(), recipe(tiny_llama)).load_adapter(tmp_path / "adapter")


def test_an_adapter_with_missing_weights_is_an_error(tiny_llama: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    kind = CausalLM(Guess(), recipe(tiny_llama))
    _train(kind, tmp_path)
    weights = tmp_path / "adapter" / "adapter_model.safetensors"
    kept = dict(list(load_file(weights).items())[2:])
    save_file(kept, weights)
    with pytest.raises(ModelError, match="2 weights missing"):
        CausalLM(Guess(), recipe(tiny_llama)).load_adapter(tmp_path / "adapter")


def test_another_prompt_than_in_training_is_refused(tiny_llama: Path, tmp_path: Path) -> None:
    kind = CausalLM(Guess(), recipe(tiny_llama))
    _train(kind, tmp_path)

    class Reworded(Guess):
        def format_example(self, row: Any) -> dict[str, Any]:
            return {**super().format_example(row), "prompt": f"{row['text']}\nCost: $"}

    with pytest.raises(ModelError, match="another prompt"):
        CausalLM(Reworded(), recipe(tiny_llama)).load_adapter(tmp_path / "adapter")


@pytest.mark.usefixtures("numbers_end")
def test_scoring_with_the_adapter_in_the_weights_leaves_them_bit_for_bit(kind: CausalLM) -> None:
    kind.load()
    kind.model = adapters.add_lora(
        kind.model, {"r": 4, "target_modules": "all-linear"}, seed=0, task_type="CAUSAL_LM"
    ).eval()
    kind.has_adapter = True
    for name, parameter in kind.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    before = {name: p.detach().clone() for name, p in kind.model.named_parameters()}
    some = [dict(row) for row in rows(5)]
    with adapters.merged(kind.model):
        assert any(
            not torch.equal(p, before[n]) for n, p in kind.model.named_parameters() if n in before
        )
    inside = kind.predict(some, adapter=True)
    after = dict(kind.model.named_parameters())
    assert all(torch.equal(after[name], value) for name, value in before.items())
    prompts = [kind.renderer.prompt(kind.example(row)) for row in some]
    beside = NumberReader(kind.tokenizer, 999).read(kind.model, prompts)
    for a, b in zip(inside, beside, strict=True):
        np.testing.assert_allclose(
            a.numbers.probabilities, b.numbers.probabilities, rtol=1e-3, atol=1e-7
        )
    base = kind.predict(some, adapter=False)
    assert not np.allclose(base[0].numbers.probabilities, inside[0].numbers.probabilities)


def test_pickled_weights_are_refused(tiny_llama: Path, tmp_path: Path) -> None:
    kind = CausalLM(Guess(), recipe(tiny_llama))
    _train(kind, tmp_path)
    folder = tmp_path / "adapter"
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(ModelError, match="pickled weights are refused"):
        CausalLM(Guess(), recipe(tiny_llama)).load_adapter(folder)


def test_the_adapter_folder_describes_the_adapter(tiny_llama: Path, tmp_path: Path) -> None:
    _train(CausalLM(Guess(), recipe(tiny_llama)), tmp_path)
    told = json.loads((tmp_path / "adapter" / "toolkit.json").read_text())
    assert told["task"] == "guess" and len(told["canaries"]) == 4 and len(told["prompt_sha"]) == 64
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert config["target_modules"] == sorted(config["target_modules"])


@pytest.mark.skipif(not precision.bfloat16_pays(), reason="needs a CPU that computes in bfloat16")
@pytest.mark.usefixtures("numbers_end")
def test_reduced_precision_keeps_the_head_and_is_near(kind: CausalLM) -> None:
    kind.load()
    prompts = [kind.renderer.prompt(kind.example(dict(row))) for row in rows(6)]
    seen: list[torch.dtype] = []
    handle = kind.model.get_output_embeddings().register_forward_hook(
        lambda module, inputs, output: seen.append(output.dtype)
    )
    exact = NumberReader(kind.tokenizer, 999).read(kind.model, prompts)
    near = NumberReader(kind.tokenizer, 999, reduced=True).read(kind.model, prompts)
    handle.remove()
    assert set(seen) == {torch.float32}
    assert not torch.is_autocast_enabled("cpu")
    for a, b in zip(exact, near, strict=True):
        assert not np.array_equal(a.numbers.probabilities, b.numbers.probabilities)
        np.testing.assert_allclose(a.numbers.probabilities, b.numbers.probabilities, rtol=0.2)
