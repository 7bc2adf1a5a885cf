"""The distribution over numbers on seven layouts of tokenizers: against brute force, and against
prices whose distribution is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from number_layouts import LAYOUTS, model_of, tokenizer_of
from toolkit import decoding
from toolkit.kinds.causal_lm.number_distribution import NumberReader
from toolkit.kinds.causal_lm.number_search import Breadth
from toolkit.kinds.causal_lm.number_tree import NumberTree, Pieces, Writing, paths
from toolkit.kinds.language.generate import generate
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
