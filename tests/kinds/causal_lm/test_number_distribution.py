"""The distribution over numbers on seven layouts of tokenizers: against brute force, and against
prices whose distribution is known.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from hypothesis import given
from hypothesis import strategies as st

from known_numbers import Known, lognormal
from number_layouts import LAYOUTS, model_of, tokenizer_of
from toolkit import decoding
from toolkit.kinds.causal_lm import number_distribution
from toolkit.kinds.causal_lm.number_distribution import NumberReader
from toolkit.kinds.causal_lm.number_search import Breadth
from toolkit.kinds.causal_lm.number_tree import NumberTree, Pieces, Writing, numbers_to, paths
from toolkit.kinds.language.generate import generate
from toolkit.kinds.language.outputs import Generated
from toolkit.kinds.language.prompt import Renderer
from toolkit.models.limits import Limits

PROMPTS = ("a red cup, pack of 2\nPrice is $", "a big old lamp with a white desk\nPrice is $")
ALL = Breadth(nodes=None, open=0.0, wave=512)


def reader_of(name: str, largest: int, **changes: Any) -> NumberReader:
    tokenizer = tokenizer_of(name)
    writing = Writing.behind(Renderer(tokenizer), PROMPTS[0], str)
    bounds = Limits(stops=(tokenizer.eos_token_id,))
    return NumberReader(tokenizer, largest, bounds=bounds, writing=writing, **changes)


def written(name: str, prompt: str, numbers: Sequence[int]) -> dict[int, list[int]]:
    """Each number's tokens, from the tokens of prompt and number together."""
    renderer = Renderer(tokenizer_of(name))
    ids = renderer.prompt({"prompt": prompt})
    return {n: list(renderer.continuation(prompt, str(n), ids)) for n in numbers}


def brute_force(name: str, model: Any, prompt: str, numbers: Sequence[int]) -> dict[int, float]:
    """The probability of numbers, each from a plain forward pass of its own."""
    tokenizer, pieces = tokenizer_of(name), Pieces(tokenizer_of(name))
    ids = Renderer(tokenizer).prompt({"prompt": prompt})
    found = {}
    assert "," in [tokenizer.decode([i]) for i in pieces.groups.tolist()]
    by_length: dict[int, list[tuple[int, list[int]]]] = {}
    for number, tokens in written(name, prompt, numbers).items():
        by_length.setdefault(len(tokens), []).append((number, tokens))
    for length, pairs in by_length.items():
        for at in range(0, len(pairs), 512):
            part = pairs[at : at + 512]
            rows = torch.tensor([[*ids, *tokens] for _, tokens in part])
            with torch.inference_mode():
                logits = model(rows, use_cache=False, logits_to_keep=length + 1).logits
            after = torch.softmax(logits.double(), -1)
            path = rows[:, len(ids) :, None]
            shares = after[:, :-1].gather(2, path)[..., 0].prod(1)
            for (number, _), share, last in zip(part, shares, after[:, -1], strict=True):
                goes_on = list(pieces.more) + list(pieces.groups) * (number < 1000)
                found[number] = float(share * (1 - last[goes_on].sum()))
    return found


def by_number(numbers: Any) -> dict[int, float]:
    return dict(zip(numbers.values.astype(int).tolist(), numbers.probabilities, strict=True))


# -- exactness -------------------------------------------------------------------------------------
@pytest.mark.parametrize("largest", [999, 9_999])
@pytest.mark.parametrize("name", LAYOUTS)
def test_every_number_has_the_probability_of_its_tokens(name: str, largest: int) -> None:
    model, reader = model_of(name), reader_of(name, largest, breadth=ALL)
    reader.one_pass = False
    numbers: Sequence[int] = range(1, 1000)
    if largest > 999:  # some of them, and all prefixes that these have
        some = np.random.default_rng(0).integers(1, largest, 300).tolist()
        numbers = sorted({*some, *range(1, 1000, 9), *range(1000, 1300, 10), 999, 9_999})
        tree = NumberTree(paths(reader.tokenizer, reader.pieces, numbers, reader.writing))
        assert set(tree.values) - {0} <= set(reader.tree.values)
        reader.tree = tree
    ids = [Renderer(tokenizer_of(name)).prompt({"prompt": prompt}) for prompt in PROMPTS]
    for prompt, output in zip(PROMPTS, reader.read(model, ids), strict=True):
        exact = brute_force(name, model, prompt, numbers)
        found = by_number(output.numbers)
        assert found.keys() == exact.keys()
        np.testing.assert_allclose(
            [found[n] for n in numbers], [exact[n] for n in numbers], rtol=2e-3, atol=1e-12
        )
    assert reader.takes_trees == (name != "phi-3")  # the cache of a sliding window is cut


@pytest.mark.parametrize("name", ["llama-3", "qwen", "gpt2"])
def test_what_is_guessed_is_near_what_is_scored(name: str) -> None:
    """Of a random model, which ends one number and goes on behind the next, without any rule."""
    model, reader = model_of(name), reader_of(name, 999)
    reader.one_pass = False
    prompt = Renderer(tokenizer_of(name)).prompt({"prompt": PROMPTS[0]})
    (output,) = reader.read(model, [prompt])
    found = by_number(output.numbers)
    exact = brute_force(name, model, PROMPTS[0], range(1, 1000))
    total = sum(exact.values())
    away = sum(abs(found.get(n, 0.0) - share) for n, share in exact.items())
    assert away < 0.1 * total
    assert output.numbers.covered == pytest.approx(total, rel=0.02)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_the_greedy_answer_is_the_one_that_is_generated(attention: str) -> None:
    tokenizer, model = tokenizer_of("qwen"), model_of("qwen", attention)
    renderer = Renderer(tokenizer)
    ids = [renderer.prompt({"prompt": prompt}) for prompt in PROMPTS]
    bounds = Limits(stops=tuple(range(len(tokenizer) - 150)))  # it ends soon
    reader = NumberReader(tokenizer, 999, bounds=bounds)
    read = reader.read(model, ids)
    texts = generate(model, tokenizer, ids, generation={"max_new_tokens": 11}, bounds=bounds)
    assert [r.text for r in read] == [t.text for t in texts]
    assert [r.tokens for r in read] == [t.tokens for t in texts]


# -- prices whose distribution is known ------------------------------------------------------------
def known_model(name: str, shares: dict[int, float], **changes: Any) -> tuple[Known, list[int]]:
    tokenizer = tokenizer_of(name)
    prompt = Renderer(tokenizer).prompt({"prompt": PROMPTS[0]})
    end = tokenizer.eos_token_id
    sequences = {
        (*ids, end): shares[n] for n, ids in written(name, PROMPTS[0], list(shares)).items()
    }
    return Known(sequences, len(tokenizer), len(prompt), **changes), prompt


@pytest.mark.parametrize("attention", ["sdpa", "eager", "flash_attention_2"])
@pytest.mark.parametrize(
    ("median", "sigma", "largest"), [(200, 0.5, 999), (200, 0.5, 9_999), (800, 0.4, 9_999)]
)
@pytest.mark.parametrize("name", ["llama-3", "qwen", "gpt2"])
def test_a_lognormal_price_is_read_as_it_is(
    name: str, median: int, sigma: float, largest: int, attention: str
) -> None:
    if attention != "sdpa" and name != "qwen":
        pytest.skip("one layout is enough")
    shares = lognormal(median, sigma, largest)
    values, weights = np.array(list(shares)), np.array(list(shares.values()))
    model, prompt = known_model(name, shares, attention=attention)
    reader = reader_of(name, largest)
    (output,) = reader.read(model, [prompt])
    assert reader.takes_trees == (attention != "flash_attention_2") or reader.one_pass
    numbers = output.numbers
    assert numbers is not None
    print(name, median, largest, attention, model.positions_read, numbers.covered)
    assert numbers.covered >= 0.98
    found = decoding.median(numbers.values, numbers.probabilities)
    assert found == pytest.approx(decoding.median(values, weights), abs=0.5)
    assert found == pytest.approx(median, abs=0.5 + 0.01 * (largest < 1000) * median)
    found = decoding.mean(numbers.values, numbers.probabilities)
    assert found == pytest.approx(decoding.mean(values, weights), abs=0.5)


class Blind(Known):
    """It takes the mask of a tree, and attends to every token before instead."""

    @staticmethod
    def _seen(mask: torch.Tensor | None, rows: int, new: int, width: int) -> torch.Tensor:
        if mask is not None and mask.ndim == 4:
            padding = mask[:, -1, -1].clone()
            padding[:, -new:] = True
            return Known._seen(padding, rows, new, width)
        return Known._seen(mask, rows, new, width)


def test_a_training_in_bfloat16_is_no_reason_to_walk() -> None:
    """Validation is scored by the model as accelerate runs it, in two to three digits."""
    model = copy.deepcopy(model_of("qwen"))
    AcceleratorState._reset_state(True)
    try:
        trained = Accelerator(mixed_precision="bf16", cpu=True).prepare_model(model).eval()
    finally:
        AcceleratorState._reset_state(True)
    reader = reader_of("qwen", 999)
    ids = [Renderer(tokenizer_of("qwen")).prompt({"prompt": prompt}) for prompt in PROMPTS]
    reader.read(trained, ids)
    assert reader.takes_trees is True


def test_a_model_that_ignores_the_mask_is_found_out() -> None:
    known, prompt = known_model("qwen", lognormal(200, 0.5, 999))
    blind, _ = known_model("qwen", lognormal(200, 0.5, 999))
    blind.__class__ = Blind
    reader = reader_of("qwen", 999)
    (output,) = reader.read(blind, [prompt])
    assert reader.takes_trees is False
    (right,) = reader_of("qwen", 999).read(known, [prompt])
    assert decoding.median(output.numbers.values, output.numbers.probabilities) == pytest.approx(
        decoding.median(right.numbers.values, right.numbers.probabilities), abs=0.1
    )
    assert output.text == right.text


# -- where a number ends ---------------------------------------------------------------------------
@given(
    st.integers(1, 10_000_000),
    st.one_of(
        st.sampled_from(["", ".", ".00", ",", ", ", ",250", ",250.00", " dollars", "$", "k", "%"]),
        st.text(alphabet="0123456789,. $'k€-", max_size=6),
        st.text(max_size=3),
    ),
)
def test_what_does_not_continue_a_number_leaves_it_as_it_is(number: int, behind: str) -> None:
    found = decoding.first_number(f"{number}{behind}")
    if not decoding.continues(str(number), behind):
        assert found is not None and int(found) == number
    elif behind[0].isdecimal():
        assert found != number
    else:
        assert behind[0] == "," and number < 1000


@pytest.mark.parametrize("name", LAYOUTS)
def test_tokens_end_a_number_as_texts_do(name: str) -> None:
    tokenizer = tokenizer_of(name)
    pieces = Pieces(tokenizer)
    for token in range(len(tokenizer)):
        if token in tokenizer.all_special_ids:
            continue
        one = tokenizer.convert_tokens_to_ids("1")
        text = tokenizer.decode([one, token])[len(tokenizer.decode([one])) :]
        assert (token in pieces.more or token in pieces.groups) == decoding.continues("1", text)
        assert (token in pieces.more) == decoding.continues("1000", text)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("text", ["1,250.00", "1250", "1250 dollars"])
def test_a_longer_number_is_not_read_as_its_first_token(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With numbers to 999, which Llama 3's tokenizer has as tokens."""
    tokenizer, renderer = tokenizer_of(name), Renderer(tokenizer_of(name))
    prompt = renderer.prompt({"prompt": PROMPTS[0]})
    ids = (*renderer.continuation(PROMPTS[0], text, prompt), tokenizer.eos_token_id)
    asked: list[Any] = []

    def generated(model: Any, tokenizer: Any, prompts: Any, **others: Any) -> list[Generated]:
        asked.extend(prompts)
        return [Generated(text, tokens=len(ids)) for _ in prompts]

    monkeypatch.setattr(number_distribution, "generate", generated)
    reader = reader_of(name, 999)
    assert reader.one_pass == (name in ("llama-3", "olmo2"))
    (output,) = reader.read(Known({ids: 1.0}, len(tokenizer), len(prompt)), [prompt])
    assert output.text == text and asked == [prompt]
    assert output.numbers is not None and output.numbers.covered < 1e-6
    # With larger numbers the canonical way is found, and what follows it does not matter.
    reader = reader_of(name, 5_000)
    (output,) = reader.read(Known({ids: 1.0}, len(tokenizer), len(prompt)), [prompt])
    found = by_number(output.numbers)
    assert found.get(1250, 0.0) == pytest.approx(0.0 if "," in text else 1.0, abs=1e-6)
    assert sum(share for n, share in found.items() if n != 1250) < 1e-6


def test_numbers_of_one_token_are_read_in_one_pass() -> None:
    tokenizer = tokenizer_of("llama-3")
    known, prompt = known_model("llama-3", {30: 0.25, 500: 0.75})
    reader = reader_of("llama-3", 999)
    outputs = reader.read(known, [prompt] * 64)
    assert {o.text for o in outputs} == {"500"}
    assert known.positions_read < 66 * (len(prompt) + 24)
    assert by_number(outputs[0].numbers)[500] == pytest.approx(0.75)
    assert len(tokenizer) > 1000


# -- how numbers are written -----------------------------------------------------------------------
def test_numbers_are_written_as_training_writes_them(tiny_qwen: Path) -> None:
    """In a chat, behind a turn's beginning, and behind a completion's own words."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_qwen)
    renderer, pieces = Renderer(tokenizer), Pieces(tokenizer)
    prompt = [{"role": "user", "content": "What does a cup cost?"}]
    for text in (str, "about {}".format, "{:,}".format, "{}.00 dollars".format):
        writing = Writing.behind(renderer, prompt, text)
        found = paths(tokenizer, pieces, [5, 42, 999, 1250], writing)
        for number, ids in found.items():
            whole = writing.tokens(number)
            assert list(whole[: len(ids)]) == list(ids)
            assert decoding.first_number(tokenizer.decode(ids)) == number
            assert not decoding.continues(str(number), tokenizer.decode(whole[len(ids)]))
        assert list(found) == [5, 42, 999, 1250]


def test_the_tree_has_every_number_once() -> None:
    for name in LAYOUTS:
        tree = NumberTree.of(tokenizer_of(name), Pieces(tokenizer_of(name)), 460, None)
        assert sorted(tree.values[tree.values > 0].tolist()) == list(range(1, 1000))
    assert len(numbers_to(5_000)) == 9_999
    large = numbers_to(123_456)
    assert 249_900 in large and 249_912 not in large and large == sorted(large)


def test_rows_that_are_done_are_left_out_and_change_nothing() -> None:
    """A row that needs many nodes between rows that need few."""
    tokenizer, renderer = tokenizer_of("qwen"), Renderer(tokenizer_of("qwen"))
    prompt = renderer.prompt({"prompt": PROMPTS[0]})
    broad, sure = lognormal(800, 0.4, 9_999), {42: 1.0}
    shares = {n: broad[n] for n in broad}
    written_ = written("qwen", PROMPTS[0], list(shares))
    model = Known(
        {(9, *ids, tokenizer.eos_token_id): shares[n] for n, ids in written_.items()}
        | {(8, *written_[n], tokenizer.eos_token_id): share for n, share in sure.items()},
        len(tokenizer), len(prompt),
    )  # fmt: skip
    # Token 8 or 9 behind the prompt says which of the two it is.
    prompts = [[*prompt, 8], [*prompt, 9], [*prompt, 8], [*prompt, 8], [*prompt, 8]]
    reader = reader_of("qwen", 9_999)
    read = reader.read(model, prompts)
    assert reader.takes_trees
    assert [by_number(read[i].numbers).get(42) for i in (0, 2, 3, 4)] == [pytest.approx(1.0)] * 4
    (alone,) = reader.read(model, prompts[1:2])
    assert by_number(read[1].numbers) == pytest.approx(by_number(alone.numbers), abs=1e-9)
    assert [r.text for r in read] == ["42", alone.text, "42", "42", "42"]
